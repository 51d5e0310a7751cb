/* Loading and appending, and ssh-keygen(1) as the judge of what is read and written. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "known_hosts_keys.h"

static char dir[] = "/tmp/muster-known-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char *command = xasprintf("rm -rf '%s'", dir);
	int rc = system(command);

	(void)state;
	free(command);
	return rc;
}

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void write_file(const char *path, const char *content)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static enum known_verdict ask(const char *path, const char *name, uint16_t port, const char *type,
			      unsigned number)
{
	struct known_hosts *kh;
	struct errmsg msg = {""};
	struct test_key k = key_make(type, number);
	const struct known_hosts *files[1];
	enum known_verdict verdict;

	if (known_hosts_load(&kh, path, &msg) != 0)
		fail_msg("%s", msg.text);
	assert_string_equal(known_hosts_path(kh), path);
	files[0] = kh;
	verdict = known_hosts_check(files, 1, name, port, 0, type, k.blob, k.len, NULL);
	known_hosts_free(kh);
	return verdict;
}

static void append(const char *path, const char *name, uint16_t port, int alias, unsigned number)
{
	struct test_key k = key_make(ED, number);
	struct errmsg msg = {""};

	if (known_hosts_append(path, name, port, alias, ED, k.blob, k.len, &msg) != 0)
		fail_msg("%s", msg.text);
}

static void test_load(void **state)
{
	struct known_hosts *kh = NULL;
	struct errmsg msg = {""};
	char *path = path_of("missing/file");

	(void)state;
	assert_int_equal(ask(path, "a", 22, ED, 1), KNOWN_UNKNOWN);
	free(path);
	assert_int_equal(known_hosts_load(&kh, dir, &msg), ERR_SYS);
	assert_non_null(strstr(msg.text, "Is a directory"));
	path = path_of("big");
	write_file(path, "");
	assert_int_equal(ask(path, "a", 22, ED, 1), KNOWN_UNKNOWN);
	assert_null(kh);
	known_hosts_free(NULL);
	free(path);
}

static void test_append(void **state)
{
	char *path = path_of("new/known_hosts"), *parent = path_of("new");
	struct stat st;

	(void)state;
	append(path, "A.lan", 22, 0, 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(parent, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	append(path, "b", 2222, 0, 2);
	append(path, "::1", 2222, 0, 3);
	append(path, "alias", 2222, 1, 4);
	assert_int_equal(ask(path, "a.lan", 22, ED, 1), KNOWN_MATCH);
	assert_int_equal(ask(path, "b", 2222, ED, 2), KNOWN_MATCH);
	assert_int_equal(ask(path, "b", 22, ED, 2), KNOWN_UNKNOWN);
	assert_int_equal(ask(path, "::1", 2222, ED, 3), KNOWN_MATCH);
	assert_int_equal(ask(path, "alias", 22, ED, 4), KNOWN_MATCH);
	free(parent);
	free(path);
}

/* An editor may leave the last line without its end: the new one must not melt into it. */
static void test_append_after_open_line(void **state)
{
	char *path = path_of("open");
	struct buf line = {0};

	(void)state;
	key_line(&line, "old", ED, 1);
	line.len--;
	write_file(path, buf_cstr(&line));
	append(path, "new", 22, 0, 2);
	assert_int_equal(ask(path, "old", 22, ED, 1), KNOWN_MATCH);
	assert_int_equal(ask(path, "new", 22, ED, 2), KNOWN_MATCH);
	buf_done(&line);
	free(path);
}

static void test_append_refuses(void **state)
{
	static const char *const names[] = {"",	  "a b", "a\nb", "a,b", "a*",	"!a",
					    "#a", "@a",	 "|1|a", "a?",	"a\tb", "a\x7f"};
	char *path = path_of("refused"), *under = path_of("refused/x");
	struct test_key k = key_make(ED, 1);
	struct errmsg msg;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		errno = 0;
		assert_int_equal(known_hosts_append(path, names[i], 22, 0, ED, k.blob, k.len, &msg),
				 ERR_SYS);
		assert_int_equal(errno, EINVAL);
	}
	assert_int_equal(known_hosts_append(path, "a", 22, 0, "x y", k.blob, k.len, &msg), ERR_SYS);
	assert_int_equal(access(path, F_OK), -1);
	write_file(path, "");
	assert_int_equal(known_hosts_append(under, "a", 22, 0, ED, k.blob, k.len, &msg), ERR_SYS);
	assert_non_null(strstr(msg.text, "Not a directory"));
	free(under);
	free(path);
}

