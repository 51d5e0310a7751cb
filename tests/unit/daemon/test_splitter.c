#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "limits.h"
#include "splitter.h"
#include "utf8.h"

#define MAX LIMIT_RECORD_VALUE

/* What came out: the bytes put together again, and each record as "flags:length ". */
struct sink {
	struct buf joined;
	struct buf shape;
	size_t count;
	bool fragile; /* no record may end inside of a character */
	size_t longest;
};

static void on_record(void *arg, const struct record *r)
{
	struct sink *sink = arg;

	assert_int_equal(r->stream, STREAM_OUTPUT);
	assert_int_equal(r->time_ns, 42);
	assert_true(r->len <= MAX);
	assert_int_equal(r->is_text, utf8_valid(r->value, r->len));
	if (r->flags & RECORD_CONTINUES)
		assert_true(r->len > 0);
	if (sink->fragile)
		assert_true(r->is_text);
	buf_add(&sink->joined, r->value, r->len);
	if (!(r->flags & (RECORD_CONTINUES | RECORD_NO_EOL)))
		buf_add_char(&sink->joined, '\n');
	if (sink->shape.len < 4096)
		buf_addf(&sink->shape, "%llu:%zu ", (unsigned long long)r->flags, r->len);
	sink->longest = r->len > sink->longest ? r->len : sink->longest;
	sink->count++;
}

static void sink_done(struct sink *sink)
{
	buf_done(&sink->joined);
	buf_done(&sink->shape);
}

static void feed(struct splitter *s, struct sink *sink, const void *data, size_t len)
{
	splitter_add(s, STREAM_OUTPUT, 42, data, len, on_record, sink);
	assert_true(s->partial.len < MAX);
}

static void finish(struct splitter *s, struct sink *sink)
{
	splitter_end(s, STREAM_OUTPUT, 42, on_record, sink);
	assert_int_equal(s->partial.size, 0);
}

static void shape_is(struct sink *sink, const char *shape)
{
	assert_string_equal(buf_cstr(&sink->shape), shape);
	sink_done(sink);
}

static void test_lines(void **state)
{
	struct splitter s = {0};
	struct sink sink = {0};

	(void)state;
	feed(&s, &sink, "one\n\ntwo\r\nrest", 14);
	assert_string_equal(buf_cstr(&sink.joined), "one\n\ntwo\r\n");
	finish(&s, &sink);
	assert_string_equal(buf_cstr(&sink.joined), "one\n\ntwo\r\nrest");
	shape_is(&sink, "0:3 0:0 0:4 2:4 ");
}

static void test_nothing(void **state)
{
	struct splitter s = {0};
	struct sink sink = {0};

	(void)state;
	feed(&s, &sink, "", 0);
	finish(&s, &sink);
	assert_int_equal(sink.count, 0);
	sink_done(&sink);
}

static void test_a_last_newline_is_no_empty_line(void **state)
{
	struct splitter s = {0};
	struct sink sink = {0};

	(void)state;
	feed(&s, &sink, "x\n", 2);
	finish(&s, &sink);
	shape_is(&sink, "0:1 ");
}

/* However a text is cut into two or three reads, the records are the same. */
static void test_every_cut(void **state)
{
	static const char text[] = "a\n\nbcd\n\xc3\xa9\xf0\x9f\x98\x80\n\0x\nend";
	const size_t len = sizeof text - 1;

	(void)state;
	for (size_t i = 0; i <= len; i++)
		for (size_t j = i; j <= len; j++) {
			struct splitter s = {0};
			struct sink sink = {0};

			feed(&s, &sink, text, i);
			feed(&s, &sink, text + i, j - i);
			feed(&s, &sink, text + j, len - j);
			finish(&s, &sink);
			assert_int_equal(sink.joined.len, len);
			assert_memory_equal(sink.joined.data, text, len);
			shape_is(&sink, "0:1 0:0 0:3 0:6 0:2 2:3 ");
		}
}

/* A line of n bytes 'x', with its newline in the same read or in another, or without one. */
static void long_line(struct sink *sink, size_t n, bool same_read, bool newline)
{
	struct splitter s = {0};
	struct buf line = {0};

	memset(buf_room(&line, n + 1), 'x', n);
	line.data[n] = '\n';
	feed(&s, sink, line.data, n + (same_read && newline));
	if (!same_read && newline)
		feed(&s, sink, "\n", 1);
	finish(&s, sink);
	assert_int_equal(sink->joined.len, n + newline);
	if (newline)
		line.len = n + 1;
	else
		line.len = n;
	assert_memory_equal(sink->joined.data, line.data, line.len);
	buf_done(&line);
}

