/* Private keys as ssh-keygen writes them, and what is none. */
#include <fcntl.h>
#include <openssl/evp.h>
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
#include "fd.h"
#include "keys.h"
#include "limits.h"
#include "programs.h"

static char dir[] = "/tmp/muster-keys-XXXXXX";
static bool have_keygen;

static int set_up(void **state)
{
	(void)state;
	have_keygen = program_find("ssh-keygen");
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	remove_tree(dir);
	return 0;
}

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

/* Makes a key pair; more: further options of ssh-keygen, up to a NULL. */
static char *make_key(const char *name, const char *type, const char *passphrase,
		      const char *const *more)
{
	char *path = path_of(name);
	const char *argv[16] = {"ssh-keygen", "-q", "-t", type, "-N", passphrase, "-f", path};

	for (size_t i = 0; more && more[i]; i++)
		argv[8 + i] = more[i];
	assert_int_equal(program_run(argv, NULL), 0);
	return path;
}

static char *make_file(const char *name, const void *data, size_t len)
{
	char *path = path_of(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, data, len), 0);
	fd_close(&fd);
	return path;
}

/* The blob of the file is that of PATH.pub, its second word in base64. */
static void is_public_half(const struct key_file *file, const char *path)
{
	char *pub = xasprintf("%s.pub", path), *word, *save = NULL;
	struct buf text = {0}, blob = {0};
	int n;

	assert_int_equal(fd_read_file(&text, pub, LIMIT_KEY_FILE), 0);
	(void)buf_cstr(&text);
	(void)strtok_r((char *)text.data, " ", &save);
	word = strtok_r(NULL, " ", &save);
	assert_non_null(word);
	n = EVP_DecodeBlock(buf_room(&blob, strlen(word)), (const unsigned char *)word,
			    (int)strlen(word));
	assert_non_null(file->blob);
	/* The padding counts as zero bytes, at most two. */
	assert_in_range(file->blob_len, (size_t)n - 2, (size_t)n);
	assert_memory_equal(file->blob, blob.data, file->blob_len);
	buf_done(&text);
	buf_done(&blob);
	free(pub);
}

static void loads(const char *name, const char *type, const char *const *more)
{
	char *path = make_key(name, type, "", more);
	struct key_file file;

	key_file_load(&file, path);
	if (!file.key)
		fail_msg("%s: %s", name, file.fault.text);
	assert_string_equal(file.path, path);
	assert_string_equal(file.fault.text, "");
	assert_false(file.missing);
	assert_int_equal(ssh_key_is_private(file.key), 1);
	is_public_half(&file, path);
	key_file_done(&file);
	assert_null(file.key);
	free(path);
}

static void test_types(void **state)
{
	static const char *const bits[] = {"-b", "2048", NULL}, *const curve[] = {"-b", "521",
										  NULL};
	static const char *const pem[] = {"-m", "PEM", NULL}, *const pkcs8[] = {"-m", "PKCS8",
										NULL};

	(void)state;
	if (!have_keygen)
		skip();
	loads("ed25519", "ed25519", NULL);
	loads("ecdsa", "ecdsa", NULL);
	loads("ecdsa521", "ecdsa", curve);
	loads("rsa", "rsa", bits);
	loads("pem", "ecdsa", pem);
	loads("pkcs8", "ecdsa", pkcs8);
}

/* A key that cannot be used: why, and what is still known of it. */
static void faulty(const char *path, const char *why, bool missing)
{
	struct key_file file;

	key_file_load(&file, path);
	assert_null(file.key);
	assert_int_equal(file.missing, missing);
	if (!strstr(file.fault.text, why) || !strstr(file.fault.text, path))
		fail_msg("%s: not '%s', but: %s", path, why, file.fault.text);
	key_file_done(&file);
}

/* Its public half can still be asked of ssh-agent. */
static void test_a_passphrase(void **state)
{
	static const char *const pem[] = {"-m", "PEM", NULL};
	struct key_file file;
	char *path, *old;

	(void)state;
	if (!have_keygen)
		skip();
	path = make_key("locked", "ed25519", "open sesame", NULL);
	faulty(path, "has a passphrase", false);
	faulty(path, "ssh-add", false);
	key_file_load(&file, path);
	is_public_half(&file, path);
	key_file_done(&file);
	old = make_key("locked-pem", "ecdsa", "open sesame", pem);
	faulty(old, "has a passphrase", false);
	free(old);
	free(path);
}