/* A lock that never ends is an error, and one that has ended does not matter. */
static void test_append_locked(void **state)
{
	char *path = path_of("locked");
	struct test_key k = key_make(ED, 1);
	struct errmsg msg = {""};
	int other;

	(void)state;
	write_file(path, "");
	other = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(other, LOCK_SH), 0);
	assert_int_equal(known_hosts_append(path, "a", 22, 0, ED, k.blob, k.len, &msg), ERR_SYS);
	assert_non_null(strstr(msg.text, "kept it locked"));
	assert_int_equal(ask(path, "a", 22, ED, 1), KNOWN_UNKNOWN);
	assert_int_equal(close(other), 0);
	append(path, "a", 22, 0, 1);
	assert_int_equal(ask(path, "a", 22, ED, 1), KNOWN_MATCH);
	free(path);
}

/* Two programs that learn keys at the same time. */
static void test_append_together(void **state)
{
	char *path = path_of("together");
	char name[16];
	pid_t child = fork();
	int status = 0;

	(void)state;
	assert_true(child >= 0);
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof name, "%c%u", child ? 'p' : 'c', i);
		append(path, name, 22, 0, i);
	}
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	for (unsigned i = 0; i < 200; i += 20) {
		(void)snprintf(name, sizeof name, "p%u", i);
		assert_int_equal(ask(path, name, 22, ED, i), KNOWN_MATCH);
		name[0] = 'c';
		assert_int_equal(ask(path, name, 22, ED, i), KNOWN_MATCH);
	}
	free(path);
}

/* Many programs that learn the same keys and other ones at the same time, ours in sets, and one
 * that appends without a lock, as OpenSSH does: each line is whole, and each of ours there once. */
#define WRITERS	  8u
#define SETS	  10u
#define SET_KEYS  20u
#define SSH_LINES 200u

static void write_sets(const char *path)
{
	for (unsigned set = 0; set < SETS; set++) {
		struct known_new keys[SET_KEYS];
		struct test_key made[SET_KEYS];
		char names[SET_KEYS][32];
		struct errmsg msg = {""};

		for (unsigned i = 0; i < SET_KEYS; i++) {
			unsigned number = set * SET_KEYS + i;

			(void)snprintf(names[i], sizeof names[i], "set%u", number);
			made[i] = key_make(ED, number);
			keys[i] = (struct known_new){.name = names[i],
						     .port = 22,
						     .hashed = number % 2 == 1,
						     .type = ED,
						     .blob = made[i].blob,
						     .blob_len = made[i].len};
		}
		if (known_hosts_append_all(path, keys, SET_KEYS, &msg) != 0)
			_exit(1);
	}
	_exit(0);
}

/* In one write a line, without looking or locking. */
static void write_like_ssh(const char *path)
{
	for (unsigned i = 0; i < SSH_LINES; i++) {
		int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
		struct buf line = {0};
		char name[32];

		(void)snprintf(name, sizeof name, "ssh%u", i);
		key_line(&line, name, ED, i);
		if (fd < 0 || write(fd, line.data, line.len) != (ssize_t)line.len)
			_exit(1);
		close(fd);
		buf_done(&line);
	}
	_exit(0);
}

static void test_many_writers(void **state)
{
	char *path = path_of("many");
	pid_t pids[WRITERS + 1];
	char *line = NULL;
	size_t size = 0, lines = 0;
	FILE *file;

	(void)state;
	for (unsigned i = 0; i <= WRITERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0 && i == WRITERS)
			write_like_ssh(path);
		if (pids[i] == 0)
			write_sets(path);
	}
	for (unsigned i = 0; i <= WRITERS; i++) {
		int status = -1;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	file = fopen(path, "r");
	assert_non_null(file);
	while (getline(&line, &size, file) > 0) {
		lines++;
		assert_true(strncmp(line, "set", 3) == 0 || strncmp(line, "ssh", 3) == 0 ||
			    strncmp(line, "|1|", 3) == 0);
	}
	(void)fclose(file);
	free(line);
	assert_int_equal(lines, SETS * SET_KEYS + SSH_LINES);
	for (unsigned i = 0; i < SETS * SET_KEYS; i += 7) {
		char name[32];

		(void)snprintf(name, sizeof name, "set%u", i);
		assert_int_equal(ask(path, name, 22, ED, i), KNOWN_MATCH);
	}
	free(path);
}

