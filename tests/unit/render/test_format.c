#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "escape.h"
#include "format.h"

static const struct render_style plain = {.labels = true};
static const struct render_style bare = {0};
static const struct render_style coloured = {.labels = true, .colour = true};
static const struct render_style terminal = {.labels = true, .colour = true, .escape = true};
static const struct render_style escaped = {.labels = true, .escape = true};

static const struct format_record record = {
	.host = "web1",
	.job = 12,
	.child = 13,
	.stream = "output",
	.seq = 18446744073709551615u,
	.time_ns = 1772368496123456789u,
	.is_text = true,
};

/* Renders in pieces of step bytes. */
static void render(struct buf *out, const struct format *f, const struct render_style *style,
		   const struct format_record *r, const void *data, size_t len, size_t step)
{
	/* Not zero: begin has to see to that. */
	struct format_state st = {.held = "xx", .held_len = 2};
	const char *p = data;

	f->begin(out, style, &st, r);
	for (size_t at = 0; at < len; at += step)
		f->piece(out, style, &st, r, p + at, len - at < step ? len - at : step);
	f->end(out, style, &st, r);
}

/* A string literal that may hold NUL, as data and length. */
#define BYTES(literal) literal, sizeof literal - 1

static void expect_n(const struct format *f, const struct render_style *style,
		     const struct format_record *r, const void *data, size_t len, const char *want,
		     size_t want_len)
{
	struct buf out = {0};

	render(&out, f, style, r, data, len, len ? len : 1);
	assert_int_equal(out.len, want_len);
	assert_memory_equal(out.data, want, want_len);
	buf_done(&out);
}

static void expect(const struct format *f, const struct render_style *style,
		   const struct format_record *r, const char *text, const char *want)
{
	expect_n(f, style, r, text, strlen(text), want, strlen(want));
}

static void text_lines(void **state)
{
	(void)state;
	expect(&format_text, &plain, &record, "hello", "web1: hello\n");
	expect(&format_text, &plain, &record, "", "web1: \n");
	expect(&format_text, &plain, &record, "dos\r", "web1: dos\r\n");
	expect(&format_text, &bare, &record, "hello", "hello\n");
	expect(&format_text, &bare, &record, "", "\n");
}

static void text_copies_all_bytes_when_it_need_not_escape(void **state)
{
	(void)state;
	expect_n(&format_text, &bare, &record, BYTES("\0\033[2J\xff\xc2\x9b"),
		 BYTES("\0\033[2J\xff\xc2\x9b\n"));
}

static void text_colours(void **state)
{
	struct format_record error = record;

	(void)state;
	error.is_error = true;
	expect(&format_text, &coloured, &record, "hi", "\033[34mweb1:\033[0m hi\n");
	expect(&format_text, &coloured, &error, "hi", "\033[31mweb1:\033[0m hi\n");
	expect(&format_text, &plain, &error, "hi", "web1: hi\n");
}

static void text_makes_what_a_host_sends_harmless(void **state)
{
	struct format_record evil = record;

	(void)state;
	expect_n(&format_text, &terminal, &record, BYTES("\033]0;x\a\xff\xc2\x9b\0\u202e\u00fc"),
		 BYTES("\033[34mweb1:\033[0m \\x1b]0;x\\x07\\xff\\u{9b}\\x00\\u{202e}\u00fc\n"));
	evil.host = "a\033[31m\nb";
	expect(&format_text, &escaped, &evil, "x\ny\r", "a\\x1b[31m\\x0ab: x\\x0ay\\x0d\n");
	expect(&format_text, &plain, &evil, "x", "a\033[31m\nb: x\n");
}

/* A value that is no text may be cut inside one of its characters: it must not show. */
static void text_in_pieces_is_as_the_whole(void **state)
{
	static const char *const parts[] = {"a",	"\u00fc",	"\u20ac", "\U0001f600",
					    "\xe2\x82", "\xf0\x9f\x98", "\xff",	  "\x80",
					    "\u202e",	"\033"};
	struct format_record bytes = record;
	unsigned seed = 99;

	(void)state;
	bytes.is_text = false;
	for (int round = 0; round < 3000; round++) {
		struct buf in = {0}, want = {0};

		for (int i = rand_r(&seed) % 12; i > 0; i--)
			buf_add_str(
				&in,
				parts[(size_t)rand_r(&seed) % (sizeof parts / sizeof parts[0])]);
		buf_add_str(&want, "web1: ");
		escape_display(&want, in.data, in.len);
		buf_add_char(&want, '\n');
		for (size_t step = 1; step < 9; step++) {
			struct buf got = {0};

			render(&got, &format_text, &escaped, &bytes, in.data, in.len, step);
			assert_string_equal(buf_cstr(&got), buf_cstr(&want));
			buf_done(&got);
		}
		buf_done(&in);
		buf_done(&want);
	}
}

