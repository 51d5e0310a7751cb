/*
 * What storing results costs (initiator/daemon/results.c), as lines of NAME VALUE UNIT.
 * Usage: results_bench [RECORDS]
 */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "results.h"

#define RECORDS	 2000000u
#define CHILDREN 10000u
#define ROUNDS	 5

static const char line[] = "a short line of text";

static void on_hold(void *arg, bool hold)
{
	(void)arg;
	(void)hold;
}

static struct results *make(struct results_budget *budget)
{
	return results_new(&(struct results_spec){.budget = budget, .hold = on_hold});
}

static size_t heap(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void figure(const char *name, double value, const char *unit)
{
	printf("%-44s %14.1f %s\n", name, value, unit);
}

static void add(struct results *results, uint64_t stream, uint64_t i)
{
	results_add(results, &(struct record){.stream = stream,
					      .time_ns = 1700000000000000000u + i * 1000,
					      .value = (const uint8_t *)line,
					      .len = sizeof line - 1});
}

static double rate(unsigned count, uint64_t begin_ns)
{
	return count / ((double)(clock_mono_ns() - begin_ns) / 1e9);
}

/* Reads all, a run at a time; returns how many records there were. */
static uint64_t drain(struct results *results)
{
	struct results_rows rows;
	uint64_t first, from = 1, sum = 0;
	size_t count;

	while ((count = results_peek(results, UINT32_MAX, from, &rows, &first)) != 0) {
		from = first + count;
		sum += count;
		results_ack(results, UINT32_MAX, from - 1);
	}
	return sum;
}

/* As merging by time does it: look at the time, take a record, look again; nothing is let go of. */
static void walk(const char *name, struct results *results, unsigned count)
{
	struct results_rows rows;
	uint64_t begin = clock_mono_ns(), first, sum = 0;
	char text[64];

	for (uint64_t seq = 1; seq <= count; seq++) {
		sum += results_peek_time(results, UINT32_MAX, seq);
		sum += results_peek(results, UINT32_MAX, seq, &rows, &first);
	}
	(void)snprintf(text, sizeof text, "peek time + peek by one, %s", name);
	figure(text, rate(count, begin), "records/s");
	if (!sum)
		exit(1);
}

static void flow(const char *name, unsigned count, unsigned streams)
{
	struct results_budget budget = {.limit = SIZE_MAX, .share = SIZE_MAX};
	double best_add = 0, best_drain = 0, bytes = 0;
	char text[64];

	for (int round = 0; round < ROUNDS; round++) {
		size_t before = heap();
		struct results *results = make(&budget);
		uint64_t begin = clock_mono_ns();
		double r;

		for (unsigned i = 0; i < count; i++)
			add(results, i % streams, i);
		r = rate(count, begin);
		best_add = r > best_add ? r : best_add;
		bytes = (double)(heap() - before) / count;
		if (round == 0)
			walk(name, results, count);
		begin = clock_mono_ns();
		if (drain(results) != count)
			exit(1);
		r = rate(count, begin);
		best_drain = r > best_drain ? r : best_drain;
		results_free(results);
	}
	(void)snprintf(text, sizeof text, "add, %s", name);
	figure(text, best_add, "records/s");
	(void)snprintf(text, sizeof text, "peek + ack, %s", name);
	figure(text, best_drain, "records/s");
	(void)snprintf(text, sizeof text, "a record beyond its %zu bytes, %s", sizeof line - 1,
		       name);
	figure(text, bytes - (double)(sizeof line - 1), "bytes");
}

static void children(void)
{
	struct results_budget budget = {.limit = SIZE_MAX, .share = SIZE_MAX};
	struct results **all = xcalloc(CHILDREN, sizeof *all);
	size_t before = heap(), bare;

	for (unsigned i = 0; i < CHILDREN; i++)
		all[i] = make(&budget);
	bare = heap() - before;
	figure("a child without records", (double)bare / CHILDREN, "bytes");
	for (unsigned i = 0; i < CHILDREN; i++)
		add(all[i], STREAM_OUTPUT, i);
	figure("a child with one record", (double)(heap() - before) / CHILDREN, "bytes");
	for (unsigned i = 0; i < CHILDREN; i++) {
		for (unsigned k = 0; k < 99; k++)
			add(all[i], STREAM_OUTPUT, k);
		results_close(all[i]);
	}
	figure("a child with 100 records, ended", (double)(heap() - before) / CHILDREN, "bytes");
	for (unsigned i = 0; i < CHILDREN; i++)
		results_free(all[i]);
	free(all);
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : RECORDS;

	if (!count) {
		fprintf(stderr, "usage: results_bench [RECORDS], a number from 1 on\n");
		return 2;
	}
	children();
	flow("one stream", count, 1);
	flow("two streams in turn", count, 2);
	return 0;
}
