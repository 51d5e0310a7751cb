#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json.h"

static void expect_escape(const char *in, size_t n, const char *want)
{
	struct buf b = {0};

	json_escape(&b, in, n);
	assert_string_equal(buf_cstr(&b), want);
	buf_done(&b);
}

static void expect_str(const char *in, const char *want)
{
	struct buf b = {0};

	json_str(&b, in);
	assert_string_equal(buf_cstr(&b), want);
	buf_done(&b);
}

static void every_ascii_character(void **state)
{
	static const char *const low[0x20] = {
		"\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006",
		"\\u0007", "\\b",     "\\t",	 "\\n",	    "\\u000b", "\\f",	  "\\r",
		"\\u000e", "\\u000f", "\\u0010", "\\u0011", "\\u0012", "\\u0013", "\\u0014",
		"\\u0015", "\\u0016", "\\u0017", "\\u0018", "\\u0019", "\\u001a", "\\u001b",
		"\\u001c", "\\u001d", "\\u001e", "\\u001f",
	};

	(void)state;
	for (int c = 0; c < 0x80; c++) {
		char in = (char)c, same[2] = {(char)c, '\0'};
		const char *want = same;

		if (c < 0x20)
			want = low[c];
		else if (c == '"')
			want = "\\\"";
		else if (c == '\\')
			want = "\\\\";
		else if (c == 0x7f)
			want = "\\u007f";
		expect_escape(&in, 1, want);
	}
}

static void other_characters(void **state)
{
	const char *same = "\u00a0 \u00bf \u063a \u20ac \u2027 \u202f \u206a \U0001f600 \uffff";

	(void)state;
	expect_escape(same, strlen(same), same);
	expect_escape("a\u2028b\u2029c", 9, "a\\u2028b\\u2029c");
	expect_escape("\xc2\x9b 31m \u202e \u061c \u2066", 17,
		      "\\u009b 31m \\u202e \\u061c \\u2066");
	expect_escape("", 0, "");
}

/* What is looked at eight bytes at a time must be found at every place. */
static void an_escape_at_every_place(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {{"\"", "\\\""},	  {"\\", "\\\\"},      {"\n", "\\n"},
		    {"\x1f", "\\u001f"},  {"\x7f", "\\u007f"}, {"\u2028", "\\u2028"},
		    {"\u00fc", "\u00fc"}, {"~", "~"},	       {"\u20ac", "\u20ac"}};

	(void)state;
	for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
		for (size_t at = 0; at < 33; at++) {
			char in[64] = "", want[64] = "";

			memset(in, ' ', at);
			memset(want, ' ', at);
			strcat(in, rows[r].in);
			strcat(want, rows[r].out);
			strcat(in, "0123456789!");
			strcat(want, "0123456789!");
			expect_escape(in, strlen(in), want);
		}
	}
}

static unsigned hex_value(const char *p)
{
	char text[5] = {p[0], p[1], p[2], p[3], '\0'};

	return (unsigned)strtoul(text, NULL, 16);
}

/* Reads one character of a JSON string back as RFC 8259 says. Returns the bytes it took. */
static size_t unescape(struct buf *out, const char *p)
{
	static const char names[] = "\"\\bfnrt", values[] = "\"\\\b\f\n\r\t";
	const char *name;
	unsigned cp;

	if (*p != '\\') {
		assert_true((unsigned char)*p >= 0x20 && *p != '"');
		buf_add_char(out, *p);
		return 1;
	}
	if (p[1] != 'u') {
		name = strchr(names, p[1]);
		assert_true(p[1] && name);
		buf_add_char(out, values[name - names]);
		return 2;
	}
	cp = hex_value(p + 2);
	if (cp < 0x80)
		buf_add_char(out, (char)cp);
	else
		buf_add_str(out, cp == 0x2028 ? "\u2028" : "\u2029");
	return 6;
}

static void random_text_reads_back(void **state)
{
	static const char *const parts[] = {"a",      "long run of plain text",
					    "\"",     "\\",
					    "\n",     "\x01",
					    "\x7f",   "\u2028",
					    "\u2029", "\u20ac",
					    "u",      "\U0001f600"};
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct buf in = {0}, out = {0}, back = {0};

		for (int i = rand_r(&seed) % 30; i > 0; i--)
			buf_add_str(
				&in,
				parts[(size_t)rand_r(&seed) % (sizeof parts / sizeof parts[0])]);
		json_escape(&out, in.data, in.len);
		for (const char *p = buf_cstr(&out); *p;)
			p += unescape(&back, p);
		assert_string_equal(buf_cstr(&back), buf_cstr(&in));
		buf_done(&in);
		buf_done(&out);
		buf_done(&back);
	}
}

static void whole_strings(void **state)
{
	(void)state;
	expect_str(NULL, "null");
	expect_str("", "\"\"");
	expect_str("say \"hi\"\u2028", "\"say \\\"hi\\\"\\u2028\"");
	expect_str("\xff\xfe", "{\"$bytes\":\"//4=\"}");
	expect_str("ok\xc3", "{\"$bytes\":\"b2vD\"}");
}

static void keys_and_commas(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_add_char(&b, '{');
	json_key(&b, "a");
	buf_add_char(&b, '1');
	json_key(&b, "b\"");
	buf_add_char(&b, '{');
	json_key(&b, "c");
	json_str(&b, "{");
	json_key(&b, "d");
	json_str(&b, NULL);
	buf_add_str(&b, "}}");
	assert_string_equal(buf_cstr(&b), "{\"a\":1,\"b\\\"\":{\"c\":\"{\",\"d\":null}}");
	buf_done(&b);
}

/* RFC 4648, section 10. */
static void base64_vectors(void **state)
{
	static const char *const rows[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
		{"\xfb\xff\xbf", "+/+/"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf b = {0};

		json_base64(&b, (const uint8_t *)rows[i][0], strlen(rows[i][0]));
		assert_string_equal(buf_cstr(&b), rows[i][1]);
		buf_done(&b);
	}
}

/* Every digit once: four digits of six bits each are three bytes. */
static void base64_alphabet(void **state)
{
	struct buf b = {0};

	(void)state;
	for (uint32_t d = 0; d < 64; d += 4) {
		uint32_t bits = d << 18 | (d + 1) << 12 | (d + 2) << 6 | (d + 3);
		const uint8_t three[3] = {(uint8_t)(bits >> 16), (uint8_t)(bits >> 8),
					  (uint8_t)bits};

		json_base64(&b, three, 3);
	}
	assert_string_equal(buf_cstr(&b),
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	buf_done(&b);
}

static void times(void **state)
{
	struct buf b = {0};

	(void)state;
	json_time(&b, 0);
	buf_add_char(&b, ' ');
	json_time(&b, 1772368496123456789u);
	assert_string_equal(buf_cstr(&b), "null \"2026-03-01T12:34:56.123456Z\"");
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_ascii_character),
		cmocka_unit_test(other_characters),
		cmocka_unit_test(an_escape_at_every_place),
		cmocka_unit_test(random_text_reads_back),
		cmocka_unit_test(whole_strings),
		cmocka_unit_test(keys_and_commas),
		cmocka_unit_test(base64_vectors),
		cmocka_unit_test(base64_alphabet),
		cmocka_unit_test(times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
