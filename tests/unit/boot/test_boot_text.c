/* What every login shell demands of the text. That it works: tests/boot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "boot.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct payload payloads[] = {{"x86_64", (const uint8_t *)"x", 55000, HASH},
					  {"aarch64", (const uint8_t *)"y", 67000, HASH}};

static struct boot_spec spec_make(enum boot_become become)
{
	return (struct boot_spec){.nonce = "0123456789abcdef",
				  .payloads = payloads,
				  .payload_count = ARRAY_LEN(payloads),
				  .become = become};
}

static char *text_of(const struct boot_spec *spec)
{
	struct errmsg msg;
	char *text = NULL;

	assert_int_equal(boot_command(&text, spec, &msg), 0);
	return text;
}

static void expect_safe(const char *text)
{
	assert_null(strpbrk(text, "!\\\n\r"));
	assert_true(strlen(text) <= 8192);
	assert_null(strstr(text, "0123456789abcdef "));
}

static size_t quotes(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\'';
	return n;
}

static void text_is_safe_in_every_form(void **state)
{
	/* Of words in single quotes; su has its inner quotes in double ones. */
	static const size_t expected[] = {2, 4, 8, 4};

	(void)state;
	for (enum boot_become become = BOOT_AS_SELF; become <= BOOT_DOAS; become++) {
		struct boot_spec spec = spec_make(become);
		char *text = text_of(&spec);

		expect_safe(text);
		assert_int_equal(quotes(text), expected[become]);
		assert_int_equal(strncmp(text, "exec sh -c '", 12), 0);
		free(text);
		spec.no_exec = true;
		text = text_of(&spec);
		expect_safe(text);
		assert_int_equal(strncmp(text, "sh -c '", 7), 0);
		free(text);
	}
}

static void text_is_short(void **state)
{
	struct boot_spec spec = spec_make(BOOT_AS_SELF);
	char *text = text_of(&spec);

	(void)state;
	assert_true(strlen(text) < 2560);
	free(text);
}

/* Whoever sees the processes of the target or echoes the command must not learn or forge anything.
 */
static void text_has_no_secret_and_no_nonce(void **state)
{
	(void)state;
	for (enum boot_become become = BOOT_AS_SELF; become <= BOOT_DOAS; become++) {
		struct boot_spec spec = spec_make(become);
		char *text;

		memcpy(spec.nonce, "fedcba9876543210", BOOT_NONCE_SIZE);
		spec.password = "the secret";
		text = text_of(&spec);
		assert_null(strstr(text, "fedcba9876543210"));
		assert_null(strstr(text, "secret"));
		free(text);
	}
}

static void sudo_asks_only_where_it_can_be_answered(void **state)
{
	struct boot_spec spec = spec_make(BOOT_SUDO);
	char *text = text_of(&spec);

	(void)state;
	assert_non_null(strstr(text, "exec sudo -n -H -u root -- sh -c \"$0\""));
	free(text);
	spec.password = "x";
	spec.become_user = "web-2.x_Y";
	text = text_of(&spec);
	assert_non_null(strstr(text, "exec sudo -k -S -p \"$n ASK:\" -H -u web-2.x_Y -- sh -c"));
	free(text);
}

static void bad_users_are_refused(void **state)
{
	static const char *const users[] = {"",	     "-u",  "a b",  "a'b",
					    "$(id)", "a;b", "a\nb", "\xc3\xa4"};
	struct boot_spec spec = spec_make(BOOT_SU);
	char *text = NULL, *longest = xcalloc(1, 300);
	struct errmsg msg;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		spec.become_user = users[i];
		assert_int_equal(boot_command(&text, &spec, &msg), ERR_SYNTAX);
		assert_non_null(strstr(msg.text, "cannot become user"));
		assert_null(text);
	}
	memset(longest, 'a', 256);
	spec.become_user = longest;
	assert_int_equal(boot_command(&text, &spec, &msg), ERR_SYNTAX);
	longest[255] = '\0';
	assert_int_equal(boot_command(&text, &spec, &msg), 0);
	expect_safe(text);
	free(text);
	free(longest);
}

static void subsystem_has_no_text(void **state)
{
	struct boot_spec spec = spec_make(BOOT_AS_SELF);
	struct errmsg msg;
	char *text = NULL;

	(void)state;
	spec.subsystem = true;
	assert_int_equal(boot_command(&text, &spec, &msg), ERR_UNSUPPORTED);
	assert_null(text);
}

static void list_and_remove_are_safe(void **state)
{
	(void)state;
	expect_safe(boot_list_command());
	expect_safe(boot_remove_command());
	assert_int_equal(quotes(boot_list_command()), 2);
	assert_int_equal(quotes(boot_remove_command()), 2);
	assert_null(strstr(boot_list_command(), "rm "));
}

static void nonces_differ(void **state)
{
	char a[BOOT_NONCE_SIZE], b[BOOT_NONCE_SIZE];

	(void)state;
	boot_nonce(a);
	boot_nonce(b);
	assert_int_equal(strlen(a), 16);
	assert_int_equal(strspn(a, "0123456789abcdef"), 16);
	assert_string_not_equal(a, b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_safe_in_every_form),
		cmocka_unit_test(text_is_short),
		cmocka_unit_test(text_has_no_secret_and_no_nonce),
		cmocka_unit_test(sudo_asks_only_where_it_can_be_answered),
		cmocka_unit_test(bad_users_are_refused),
		cmocka_unit_test(subsystem_has_no_text),
		cmocka_unit_test(list_and_remove_are_safe),
		cmocka_unit_test(nonces_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
