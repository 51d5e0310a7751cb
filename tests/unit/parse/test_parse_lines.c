/* lines, nul, raw: nothing is lost and nothing is added, whatever comes. */
#include <sys/resource.h>

#include "parse_run.h"

static const struct parse_case lines_cases[] = {
	{"nothing", PARSE_LINES, NULL, "", 0, ""},
	{"two lines", PARSE_LINES, NULL, "a\nb\n", 0, "text|a\ntext|b\n"},
	{"no newline at the end", PARSE_LINES, NULL, "a\nb", 0, "text|a\ntext|b no_eol\n"},
	{"empty lines", PARSE_LINES, NULL, "\n\na\n", 0, "text|\ntext|\ntext|a\n"},
	{"CR stays", PARSE_LINES, NULL, "a\r\nb\rc\n", 0, "text|a\\x0d\ntext|b\\x0dc\n"},
	{"fault_42: NUL and bytes", PARSE_LINES, NULL, BYTES("a\0b\n\xff\xfe\n"),
	 "text|a\\x00b\ntext|\\xff\\xfe\n"},
	{"a byte order mark is text", PARSE_LINES, NULL,
	 "\xef\xbb\xbf"
	 "a\n",
	 0,
	 "text|\xef\xbb\xbf"
	 "a\n"},
	{"JSON is text", PARSE_LINES, NULL, "{\"a\":1}\n", 0, "text|{\"a\":1}\n"},
	{"nul", PARSE_NUL, NULL, BYTES("a\nb\0c\0\0d"),
	 "text|a\\x0ab\ntext|c\ntext|\ntext|d no_eol\n"},
};

static void test_cases(void **state)
{
	(void)state;
	run_cases(lines_cases, ARRAY_LEN(lines_cases));
}

/* --- whatever comes comes out again --------------------------------------------------------- */

struct soup {
	uint8_t separator;
	struct buf out;
};

static void soup_record(void *arg, const struct record *record)
{
	struct soup *s = arg;

	assert_false(record->is_typed);
	assert_true(record->len <= LIMIT_RECORD_VALUE);
	buf_add(&s->out, record->value, record->len);
	if (!(record->flags & (RECORD_CONTINUES | RECORD_NO_EOL)))
		buf_add_char(&s->out, (char)s->separator);
}

static const struct parse_events soup_events = {soup_record, run_count_schema};

static uint32_t soup_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Long and short runs without a separator, so that lines of every length come up. */
static void soup_fill(uint8_t *data, size_t len, uint32_t *seed)
{
	size_t at = 0;

	while (at < len) {
		size_t run = 1 + soup_random(seed) % (soup_random(seed) % 8 ? 300 : 200000);
		bool is_text = soup_random(seed) % 2;

		for (; run && at < len; run--, at++)
			data[at] = is_text ? (uint8_t)("\xf0\x9f\x98\x80"[at % 4])
					   : (uint8_t)(soup_random(seed) | 0x10);
		if (at < len)
			data[at++] = (uint8_t)(soup_random(seed) % 2 ? '\n' : '\0');
	}
}

static void soup_check(uint64_t kind, uint8_t separator, const uint8_t *data, size_t len,
		       uint32_t *seed)
{
	struct soup s = {.separator = separator};
	struct parse *p = run_new(kind, NULL, &soup_events, &s);
	size_t at = 0;

	while (at < len) {
		size_t n = 1 + soup_random(seed) % 150000;

		n = n < len - at ? n : len - at;
		parse_add(p, data + at, n);
		at += n;
	}
	run_finish(p);
	assert_int_equal(s.out.len, len);
	assert_memory_equal(s.out.data, data, len);
	buf_done(&s.out);
}

static void test_soup_comes_back(void **state)
{
	size_t len = 2u << 20;
	uint8_t *data = xmalloc(len);
	uint32_t seed = 4;

	(void)state;
	for (int i = 0; i < 6; i++) {
		soup_fill(data, len, &seed);
		soup_check(PARSE_RAW, 0, data, len - (size_t)i, &seed);
		soup_check(PARSE_LINES, '\n', data, len - (size_t)i, &seed);
		soup_check(PARSE_NUL, '\0', data, len - (size_t)i, &seed);
	}
	free(data);
}

static void test_raw_is_not_copied(void **state)
{
	struct run_count c;
	struct parse *p = run_counter(PARSE_RAW, NULL, &c);

	(void)state;
	parse_add(p, "no line", 7);
	assert_int_equal(c.records, 1);
	assert_int_equal(c.last_flags, RECORD_NO_EOL);
	assert_int_equal(parse_pending(p), 0);
	run_finish(p);
	assert_int_equal(c.records, 1);
}

/* --- long lines ----------------------------------------------------------------------------- */

static void lines_of(size_t len, const char *unit, size_t step, struct buf *out)
{
	struct parse_case c = {.kind = PARSE_LINES};
	struct buf input = {0};
	char *found;

	while (input.len < len)
		buf_add_str(&input, unit);
	input.len = len;
	buf_add_char(&input, '\n');
	c.input = (char *)input.data;
	c.len = input.len;
	found = run_parser(&c, step, step);
	buf_clear(out);
	buf_add_str(out, found);
	free(found);
	buf_done(&input);
}

static size_t count_of(const struct buf *text, const char *part)
{
	size_t n = 0;

	for (const char *at = (char *)text->data; (at = strstr(at, part)); at++)
		n++;
	return n;
}

