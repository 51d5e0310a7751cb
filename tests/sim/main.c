/*
 * sim --seed N [-v]                  one history, told
 * sim --runs N [--first SEED]        many; the seeds that fail are printed
 * sim --sabotage NAME --runs N       with a fault of ours in it, which has to be found
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "history.h"

#define SHOWN 20u /* seeds that fail; the rest is counted */

struct options {
	uint64_t first;
	uint64_t runs;
	bool verbose;
	enum sabotage sabotage;
};

static bool options_sabotage(struct options *o, const char *name)
{
	for (unsigned i = 0; i < SABOTAGE_COUNT; i++)
		if (strcmp(sabotage_name((enum sabotage)i), name) == 0) {
			o->sabotage = (enum sabotage)i;
			return true;
		}
	return false;
}

static bool options_get(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "-v") == 0) {
			o->verbose = true;
			continue;
		}
		if (!value)
			return false;
		i++;
		if (strcmp(argv[i - 1], "--seed") == 0 || strcmp(argv[i - 1], "--first") == 0)
			o->first = strtoull(value, NULL, 10);
		else if (strcmp(argv[i - 1], "--runs") == 0)
			o->runs = strtoull(value, NULL, 10);
		else if (strcmp(argv[i - 1], "--sabotage") != 0 || !options_sabotage(o, value))
			return false;
	}
	return true;
}

static void counts_print(const uint64_t *counts)
{
	for (unsigned i = 0; i < FAULT_COUNT; i++)
		(void)printf("%s%" PRIu64 " %s", i ? ", " : "", counts[i],
			     fault_name((enum fault)i));
	(void)printf("\n");
}

int main(int argc, char **argv)
{
	struct options o = {.first = 1, .runs = 1};
	uint64_t counts[FAULT_COUNT] = {0}, failed = 0;
	struct history h = {.counts = counts};

	if (!options_get(&o, argc, argv)) {
		(void)fprintf(stderr, "usage: sim [--seed N | --runs N [--first SEED]] [-v] "
				      "[--sabotage NAME]\n");
		return 2;
	}
	h.verbose = o.verbose;
	h.sabotage = o.sabotage;
	for (h.seed = o.first; h.seed < o.first + o.runs; h.seed++) {
		if (history_run(&h))
			continue;
		if (failed++ < SHOWN)
			(void)printf("seed %" PRIu64 ": %s\n", h.seed, h.why);
		if (o.sabotage)
			break;
	}
	counts_print(counts);
	(void)printf("%" PRIu64 " histories of %" PRIu64 " runs and %" PRIu64 " records, %" PRIu64
		     " failed\n",
		     o.sabotage ? h.seed - o.first : o.runs, h.runs, h.records, failed);
	return failed != 0;
}
