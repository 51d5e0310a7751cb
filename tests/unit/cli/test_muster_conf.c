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
#include "limits.h"

#define UNSET UINT64_C(0xdeadbeef)

static int parse(struct config *config, const char *text, struct errmsg *msg)
{
	return config_parse(config, text, strlen(text), "a.conf", msg);
}

static void parse_ok(struct config *config, const char *text)
{
	struct errmsg msg = {{0}};

	if (parse(config, text, &msg) != 0)
		fail_msg("'%s': %s", text, msg.text);
}

/* The error stands where it is; nothing of the file holds. */
static void refused(const char *text, int code, const char *says)
{
	struct config config = {0};
	struct errmsg msg = {{0}};
	int rc = parse(&config, text, &msg);

	if (rc != code || !strstr(msg.text, says))
		fail_msg("'%s' gives %d: %s", text, rc, msg.text);
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
		assert_int_equal(config_get(&config, (enum config_key)i, UNSET), UNSET);
}

static void test_every_key(void **state)
{
	struct config config = {0};

	(void)state;
	parse_ok(&config, "results-budget = 1G\n"
			  "results-share=64k\n"
			  "\tidle-timeout =  30m  \r\n"
			  "throttle-limit = 200\n"
			  "stop-grace = 2500ms\n"
			  "connect-timeout = 5");
	assert_int_equal(config_get(&config, CONFIG_RESULTS_BUDGET, UNSET), 1u << 30);
	assert_int_equal(config_get(&config, CONFIG_RESULTS_SHARE, UNSET), 64u << 10);
	assert_int_equal(config_get(&config, CONFIG_IDLE_TIMEOUT, UNSET), 1800000);
	assert_int_equal(config_get(&config, CONFIG_THROTTLE_LIMIT, UNSET), 200);
	assert_int_equal(config_get(&config, CONFIG_STOP_GRACE, UNSET), 2500);
	assert_int_equal(config_get(&config, CONFIG_CONNECT_TIMEOUT, UNSET), 5000);
}

static void test_nothing_set(void **state)
{
	static const char *const texts[] = {"", "\n", "# nothing\n\n   \t\r\n#",
					    "  # idle-timeout = 1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct config config = {0};

		parse_ok(&config, texts[i]);
		assert_int_equal(config_get(&config, CONFIG_IDLE_TIMEOUT, UNSET), UNSET);
	}
}

static void test_comment_behind_a_value(void **state)
{
	struct config config = {0};

	(void)state;
	parse_ok(&config, "throttle-limit = 7 # not 70\n#throttle-limit = 8\n");
	assert_int_equal(config_get(&config, CONFIG_THROTTLE_LIMIT, UNSET), 7);
}

static void test_keys_of_what_survives(void **state)
{
	struct config config = {0};

	(void)state;
	parse_ok(&config, "store-size = 64G\n"
			  "retain-age = 7d\n"
			  "retain-count = 50\n"
			  "keepalive = 5\n"
			  "reconnect-timeout = 2h\n"
			  "session-idle-timeout = 30m\n"
			  "spool-limit = 256M\n"
			  "spool-full = drop\n");
	assert_int_equal(config_get(&config, CONFIG_STORE_SIZE, UNSET), UINT64_C(64) << 30);
	assert_int_equal(config_get(&config, CONFIG_RETAIN_AGE, UNSET), 7 * 86400000);
	assert_int_equal(config_get(&config, CONFIG_RETAIN_COUNT, UNSET), 50);
	assert_int_equal(config_get(&config, CONFIG_KEEPALIVE, UNSET), 5000);
	assert_int_equal(config_get(&config, CONFIG_RECONNECT_TIMEOUT, UNSET), 7200000);
	assert_int_equal(config_get(&config, CONFIG_SESSION_IDLE_TIMEOUT, UNSET), 1800000);
	assert_int_equal(config_get(&config, CONFIG_SPOOL_LIMIT, UNSET), 256u << 20);
	assert_int_equal(config_get(&config, CONFIG_SPOOL_FULL, UNSET), 1);
	assert_null(config_store(&config));
	parse_ok(&config, "store-size = 0\nretain-age = 0\nretain-count = 0\n"
			  "reconnect-timeout = 0\nspool-full = block\n");
	assert_int_equal(config_get(&config, CONFIG_STORE_SIZE, UNSET), 0);
	assert_int_equal(config_get(&config, CONFIG_RETAIN_AGE, UNSET), 0);
	assert_int_equal(config_get(&config, CONFIG_RETAIN_COUNT, UNSET), 0);
	assert_int_equal(config_get(&config, CONFIG_RECONNECT_TIMEOUT, UNSET), 0);
	assert_int_equal(config_get(&config, CONFIG_SPOOL_FULL, UNSET), 0);
}

