/*
 * parse_bench [MB]: how fast each parser is, with the batches that its records go to, over a
 * generated text in portions of 64 KiB as they come from a pipe. Run by hand, on a release build.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "parse.h"
#include "record.h"

#define BENCH_PORTION (64u << 10)
#define BENCH_BLOCK   (8u << 20) /* of text, which is given again and again */

struct bench {
	const char *name;
	uint64_t kind;
	const char *argument;
	const char *begin;
	const char *line; /* 100 bytes with its newline, or about that */
};

static const struct bench benches[] = {
	{"raw", PARSE_RAW, NULL, "",
	 "Jan  1 12:00:00 host program[123]: something has happened and this is what it was, more "
	 "or less.....\n"},
	{"lines", PARSE_LINES, NULL, "",
	 "Jan  1 12:00:00 host program[123]: something has happened and this is what it was, more "
	 "or less.....\n"},
	{"nul", PARSE_NUL, NULL, "",
	 "Jan  1 12:00:00 host program[123]: something has happened and this is what it was, more "
	 "or less.....\n"},
	{"json", PARSE_JSON, NULL, "[{}",
	 ",{\"time\":1700000000,\"host\":\"host\",\"pid\":123,\"load\":0.25,\"ok\":true,"
	 "\"message\":\"it has happened\"}\n"},
	{"jsonl", PARSE_JSONL, NULL, "",
	 "{\"time\":1700000000,\"host\":\"host\",\"pid\":123,\"load\":0.25,\"ok\":true,"
	 "\"message\":\"it has happened\"}\n"},
	{"csv", PARSE_CSV, NULL, "time,host,pid,load,ok,message\n",
	 "1700000000,host,123,0.25,true,\"it has happened, and this is what it was, more or less, "
	 "as it seems\"\n"},
	{"tsv", PARSE_TSV, NULL, "time\thost\tpid\tload\tok\tmessage\n",
	 "1700000000\thost\t123\t0.25\ttrue\tit has happened, and this is what it was, more or "
	 "less, as it seems\n"},
	{"kv", PARSE_KV, NULL, "", "some.key.of.the.system = some value that it has\n"},
	{"blocks", PARSE_BLOCKS, NULL, "",
	 "Package: program\nStatus: install ok installed\nInstalled-Size: 1234\n\n"},
	{"table", PARSE_TABLE, NULL, "USER         PID %CPU %MEM    VSZ COMMAND\n",
	 "root           1  0.0  0.2 169300 /sbin/init and its arguments\n"},
	{"regex", PARSE_REGEX, "^([0-9]+) (?<host>[a-z]+) (.*)$", "",
	 "1700000000 host it has happened, and this is what it was, more or less, as it seems\n"},
	{"auto", PARSE_AUTO, NULL, "",
	 "Jan  1 12:00:00 host program[123]: something has happened and this is what it was, more "
	 "or less.....\n"},
};

struct bench_out {
	struct record_batch batch;
	size_t records;
};

/* As the agent does: into the batch that it sends. */
static void bench_record(void *arg, const struct record *record)
{
	struct bench_out *out = arg;

	out->records++;
	record_batch_add(&out->batch, record);
	if (record_batch_is_full(&out->batch))
		record_batch_clear(&out->batch);
}

static void bench_schema(void *arg, uint64_t schema, const char *const *columns, size_t count)
{
	(void)arg, (void)schema, (void)columns, (void)count;
}

static void bench_run(const struct bench *b, size_t total)
{
	static const struct parse_events events = {bench_record, bench_schema};
	struct parse *p = NULL;
	struct buf text = {0};
	struct bench_out out = {0};
	size_t done = 0;
	uint64_t begin, ns;

	while (text.len < BENCH_BLOCK)
		buf_add_str(&text, b->line);
	if (parse_new(&p, b->kind, b->argument, &events, &out, NULL) < 0)
		abort();
	parse_add(p, b->begin, strlen(b->begin));
	begin = clock_mono_ns();
	while (done < total) {
		for (size_t at = 0; at < text.len; at += BENCH_PORTION)
			parse_add(p, text.data + at,
				  BENCH_PORTION < text.len - at ? BENCH_PORTION : text.len - at);
		done += text.len;
	}
	parse_end(p);
	ns = clock_mono_ns() - begin;
	parse_free(p);
	record_batch_done(&out.batch);
	buf_done(&text);
	(void)printf("%-7s %8.0f MB/s %12zu records\n", b->name, (double)done * 1e3 / (double)ns,
		     out.records);
}

int main(int argc, char **argv)
{
	size_t mb = argc > 1 ? strtoul(argv[1], NULL, 10) : 100;

	for (size_t i = 0; i < ARRAY_LEN(benches); i++)
		bench_run(&benches[i], mb * 1000000);
	return 0;
}
