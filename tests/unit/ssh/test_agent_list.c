/* Real identities from a real ssh-agent, and agents that answer badly or not at all. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent_list.h"
#include "alloc.h"
#include "fd.h"
#include "keys.h"
#include "limits.h"
#include "programs.h"

#define LONG_MS	 60000u
#define SHORT_MS 100u

static char dir[] = "/tmp/muster-agent-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	remove_tree(dir);
	return 0;
}

/* --- a real one ----------------------------------------------------------------------------- */

static void add_key(const char *socket, const char *name, const char *comment, struct key_file *ret)
{
	char *path = xasprintf("%s/%s", dir, name), *sock = xasprintf("SSH_AUTH_SOCK=%s", socket);
	const char *make[] = {"ssh-keygen", "-q",    "-t", "ed25519", "-N", "",
			      "-C",	    comment, "-f", path,      NULL};
	const char *add[] = {"env", sock, "ssh-add", "-q", path, NULL};

	assert_int_equal(program_run(make, NULL), 0);
	assert_int_equal(program_run(add, NULL), 0);
	key_file_load(ret, path);
	assert_non_null(ret->blob);
	free(sock);
	free(path);
}

static void is_identity(const struct agent_identity *identity, struct key_file *key,
			const char *comment)
{
	assert_int_equal(identity->len, key->blob_len);
	assert_memory_equal(identity->blob, key->blob, key->blob_len);
	assert_string_equal(identity->comment, comment);
	key_file_done(key);
}

static void test_a_real_agent(void **state)
{
	char *path = xasprintf("%s/real", dir);
	const char *argv[] = {"ssh-agent", "-D", "-a", path, NULL};
	struct agent_list list;
	struct errmsg msg = {{0}};
	struct key_file one, two;
	pid_t pid;
	int fd;

	(void)state;
	if (!program_find("ssh-agent") || !program_find("ssh-add")) {
		free(path);
		skip();
	}
	pid = program_start(argv, -1);
	while ((fd = agent_connect(path)) < 0)
		(void)usleep(10000);
	fd_close(&fd);
	assert_int_equal(agent_list_load(&list, path, LONG_MS, &msg), 0);
	assert_int_equal(list.count, 0);
	agent_list_done(&list);
	add_key(path, "one", "me@here", &one);
	add_key(path, "two", "two words", &two);
	assert_int_equal(agent_list_load(&list, path, LONG_MS, &msg), 0);
	assert_int_equal(list.count, 2);
	is_identity(&list.at[0], &one, "me@here");
	is_identity(&list.at[1], &two, "two words");
	agent_list_done(&list);
	assert_null(list.at);
	assert_int_equal(kill(pid, SIGTERM), 0);
	(void)program_wait(pid);
	free(path);
}

/* --- a false one ---------------------------------------------------------------------------- */

/* Answers one request. */
struct liar {
	struct buf answer;
	bool holds; /* keeps the connection when it has answered, until the client leaves */
	bool drips; /* one byte every now and then, without end */
	bool hangs; /* does not even accept */
	uint8_t request[16];
	size_t request_len;
	int listener;
	pthread_t thread;
	char path[64];
};

static void *liar_run(void *arg)
{
	struct liar *liar = arg;
	int fd = accept4(liar->listener, NULL, NULL, SOCK_CLOEXEC);
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = recv(fd, liar->request, sizeof liar->request, 0);
	liar->request_len = n > 0 ? (size_t)n : 0;
	(void)send(fd, liar->answer.data, liar->answer.len, MSG_NOSIGNAL);
	if (liar->drips)
		while (send(fd, "\0", 1, MSG_NOSIGNAL) == 1 && poll(&p, 1, 5) == 0)
			;
	if (liar->holds)
		(void)poll(&p, 1, -1);
	fd_close(&fd);
	return NULL;
}

