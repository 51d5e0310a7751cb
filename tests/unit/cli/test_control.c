/* The CLI's end of the control socket, against a daemon of a few lines. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
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

#include "alloc.h"
#include "clock.h"
#include "control.h"
#include "control_msg.h"
#include "fd.h"
#include "frame.h"

struct fixture {
	char dir[64];
	char path[96];
	int listener;
	pthread_t daemon;
	struct buf script; /* what the daemon sends before it closes */
	bool reads;	   /* another message before that */
	struct buf read;

	struct loop *loop;
	struct control *control;
	unsigned messages;
	unsigned closed;
	unsigned rooms;
	bool holds; /* after each message, for a round of the loop */
};

static void put_frame(struct buf *out, uint64_t seq, enum message_type type, struct buf *body)
{
	size_t begin = frame_begin(out);

	buf_add(out, body->data, body->len);
	assert_int_equal(frame_end(out, begin, (uint8_t)type, 0, seq), 0);
	buf_done(body);
}

static void *daemon_main_thread(void *arg)
{
	uint64_t deadline_ns = clock_mono_ns() + UINT64_C(30000000000);
	struct fixture *f = arg;
	int fd = accept(f->listener, NULL, NULL);
	struct buf in = {0};

	/* Unread input would make of the end a reset. */
	if (fd_read_until(fd, &in, FRAME_HEADER_SIZE, deadline_ns) == 0)
		(void)fd_read_until(fd, &in,
				    FRAME_HEADER_SIZE + ((size_t)in.data[6] << 8 | in.data[7]),
				    deadline_ns);
	if (!f->reads)
		(void)fd_write_all(fd, f->script.data, f->script.len);
	/* The greeting is what lets the other side go on. */
	else if (fd_write_all(fd, f->script.data, f->script.len) == 0 &&
		 fd_read_until(fd, &f->read, FRAME_HEADER_SIZE, deadline_ns) == 0)
		(void)fd_read_until(fd, &f->read, frame_size(f->read.data, f->read.len),
				    deadline_ns);
	fd_close(&fd);
	buf_done(&in);
	return NULL;
}

static int set_up(void **state)
{
	struct hello_msg hello = {.version_min = CONTROL_VERSION,
				  .version_max = CONTROL_VERSION,
				  .program = "test",
				  .pid = 77};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct fixture *f = xcalloc(1, sizeof *f);
	struct buf body = {0};

	(void)snprintf(f->dir, sizeof f->dir, "/tmp/test_control.XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	(void)snprintf(f->path, sizeof f->path, "%s/sock", f->dir);
	(void)snprintf(addr.sun_path, sizeof addr.sun_path, "%s", f->path);
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(f->listener, (struct sockaddr *)&addr, sizeof addr) < 0 ||
	    listen(f->listener, 1) < 0)
		return -1;
	f->loop = loop_new();
	hello_put(&body, &hello);
	put_frame(&f->script, 1, MSG_HELLO, &body);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	control_free(f->control);
	loop_free(f->loop);
	fd_close(&f->listener);
	buf_done(&f->script);
	buf_done(&f->read);
	(void)unlink(f->path);
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

static void script_warnings(struct fixture *f, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct warning_msg m = {.text = "w"};
		struct buf body = {0};

		warning_put(&body, &m);
		put_frame(&f->script, 2 + i, MSG_WARNING, &body);
	}
}

static void go_on(void *arg)
{
	control_hold(((struct fixture *)arg)->control, false);
}

static void on_message(void *arg, uint8_t type, const void *body, size_t len)
{
	struct fixture *f = arg;

	(void)body;
	(void)len;
	assert_int_equal(type, MSG_WARNING);
	assert_int_equal(f->closed, 0);
	f->messages++;
	if (f->holds) {
		control_hold(f->control, true);
		loop_defer(f->loop, go_on, f);
	}
}

static void on_closed(void *arg, const char *why)
{
	struct fixture *f = arg;

	assert_non_null(strstr(why, "closed"));
	f->closed++;
	loop_stop(f->loop);
}

static void talk(struct fixture *f)
{
	static const struct control_events events = {.message = on_message, .closed = on_closed};
	const struct paths paths = {.socket = f->path};
	struct errmsg msg = {{0}};

	assert_int_equal(pthread_create(&f->daemon, NULL, daemon_main_thread, f), 0);
	assert_int_equal(
		control_open(&f->control, f->loop, &paths, CONTROL_CONNECT, &events, f, &msg), 0);
	/* All that it sent, and its end, is in the socket when the loop begins. */
	assert_int_equal(pthread_join(f->daemon, NULL), 0);
	assert_int_equal(control_daemon_pid(f->control), 77);
	loop_run(f->loop);
	assert_int_equal(f->closed, 1);
}

static void test_what_came_before_the_end_counts(void **state)
{
	struct fixture *f = *state;

	script_warnings(f, 5);
	talk(f);
	assert_int_equal(f->messages, 5);
}

