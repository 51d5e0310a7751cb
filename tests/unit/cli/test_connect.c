/* What the options of connecting make of a job, and what they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "connect.h"
#include "limits.h"

static void configure(struct config *config, const char *text)
{
	struct errmsg msg = {{0}};

	*config = (struct config){0};
	if (config_parse(config, text, strlen(text), "a.conf", &msg) != 0)
		fail_msg("%s", msg.text);
}

static void refused(const struct connect_values *v, const char *text)
{
	struct job_open_msg open = {0};
	struct errmsg msg = {{0}};
	struct config config;

	configure(&config, "");
	assert_int_not_equal(connect_fill(&open, v, &config, &msg), 0);
	if (!strstr(msg.text, text))
		fail_msg("'%s' is not in '%s'", text, msg.text);
	assert_int_equal(open.retries, 0);
}

static void test_without_options(void **state)
{
	struct job_open_msg open = {0};
	struct config config;

	(void)state;
	configure(&config, "");
	assert_int_equal(connect_fill(&open, NULL, &config, NULL), 0);
	assert_int_equal(connect_fill(&open, &(struct connect_values){0}, &config, NULL), 0);
	assert_int_equal(open.retries, 0);
	assert_null(open.kex);
	assert_null(open.ciphers);
	assert_null(open.macs);
	assert_null(connect_given(&(struct connect_values){0}));
}

static void test_options(void **state)
{
	struct connect_values v = {.retries = "0", .kex = "k1,k2", .ciphers = "c1", .macs = "m1"};
	struct job_open_msg open = {0};
	struct config config;

	(void)state;
	configure(&config, "retries = 7\nkex-algorithms = k\nciphers = c\nmacs = m\n");
	assert_int_equal(connect_fill(&open, &v, &config, NULL), 0);
	assert_int_equal(open.retries, 1);
	assert_string_equal(open.kex, "k1,k2");
	assert_string_equal(open.ciphers, "c1");
	assert_string_equal(open.macs, "m1");
	v = (struct connect_values){.retries = "100"};
	assert_int_equal(connect_fill(&open, &v, &config, NULL), 0);
	assert_int_equal(open.retries, 101);
}

static void test_the_file(void **state)
{
	struct job_open_msg open = {0};
	struct config config;

	(void)state;
	configure(&config, "retries = 0\nkex-algorithms = k\nciphers = c\nmacs = m\n");
	assert_int_equal(connect_fill(&open, NULL, &config, NULL), 0);
	assert_int_equal(open.retries, 1);
	assert_string_equal(open.kex, "k");
	assert_string_equal(open.ciphers, "c");
	assert_string_equal(open.macs, "m");
}

static void test_what_is_refused(void **state)
{
	char *longest = xcalloc(LIMIT_OPTION_TEXT + 2, 1);

	(void)state;
	memset(longest, 'a', LIMIT_OPTION_TEXT + 1);
	refused(&(struct connect_values){.retries = "101"}, "--retries: '101'");
	refused(&(struct connect_values){.retries = "-1"}, "--retries: '-1'");
	refused(&(struct connect_values){.retries = ""}, "--retries: ''");
	refused(&(struct connect_values){.kex = ""}, "--kex-algorithms: an empty list");
	refused(&(struct connect_values){.ciphers = ""}, "--ciphers: an empty list");
	refused(&(struct connect_values){.macs = longest}, "--macs: more than 4096 bytes");
	assert_string_equal(connect_given(&(struct connect_values){.retries = "1"}), "--retries");
	assert_string_equal(connect_given(&(struct connect_values){.kex = "a"}),
			    "--kex-algorithms");
	assert_string_equal(connect_given(&(struct connect_values){.ciphers = "a"}), "--ciphers");
	assert_string_equal(connect_given(&(struct connect_values){.macs = "a"}), "--macs");
	free(longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_options),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_the_file),
		cmocka_unit_test(test_what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