static void test_keys_of_connections(void **state)
{
	struct config config = {0};

	(void)state;
	parse_ok(&config, "");
	assert_null(config_text(&config, CONFIG_KEX_ALGORITHMS));
	assert_null(config_text(&config, CONFIG_MACS));
	parse_ok(&config, "retries = 0\nkex-algorithms = ecdh-sha2-nistp256,curve25519-sha256\n"
			  "macs = hmac-sha2-256\nciphers = aes256-ctr\n");
	assert_int_equal(config_get(&config, CONFIG_RETRIES, UNSET), 0);
	assert_string_equal(config_text(&config, CONFIG_KEX_ALGORITHMS),
			    "ecdh-sha2-nistp256,curve25519-sha256");
	assert_string_equal(config_text(&config, CONFIG_CIPHERS), "aes256-ctr");
	assert_string_equal(config_text(&config, CONFIG_MACS), "hmac-sha2-256");
	parse_ok(&config, "retries = 100\nmacs = hmac-sha2-512\n");
	assert_int_equal(config_get(&config, CONFIG_RETRIES, UNSET), 100);
	assert_string_equal(config_text(&config, CONFIG_MACS), "hmac-sha2-512");
	assert_string_equal(config_text(&config, CONFIG_CIPHERS), "aes256-ctr");
	refused("retries = 101", ERR_RANGE, "a.conf:1: retries: '101'");
	refused("retries = no", ERR_RANGE, "a.conf:1: retries: 'no'");
	refused("ciphers =", ERR_SYNTAX, "a.conf:1: ciphers: an empty list");
}

static void test_long_lists(void **state)
{
	char text[CONFIG_LIST_SIZE + 16] = "macs = ";
	struct config config = {0};
	size_t begin = strlen(text);

	(void)state;
	memset(text + begin, 'a', CONFIG_LIST_SIZE - 1);
	parse_ok(&config, text);
	assert_int_equal(strlen(config_text(&config, CONFIG_MACS)), CONFIG_LIST_SIZE - 1);
	text[begin + CONFIG_LIST_SIZE - 1] = 'a';
	refused(text, ERR_RANGE, "a.conf:1: macs: a list of more than 1023 bytes");
}

static void store_is(const char *text, const char *name, const char *home, const char *want)
{
	struct config config = {0};
	struct errmsg msg = {{0}};
	char *path = NULL;

	parse_ok(&config, text);
	assert_int_equal(config_store_path(&path, config_store(&config), name, home, &msg), 0);
	assert_string_equal(path, want);
	free(path);
}

static void test_where_the_topology_is(void **state)
{
	struct config config = {0};

	(void)state;
	assert_null(config_topology(&config));
	parse_ok(&config, "topology = ~/t.conf\n");
	assert_string_equal(config_topology(&config), "~/t.conf");
	parse_ok(&config, "topology = none\n");
	assert_string_equal(config_topology(&config), "none");
}

static void test_where_the_store_is(void **state)
{
	struct config config = {0};
	struct errmsg msg = {{0}};
	char *path = NULL;

	(void)state;
	store_is("store = /srv/jobs", "default", NULL, "/srv/jobs");
	store_is("store = ~/jobs of mine", "default", "/home/u", "/home/u/jobs of mine");
	store_is("store = ~/%L/%L%%L%", "ci", "/h", "/h/ci/ci%L%");
	assert_int_equal(config_store_path(&path, "~/x", "ci", NULL, &msg), ERR_NOTFOUND);
	assert_int_equal(config_store_path(&path, "~/x", "ci", "relative", &msg), ERR_NOTFOUND);
	assert_non_null(strstr(msg.text, "store = ~/x"));
	assert_null(path);
	parse_ok(&config, "store = memory\n");
	assert_string_equal(config_store(&config), "memory");
	/* A faulty file leaves it as it was. */
	assert_int_not_equal(parse(&config, "store = /x\nkeepalive = 0\n", &msg), 0);
	assert_string_equal(config_store(&config), "memory");
}

static void test_paths_without_end(void **state)
{
	char text[CONFIG_PATH_SIZE + 16] = "store = /";
	struct config config = {0};
	struct errmsg msg = {{0}};

	(void)state;
	memset(text + 9, 'x', CONFIG_PATH_SIZE - 2);
	parse_ok(&config, text);
	assert_int_equal(strlen(config_store(&config)), CONFIG_PATH_SIZE - 1);
	text[9 + CONFIG_PATH_SIZE - 2] = 'x';
	assert_int_equal(parse(&config, text, &msg), ERR_RANGE);
	assert_non_null(strstr(msg.text, "a.conf:1: store: a path of more than 1023 bytes"));
}

