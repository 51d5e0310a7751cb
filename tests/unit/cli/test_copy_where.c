/* Where a copy goes, as people write it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "copy_where.h"

static void splits(const char *text, const char *expr, const char *path)
{
	char *got_expr = NULL, *got_path = NULL;
	struct errmsg msg = {""};

	assert_int_equal(copy_where_split(text, &got_expr, &got_path, &msg), 0);
	assert_string_equal(got_expr, expr);
	assert_string_equal(got_path, path);
	free(got_expr);
	free(got_path);
}

static void the_last_colon_before_a_path(void **state)
{
	(void)state;
	splits("h1:/srv", "h1", "/srv");
	splits("web[1-3],root@db:2222:/srv/www", "web[1-3],root@db:2222", "/srv/www");
	splits("[2001:db8::1]:22:/x", "[2001:db8::1]:22", "/x");
	splits("2001:db8::1:/x", "2001:db8::1", "/x");
	splits("h1:~/x", "h1", "~/x");
	splits("h1:~", "h1", "~");
	splits("h1:", "h1", "~/");
	splits("h1:2222:", "h1:2222", "~/");
	splits("@src:grp:/a", "@src:grp", "/a");
	splits("h1:/a:b", "h1", "/a:b");
	splits("h1:/a:/b", "h1:/a", "/b");
}

static void what_is_no_destination(void **state)
{
	static const char *const bad[] = {"h1", "h1:22", "h1:rel", ":/x", "", ":"};
	char *expr = NULL, *path = NULL;
	struct errmsg msg;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		msg.text[0] = '\0';
		assert_int_equal(copy_where_split(bad[i], &expr, &path, &msg), ERR_SYNTAX);
		assert_non_null(strstr(msg.text, "--dest"));
	}
	assert_null(expr);
}

static void sources(void **state)
{
	char *same[] = {(char *)(uintptr_t) "/etc/hosts", (char *)(uintptr_t) "/etc//hosts"};
	char *folder[] = {(char *)(uintptr_t) "/etc/."};
	char *missing[] = {(char *)(uintptr_t) "/no/such"};
	char *null[] = {(char *)(uintptr_t) "/dev/null"};
	char *root[] = {(char *)(uintptr_t) "/"};
	struct copy_sources got;
	struct errmsg msg;

	(void)state;
	assert_true(copy_sources_find(&got, same, 2, false, &msg) < 0);
	assert_non_null(strstr(msg.text, "hosts"));
	copy_sources_done(&got);
	assert_true(copy_sources_find(&got, folder, 1, false, &msg) < 0);
	assert_non_null(strstr(msg.text, "-r"));
	copy_sources_done(&got);
	assert_int_equal(copy_sources_find(&got, folder, 1, true, &msg), 0);
	assert_string_equal(got.paths[0], "/etc");
	copy_sources_done(&got);
	assert_int_equal(copy_sources_find(&got, missing, 1, true, &msg), ERR_NOTFOUND);
	copy_sources_done(&got);
	assert_true(copy_sources_find(&got, null, 1, true, &msg) < 0);
	copy_sources_done(&got);
	assert_true(copy_sources_find(&got, root, 1, true, &msg) < 0);
	copy_sources_done(&got);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_colon_before_a_path),
		cmocka_unit_test(what_is_no_destination),
		cmocka_unit_test(sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