static void test_pieces_do_not_depend_on_portions(void **state)
{
	static const struct {
		size_t len, continued;
	} lengths[] = {{LIMIT_RECORD_VALUE - 1, 0},
		       {LIMIT_RECORD_VALUE, 0},
		       {LIMIT_RECORD_VALUE + 1, 1},
		       {2 * LIMIT_RECORD_VALUE, 1},
		       {2 * LIMIT_RECORD_VALUE + 1, 2}};
	static const size_t steps[] = {1, 3, 1000, LIMIT_RECORD_VALUE, SIZE_MAX};
	struct buf whole = {0}, found = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		lines_of(lengths[i].len, "x", SIZE_MAX, &whole);
		(void)buf_cstr(&whole);
		assert_int_equal(count_of(&whole, " continues\n"), lengths[i].continued);
		assert_int_equal(count_of(&whole, "\n"), lengths[i].continued + 1);
		lines_of(lengths[i].len, "\xe2\x82\xac", SIZE_MAX, &whole);
		for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
			lines_of(lengths[i].len, "\xe2\x82\xac", steps[k], &found);
			assert_int_equal(whole.len, found.len);
			assert_memory_equal(whole.data, found.data, whole.len);
		}
	}
	/* Cut between characters: no piece but the last is anything but text. */
	lines_of(3 * LIMIT_RECORD_VALUE, "\xe2\x82\xac", 777, &found);
	(void)buf_cstr(&found);
	assert_int_equal(count_of(&found, "\\x"), 0);
	buf_done(&whole);
	buf_done(&found);
}

static void test_the_end_of_a_line_is_never_empty(void **state)
{
	struct run_count c;
	struct parse *p = run_counter(PARSE_LINES, NULL, &c);
	char *block = xcalloc(1, LIMIT_RECORD_VALUE);

	(void)state;
	parse_add(p, block, LIMIT_RECORD_VALUE);
	assert_int_equal(parse_pending(p), LIMIT_RECORD_VALUE);
	parse_add(p, "\n", 1);
	assert_int_equal(c.records, 1);
	assert_int_equal(c.last_flags, 0);
	run_finish(p);
	assert_int_equal(c.records, 1);
	free(block);
}

/* A sanitizer keeps what was freed, so that its peak says nothing. */
#if defined(__SANITIZE_ADDRESS__)
#define PEAK_IS_KNOWN 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PEAK_IS_KNOWN 0
#endif
#endif
#ifndef PEAK_IS_KNOWN
#define PEAK_IS_KNOWN 1
#endif

static size_t peak_kib(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return (size_t)usage.ru_maxrss;
}

/* A line of 100 MB, in each parser: memory stays flat, and no byte gets lost. */
static void test_fault_42_long_line(void **state)
{
	size_t block_len = 32768, blocks = 100000000 / block_len, before;
	char *block = xmalloc(block_len);

	(void)state;
	memset(block, 'x', block_len);
	block[0] = '{'; /* for JSON: a value that does not end */
	before = peak_kib();
	for (uint64_t kind = 0; kind < PARSE_COUNT; kind++) {
		struct run_count c;
		struct parse *p = run_counter(kind, kind == PARSE_REGEX ? "x" : NULL, &c);

		for (size_t i = 0; i < blocks; i++) {
			parse_add(p, block, block_len);
			assert_true(parse_pending(p) <= LIMIT_LINE_JSON + LIMIT_RECORD_VALUE);
		}
		run_finish(p);
		assert_int_equal(c.bytes, blocks * block_len);
		assert_int_equal(c.typed, 0);
		assert_true(c.longest <= LIMIT_RECORD_VALUE);
		assert_false(c.last_flags & RECORD_CONTINUES);
	}
	if (PEAK_IS_KNOWN)
		assert_true(peak_kib() - before < 16384);
	free(block);
}

/* --- arguments ------------------------------------------------------------------------------ */

static void test_refused(void **state)
{
	static const struct {
		uint64_t kind;
		const char *argument;
		int code;
		const char *word;
	} cases[] = {
		{PARSE_COUNT, NULL, ERR_RANGE, "no such parser"},
		{UINT64_MAX, NULL, ERR_RANGE, "no such parser"},
		{PARSE_LINES, "x", ERR_SYNTAX, "no argument"},
		{PARSE_JSON, "", ERR_SYNTAX, "no argument"},
		{PARSE_CSV, "", ERR_SYNTAX, "delimiter"},
		{PARSE_CSV, ";;", ERR_SYNTAX, "delimiter"},
		{PARSE_CSV, "\"", ERR_SYNTAX, "delimiter"},
		{PARSE_TSV, "\n", ERR_SYNTAX, "delimiter"},
		{PARSE_CSV, "\xc3", ERR_SYNTAX, "delimiter"},
	};
	struct errmsg msg;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct parse *p = NULL;

		assert_int_equal(
			parse_new(&p, cases[i].kind, cases[i].argument, &run_events, NULL, &msg),
			cases[i].code);
		assert_non_null(strstr(msg.text, cases[i].word));
		assert_null(p);
	}
	parse_free(NULL);
}

static void test_freed_half_way(void **state)
{
	(void)state;
	for (uint64_t kind = 0; kind < PARSE_COUNT; kind++) {
		struct run_count c;
		struct parse *p = run_counter(kind, kind == PARSE_REGEX ? "(x)" : NULL, &c);

		parse_add(p, "A: [{\"x\n 1", 10);
		parse_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_soup_comes_back),
		cmocka_unit_test(test_raw_is_not_copied),
		cmocka_unit_test(test_pieces_do_not_depend_on_portions),
		cmocka_unit_test(test_the_end_of_a_line_is_never_empty),
		cmocka_unit_test(test_fault_42_long_line),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_freed_half_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