static struct known_new new_of(const char *name, const struct test_key *k)
{
	return (struct known_new){
		.name = name, .port = 22, .type = ED, .blob = k->blob, .blob_len = k->len};
}

/* What stands there by now decides, and of two in one set the first. */
static void test_append_all(void **state)
{
	char *path = path_of("all");
	struct test_key one = key_make(ED, 1), two = key_make(ED, 2);
	struct known_new keys[] = {new_of("known", &one), new_of("changed", &two),
				   new_of("twice", &one), new_of("twice", &one),
				   new_of("torn", &one),  new_of("torn", &two),
				   new_of("a b", &one)};
	static const enum known_added expected[] = {KNOWN_PRESENT, KNOWN_CONFLICT, KNOWN_ADDED,
						    KNOWN_PRESENT, KNOWN_ADDED,	   KNOWN_CONFLICT,
						    KNOWN_UNFIT};
	struct errmsg msg = {""};

	(void)state;
	append(path, "known", 22, 0, 1);
	append(path, "changed", 22, 0, 1);
	assert_int_equal(known_hosts_append_all(path, keys, ARRAY_LEN(keys), &msg), 0);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_int_equal(keys[i].result, expected[i]);
	assert_int_equal(keys[1].where.line, 2);
	assert_int_equal(ask(path, "changed", 22, ED, 1), KNOWN_MATCH);
	assert_int_equal(ask(path, "torn", 22, ED, 1), KNOWN_MATCH);
	assert_int_equal(ask(path, "torn", 22, ED, 2), KNOWN_CHANGED);
	free(path);
}

static enum known_added offer(const struct known_hosts *kh, const char *name, unsigned number)
{
	struct test_key k = key_make(ED, number);
	struct known_new key = new_of(name, &k), result;
	struct known_offer *offer = known_offer_new(kh, &key);
	const char *why;

	known_offer_write(offer);
	assert_int_equal(known_offer_result(offer, &result, &why), 0);
	known_offer_free(offer);
	return result.result;
}

/* Keys that connections take: the second must be the first, whoever wrote that. */
static void test_offers(void **state)
{
	char *path = path_of("offers");
	struct test_key one = key_make(ED, 1), two = key_make(ED, 2);
	struct known_new first = new_of("Host", &one), second = new_of("host", &two);
	struct known_hosts *kh = NULL;
	struct known_offer *waits, *gone;
	enum known_verdict verdict = KNOWN_ERROR;
	struct errmsg msg = {""};

	(void)state;
	assert_int_equal(known_hosts_load(&kh, path, &msg), 0);
	assert_false(known_news_check(kh, &first, &verdict));
	assert_int_equal(offer(kh, "Host", 1), KNOWN_ADDED);
	assert_true(known_news_check(kh, &first, &verdict));
	assert_int_equal(verdict, KNOWN_MATCH);
	assert_true(known_news_check(kh, &second, &verdict));
	assert_int_equal(verdict, KNOWN_CHANGED);
	assert_int_equal(offer(kh, "host", 1), KNOWN_PRESENT);
	assert_int_equal(offer(kh, "host", 2), KNOWN_CONFLICT);
	append(path, "foreign", 22, 0, 3);
	assert_int_equal(offer(kh, "foreign", 3), KNOWN_PRESENT);
	append(path, "other", 22, 0, 3);
	assert_int_equal(offer(kh, "other", 4), KNOWN_CONFLICT);
	/* Those that wait are written together; one that was let go is not. */
	second.name = "waits";
	waits = known_offer_new(kh, &second);
	second.name = "gone";
	gone = known_offer_new(kh, &second);
	known_offer_free(gone);
	assert_int_equal(offer(kh, "last", 5), KNOWN_ADDED);
	known_offer_free(waits);
	assert_int_equal(ask(path, "waits", 22, ED, 2), KNOWN_MATCH);
	assert_int_equal(ask(path, "gone", 22, ED, 2), KNOWN_UNKNOWN);
	for (unsigned i = 100; i < 400; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "many%u", i);
		assert_int_equal(offer(kh, name, i), KNOWN_ADDED);
	}
	assert_int_equal(ask(path, "many399", 22, ED, 399), KNOWN_MATCH);
	known_hosts_free(kh);
	free(path);
}