static void liar_begin(struct liar *liar)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	static unsigned number;

	(void)snprintf(liar->path, sizeof liar->path, "%s/liar-%u", dir, ++number);
	(void)snprintf(addr.sun_path, sizeof addr.sun_path, "%s", liar->path);
	liar->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(liar->listener >= 0);
	assert_int_equal(bind(liar->listener, (const struct sockaddr *)&addr, sizeof addr), 0);
	assert_int_equal(listen(liar->listener, 5), 0);
	if (!liar->hangs)
		assert_int_equal(pthread_create(&liar->thread, NULL, liar_run, liar), 0);
}

static void liar_end(struct liar *liar)
{
	if (!liar->hangs)
		assert_int_equal(pthread_join(liar->thread, NULL), 0);
	fd_close(&liar->listener);
	buf_done(&liar->answer);
}

/* What agent_list_load makes of it. On success ret is to be freed. */
static int ask(struct liar *liar, unsigned timeout_ms, struct agent_list *ret)
{
	struct errmsg msg = {{0}};
	int rc;

	liar_begin(liar);
	rc = agent_list_load(ret, liar->path, timeout_ms, &msg);
	if (rc != 0) {
		assert_non_null(strstr(msg.text, liar->path));
		assert_non_null(strstr(msg.text, err_text(rc)));
	}
	liar_end(liar);
	return rc;
}

/* Refused with this code, and the list is not touched. */
static void refused(struct liar *liar, unsigned timeout_ms, int code)
{
	struct agent_list list = {.count = 77};
	int rc = ask(liar, timeout_ms, &list);

	if (rc != code)
		fail_msg("%s and not %s", err_name(rc), err_name(code));
	assert_int_equal(list.count, 77);
	assert_null(list.at);
}

static void put_u32(struct buf *b, size_t v)
{
	buf_add_char(b, (char)(v >> 24 & 255));
	buf_add_char(b, (char)(v >> 16 & 255));
	buf_add_char(b, (char)(v >> 8 & 255));
	buf_add_char(b, (char)(v & 255));
}

static void put_string(struct buf *b, const char *text, size_t len)
{
	put_u32(b, len);
	buf_add(b, text, len);
}

/* An answer with so many identities announced, and so many in it. */
static void put_answer(struct liar *liar, size_t announced, size_t count)
{
	struct buf body = {0};

	buf_add_char(&body, 12);
	put_u32(&body, announced);
	for (size_t i = 0; i < count; i++) {
		put_string(&body, "blob", 4);
		put_string(&body, "who", 3);
	}
	put_string(&liar->answer, (const char *)body.data, body.len);
	buf_done(&body);
}

static void test_the_request(void **state)
{
	struct liar liar = {0};
	struct agent_list list;

	(void)state;
	put_answer(&liar, 1, 1);
	assert_int_equal(ask(&liar, LONG_MS, &list), 0);
	assert_int_equal(liar.request_len, 5);
	assert_memory_equal(liar.request, "\0\0\0\1\13", 5);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.at[0].len, 4);
	assert_memory_equal(list.at[0].blob, "blob", 4);
	assert_string_equal(list.at[0].comment, "who");
	agent_list_done(&list);
}

static void test_more_keys_than_we_take(void **state)
{
	struct liar liar = {0};
	struct agent_list list;

	(void)state;
	put_answer(&liar, LIMIT_AGENT_KEYS + 50, LIMIT_AGENT_KEYS + 50);
	assert_int_equal(ask(&liar, LONG_MS, &list), 0);
	assert_int_equal(list.count, LIMIT_AGENT_KEYS);
	agent_list_done(&list);
}

static void test_odd_but_legal(void **state)
{
	struct liar liar = {0};
	struct agent_list list;

	(void)state;
	buf_add(&liar.answer, "\0\0\0\x13\14\0\0\0\1\0\0\0\0\0\0\0\3a\0b...", 23);
	assert_int_equal(ask(&liar, LONG_MS, &list), 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.at[0].len, 0);
	assert_string_equal(list.at[0].comment, "a");
	agent_list_done(&list);
}