static void jsonl_of_text(void **state)
{
	(void)state;
	expect(&format_jsonl, &terminal, &record, "say \"hi\"\t\033[0m",
	       "{\"host\":\"web1\",\"job\":12,\"child\":13,\"stream\":\"output\","
	       "\"seq\":18446744073709551615,\"time\":\"2026-03-01T12:34:56.123456Z\","
	       "\"value\":\"say \\\"hi\\\"\\t\\u001b[0m\"}\n");
	expect(&format_jsonl, &bare, &record, "",
	       "{\"host\":\"web1\",\"job\":12,\"child\":13,\"stream\":\"output\","
	       "\"seq\":18446744073709551615,\"time\":\"2026-03-01T12:34:56.123456Z\","
	       "\"value\":\"\"}\n");
}

static void jsonl_of_bytes(void **state)
{
	struct format_record bytes = {.host = "\xff", .stream = "error", .is_error = true};

	(void)state;
	expect_n(&format_jsonl, &plain, &bytes, BYTES("\0\xff"),
		 BYTES("{\"host\":{\"$bytes\":\"/w==\"},\"job\":0,\"child\":0,\"stream\":\"error\","
		       "\"seq\":0,\"time\":null,\"value\":{\"$bytes\":\"AP8=\"}}\n"));
	expect(&format_jsonl, &plain, &bytes, "",
	       "{\"host\":{\"$bytes\":\"/w==\"},\"job\":0,\"child\":0,\"stream\":\"error\","
	       "\"seq\":0,\"time\":null,\"value\":{\"$bytes\":\"\"}}\n");
}

static void jsonl_in_pieces_is_as_the_whole(void **state)
{
	const char *text = "plain \"quoted\" \\ \n text that is longer than a word or two";
	struct format_record bytes = record;
	uint8_t data[100];

	(void)state;
	bytes.is_text = false;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 37);
	for (size_t len = 0; len <= sizeof data; len++) {
		struct buf want = {0};

		render(&want, &format_jsonl, &plain, &bytes, data, len, sizeof data);
		for (size_t step = 1; step < 12; step++) {
			struct buf got = {0};

			render(&got, &format_jsonl, &plain, &bytes, data, len, step);
			assert_string_equal(buf_cstr(&got), buf_cstr(&want));
			buf_done(&got);
		}
		buf_done(&want);
	}
	for (size_t step = 1; step < strlen(text); step++) {
		struct buf want = {0}, got = {0};

		render(&want, &format_jsonl, &plain, &record, text, strlen(text), strlen(text));
		render(&got, &format_jsonl, &plain, &record, text, strlen(text), step);
		assert_string_equal(buf_cstr(&got), buf_cstr(&want));
		buf_done(&want);
		buf_done(&got);
	}
}

static void pieces_of_any_mixture(void **state)
{
	struct format_record bytes = record;
	struct format_state st;
	struct buf out = {0};

	(void)state;
	bytes.is_text = false;
	format_jsonl.begin(&out, &plain, &st, &bytes);
	buf_clear(&out);
	format_jsonl.piece(&out, &plain, &st, &bytes, "f", 1);
	format_jsonl.piece(&out, &plain, &st, &bytes, "", 0);
	format_jsonl.piece(&out, &plain, &st, &bytes, NULL, 0);
	format_jsonl.piece(&out, &plain, &st, &bytes, "ooba", 4);
	format_jsonl.piece(&out, &plain, &st, &bytes, "rf", 2);
	format_jsonl.end(&out, &plain, &st, &bytes);
	assert_string_equal(buf_cstr(&out), "Zm9vYmFyZg==\"}}\n");
	buf_done(&out);
}

static void find(void **state)
{
	(void)state;
	assert_ptr_equal(format_find("text"), &format_text);
	assert_ptr_equal(format_find("jsonl"), &format_jsonl);
	assert_null(format_find("json"));
	assert_null(format_find(""));
	assert_null(format_find("TEXT"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_lines),
		cmocka_unit_test(text_copies_all_bytes_when_it_need_not_escape),
		cmocka_unit_test(text_colours),
		cmocka_unit_test(text_makes_what_a_host_sends_harmless),
		cmocka_unit_test(text_in_pieces_is_as_the_whole),
		cmocka_unit_test(jsonl_of_text),
		cmocka_unit_test(jsonl_of_bytes),
		cmocka_unit_test(jsonl_in_pieces_is_as_the_whole),
		cmocka_unit_test(pieces_of_any_mixture),
		cmocka_unit_test(find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