static void need_ssh_keygen(void)
{
	if (system("command -v ssh-keygen >/dev/null 2>&1") != 0) {
		print_message("SKIPPED: there is no ssh-keygen on PATH to compare with\n");
		skip();
	}
}

static bool keygen_finds(const char *path, const char *name)
{
	char *command = xasprintf("ssh-keygen -F '%s' -f '%s' >/dev/null 2>&1", name, path);
	int rc = system(command);

	free(command);
	return rc == 0;
}

static const char *const oracle_names[] = {
	"plain", "second",    "web1.lan",   "web2.lan", "db1",	     "db12",	"port",
	"none",	 "[port]:99", "[v6::1]:99", "hash",	"[hash]:99", "revoked",
};

static void compare_with_keygen(const char *path)
{
	struct known_hosts *kh;
	const struct known_hosts *files[1];
	struct test_key k = key_make(ED, 4711);

	assert_int_equal(known_hosts_load(&kh, path, NULL), 0);
	files[0] = kh;
	for (size_t i = 0; i < ARRAY_LEN(oracle_names); i++) {
		enum known_verdict v = known_hosts_check(files, 1, oracle_names[i], 22, 1, ED,
							 k.blob, k.len, NULL);

		if ((v != KNOWN_UNKNOWN) != keygen_finds(path, oracle_names[i]))
			fail_msg("%s in %s: our verdict is %d", oracle_names[i], path, (int)v);
	}
	known_hosts_free(kh);
}

static void test_like_ssh_keygen(void **state)
{
	char *path = path_of("oracle"), *command;
	struct buf content = {0};

	(void)state;
	need_ssh_keygen();
	key_line(&content, "plain,second", ED, 1);
	key_line(&content, "*.lan,!web2.lan", ED, 2);
	key_line(&content, "db?", ED, 3);
	key_line(&content, "[port]:99,[v6::1]:99", ED, 4);
	key_hashed_line(&content, "", "hash", ED, 5);
	key_hashed_line(&content, "", "[hash]:99", ED, 6);
	write_file(path, buf_cstr(&content));
	compare_with_keygen(path);
	/* Now with the hashes that ssh-keygen makes. */
	command = xasprintf("ssh-keygen -H -f '%s' >/dev/null 2>&1", path);
	assert_int_equal(system(command), 0);
	compare_with_keygen(path);
	assert_int_equal(ask(path, "second", 22, ED, 1), KNOWN_MATCH);
	assert_int_equal(ask(path, "v6::1", 99, ED, 4), KNOWN_MATCH);
	assert_int_equal(ask(path, "plain", 22, ED, 9), KNOWN_CHANGED);
	free(command);
	free(path);
	buf_done(&content);
}

static void test_keygen_reads_ours(void **state)
{
	char *path = path_of("ours");

	(void)state;
	need_ssh_keygen();
	append(path, "a", 22, 0, 1);
	append(path, "b", 2222, 0, 2);
	assert_true(keygen_finds(path, "a"));
	assert_true(keygen_finds(path, "[b]:2222"));
	assert_false(keygen_finds(path, "b"));
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_append_after_open_line),
		cmocka_unit_test(test_append_refuses),
		cmocka_unit_test(test_append_locked),
		cmocka_unit_test(test_append_together),
		cmocka_unit_test(test_many_writers),
		cmocka_unit_test(test_append_all),
		cmocka_unit_test(test_offers),
		cmocka_unit_test(test_like_ssh_keygen),
		cmocka_unit_test(test_keygen_reads_ours),
	};

	umask(077);
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
