/* A daemon that cannot work tells it to all who wait, whatever they have said so far. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "buf.h"
#include "clock.h"
#include "control_msg.h"
#include "fd.h"
#include "frame.h"
#include "message.h"
#include "refuse.h"

#define CLIENTS 3

struct fixture {
	char dir[64];
	struct sockaddr_un addr;
	int listener;
	int clients[CLIENTS];
	struct buf read[CLIENTS];
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	(void)snprintf(f->dir, sizeof f->dir, "/tmp/test_refuse.XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->addr.sun_family = AF_UNIX;
	(void)snprintf(f->addr.sun_path, sizeof f->addr.sun_path, "%s/sock", f->dir);
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(f->listener, (struct sockaddr *)&f->addr, sizeof f->addr) < 0 ||
	    listen(f->listener, CLIENTS) < 0)
		return -1;
	for (size_t i = 0; i < CLIENTS; i++) {
		f->clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(f->clients[i], (struct sockaddr *)&f->addr, sizeof f->addr) < 0)
			return -1;
	}
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < CLIENTS; i++) {
		fd_close(&f->clients[i]);
		buf_done(&f->read[i]);
	}
	(void)unlink(f->addr.sun_path);
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

/* Each reads to the end of what is sent, and then closes. */
static void *read_all(void *arg)
{
	uint64_t deadline_ns = clock_mono_ns() + UINT64_C(30000000000);
	struct fixture *f = arg;

	for (size_t i = 0; i < CLIENTS; i++) {
		(void)fd_read_until(f->clients[i], &f->read[i], 65536, deadline_ns);
		fd_close(&f->clients[i]);
	}
	return NULL;
}

static void is_refused(const struct buf *read, const char *text)
{
	struct errmsg msg = {{0}};
	struct error_msg error;
	struct frame frame;

	assert_int_equal(frame_parse(read->data, read->len, &frame, &msg), read->len);
	assert_int_equal(frame.type, MSG_ERROR);
	assert_int_equal(error_get(&error, frame.body, frame.len, &msg), 0);
	assert_int_equal(error.code, ERR_EXISTS);
	assert_string_equal(error.text, text);
	error_done(&error);
}

static void everybody_is_told(void **state)
{
	static const char text[] = "another daemon has it", said[] = "anything that comes first";
	struct fixture *f = *state;
	struct daemon_options options = {
		.listen_fd = f->listener, .control_fd = -1, .socket_path = f->addr.sun_path};
	struct stat st;
	pthread_t reader;

	/* Unread, it would make of the end a reset. */
	assert_int_equal(fd_write_all(f->clients[0], said, sizeof said), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_all, f), 0);
	refuse_clients(&options, ERR_EXISTS, text);
	assert_int_equal(pthread_join(reader, NULL), 0);
	for (size_t i = 0; i < CLIENTS; i++)
		is_refused(&f->read[i], text);
	/* The next one finds nobody, and starts another daemon. */
	assert_int_equal(stat(f->addr.sun_path, &st), -1);
}

static void one_that_says_nothing_keeps_nobody(void **state)
{
	uint64_t begin_ns = clock_mono_ns();
	struct fixture *f = *state;
	struct daemon_options options = {.listen_fd = f->listener, .control_fd = -1};

	refuse_clients(&options, ERR_EXISTS, "no");
	assert_true(clock_mono_ns() - begin_ns < UINT64_C(20000000000));
	(void)read_all(f);
	for (size_t i = 0; i < CLIENTS; i++)
		is_refused(&f->read[i], "no");
}

static void an_ephemeral_one(void **state)
{
	struct fixture *f = *state;
	struct daemon_options options = {.listen_fd = -1};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	fd_close(&f->clients[0]);
	f->clients[0] = pair[0];
	options.control_fd = pair[1];
	refuse_clients(&options, ERR_EXISTS, "no home");
	fd_close(&f->listener);
	(void)read_all(f);
	is_refused(&f->read[0], "no home");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everybody_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_that_says_nothing_keeps_nobody, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_ephemeral_one, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
