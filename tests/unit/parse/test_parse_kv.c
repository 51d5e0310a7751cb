/* kv and blocks. */
#include "parse_run.h"

#define UNPARSED(why, raw) "value {\"$error\":\"" why "\",\"$raw\":" raw "} unparsed\n"
#define NO_PAIR(raw)	   UNPARSED("the line is neither KEY=VALUE nor KEY: VALUE", raw)

static const struct parse_case kv_cases[] = {
	{"nothing", PARSE_KV, NULL, "", 0, ""},
	{"blanks and comments", PARSE_KV, NULL, "\n  \n# A=1\n  # B=2\n", 0, ""},
	{"pairs", PARSE_KV, NULL, "A=1\nB: two\nC=\n", 0,
	 "value {\"A\":1,\"B\":\"two\",\"C\":nil}\n"},
	{"blanks around", PARSE_KV, NULL, "  A = 1 \r\n\tB:\t2\r\n", 0,
	 "value {\"A\":1,\"B\":2}\n"},
	{"os-release", PARSE_KV, NULL, "NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n",
	 0, "value {\"NAME\":\"Debian GNU/Linux\",\"VERSION_ID\":\"12\",\"ID\":\"debian\"}\n"},
	{"quotes", PARSE_KV, NULL, "A=\"a\\\"b\\\\c\\$d\\`e\\nf\"\nB='x\\y\"'\nC=\"\"\nD=''\n", 0,
	 "value {\"A\":\"a\"b\\c$d`e\\nf\",\"B\":\"x\\y\"\",\"C\":\"\",\"D\":\"\"}\n"},
	{"no quotes from end to end", PARSE_KV, NULL, "A=\"x\nB=\"x\" y\nC=\"\nD=\"x\\\"\n", 0,
	 "value {\"A\":\"\"x\",\"B\":\"\"x\" y\",\"C\":\"\"\",\"D\":\"\"x\\\"\"}\n"},
	{"the first separator counts", PARSE_KV, NULL,
	 "PATH=/a: /b\nName: x=y\nExec={ path=/x }\nurl=http://x\nCPU(s): 4\n", 0,
	 "value {\"PATH\":\"/a: /b\",\"Name\":\"x=y\",\"Exec\":\"{ path=/x }\","
	 "\"url\":\"http://x\",\"CPU(s)\":4}\n"},
	{"a colon at the end", PARSE_KV, NULL, "A:\n", 0, "value {\"A\":nil}\n"},
	{"again", PARSE_KV, NULL, "A=1\nB=x\nA=two\nA=\n", 0,
	 "value {\"A\":[1,\"two\",nil],\"B\":\"x\"}\n"},
	{"neither", PARSE_KV, NULL, "hello\nA=1\n12:30 x\n=x\n: x\n", 0,
	 NO_PAIR("\"hello\"") NO_PAIR("\"12:30 x\"") NO_PAIR("\"=x\"")
		 NO_PAIR("\": x\"") "value {\"A\":1}\n"},
	{"fault_42: bytes", PARSE_KV, NULL, BYTES("A=\xff\n\xff=1\nB=x\0y\n"),
	 UNPARSED("the key is not valid UTF-8",
		  "b\"\\xff=1\"") "value {\"A\":b\"\\xff\",\"B\":\"x\\x00y\"}\n"},
	{"blocks are one for kv", PARSE_KV, NULL, "A=1\n\nA=2\n", 0, "value {\"A\":[1,2]}\n"},
};

static const struct parse_case blocks_cases[] = {
	{"stanzas", PARSE_BLOCKS, NULL, "\nA: 1\nB: 2\n\n \nA: 3\n", 0,
	 "value {\"A\":1,\"B\":2}\nvalue {\"A\":3}\n"},
	{"continued", PARSE_BLOCKS, NULL, "A: 12\n x\n\ty  \n .\nB: 2\n", 0,
	 "value {\"A\":\"12\\x0ax\\x0ay\\x0a.\",\"B\":2}\n"},
	{"continued from nothing", PARSE_BLOCKS, NULL, "A:\n x\n", 0, "value {\"A\":\"\\x0ax\"}\n"},
	{"a blank with nothing before it", PARSE_BLOCKS, NULL, " A: 1\n\n B: 2\n x\n", 0,
	 "value {\"A\":1}\nvalue {\"B\":\"2\\x0ax\"}\n"},
	{"comments", PARSE_BLOCKS, NULL, "# x\nA: 1\n# y\nB: 1\n", 0, "value {\"A\":1,\"B\":1}\n"},
	{"neither", PARSE_BLOCKS, NULL, "A: 1\nhello\n\nB: 2\n", 0,
	 NO_PAIR("\"hello\"") "value {\"A\":1}\nvalue {\"B\":2}\n"},
	{"the same key", PARSE_BLOCKS, NULL, "A=1\nA=2\n x\n\nA=3", 0,
	 "value {\"A\":[1,\"2\\x0ax\"]}\nvalue {\"A\":3}\n"},
};