static void test_around_the_limit(void **state)
{
	static const struct {
		size_t len;
		const char *same_read;
		const char *other_read;
		const char *no_newline;
	} rows[] = {
		{MAX - 1, "0:65535 ", "0:65535 ", "2:65535 "},
		/* The piece must go before it is known that the line ends with it. */
		{MAX, "0:65536 ", "1:65536 0:0 ", "1:65536 2:0 "},
		{MAX + 1, "1:65536 0:1 ", "1:65536 0:1 ", "1:65536 2:1 "},
		{2 * MAX, "1:65536 1:65536 0:0 ", "1:65536 1:65536 0:0 ", "1:65536 1:65536 2:0 "},
		{2 * MAX + 1, "1:65536 1:65536 0:1 ", "1:65536 1:65536 0:1 ",
		 "1:65536 1:65536 2:1 "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sink same = {0}, other = {0}, without = {0};

		long_line(&same, rows[i].len, true, true);
		shape_is(&same, rows[i].same_read);
		long_line(&other, rows[i].len, false, true);
		shape_is(&other, rows[i].other_read);
		long_line(&without, rows[i].len, false, false);
		shape_is(&without, rows[i].no_newline);
	}
}

/* A short line after one in pieces is a line of its own. */
static void test_after_a_long_line(void **state)
{
	struct splitter s = {0};
	struct sink sink = {0};
	struct buf line = {0};

	(void)state;
	memset(buf_room(&line, MAX), 'x', MAX);
	feed(&s, &sink, line.data, MAX);
	feed(&s, &sink, "y\nz\n", 4);
	finish(&s, &sink);
	shape_is(&sink, "1:65536 0:1 0:1 ");
	buf_done(&line);
}

/* Characters of 1 to 4 bytes at every place across the border: no piece cuts one. */
static void test_no_character_is_cut(void **state)
{
	static const char *const characters[] = {"x", "\xc3\xa9", "\xe2\x82\xac",
						 "\xf0\x9f\x98\x80"};
	struct buf text = {0};

	(void)state;
	for (size_t c = 0; c < ARRAY_LEN(characters); c++)
		for (size_t before = 0; before < 8; before++)
			for (int in_line = 0; in_line < 2; in_line++) {
				struct splitter s = {0};
				struct sink sink = {.fragile = true};

				buf_clear(&text);
				for (size_t i = 0; i < MAX - before; i++)
					buf_add_char(&text, 'x');
				for (size_t i = 0; i < 8; i++)
					buf_add_str(&text, characters[c]);
				if (in_line)
					buf_add_char(&text, '\n');
				feed(&s, &sink, text.data, text.len);
				finish(&s, &sink);
				assert_true(sink.longest > MAX - 4);
				assert_int_equal(sink.joined.len, text.len);
				assert_memory_equal(sink.joined.data, text.data, text.len);
				sink_done(&sink);
			}
	buf_done(&text);
}

/* Bytes that only look like parts of characters hold no piece back. */
static void test_bytes_that_are_no_characters(void **state)
{
	static const uint8_t kinds[] = {0x80, 0xbf, 0xc0, 0xc3, 0xe2, 0xf0, 0xf8, 0xff, 0x00};
	uint8_t *line = xmalloc(3 * MAX);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct splitter s = {0};
		struct sink sink = {0};

		memset(line, kinds[i], 3 * MAX);
		feed(&s, &sink, line, 3 * MAX);
		finish(&s, &sink);
		assert_true(sink.count <= 5);
		assert_int_equal(sink.joined.len, 3 * MAX);
		assert_memory_equal(sink.joined.data, line, 3 * MAX);
		sink_done(&sink);
	}
	free(line);
}

struct counter {
	size_t bytes;
	size_t records;
	size_t ends;
};

static void on_count(void *arg, const struct record *r)
{
	struct counter *c = arg;

	c->bytes += r->len;
	c->records++;
	c->ends += !(r->flags & RECORD_CONTINUES);
}

/* As it arrives from libssh; what is kept of it stays below a piece. */
static void test_a_line_of_50_mb(void **state)
{
	static uint8_t chunk[32768];
	const size_t total = 50u << 20;
	struct splitter s = {0};
	struct counter c = {0};

	(void)state;
	memset(chunk, 'x', sizeof chunk);
	for (size_t sent = 0; sent < total; sent += sizeof chunk) {
		splitter_add(&s, STREAM_ERROR, 1, chunk, sizeof chunk, on_count, &c);
		assert_true(s.partial.len < MAX);
		assert_true(s.partial.size <= 4 * MAX);
	}
	assert_int_equal(c.ends, 0);
	splitter_add(&s, STREAM_ERROR, 1, "\n", 1, on_count, &c);
	splitter_end(&s, STREAM_ERROR, 1, on_count, &c);
	assert_int_equal(c.bytes, total);
	assert_int_equal(c.ends, 1);
	assert_int_equal(c.records, total / MAX + 1);
}

static uint32_t random_next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Newlines are rare or frequent, and characters of several bytes and garbage occur. */
static void random_text(struct buf *text, uint32_t *seed)
{
	static const char *const bits[] = {"\n", "\xc3\xa9", "\xf0\x9f\x98\x80", "\xff",
					   "\xe2\x82"};
	size_t len = random_next(seed) % (random_next(seed) % 4 ? 2000 : 4 * MAX);
	uint32_t rare = random_next(seed) % 3 ? 5000 : 20;

	buf_clear(text);
	while (text->len < len)
		if (random_next(seed) % rare < 5)
			buf_add_str(text, bits[random_next(seed) % ARRAY_LEN(bits)]);
		else
			buf_add_char(text, (char)(random_next(seed) % 0x7f));
}

static void test_random_texts_in_random_reads(void **state)
{
	struct buf text = {0};
	uint32_t seed = 20260301;

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		uint32_t round_seed = seed, most = random_next(&seed) % 2 ? 100 : 2 * MAX;
		struct splitter s = {0};
		struct sink sink = {0};

		random_text(&text, &seed);
		for (size_t at = 0, n; at < text.len; at += n) {
			n = 1 + random_next(&seed) % most;
			n = n < text.len - at ? n : text.len - at;
			feed(&s, &sink, text.data + at, n);
		}
		finish(&s, &sink);
		if (sink.joined.len != text.len ||
		    (text.len && memcmp(sink.joined.data, text.data, text.len) != 0))
			fail_msg("seed %u: another text comes out", round_seed);
		sink_done(&sink);
	}
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_a_last_newline_is_no_empty_line),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_around_the_limit),
		cmocka_unit_test(test_after_a_long_line),
		cmocka_unit_test(test_no_character_is_cut),
		cmocka_unit_test(test_bytes_that_are_no_characters),
		cmocka_unit_test(test_a_line_of_50_mb),
		cmocka_unit_test(test_random_texts_in_random_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
