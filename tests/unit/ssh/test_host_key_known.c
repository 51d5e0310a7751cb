/* A connection that is to be used again: whether known_hosts, as it is now, vouches for its key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fd.h"
#include "host_key.h"

#define KEY   "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define OTHER "AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"

/* What KEY is. */
static const uint8_t blob[51] = "\0\0\0\x0bssh-ed25519\0\0\0\x20";

static bool is_known(const char *lines, bool accept_new, const uint8_t *key, size_t len)
{
	char path[] = "/tmp/known_hosts.XXXXXX", name[] = "h1";
	struct known_hosts *file = NULL;
	const struct known_hosts *files[1];
	struct plan_trust trust = {.count = 1};
	struct plan_target target = {
		.key_name = name, .port = 22, .trust = &trust, .accept_new = accept_new};
	int fd = mkstemp(path);
	bool known;

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, lines, strlen(lines)), 0);
	assert_int_equal(known_hosts_load(&file, path, NULL), 0);
	fd_close(&fd);
	(void)unlink(path);
	files[0] = file;
	trust.files = files;
	known = host_key_is_known(&target, key, len);
	known_hosts_free(file);
	return known;
}

static void what_the_file_says_now_counts(void **state)
{
	(void)state;
	assert_true(is_known("h1 ssh-ed25519 " KEY "\n", false, blob, sizeof blob));
	assert_false(is_known("", false, blob, sizeof blob));
	assert_false(is_known("h1 ssh-ed25519 " OTHER "\n", false, blob, sizeof blob));
	assert_false(is_known("@revoked * ssh-ed25519 " KEY "\nh1 ssh-ed25519 " KEY "\n", false,
			      blob, sizeof blob));
}

/* Its line may be on its way to the file. */
static void accept_new_takes_what_is_unknown_and_no_more(void **state)
{
	(void)state;
	assert_true(is_known("", true, blob, sizeof blob));
	assert_false(is_known("h1 ssh-ed25519 " OTHER "\n", true, blob, sizeof blob));
	assert_false(is_known("@revoked * ssh-ed25519 " KEY "\n", true, blob, sizeof blob));
}

static void what_is_no_key_is_not_known(void **state)
{
	(void)state;
	assert_false(is_known("", true, blob, 3));
	assert_false(is_known("", true, (const uint8_t *)"\xff\xff\xff\xff", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_file_says_now_counts),
		cmocka_unit_test(accept_new_takes_what_is_unknown_and_no_more),
		cmocka_unit_test(what_is_no_key_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
