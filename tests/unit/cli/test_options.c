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
#include "options.h"

struct values {
	bool quiet;
	bool force;
	const char *name;
	struct option_texts hosts;
	uint64_t timeout_ms;
	uint64_t limit;
	struct option_maybe become;
};

#define VALUE(field) offsetof(struct values, field)
static const struct option_row rows[] = {
	{"quiet", 'q', OPTION_FLAG, VALUE(quiet), NULL, "say less"},
	{"force", 0, OPTION_FLAG, VALUE(force), NULL, "first line\nsecond line"},
	{"name", 'n', OPTION_TEXT, VALUE(name), "NAME", "a name"},
	{"hosts", 'H', OPTION_TEXTS, VALUE(hosts), "EXPR", "hosts"},
	{"computer-name", 'w', OPTION_TEXTS, VALUE(hosts), "EXPR", NULL},
	{"timeout", 't', OPTION_DURATION, VALUE(timeout_ms), "TIME", "a time"},
	{"limit", 'f', OPTION_COUNT, VALUE(limit), "N", "a count"},
	{"become", 0, OPTION_MAYBE, VALUE(become), "USER", "with a value or without"},
};

struct parsed {
	struct values v;
	struct errmsg msg;
	char *argv[16];
	int argc;
	int first;
	int rc;
};

/* words: separated by '|', without the word before the first option. */
static void parse(struct parsed *p, bool stop_at_word, const char *words)
{
	static char text[1024];
	char *save = NULL;

	*p = (struct parsed){.argc = 1, .first = 1};
	p->argv[0] = text;
	(void)snprintf(text, sizeof text, "muster|%s", words);
	(void)strtok_r(text, "|", &save);
	for (char *word; (word = strtok_r(NULL, "|", &save)) != NULL; p->argc++)
		p->argv[p->argc] = word;
	p->rc = options_parse(rows, ARRAY_LEN(rows), &p->v, stop_at_word, p->argc, p->argv,
			      &p->first, &p->msg);
}

static void done(struct parsed *p)
{
	options_done(rows, ARRAY_LEN(rows), &p->v);
	assert_null(p->v.hosts.at);
	assert_int_equal(p->v.hosts.count, 0);
}

static void parse_ok(struct parsed *p, bool stop_at_word, const char *words)
{
	parse(p, stop_at_word, words);
	if (p->rc)
		fail_msg("'%s': %s", words, p->msg.text);
}

static void refused(const char *words, int code, const char *text)
{
	struct parsed p;

	parse(&p, true, words);
	if (p.rc != code || !strstr(p.msg.text, text))
		fail_msg("'%s' gives %s: %s", words, err_name(p.rc), p.msg.text);
	done(&p);
}

static void test_every_kind(void **state)
{
	struct parsed p;

	(void)state;
	parse_ok(&p, true, "-q|--force|-n|x|-Hweb1|--hosts=web2|-w|web3|-t|1.5m|--limit|7");
	assert_true(p.v.quiet);
	assert_true(p.v.force);
	assert_string_equal(p.v.name, "x");
	assert_int_equal(p.v.hosts.count, 3);
	assert_string_equal(p.v.hosts.at[0], "web1");
	assert_string_equal(p.v.hosts.at[1], "web2");
	assert_string_equal(p.v.hosts.at[2], "web3");
	assert_int_equal(p.v.timeout_ms, 90000);
	assert_int_equal(p.v.limit, 7);
	assert_int_equal(p.first, p.argc);
	done(&p);
}

static void test_nothing_given(void **state)
{
	struct parsed p;

	(void)state;
	parse_ok(&p, true, "");
	assert_int_equal(p.first, 1);
	assert_null(p.v.name);
	assert_false(p.v.quiet);
	assert_int_equal(p.v.hosts.count, 0);
	done(&p);
}

static void test_the_last_of_two_wins(void **state)
{
	struct parsed p;

	(void)state;
	parse_ok(&p, true, "-n|a|--name|b");
	assert_string_equal(p.v.name, "b");
	done(&p);
}

static void test_letters_together(void **state)
{
	struct parsed p;

	(void)state;
	parse_ok(&p, true, "-qnx|uname");
	assert_true(p.v.quiet);
	assert_string_equal(p.v.name, "x");
	assert_string_equal(p.argv[p.first], "uname");
	done(&p);
}

static void test_a_value_may_look_like_an_option(void **state)
{
	struct parsed p;

	(void)state;
	parse_ok(&p, true, "-n|-q|--hosts|--|-f|2");
	assert_string_equal(p.v.name, "-q");
	assert_false(p.v.quiet);
	assert_string_equal(p.v.hosts.at[0], "--");
	assert_int_equal(p.v.limit, 2);
	done(&p);
}

static void test_options_end_at_the_first_word(void **state)
{
	struct parsed p;

	(void)state;
	parse_ok(&p, true, "-q|ls|--force|-n|x");
	assert_true(p.v.quiet);
	assert_false(p.v.force);
	assert_int_equal(p.first, 2);
	assert_string_equal(p.argv[2], "ls");
	assert_string_equal(p.argv[3], "--force");
	done(&p);
}

static void test_options_anywhere(void **state)
{
	struct parsed p;

	(void)state;
	parse_ok(&p, false, "1|-q|2|--name|x|3");
	assert_true(p.v.quiet);
	assert_string_equal(p.v.name, "x");
	assert_int_equal(p.argc - p.first, 3);
	assert_string_equal(p.argv[p.first], "1");
	assert_string_equal(p.argv[p.first + 1], "2");
	assert_string_equal(p.argv[p.first + 2], "3");
	done(&p);
}

