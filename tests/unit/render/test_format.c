/* render/format.h: text and jsonl, and what holds for every format. */
#include "format_render.h"

#include <stdlib.h>

#include "alloc.h"
#include "escape.h"

static const struct format *const every[] = {
	&format_text,  &format_table, &format_list, &format_json,
	&format_jsonl, &format_csv,   &format_yaml,
};

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
			buf_add_str(&in, parts[(size_t)rand_r(&seed) % ARRAY_LEN(parts)]);
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

static void values_in_pieces_are_as_the_whole(void **state)
{
	const char *text = "plain \"quoted\" \\ \n text, that is longer than a word or two\n";
	struct format_record bytes = record;
	uint8_t data[60];

	(void)state;
	bytes.is_text = false;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 37);
	for (size_t i = 0; i < ARRAY_LEN(every); i++) {
		for (size_t len = 0; len <= sizeof data; len++) {
			expect_pieces(every[i], &plain, &bytes, data, len, 12);
			expect_pieces(every[i], &terminal, &bytes, data, len, 12);
		}
		expect_pieces(every[i], &plain, &record, text, strlen(text), strlen(text));
		expect_pieces(every[i], &terminal, &record, text, strlen(text), strlen(text));
	}
}

static void pieces_of_any_mixture(void **state)
{
	static const struct format *const base64[] = {&format_json, &format_jsonl, &format_csv,
						      &format_yaml};
	static const char *const ends[] = {"\"}}", "\"}}\n", "\",base64\n", "\"}\n"};
	struct format_record bytes = record;

	(void)state;
	bytes.is_text = false;
	for (size_t i = 0; i < ARRAY_LEN(base64); i++) {
		const struct format *f = base64[i];
		struct format_state st = {0};
		struct buf out = {0};
		char want[32] = "Zm9vYmFyZg==";

		f->begin(&out, &plain, &st, &bytes);
		buf_clear(&out);
		f->piece(&out, &plain, &st, &bytes, "f", 1);
		f->piece(&out, &plain, &st, &bytes, "", 0);
		f->piece(&out, &plain, &st, &bytes, NULL, 0);
		f->piece(&out, &plain, &st, &bytes, "ooba", 4);
		f->piece(&out, &plain, &st, &bytes, "rf", 2);
		f->end(&out, &plain, &st, &bytes);
		strcat(want, ends[i]);
		assert_string_equal(buf_cstr(&out), want);
		buf_done(&out);
	}
}

/* 2 MiB of the worst bytes in pieces of 64 KiB: what is at hand is never more than a piece. */
static void huge_values_need_no_memory(void **state)
{
	static const char *const worst[] = {"a", "\"", "\n", "\001", "\u202e", "\uffff", "\xff"};
	size_t piece = 64 * 1024 / 6 * 6;
	char *data = xmalloc(piece);

	(void)state;
	for (size_t w = 0; w < ARRAY_LEN(worst); w++) {
		struct format_record r = record;

		r.is_text = worst[w][0] != '\xff';
		for (size_t at = 0; at < piece; at += strlen(worst[w]))
			memcpy(data + at, worst[w], strlen(worst[w]));
		for (size_t i = 0; i < ARRAY_LEN(every); i++) {
			struct format_state st = {0};
			struct buf out = {0};

			every[i]->begin(&out, &escaped, &st, &r);
			for (size_t n = 0; n < (2u << 20); n += piece) {
				every[i]->piece(&out, &escaped, &st, &r, data, piece);
				assert_true(out.len <= 6 * piece + 1024);
				buf_clear(&out);
			}
			every[i]->end(&out, &escaped, &st, &r);
			assert_true(out.len < 64);
			every[i]->close(&out, &escaped, &st);
			assert_true(out.size <= 16 * piece);
			buf_done(&out);
		}
	}
	free(data);
}

static void find(void **state)
{
	char names[256] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(every); i++) {
		assert_ptr_equal(format_find(every[i]->name), every[i]);
		strcat(strcat(names, i ? ", " : ""), every[i]->name);
	}
	assert_string_equal(names, FORMAT_NAMES);
	assert_null(format_find(""));
	assert_null(format_find("TEXT"));
	assert_null(format_find("jso"));
}

static void empty_outputs(void **state)
{
	(void)state;
	expect_empty(&format_text, &plain, "");
	expect_empty(&format_jsonl, &plain, "");
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
		cmocka_unit_test(values_in_pieces_are_as_the_whole),
		cmocka_unit_test(pieces_of_any_mixture),
		cmocka_unit_test(huge_values_need_no_memory),
		cmocka_unit_test(empty_outputs),
		cmocka_unit_test(find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