/* 0 is a value of its own there: the daemon never leaves. */
static void test_idle_timeout_may_be_zero(void **state)
{
	struct config config = {0};

	(void)state;
	parse_ok(&config, "idle-timeout = 0\n");
	assert_int_equal(config_get(&config, CONFIG_IDLE_TIMEOUT, UNSET), 0);
}

static void test_what_is_refused(void **state)
{
	(void)state;
	refused("option. = 5\n", ERR_SYNTAX, "'option.' is none of");
	refused("\n\nresult-budget = 1M\n", ERR_SYNTAX,
		"a.conf:3: 'result-budget' is none of results-budget, ");
	refused("Idle-Timeout = 1\n", ERR_SYNTAX, "a.conf:1: 'Idle-Timeout' is none of");
	refused("= 1\n", ERR_SYNTAX, "a.conf:1: '' is none of");
	refused("# one\nidle-timeout 5\n", ERR_SYNTAX,
		"a.conf:2: 'idle-timeout 5' is no 'key = value'");
	refused("idle-timeout =\n", ERR_SYNTAX, "a.conf:1: idle-timeout: ''");
	refused("idle-timeout = soon", ERR_SYNTAX, "a.conf:1: idle-timeout: 'soon'");
	refused("idle-timeout = -1", ERR_SYNTAX, "a.conf:1: idle-timeout: '-1'");
	refused("stop-grace = 0", ERR_RANGE, "a.conf:1: stop-grace: '0' is no time above zero");
	refused("connect-timeout = 400d", ERR_RANGE, "a.conf:1: connect-timeout: '400d'");
	refused("throttle-limit = 0", ERR_RANGE, "a.conf:1: throttle-limit: '0'");
	refused("throttle-limit = 64 hosts", ERR_RANGE, "'64 hosts'");
	refused("results-share = 0", ERR_RANGE, "a.conf:1: results-share: '0'");
	refused("results-budget = 1T", ERR_SYNTAX, "a.conf:1: results-budget: '1T' is no size");
	refused("results-budget = 1 M", ERR_SYNTAX, "'1 M'");
	refused("topology = t.conf", ERR_SYNTAX,
		"a.conf:1: topology: 't.conf' is neither 'none' nor a path that begins");
	refused("store =", ERR_SYNTAX, "a.conf:1: store: '' is neither 'memory' nor a path");
	refused("store = jobs", ERR_SYNTAX, "store: 'jobs' is neither");
	refused("store = ~root/jobs", ERR_SYNTAX, "store: '~root/jobs' is neither");
	refused("store-size = 1K", ERR_RANGE, "a.conf:1: store-size: '1K'");
	refused("retain-count = -1", ERR_RANGE, "a.conf:1: retain-count: '-1'");
	refused("retain-age = never", ERR_SYNTAX, "a.conf:1: retain-age: 'never'");
	refused("keepalive = 0", ERR_RANGE, "keepalive: '0' is no time above zero");
	refused("spool-limit = 0", ERR_RANGE, "a.conf:1: spool-limit: '0'");
	refused("spool-full = wait", ERR_SYNTAX, "spool-full: 'wait' is none of block, drop");
}

static void test_a_key_twice(void **state)
{
	(void)state;
	refused("stop-grace = 1\n\nstop-grace = 2\n", ERR_EXISTS,
		"a.conf:3: stop-grace was set in line 1 already");
}

static void test_bytes_that_are_no_text(void **state)
{
	static const char text[] = "idle-timeout = 1\nidle\0-timeout = 2\n";
	struct config config = {0};
	struct errmsg msg = {{0}};

	(void)state;
	assert_int_equal(config_parse(&config, text, sizeof text - 1, "a.conf", &msg), ERR_SYNTAX);
	assert_non_null(strstr(msg.text, "a.conf:2: a NUL byte"));
	assert_int_equal(config_get(&config, CONFIG_IDLE_TIMEOUT, UNSET), UNSET);
}

