/* What test_config.c cannot show without files: Include, permissions, limits, the default files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "config.h"
#include "config_private.h"
#include "limits.h"

static char home[] = "/tmp/muster-config-XXXXXX";

/* Writes ~/.ssh/name. */
static void put(const char *name, const char *text)
{
	char *path = xasprintf("%s/.ssh/%s", home, name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
	free(path);
}

static int make_home(void **state)
{
	char *dir;

	(void)state;
	if (!mkdtemp(home))
		return -1;
	dir = xasprintf("%s/.ssh", home);
	(void)mkdir(dir, 0700);
	free(dir);
	dir = xasprintf("%s/.ssh/d", home);
	(void)mkdir(dir, 0700);
	free(dir);
	return 0;
}

static int remove_home(void **state)
{
	char *command = xasprintf("rm -rf '%s'", home);
	int rc = system(command);

	(void)state;
	free(command);
	return rc;
}

static char *path_of(const char *name)
{
	return xasprintf("%s/.ssh/%s", home, name);
}

/* Loads ~/.ssh/name as -F does. */
static int load(const char *name, struct ssh_config **ret, struct errmsg *msg)
{
	char *path = path_of(name);
	int rc = ssh_config_load(ret, path, home, msg);

	free(path);
	return rc;
}

static void check_user(const char *name, const char *host, const char *user)
{
	struct ssh_config *c;
	struct errmsg msg = {""};
	struct ssh_options o;

	if (load(name, &c, &msg) != 0)
		fail_msg("%s", msg.text);
	assert_int_equal(ssh_config_lookup(c, host, NULL, 0, "me", &o, &msg), 0);
	assert_string_equal(o.user, user);
	ssh_options_done(&o);
	ssh_config_free(c);
}

static void check_refused(const char *name, int code, const char *message)
{
	struct ssh_config *c = NULL;
	struct errmsg msg = {""};

	assert_int_equal(load(name, &c, &msg), code);
	assert_null(c);
	if (!strstr(msg.text, message))
		fail_msg("\"%s\" without \"%s\"", msg.text, message);
}

static void test_include(void **state)
{
	(void)state;
	put("d/1", "Host a\nUser one\n");
	put("d/2", "Host a b\nUser two\n");
	put("main", "Include d/*\nHost *\nUser rest\n");
	check_user("main", "a", "one");
	check_user("main", "b", "two");
	check_user("main", "c", "rest");
	put("main", "Include ~/.ssh/d/2 d/1 nothing-here\nUser rest\n");
	check_user("main", "a", "two");
	/* A folder that the pattern finds is passed over. */
	put("only", "Include d*\nUser rest\n");
	check_user("only", "a", "rest");
}

/* What is included holds only where the Include holds, and ends no block of the file above. */
static void test_include_in_block(void **state)
{
	(void)state;
	put("in", "User plain\nHost x\nPort 1\n");
	put("main", "Host a\nInclude in\nHost *\nUser rest\n");
	check_user("main", "a", "plain");
	check_user("main", "b", "rest");

	put("in", "Host b\nUser inner\n");
	put("main", "Host a b\nInclude in\nUser outer\nHost *\nUser rest\n");
	check_user("main", "a", "outer");
	check_user("main", "b", "inner");
	check_user("main", "c", "rest");

	put("in", "Host c\nUser inner\n");
	put("main", "Host a b\nInclude in\nHost *\nUser rest\n");
	check_user("main", "c", "rest");

	put("main", "Match version 1\nInclude in\nHost *\nUser rest\n");
	check_user("main", "c", "rest");
}

/* The name that the included file sets does not undo the decision that led to it. */
static void test_match_is_decided_once(void **state)
{
	(void)state;
	put("in", "HostName other\n");
	put("main", "Match host a\nInclude in\nUser yes\nMatch host a\nUser no\n");
	check_user("main", "a", "yes");
}

static void test_include_errors(void **state)
{
	(void)state;
	put("loop", "Include loop\n");
	check_refused("loop", ERR_LIMIT, "nested deeper than 16; does a file include itself?");
	put("in", "\n\nPort x\n");
	put("main", "Include in\n");
	check_refused("main", ERR_SYNTAX, "/.ssh/in:3: Port must be");
	put("main", "Include\n");
	check_refused("main", ERR_SYNTAX, "/.ssh/main:1: Include needs an argument");
	/* Also where it does not hold, as ssh. */
	put("main", "Host nobody\nInclude in\n");
	check_refused("main", ERR_SYNTAX, "/.ssh/in:3: Port must be");
}

/* Sixteen levels of doubling would read a file 65536 times. */
static void test_include_bomb(void **state)
{
	(void)state;
	for (int i = 0; i < 15; i++) {
		char name[16], text[64];

		(void)snprintf(name, sizeof name, "bomb%d", i);
		(void)snprintf(text, sizeof text, "Include bomb%d\nInclude bomb%d\n", i + 1, i + 1);
		put(name, text);
	}
	put("bomb15", "User x\n");
	check_refused("bomb0", ERR_LIMIT, "more than 10000 files are included");
}

static void test_permissions(void **state)
{
	char *path = path_of("in");

	(void)state;
	put("in", "User in\n");
	put("main", "Include in\n");
	assert_int_equal(chmod(path, 0620), 0);
	check_refused("main", ERR_DENIED, "can be written by others; forbid that: chmod go-w");
	/* A file that was named on the command line is the user's own choice. */
	check_user("in", "h", "in");
	assert_int_equal(chmod(path, 0644), 0);
	check_user("main", "h", "in");
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 12345, 12345), 0);
		check_refused("main", ERR_DENIED, "belongs to user 12345");
	} else {
		print_message("not root: a file of somebody else cannot be made, not tested\n");
	}
	free(path);
}

