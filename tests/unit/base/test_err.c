#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "err.h"

static const int codes[] = {
#define ERR_ROW(name, text) name,
#include "err.def"
#undef ERR_ROW
};

#define CODES (sizeof codes / sizeof codes[0])

static void every_code_is_negative_and_distinct(void **state)
{
	(void)state;
	for (size_t i = 0; i < CODES; i++) {
		assert_true(codes[i] < 0);
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(codes[i], codes[k]);
	}
}

static void names_and_texts(void **state)
{
	(void)state;
	assert_string_equal(err_name(ERR_LIMIT), "ERR_LIMIT");
	assert_string_equal(err_name(ERR_CRYPTO), "ERR_CRYPTO");
	assert_string_equal(err_name(ERR_OK), "ERR_OK");
	assert_string_equal(err_text(ERR_LIMIT), "over a size limit");
	assert_string_equal(err_text(ERR_CRYPTO), "cryptographic failure");
	assert_string_equal(err_text(ERR_OK), "no error");
}

static void a_number_that_is_no_code(void **state)
{
	const int none[] = {1, INT_MAX, INT_MIN, ERR_FIRST_, ERR_CRYPTO + 1, -1};

	(void)state;
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		assert_string_equal(err_name(none[i]), "ERR_?");
		assert_string_equal(err_text(none[i]), "unknown error");
	}
}

static void system_errors_have_the_text_of_errno(void **state)
{
	(void)state;
	errno = ENOENT;
	assert_string_equal(err_text(ERR_SYS), strerror(ENOENT));
	errno = EACCES;
	assert_string_equal(err_text(ERR_SYS), strerror(EACCES));
}

static void set_formats_and_returns_the_code(void **state)
{
	struct errmsg msg;

	(void)state;
	errno = EINTR;
	assert_int_equal(err_set(&msg, ERR_SYNTAX, "line %d: %s", 7, "no"), ERR_SYNTAX);
	assert_string_equal(msg.text, "line 7: no");
	assert_int_equal(errno, EINTR);
	assert_int_equal(err_set(NULL, ERR_RANGE, "%s", "nobody reads it"), ERR_RANGE);
}

static void set_cuts_what_is_too_long(void **state)
{
	struct errmsg msg;
	char text[ERRMSG_MAX * 2];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	(void)err_set(&msg, ERR_LIMIT, "%s", text);
	assert_int_equal(strlen(msg.text), ERRMSG_MAX - 1);
	assert_memory_equal(msg.text, text, ERRMSG_MAX - 1);
}

static void a_cut_leaves_whole_characters_and_no_newline(void **state)
{
	struct errmsg msg;
	char text[ERRMSG_MAX + 8];

	(void)state;
	memset(text, 'x', sizeof text);
	memcpy(text + ERRMSG_MAX - 3, "\u20ac", sizeof "\u20ac");
	(void)err_set(&msg, ERR_LIMIT, "%s", text);
	assert_int_equal(strlen(msg.text), ERRMSG_MAX - 3);
	(void)err_set(&msg, ERR_LIMIT, "one\n\n");
	assert_string_equal(msg.text, "one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_is_negative_and_distinct),
		cmocka_unit_test(names_and_texts),
		cmocka_unit_test(a_number_that_is_no_code),
		cmocka_unit_test(system_errors_have_the_text_of_errno),
		cmocka_unit_test(set_formats_and_returns_the_code),
		cmocka_unit_test(set_cuts_what_is_too_long),
		cmocka_unit_test(a_cut_leaves_whole_characters_and_no_newline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
