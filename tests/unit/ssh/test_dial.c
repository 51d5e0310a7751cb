/* Connecting, on loopback: sockets that listen, refuse, or let nobody in. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "dial.h"
#include "fd.h"

#define FILLERS	   8u
#define LONG_MS	   60000u
#define SHORT_MS   100u
#define SOCKETS	   4u
#define NOT_CALLED (-1000)

struct fixture {
	struct loop *loop;
	struct ssh_engine *engine;
	struct resolve_result to;
	int sockets[SOCKETS];
	int fillers[FILLERS];
	int fd;
	int error;
	int calls;
	struct rlimit files;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	f->loop = loop_new();
	f->engine = ssh_engine_new(f->loop, 1024);
	f->fd = f->error = NOT_CALLED;
	for (size_t i = 0; i < SOCKETS; i++)
		f->sockets[i] = -1;
	for (size_t i = 0; i < FILLERS; i++)
		f->fillers[i] = -1;
	*state = f;
	return getrlimit(RLIMIT_NOFILE, &f->files);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)setrlimit(RLIMIT_NOFILE, &f->files);
	for (size_t i = 0; i < SOCKETS; i++)
		fd_close(&f->sockets[i]);
	for (size_t i = 0; i < FILLERS; i++)
		fd_close(&f->fillers[i]);
	fd_close(&f->fd);
	ssh_engine_free(f->engine);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void on_dialled(void *arg, int fd, int error)
{
	struct fixture *f = arg;

	f->calls++;
	f->fd = fd;
	f->error = error;
	loop_stop(f->loop);
}

/* Adds an address of 127.0.0.1 whose port is ours. backlog < 0: nobody listens there. */
static int add_address(struct fixture *f, int backlog)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof in;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&in, sizeof in), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	if (backlog >= 0)
		assert_int_equal(listen(fd, backlog), 0);
	f->sockets[f->to.count] = fd;
	memcpy(&f->to.at[f->to.count].addr, &in, sizeof in);
	f->to.at[f->to.count++].len = sizeof in;
	return fd;
}

/* Adds an address whose queue is full: the kernel drops what asks to connect. */
static void add_silent(struct fixture *f)
{
	size_t index = f->to.count;

	(void)add_address(f, 0);
	for (size_t i = 0; i < FILLERS; i++) {
		f->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(f->fillers[i], (const struct sockaddr *)&f->to.at[index].addr,
			      f->to.at[index].len);
	}
}

static void dial(struct fixture *f, uint64_t timeout_ms)
{
	assert_non_null(dial_start(f->engine, &f->to, timeout_ms, on_dialled, f));
	assert_int_equal(f->calls, 0);
	loop_run(f->loop);
	assert_int_equal(f->calls, 1);
}

static int option_of(int fd, int level, int option)
{
	int value = -1;
	socklen_t len = sizeof value;

	assert_int_equal(getsockopt(fd, level, option, &value, &len), 0);
	return value;
}

static uint16_t peer_port(int fd)
{
	struct sockaddr_in in = {0};
	socklen_t len = sizeof in;

	assert_int_equal(getpeername(fd, (struct sockaddr *)&in, &len), 0);
	return in.sin_port;
}