static void test_silence(void **state)
{
	struct liar liar = {.holds = true}, hangs = {.hangs = true}, leaves = {0};

	(void)state;
	refused(&liar, SHORT_MS, ERR_TIMEOUT);
	refused(&hangs, SHORT_MS, ERR_TIMEOUT);
	refused(&leaves, LONG_MS, ERR_CLOSED);
}

/* The time is that of the whole answer, not of each byte. */
static void test_drop_by_drop(void **state)
{
	struct liar liar = {.drips = true};

	(void)state;
	put_u32(&liar.answer, LIMIT_AGENT_MESSAGE);
	refused(&liar, SHORT_MS, ERR_TIMEOUT);
}

static void test_half_a_message(void **state)
{
	(void)state;
	for (size_t cut = 1; cut < 20; cut++) {
		struct liar leaves = {0};

		put_answer(&leaves, 1, 1);
		assert_int_equal(leaves.answer.len, 24);
		leaves.answer.len = cut;
		refused(&leaves, LONG_MS, ERR_CLOSED);
	}
	for (size_t cut = 1; cut < 20; cut += 6) {
		struct liar holds = {.holds = true};

		put_answer(&holds, 1, 1);
		holds.answer.len = cut;
		refused(&holds, SHORT_MS, ERR_TIMEOUT);
	}
}

static void test_too_long(void **state)
{
	static const size_t lengths[] = {LIMIT_AGENT_MESSAGE + 1, 0x7fffffff, 0x80000000,
					 0xffffffff};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct liar liar = {.holds = true};

		put_u32(&liar.answer, lengths[i]);
		refused(&liar, LONG_MS, ERR_LIMIT);
	}
}

static void test_garbage(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{"\0\0\0\0", 4},			      /* no message at all */
		{"\0\0\0\1\5", 5},			      /* SSH_AGENT_FAILURE */
		{"\0\0\0\1\14", 5},			      /* no number of keys */
		{"\0\0\0\5\5\0\0\0\0", 9},		      /* another answer */
		{"\0\0\0\5\14\0\0\0\1", 9},		      /* a key that is not there */
		{"\0\0\0\5\14\377\377\377\377", 9},	      /* four thousand millions of them */
		{"\0\0\0\11\14\0\0\0\1\377\377\377\377", 13}, /* a string of 4 GiB */
		{"\0\0\0\11\14\0\0\0\1\0\0\0\1", 13},	      /* one byte too few */
		{"\0\0\0\15\14\0\0\0\1\0\0\0\0\0\0\0\1", 17}, /* a comment that is not there */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct liar liar = {.holds = true};

		buf_add(&liar.answer, rows[i].bytes, rows[i].len);
		refused(&liar, LONG_MS, ERR_PROTO);
	}
}

/* Announces more than it holds, with some that are whole. */
static void test_some_whole_ones(void **state)
{
	struct liar liar = {0};

	(void)state;
	put_answer(&liar, 5, 3);
	refused(&liar, LONG_MS, ERR_PROTO);
}

/* --- nobody --------------------------------------------------------------------------------- */

static void nobody(const char *path, const char *why)
{
	struct agent_list list = {.count = 77};
	struct errmsg msg = {{0}};

	assert_int_equal(agent_list_load(&list, path, LONG_MS, &msg), ERR_SYS);
	assert_non_null(strstr(msg.text, why));
	assert_int_equal(list.count, 77);
}

static void test_nobody(void **state)
{
	struct liar liar = {.hangs = true};
	char path[200];

	(void)state;
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	nobody(path, strerror(ENAMETOOLONG));
	nobody("/nonexistent/agent", strerror(ENOENT));
	nobody("/etc/passwd", strerror(ECONNREFUSED));
	liar_begin(&liar);
	liar_end(&liar);
	nobody(liar.path, strerror(ECONNREFUSED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_real_agent),
		cmocka_unit_test(test_the_request),
		cmocka_unit_test(test_more_keys_than_we_take),
		cmocka_unit_test(test_odd_but_legal),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_drop_by_drop),
		cmocka_unit_test(test_half_a_message),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_some_whole_ones),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