static void test_a_passphrase_and_no_public_half(void **state)
{
	struct key_file file;
	char *path, *pub;

	(void)state;
	if (!have_keygen)
		skip();
	path = make_key("alone", "ed25519", "open sesame", NULL);
	pub = xasprintf("%s.pub", path);
	assert_int_equal(unlink(pub), 0);
	faulty(path, "has a passphrase", false);
	/* Garbage there is as good as nothing. */
	free(make_file("alone.pub", "ssh-ed25519 AAAA!!!!\n", 21));
	key_file_load(&file, path);
	assert_null(file.blob);
	assert_int_equal(file.blob_len, 0);
	key_file_done(&file);
	free(pub);
	free(path);
}

static void test_missing(void **state)
{
	char *path = path_of("none"), *below = path_of("none/key");

	(void)state;
	faulty(path, "No such file", true);
	faulty(below, "No such file", true);
	faulty(dir, "directory", false);
	free(below);
	free(path);
}

/* The file is away, but its public half tells which key of ssh-agent is meant. */
static void test_missing_with_a_public_half(void **state)
{
	struct key_file file;
	char *path;

	(void)state;
	if (!have_keygen)
		skip();
	path = make_key("in-agent", "ed25519", "", NULL);
	assert_int_equal(unlink(path), 0);
	key_file_load(&file, path);
	assert_null(file.key);
	assert_int_equal(file.missing, 1);
	is_public_half(&file, path);
	key_file_done(&file);
	free(path);
}

static void test_not_to_be_read(void **state)
{
	char *path = make_file("secret", "x", 1);

	(void)state;
	if (geteuid() == 0) {
		print_message("SKIPPED: root reads every file\n");
		free(path);
		skip();
	}
	assert_int_equal(chmod(path, 0), 0);
	faulty(path, "Permission denied", false);
	free(path);
}

static void test_what_is_no_key(void **state)
{
	static const char header[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
	static const char cut[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n"
				  "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ==\n"
				  "-----END OPENSSH PRIVATE KEY-----\n";
	static const char zeros[64];
	char *paths[] = {make_file("empty", "", 0), make_file("text", "hello\n", 6),
			 make_file("header", header, sizeof header - 1),
			 make_file("cut", cut, sizeof cut - 1),
			 make_file("zeros", zeros, sizeof zeros)};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		faulty(paths[i], "not a private key", false);
		free(paths[i]);
	}
}

static void test_too_large(void **state)
{
	char *big = xcalloc(1, LIMIT_KEY_FILE + 1), *path;

	(void)state;
	path = make_file("big", big, LIMIT_KEY_FILE + 1);
	faulty(path, "larger than", false);
	free(path);
	free(big);
}

/* Nobody writes into it: reading must not wait. */
static void test_a_fifo(void **state)
{
	char *path = path_of("fifo");

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	faulty(path, "not a private key", false);
	free(path);
}

/* Either a key, or a reason why there is none. */
static bool is_judged(const void *data, size_t len)
{
	char *path = make_file("damaged", data, len);
	struct key_file file;
	bool judged;

	key_file_load(&file, path);
	judged = !file.key == (file.fault.text[0] != '\0');
	key_file_done(&file);
	free(path);
	return judged;
}

/* In a process of its own, as libssh 0.10.6 leaks some bytes of keys that it refuses. */
static _Noreturn void damage(struct buf *text)
{
	bool judged = true;

	for (size_t i = 0; i < text->len; i += 3) {
		judged = judged && is_judged(text->data, i);
		text->data[i] ^= 0x10;
		judged = judged && is_judged(text->data, text->len);
		text->data[i] ^= 0x10;
	}
	_exit(judged ? 0 : 1);
}

/* Cuts of a real key, and bytes of it changed. */
static void test_damaged(void **state)
{
	struct buf text = {0};
	char *path;
	pid_t pid;

	(void)state;
	if (!have_keygen)
		skip();
	path = make_key("whole", "ed25519", "", NULL);
	assert_int_equal(fd_read_file(&text, path, LIMIT_KEY_FILE), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		damage(&text);
	assert_int_equal(program_wait(pid), 0);
	buf_done(&text);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_a_passphrase),
		cmocka_unit_test(test_a_passphrase_and_no_public_half),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_missing_with_a_public_half),
		cmocka_unit_test(test_not_to_be_read),
		cmocka_unit_test(test_what_is_no_key),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_a_fifo),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