static void test_default_files(void **state)
{
	struct ssh_config *c;
	struct ssh_options o;
	struct errmsg msg = {""};
	char *path = path_of("config");

	(void)state;
	assert_int_equal(ssh_config_load(&c, NULL, home, &msg), 0);
	ssh_config_free(c);
	put("config", "Host h\nUser mine\n");
	assert_int_equal(ssh_config_load(&c, NULL, home, &msg), 0);
	assert_int_equal(ssh_config_lookup(c, "h", NULL, 0, "me", &o, &msg), 0);
	assert_string_equal(o.user, "mine");
	ssh_options_done(&o);
	ssh_config_free(c);
	assert_int_equal(ssh_config_load(&c, "none", home, &msg), 0);
	assert_int_equal(ssh_config_lookup(c, "h", NULL, 0, "me", &o, &msg), 0);
	assert_string_equal(o.user, "me");
	ssh_options_done(&o);
	ssh_config_free(c);
	assert_int_equal(chmod(path, 0602), 0);
	assert_int_equal(ssh_config_load(&c, NULL, home, &msg), ERR_DENIED);
	assert_int_equal(unlink(path), 0);
	free(path);
}

static void test_unreadable(void **state)
{
	(void)state;
	check_refused("not-there", ERR_SYS, "not-there: No such file or directory");
	check_refused("d", ERR_SYS, "Is a directory");
}

static void test_too_big(void **state)
{
	char *path = path_of("big");

	(void)state;
	put("big", "User a\n");
	assert_int_equal(truncate(path, LIMIT_SSH_CONFIG + 1), 0);
	check_refused("big", ERR_LIMIT, "exceed 16 MiB");
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_include),
		cmocka_unit_test(test_include_in_block),
		cmocka_unit_test(test_match_is_decided_once),
		cmocka_unit_test(test_include_errors),
		cmocka_unit_test(test_include_bomb),
		cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_default_files),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_too_big),
	};

	return cmocka_run_group_tests(tests, make_home, remove_home);
}