static void test_two_dashes_end_options(void **state)
{
	struct parsed p;

	(void)state;
	for (int stop = 0; stop < 2; stop++) {
		parse_ok(&p, stop, "-q|--|--force|--");
		assert_true(p.v.quiet);
		assert_false(p.v.force);
		assert_int_equal(p.argc - p.first, 2);
		assert_string_equal(p.argv[p.first], "--force");
		assert_string_equal(p.argv[p.first + 1], "--");
		done(&p);
	}
}

static void test_a_single_dash_is_a_word(void **state)
{
	struct parsed p;

	(void)state;
	parse_ok(&p, true, "-q|-|-n|x");
	assert_string_equal(p.argv[p.first], "-");
	assert_null(p.v.name);
	done(&p);
}

/* main() parses twice: the second time begins behind the verb. */
static void test_parsing_goes_on_behind_a_word(void **state)
{
	struct parsed p;

	(void)state;
	parse_ok(&p, true, "-q|get|-n|x|7");
	assert_int_equal(p.first, 2);
	p.first = 3;
	assert_int_equal(
		options_parse(rows, ARRAY_LEN(rows), &p.v, true, p.argc, p.argv, &p.first, &p.msg),
		0);
	assert_string_equal(p.v.name, "x");
	assert_string_equal(p.argv[p.first], "7");
	done(&p);
}

static void test_a_clear_beginning_is_enough(void **state)
{
	struct parsed p;

	(void)state;
	parse_ok(&p, true, "--qui|--time=2");
	assert_true(p.v.quiet);
	assert_int_equal(p.v.timeout_ms, 2000);
	done(&p);
}

static void test_faults(void **state)
{
	(void)state;
	refused("-z", ERR_SYNTAX, "unknown option '-z'");
	refused("-qz", ERR_SYNTAX, "unknown option '-z'");
	refused("--zzz", ERR_SYNTAX, "unknown option '--zzz'");
	refused("--zzz=1", ERR_SYNTAX, "unknown option '--zzz=1'");
	refused("-\xc3\xa9", ERR_SYNTAX, "unknown option '-\xc3'");
	refused("-n", ERR_SYNTAX, "'-n' needs a value");
	refused("-q|--name", ERR_SYNTAX, "'--name' needs a value");
	refused("--quiet=yes", ERR_SYNTAX, "'--quiet=yes' takes no value");
	refused("-t|soon", ERR_SYNTAX, "--timeout: 'soon'");
	refused("-t|0", ERR_RANGE, "no time above zero");
	refused("--limit|0", ERR_RANGE, "--limit: '0'");
	refused("--limit|1000001", ERR_RANGE, "1000000");
	refused("-f|-1", ERR_RANGE, "--limit: '-1'");
}

static void test_a_fault_leaks_no_list(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, true, "-H|a|-H|b|--zzz");
	assert_int_equal(p.rc, ERR_SYNTAX);
	assert_int_equal(p.v.hosts.count, 2);
	done(&p);
}

static void test_help(void **state)
{
	struct buf out = {0};

	(void)state;
	options_help(&out, rows, ARRAY_LEN(rows));
	assert_string_equal(buf_cstr(&out),
			    "  -q, --quiet                 say less\n"
			    "      --force                 first line\n"
			    "                              second line\n"
			    "  -n, --name NAME             a name\n"
			    "  -H, --hosts EXPR            hosts\n"
			    "  -t, --timeout TIME          a time\n"
			    "  -f, --limit N               a count\n"
			    "      --become[=USER]         with a value or without\n");
	buf_done(&out);
}

static void test_help_of_a_long_name(void **state)
{
	static const struct option_row row = {
		"a-name-that-fills-the-column", 0, OPTION_FLAG, 0, NULL, "text"};
	struct buf out = {0};

	(void)state;
	options_help(&out, &row, 1);
	assert_string_equal(buf_cstr(&out), "      --a-name-that-fills-the-column\n"
					    "                              text\n");
	buf_done(&out);
}

static void test_a_value_that_may_be_left_out(void **state)
{
	struct parsed p;

	(void)state;
	parse_ok(&p, true, "--become|-q");
	assert_true(p.v.become.given);
	assert_null(p.v.become.text);
	assert_true(p.v.quiet);
	done(&p);
	parse_ok(&p, true, "--become=app");
	assert_string_equal(p.v.become.text, "app");
	done(&p);
	/* The next word is none of it. */
	parse_ok(&p, true, "--become|app");
	assert_null(p.v.become.text);
	assert_int_equal(p.first, 2);
	done(&p);
	parse_ok(&p, true, "-q");
	assert_false(p.v.become.given);
	done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_value_that_may_be_left_out),
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_nothing_given),
		cmocka_unit_test(test_the_last_of_two_wins),
		cmocka_unit_test(test_letters_together),
		cmocka_unit_test(test_a_value_may_look_like_an_option),
		cmocka_unit_test(test_options_end_at_the_first_word),
		cmocka_unit_test(test_options_anywhere),
		cmocka_unit_test(test_two_dashes_end_options),
		cmocka_unit_test(test_a_single_dash_is_a_word),
		cmocka_unit_test(test_parsing_goes_on_behind_a_word),
		cmocka_unit_test(test_a_clear_beginning_is_enough),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_a_fault_leaks_no_list),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_help_of_a_long_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