static void test_kv(void **state)
{
	(void)state;
	run_cases(kv_cases, ARRAY_LEN(kv_cases));
}

static void test_blocks(void **state)
{
	(void)state;
	run_cases(blocks_cases, ARRAY_LEN(blocks_cases));
}

/* --- limits: another record begins ----------------------------------------------------------- */

struct kv_sum {
	size_t records;
	size_t pairs;
	size_t values;
};

static void kv_sum_record(void *arg, const struct record *record)
{
	struct kv_sum *sum = arg;
	struct value_in in = value_in(record->value, record->len);
	struct value map, v;

	run_send(record);
	assert_true(value_next(&in, &map));
	assert_int_equal(map.kind, VALUE_MAP);
	sum->records++;
	sum->pairs += map.count;
	for (uint32_t i = 0; i < map.count; i++) {
		assert_true(value_skip(&in, NULL));
		assert_true(value_next(&in, &v));
		sum->values += v.kind == VALUE_ARRAY ? v.count : 1;
		for (uint32_t k = 0; v.kind == VALUE_ARRAY && k < v.count; k++)
			assert_true(value_skip(&in, NULL));
	}
}

static const struct parse_events kv_sum_events = {kv_sum_record, run_count_schema};

static void test_many_keys(void **state)
{
	struct kv_sum sum = {0};
	struct parse *p = run_new(PARSE_KV, NULL, &kv_sum_events, &sum);

	(void)state;
	for (size_t i = 0; i < 2 * LIMIT_MAP_KEYS + 1; i++) {
		char *line = xasprintf("k%zu=1.5\n", i);

		parse_add(p, line, strlen(line));
		free(line);
	}
	run_finish(p);
	assert_int_equal(sum.records, 3);
	assert_int_equal(sum.pairs, 2 * LIMIT_MAP_KEYS + 1);
}

static void test_many_values(void **state)
{
	struct kv_sum sum = {0};
	struct parse *p = run_new(PARSE_KV, NULL, &kv_sum_events, &sum);

	(void)state;
	run_repeat(p, "k=1\nl=1.5\n", 50000);
	assert_true(parse_pending(p) <= LIMIT_TYPED_VALUE);
	run_finish(p);
	assert_int_equal(sum.values, 100000);
	assert_true(sum.records > 5);
}

static void test_big_values(void **state)
{
	struct kv_sum sum = {0};
	struct parse *p = run_new(PARSE_BLOCKS, NULL, &kv_sum_events, &sum);
	struct run_count c;

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		parse_add(p, "k=", 2);
		run_repeat(p, "x", LIMIT_RECORD_VALUE - 2);
		parse_add(p, "\n", 1);
	}
	run_finish(p);
	assert_int_equal(sum.values, 20);
	/* What is too long for a value is kept as it is. */
	p = run_counter(PARSE_KV, NULL, &c);
	parse_add(p, "k=", 2);
	run_repeat(p, "x", LIMIT_RECORD_VALUE - 1);
	parse_add(p, "\nk=1\n", 5);
	run_finish(p);
	assert_int_equal(c.bytes, LIMIT_RECORD_VALUE + 1);
	assert_int_equal(c.typed, 1);
}

/* A value that goes on and on is never too big for a record. */
static void test_continued_without_end(void **state)
{
	struct run_count c;
	struct parse *p = run_counter(PARSE_BLOCKS, NULL, &c);

	(void)state;
	parse_add(p, "k=1\n", 4);
	run_repeat(p, " continued: without end\n", 200000);
	assert_true(parse_pending(p) <= LIMIT_TYPED_VALUE);
	run_finish(p);
	assert_true(c.typed > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kv),	   cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_many_keys),  cmocka_unit_test(test_many_values),
		cmocka_unit_test(test_big_values), cmocka_unit_test(test_continued_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