static void test_also_while_it_is_held_back(void **state)
{
	struct fixture *f = *state;

	f->holds = true;
	script_warnings(f, 5);
	talk(f);
	assert_int_equal(f->messages, 5);
}

static void test_half_a_message_is_none(void **state)
{
	struct fixture *f = *state;

	script_warnings(f, 2);
	f->script.len--;
	talk(f);
	assert_int_equal(f->messages, 1);
}

static void test_nobody_there(void **state)
{
	struct fixture *f = *state;
	const struct paths paths = {.socket = f->path};
	struct errmsg msg = {{0}};

	fd_close(&f->listener);
	assert_int_equal(
		control_open(&f->control, f->loop, &paths, CONTROL_CONNECT, NULL, NULL, &msg),
		ERR_NOTFOUND);
	assert_non_null(strstr(msg.text, "no daemon"));
}

/* It cannot work: its reason is ours. */
static void test_one_that_says_why_not(void **state)
{
	struct error_msg m = {.code = ERR_EXISTS, .text = "/x: another daemon has it"};
	struct fixture *f = *state;
	const struct paths paths = {.socket = f->path};
	struct errmsg msg = {{0}};
	struct buf body = {0};

	buf_clear(&f->script);
	error_put(&body, &m);
	put_frame(&f->script, 1, MSG_ERROR, &body);
	assert_int_equal(pthread_create(&f->daemon, NULL, daemon_main_thread, f), 0);
	assert_true(control_open(&f->control, f->loop, &paths, CONTROL_CONNECT, NULL, NULL, &msg) <
		    0);
	assert_int_equal(pthread_join(f->daemon, NULL), 0);
	assert_string_equal(msg.text, "/x: another daemon has it");
}

static void begin(struct fixture *f)
{
	static const struct control_events events = {.message = on_message, .closed = on_closed};
	const struct paths paths = {.socket = f->path};
	struct errmsg msg = {{0}};

	f->reads = true;
	assert_int_equal(pthread_create(&f->daemon, NULL, daemon_main_thread, f), 0);
	assert_int_equal(
		control_open(&f->control, f->loop, &paths, CONTROL_CONNECT, &events, f, &msg), 0);
}

static void on_room(void *arg)
{
	((struct fixture *)arg)->rooms++;
}

static void test_a_secret_arrives_and_is_wiped_here(void **state)
{
	struct job_secret_msg m = {.password = "hunter2"}, got;
	struct fixture *f = *state;
	struct buf body = {0};
	struct errmsg msg = {{0}};
	struct frame frame;

	begin(f);
	control_on_room(f->control, on_room, f);
	job_secret_put(&body, &m);
	control_send(f->control, MSG_JOB_SECRET, &body);
	assert_int_equal(body.len, 0);
	assert_null(body.data);
	assert_false(control_is_full(f->control));
	loop_run(f->loop);
	assert_int_equal(pthread_join(f->daemon, NULL), 0);
	assert_true(f->rooms > 0);
	assert_true(frame_parse(f->read.data, f->read.len, &frame, &msg) > 0);
	assert_int_equal(frame.type, MSG_JOB_SECRET);
	assert_int_equal(frame.seq, 2);
	assert_int_equal(job_secret_get(&got, frame.body, frame.len, &msg), 0);
	assert_string_equal(got.password, "hunter2");
	job_secret_done(&got);
}

static void test_much_that_waits_is_told(void **state)
{
	struct fixture *f = *state;

	begin(f);
	for (size_t sent = 0; sent < CONTROL_QUEUE; sent += 32768) {
		struct buf body = {0};

		assert_false(control_is_full(f->control));
		memset(buf_room(&body, 32768), 'x', 32768);
		body.len = 32768;
		control_send(f->control, MSG_JOB_STDIN, &body);
	}
	assert_true(control_is_full(f->control));
	/* The other side closes after one message. */
	loop_run(f->loop);
	assert_int_equal(pthread_join(f->daemon, NULL), 0);
	assert_int_equal(f->closed, 1);
}

static void test_dropped_it_closes_once(void **state)
{
	struct fixture *f = *state;

	begin(f);
	control_drop(f->control, "closed by us");
	control_drop(f->control, "closed by us");
	assert_int_equal(f->closed, 1);
	/* The socket is closed with the loop. */
	control_free(f->control);
	loop_free(f->loop);
	f->control = NULL;
	f->loop = NULL;
	assert_int_equal(pthread_join(f->daemon, NULL), 0);
}

#define CONTROL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTROL_TEST(test_what_came_before_the_end_counts),
		CONTROL_TEST(test_also_while_it_is_held_back),
		CONTROL_TEST(test_half_a_message_is_none),
		CONTROL_TEST(test_nobody_there),
		CONTROL_TEST(test_one_that_says_why_not),
		CONTROL_TEST(test_a_secret_arrives_and_is_wiped_here),
		CONTROL_TEST(test_much_that_waits_is_told),
		CONTROL_TEST(test_dropped_it_closes_once),
	};

	/* As muster does: the other side may be gone. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
