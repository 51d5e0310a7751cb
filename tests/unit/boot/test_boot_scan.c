/* The scanner: what comes must not depend on how it is cut into pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "boot_scan.h"

struct heard {
	struct buf noise;
	struct buf lines; /* each with a newline */
};

static void heard_noise(void *arg, const void *data, size_t len)
{
	struct heard *heard = arg;

	buf_add(&heard->noise, data, len);
}

static void feed(struct boot_scan *scan, struct heard *heard, const char *data, size_t len)
{
	size_t used = 0;

	while (used < len) {
		const char *line;
		size_t n = boot_scan_feed(scan, (const uint8_t *)data + used, len - used, &line,
					  heard_noise, heard);

		assert_true(n > 0 && n <= len - used);
		used += n;
		if (!line)
			continue;
		buf_add_str(&heard->lines, line);
		buf_add_char(&heard->lines, '\n');
	}
}

static void expect(const char *marker, const char *prompt, const char *input, size_t a, size_t b,
		   const char *lines, const char *noise)
{
	struct boot_scan scan;
	struct heard heard = {0};

	boot_scan_init(&scan, marker, strlen(marker));
	scan.prompt = prompt;
	feed(&scan, &heard, input, a);
	feed(&scan, &heard, input + a, b - a);
	feed(&scan, &heard, input + b, strlen(input) - b);
	assert_string_equal(buf_cstr(&heard.lines), lines);
	assert_string_equal(buf_cstr(&heard.noise), noise);
	buf_done(&heard.lines);
	buf_done(&heard.noise);
	boot_scan_done(&scan);
}

static void expect_at_every_split(const char *marker, const char *prompt, const char *input,
				  const char *lines, const char *noise)
{
	size_t len = strlen(input);

	for (size_t a = 0; a <= len; a++) {
		for (size_t b = a; b <= len; b++)
			expect(marker, prompt, input, a, b, lines, noise);
	}
}

static void lines_and_noise(void **state)
{
	(void)state;
	expect_at_every_split("0123abcd ", NULL,
			      "hello\n0123abcd NEED x 5 /d\nmore0123abcd RUN /a\n!",
			      "NEED x 5 /d\nRUN /a\n", "hello\nmore!");
}

/* Noise that begins as the marker does, also where it repeats itself. */
static void marker_that_repeats_itself(void **state)
{
	(void)state;
	expect_at_every_split("aabaab ", NULL, "aaabaabaab x\naabaabaab y\naabaa", "x\ny\n",
			      "aaabaab");
	expect_at_every_split("aaaa ", NULL, "aaaaaaa 1\naaa aaaa 2\n", "1\n2\n", "aaaaaa ");
}

static void prompt_has_no_newline(void **state)
{
	(void)state;
	expect_at_every_split("ab ", "ASK:", "ab ASK:ab ASK:xab ASKED\n", "ASK:\nASK:\nASKED\n",
			      "x");
}

static void unfinished_line_is_no_line(void **state)
{
	(void)state;
	expect_at_every_split("ab ", NULL, "xab RUN", "", "x");
}

static void whole_marker(void **state)
{
	static const uint8_t input[] = {'n', 'o', 0x4d, 0x53, 0x4d, 0x53, 0x01, 9, 9};
	static const uint8_t marker[] = {0x4d, 0x53, 0x01};

	(void)state;
	for (size_t cut = 0; cut <= sizeof input; cut++) {
		struct boot_scan scan;
		struct heard heard = {0};
		const char *line = NULL;
		size_t used;

		boot_scan_init(&scan, marker, sizeof marker);
		scan.whole = true;
		used = boot_scan_feed(&scan, input, cut, &line, heard_noise, &heard);
		if (!line)
			used += boot_scan_feed(&scan, input + used, sizeof input - used, &line,
					       heard_noise, &heard);
		assert_string_equal(line, "");
		assert_int_equal(used, 7);
		assert_int_equal(heard.noise.len, 4);
		assert_memory_equal(heard.noise.data, input, 4);
		buf_done(&heard.noise);
		boot_scan_done(&scan);
	}
}

/* Bounded, and what follows is found again. */
static void line_too_long(void **state)
{
	struct boot_scan scan;
	struct heard heard = {0};
	char *input = xmalloc(3 * BOOT_SCAN_LINE);

	(void)state;
	memset(input, 'x', 3 * BOOT_SCAN_LINE);
	memcpy(input, "ab ", 3);
	boot_scan_init(&scan, "ab ", 3);
	feed(&scan, &heard, input, 3 * BOOT_SCAN_LINE);
	assert_true(scan.line.len <= BOOT_SCAN_LINE + 1);
	feed(&scan, &heard, "ab OK\n", 6);
	assert_string_equal(buf_cstr(&heard.lines), "OK\n");
	assert_int_equal(heard.noise.len, 3 * BOOT_SCAN_LINE - 3);
	free(input);
	buf_done(&heard.lines);
	buf_done(&heard.noise);
	boot_scan_done(&scan);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_and_noise),
		cmocka_unit_test(marker_that_repeats_itself),
		cmocka_unit_test(prompt_has_no_newline),
		cmocka_unit_test(unfinished_line_is_no_line),
		cmocka_unit_test(whole_marker),
		cmocka_unit_test(line_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
