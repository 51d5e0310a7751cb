/* One client on a socket pair, without any job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "client.h"
#include "control_msg.h"
#include "daemon_private.h"
#include "fd.h"
#include "registry.h"
#include "remote.h"

struct fixture {
	struct daemon daemon;
	struct client *client;
	int peer;
	struct buf in; /* what the peer has read */
	bool closed;
};

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);
	struct daemon *d = &f->daemon;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -1;
	d->options.listen_fd = -1;
	d->options.control_fd = -1;
	d->options.version = "test";
	d->loop = loop_new();
	d->engine = ssh_engine_new(d->loop, 1024);
	d->lines = lines_new(d->loop, 1, 1024);
	d->remotes = remotes_new(d->engine, d->lines, 0, 0);
	d->registry = registry_new(d);
	d->idle = evtimer_new(loop_base(d->loop), on_timer, NULL);
	d->flush = evtimer_new(loop_base(d->loop), on_timer, NULL);
	f->client = client_new(d, pair[0]);
	f->peer = pair[1];
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	while (f->daemon.client_count)
		client_free(f->daemon.clients[0]);
	registry_free(f->daemon.registry);
	remotes_free(f->daemon.remotes);
	lines_free(f->daemon.lines);
	loop_flush(f->daemon.loop);
	ssh_engine_free(f->daemon.engine);
	event_free(f->daemon.idle);
	event_free(f->daemon.flush);
	loop_free(f->daemon.loop);
	fd_close(&f->peer);
	buf_done(&f->in);
	free(f->daemon.clients);
	free(f);
	return 0;
}