static void test_connected(void **state)
{
	struct fixture *f = *state;

	(void)add_address(f, 5);
	dial(f, LONG_MS);
	assert_int_equal(f->error, 0);
	assert_true(f->fd >= 0);
	assert_true(fcntl(f->fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(f->fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(option_of(f->fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option_of(f->fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	/* A dead peer is found within 45 s. */
	assert_true(option_of(f->fd, IPPROTO_TCP, TCP_KEEPIDLE) +
			    option_of(f->fd, IPPROTO_TCP, TCP_KEEPCNT) *
				    option_of(f->fd, IPPROTO_TCP, TCP_KEEPINTVL) <=
		    45);
	assert_true(option_of(f->fd, IPPROTO_TCP, TCP_USER_TIMEOUT) <= 45000);
	dial_quickack(f->fd);
	assert_int_equal(option_of(f->fd, IPPROTO_TCP, TCP_QUICKACK), 1);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;

	(void)add_address(f, -1);
	dial(f, LONG_MS);
	assert_int_equal(f->fd, -1);
	assert_int_equal(f->error, ECONNREFUSED);
}

static void test_no_address(void **state)
{
	struct fixture *f = *state;

	dial(f, LONG_MS);
	assert_int_equal(f->fd, -1);
	assert_int_equal(f->error, EHOSTUNREACH);
}

static void test_the_first_is_dead(void **state)
{
	struct fixture *f = *state;

	(void)add_address(f, -1);
	(void)add_address(f, 5);
	(void)add_address(f, 5);
	dial(f, LONG_MS);
	assert_int_equal(f->error, 0);
	assert_int_equal(peer_port(f->fd),
			 ((const struct sockaddr_in *)&f->to.at[1].addr)->sin_port);
}

/* One that fails inside of connect(2) or socket(2), and not later. */
static void test_the_first_is_impossible(void **state)
{
	struct fixture *f = *state;

	f->to.at[0].addr.ss_family = AF_MAX;
	f->to.at[0].len = sizeof(struct sockaddr_in);
	f->to.count = 1;
	(void)add_address(f, 5);
	dial(f, LONG_MS);
	assert_int_equal(f->error, 0);
	assert_true(f->fd >= 0);
}

static void test_the_error_is_that_of_the_last(void **state)
{
	struct fixture *f = *state;

	(void)add_address(f, -1);
	f->to.at[1].addr.ss_family = AF_MAX;
	f->to.at[1].len = sizeof(struct sockaddr_in);
	f->to.count = 2;
	dial(f, LONG_MS);
	assert_int_equal(f->fd, -1);
	assert_int_equal(f->error, EAFNOSUPPORT);
}

static void test_silence_times_out(void **state)
{
	struct fixture *f = *state;

	add_silent(f);
	dial(f, SHORT_MS);
	assert_int_equal(f->fd, -1);
	assert_int_equal(f->error, ETIMEDOUT);
}

/* The silent one gets its share of the time only. */
static void test_the_first_is_silent(void **state)
{
	struct fixture *f = *state;

	add_silent(f);
	(void)add_address(f, 5);
	dial(f, 20 * SHORT_MS);
	assert_int_equal(f->error, 0);
	assert_int_equal(peer_port(f->fd),
			 ((const struct sockaddr_in *)&f->to.at[1].addr)->sin_port);
}

static void test_all_fail_in_their_ways(void **state)
{
	struct fixture *f = *state;

	add_silent(f);
	(void)add_address(f, -1);
	dial(f, 20 * SHORT_MS);
	assert_int_equal(f->error, ECONNREFUSED);
}

/* --- no descriptor free --------------------------------------------------------------------- */

static void on_more_files(evutil_socket_t fd, short what, void *arg)
{
	struct fixture *f = arg;

	(void)fd;
	(void)what;
	assert_int_equal(f->calls, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &f->files), 0);
}

static void test_too_many_open_files(void **state)
{
	struct fixture *f = *state;
	struct timeval tv = loop_ms(SHORT_MS);
	struct rlimit none = f->files;
	int lowest;

	(void)add_address(f, 5);
	lowest = dup(STDIN_FILENO);
	assert_true(lowest >= 0);
	none.rlim_cur = (rlim_t)lowest; /* all below are taken */
	fd_close(&lowest);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(event_base_once(loop_base(f->loop), -1, EV_TIMEOUT, on_more_files, f, &tv),
			 0);
	dial(f, LONG_MS);
	assert_int_equal(f->error, 0);
	assert_true(f->fd >= 0);
}

/* --- cancelling ----------------------------------------------------------------------------- */

static void on_unwanted(void *arg, int fd, int error)
{
	(void)arg;
	(void)fd;
	(void)error;
	fail_msg("a cancelled connection was reported");
}

static void test_cancelled_at_once(void **state)
{
	struct fixture *f = *state;

	dial_cancel(NULL);
	(void)add_address(f, 5);
	dial_cancel(dial_start(f->engine, &f->to, LONG_MS, on_unwanted, NULL));
	dial(f, LONG_MS);
}

static struct dial *waiting;

static void on_cancel(evutil_socket_t fd, short what, void *arg)
{
	struct fixture *f = arg;

	(void)fd;
	(void)what;
	dial_cancel(waiting);
	loop_stop(f->loop);
}

static void test_cancelled_while_it_waits(void **state)
{
	struct fixture *f = *state;
	struct timeval tv = loop_ms(SHORT_MS);

	add_silent(f);
	waiting = dial_start(f->engine, &f->to, LONG_MS, on_unwanted, NULL);
	assert_int_equal(event_base_once(loop_base(f->loop), -1, EV_TIMEOUT, on_cancel, f, &tv), 0);
	loop_run(f->loop);
}

#define DIAL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIAL_TEST(test_connected),
		DIAL_TEST(test_refused),
		DIAL_TEST(test_no_address),
		DIAL_TEST(test_the_first_is_dead),
		DIAL_TEST(test_the_first_is_impossible),
		DIAL_TEST(test_the_error_is_that_of_the_last),
		DIAL_TEST(test_silence_times_out),
		DIAL_TEST(test_the_first_is_silent),
		DIAL_TEST(test_all_fail_in_their_ways),
		DIAL_TEST(test_too_many_open_files),
		DIAL_TEST(test_cancelled_at_once),
		DIAL_TEST(test_cancelled_while_it_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