/* The second file outweighs the first, key by key; a faulty one changes nothing. */
static void test_two_files(void **state)
{
	struct config config = {0};
	struct errmsg msg = {{0}};

	(void)state;
	parse_ok(&config, "stop-grace = 1\nthrottle-limit = 10\n");
	parse_ok(&config, "stop-grace = 2\n");
	assert_int_equal(config_get(&config, CONFIG_STOP_GRACE, UNSET), 2000);
	assert_int_equal(config_get(&config, CONFIG_THROTTLE_LIMIT, UNSET), 10);
	assert_int_not_equal(parse(&config, "stop-grace = 3\nthrottle-limit = x\n", &msg), 0);
	assert_int_equal(config_get(&config, CONFIG_STOP_GRACE, UNSET), 2000);
	assert_int_equal(config_get(&config, CONFIG_THROTTLE_LIMIT, UNSET), 10);
}

/* --- files ----------------------------------------------------------------------------------- */

static char directory[64];

static int make_directory(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof directory, "/tmp/muster-config-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory);
}

static char *write_file(const char *text, size_t len)
{
	char *path = xasprintf("%s/muster.conf", directory);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	return path;
}

static void test_a_file(void **state)
{
	static const char text[] = "results-share = 2M\n";
	char *path = write_file(text, sizeof text - 1);
	struct config config = {0};
	struct errmsg msg = {{0}};

	(void)state;
	assert_int_equal(config_read(&config, path, &msg), 0);
	assert_int_equal(config_get(&config, CONFIG_RESULTS_SHARE, UNSET), 2u << 20);
	assert_int_equal(unlink(path), 0);
	free(path);
}

static void test_no_file(void **state)
{
	char *path = xasprintf("%s/not/there/muster.conf", directory);
	struct config config = {0};

	(void)state;
	assert_int_equal(config_read(&config, path, NULL), 0);
	/* What should be a folder is a file. */
	assert_int_equal(config_read(&config, "/dev/null/muster.conf", NULL), 0);
	assert_int_equal(config_get(&config, CONFIG_RESULTS_SHARE, UNSET), UNSET);
	free(path);
}

static void test_a_file_that_cannot_be_read(void **state)
{
	struct config config = {0};
	struct errmsg msg = {{0}};

	(void)state;
	assert_int_equal(config_read(&config, directory, &msg), ERR_SYS);
	assert_non_null(strstr(msg.text, directory));
}

static void test_a_file_without_end(void **state)
{
	char *text = xmalloc(LIMIT_CONFIG + 1), *path;
	struct config config = {0};
	struct errmsg msg = {{0}};

	(void)state;
	memset(text, '\n', LIMIT_CONFIG + 1);
	path = write_file(text, LIMIT_CONFIG + 1);
	assert_int_equal(config_read(&config, path, &msg), ERR_LIMIT);
	assert_non_null(strstr(msg.text, path));
	assert_int_equal(unlink(path), 0);
	path = (free(path), write_file(text, LIMIT_CONFIG));
	assert_int_equal(config_read(&config, path, &msg), 0);
	assert_int_equal(unlink(path), 0);
	free(path);
	free(text);
}

static void path_is(const char *xdg, const char *home, const char *expected)
{
	char *path;

	if (xdg)
		assert_int_equal(setenv("XDG_CONFIG_HOME", xdg, 1), 0);
	else
		assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
	if (home)
		assert_int_equal(setenv("HOME", home, 1), 0);
	else
		assert_int_equal(unsetenv("HOME"), 0);
	path = config_user_path();
	if (expected)
		assert_string_equal(path, expected);
	else
		assert_null(path);
	free(path);
}

static void test_where_the_users_file_is(void **state)
{
	(void)state;
	path_is("/x", "/h", "/x/muster/muster.conf");
	path_is(NULL, "/h", "/h/.config/muster/muster.conf");
	path_is("", "/h", "/h/.config/muster/muster.conf");
	path_is("relative", "/h", "/h/.config/muster/muster.conf");
	path_is(NULL, NULL, NULL);
	path_is("relative", "relative", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_nothing_set),
		cmocka_unit_test(test_comment_behind_a_value),
		cmocka_unit_test(test_keys_of_what_survives),
		cmocka_unit_test(test_keys_of_connections),
		cmocka_unit_test(test_long_lists),
		cmocka_unit_test(test_where_the_topology_is),
		cmocka_unit_test(test_where_the_store_is),
		cmocka_unit_test(test_paths_without_end),
		cmocka_unit_test(test_idle_timeout_may_be_zero),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_a_key_twice),
		cmocka_unit_test(test_bytes_that_are_no_text),
		cmocka_unit_test(test_two_files),
		cmocka_unit_test(test_a_file),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_a_file_that_cannot_be_read),
		cmocka_unit_test(test_a_file_without_end),
		cmocka_unit_test(test_where_the_users_file_is),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