/* One round of the loop, and the peer reads what is there. */
static void turn(struct fixture *f, bool read_all)
{
	(void)event_base_loop(loop_base(f->daemon.loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
	while (read_all && !f->closed) {
		ssize_t n = read(f->peer, buf_room(&f->in, 65536), 65536);

		if (n < 0)
			break;
		f->in.len += (size_t)n;
		f->closed = n == 0;
	}
}

static void send_raw(struct fixture *f, const void *data, size_t len)
{
	assert_int_equal(write(f->peer, data, len), len);
}

/* The first frame that the peer has read is an ERROR of this code. */
static void expect_error(struct fixture *f, int code)
{
	struct error_msg m;
	struct frame frame;

	assert_true(frame_parse(f->in.data, f->in.len, &frame, NULL) > 0);
	assert_int_equal(frame.type, MSG_ERROR);
	assert_int_equal(error_get(&m, frame.body, frame.len, NULL), 0);
	assert_int_equal(m.code, code);
	error_done(&m);
}

static void send_warning(struct fixture *f, size_t len)
{
	struct warning_msg m = {.text = xmalloc(len + 1)};
	struct buf body = {0};

	memset(m.text, 'x', len);
	m.text[len] = '\0';
	warning_put(&body, &m);
	client_send(f->client, MSG_WARNING, &body);
	warning_done(&m);
}

static void test_garbage_gets_an_error_and_the_end(void **state)
{
	struct fixture *f = *state;

	send_raw(f, "GET / HTTP/1.1\r\nHost: daemon\r\n\r\n", 32);
	while (!f->closed)
		turn(f, true);
	expect_error(f, ERR_PROTO);
	assert_int_equal(f->daemon.client_count, 0);
}

/* Its job goes on until it is gone: what that sends leads nowhere, and must not be kept. */
static void test_nothing_is_sent_after_an_error(void **state)
{
	struct fixture *f = *state;
	size_t before;

	send_raw(f, "GET / HTTP/1.1\r\nHost: daemon\r\n\r\n", 32);
	turn(f, false);
	assert_int_equal(f->daemon.client_count, 1);
	send_warning(f, 100);
	while (!f->closed)
		turn(f, true);
	expect_error(f, ERR_PROTO);
	before = f->in.len;
	assert_int_equal(frame_parse(f->in.data, f->in.len, &(struct frame){0}, NULL), before);
}

static void test_output_until_the_client_has_read_it(void **state)
{
	struct fixture *f = *state;

	assert_false(client_is_busy(f->client));
	/* The queue, and what a socket takes. */
	for (int i = 0; i < 600; i++)
		send_warning(f, 4000);
	for (int i = 0; i < 20; i++)
		turn(f, false);
	assert_true(client_is_busy(f->client));
	assert_true(client_is_full(f->client));
	while (client_is_busy(f->client))
		turn(f, true);
	assert_false(client_is_full(f->client));
}

static void count_room(void *arg)
{
	(*(int *)arg)++;
}

static void test_room_is_told_once_and_can_be_forgotten(void **state)
{
	struct fixture *f = *state;
	int rooms = 0, forgotten = 0;

	for (int i = 0; i < 300; i++)
		send_warning(f, 4000);
	client_on_room(f->client, count_room, &rooms);
	while (client_is_busy(f->client))
		turn(f, true);
	assert_int_equal(rooms, 1);
	for (int i = 0; i < 300; i++)
		send_warning(f, 4000);
	client_on_room(f->client, count_room, &forgotten);
	client_on_room(f->client, NULL, NULL);
	while (client_is_busy(f->client))
		turn(f, true);
	assert_int_equal(rooms, 1);
	assert_int_equal(forgotten, 0);
}

struct waiter {
	struct client_wait wait;
	struct fixture *f;
	size_t put; /* bytes of the client when it began to wait */
	int called;
};

/* How much the socket holds that the peer has not read. */
static size_t held_by_socket(const struct fixture *f)
{
	int n = 0;

	assert_int_equal(ioctl(f->peer, FIONREAD, &n), 0);
	return (size_t)n;
}

/* What it waited for can be read, without any turn of the loop. */
static void on_sent(void *arg)
{
	struct waiter *w = arg;

	w->called++;
	assert_true(w->f->in.len + held_by_socket(w->f) >= w->put);
}

/* So many frames more, each at least so long, and one that waits for them. */
static void wait_behind(struct fixture *f, struct waiter *w, size_t frames)
{
	static const size_t text = 4000, head = FRAME_HEADER_SIZE;

	for (size_t i = 0; i < frames; i++)
		send_warning(f, text);
	w->f = f;
	w->put += frames * (text + head);
	w->wait.fn = on_sent;
	w->wait.arg = w;
	client_wait_sent(f->client, &w->wait);
}

static void test_sent_is_what_the_socket_has(void **state)
{
	struct fixture *f = *state;
	struct waiter w[4] = {{.called = 0}};

	/* The socket takes the first at once, and not the others before it is read. */
	wait_behind(f, &w[0], 1);
	w[1].put = w[0].put;
	wait_behind(f, &w[1], 600);
	w[2].put = w[1].put;
	wait_behind(f, &w[2], 1);
	w[3].put = w[2].put;
	wait_behind(f, &w[3], 600);
	for (int i = 0; i < 20; i++)
		turn(f, false);
	assert_int_equal(w[1].called + w[2].called + w[3].called, 0);
	client_unwait(&w[2].wait);
	client_unwait(&w[2].wait);
	while (client_is_busy(f->client))
		turn(f, true);
	assert_int_equal(w[0].called, 1);
	assert_int_equal(w[1].called, 1);
	assert_int_equal(w[2].called, 0);
	assert_int_equal(w[3].called, 1);
	/* The end of the list is where it should be. */
	wait_behind(f, &w[2], 1);
	client_unwait(&w[2].wait);
	wait_behind(f, &w[3], 1);
	while (client_is_busy(f->client))
		turn(f, true);
	assert_int_equal(w[2].called, 0);
	assert_int_equal(w[3].called, 2);
}

static void test_what_is_not_sent_is_not_told_as_sent(void **state)
{
	struct fixture *f = *state;
	struct waiter w = {.called = 0};

	send_raw(f, "GET / HTTP/1.1\r\nHost: daemon\r\n\r\n", 32);
	turn(f, false);
	assert_int_equal(f->daemon.client_count, 1);
	wait_behind(f, &w, 1);
	while (!f->closed)
		turn(f, true);
	assert_int_equal(f->daemon.client_count, 0);
	assert_int_equal(w.called, 0);
	client_unwait(&w.wait);
}

/* The daemon is told to end while the last of a job is on its way to a slow reader. */
static void test_the_daemon_waits_for_the_reader(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 300; i++)
		send_warning(f, 4000);
	daemon_end(&f->daemon);
	for (int i = 0; i < 20; i++)
		turn(f, false);
	assert_true(client_is_busy(f->client));
	assert_true(event_pending(f->daemon.flush, EV_TIMEOUT, NULL));
	assert_false(event_base_got_exit(loop_base(f->daemon.loop)));
	/* Now it ends, or this test does not. */
	while (!event_base_got_exit(loop_base(f->daemon.loop)))
		turn(f, true);
	assert_false(client_is_busy(f->client));
}

#define CLIENT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(test_garbage_gets_an_error_and_the_end),
		CLIENT_TEST(test_nothing_is_sent_after_an_error),
		CLIENT_TEST(test_output_until_the_client_has_read_it),
		CLIENT_TEST(test_room_is_told_once_and_can_be_forgotten),
		CLIENT_TEST(test_sent_is_what_the_socket_has),
		CLIENT_TEST(test_what_is_not_sent_is_not_told_as_sent),
		CLIENT_TEST(test_the_daemon_waits_for_the_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
