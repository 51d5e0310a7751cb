/*
 * Waiting for jobs whose states no command line can bring about so far: Blocked and Disconnected.
 * Real local jobs; what would come from an agent is told to their children here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "client.h"
#include "control_msg.h"
#include "daemon_private.h"
#include "doing.h"
#include "fd.h"
#include "registry.h"
#include "remote.h"
#include "run.h"

struct fixture {
	struct daemon daemon;
	struct client *client;
	int peer;
	struct buf in;	 /* frames that the peer has read and not taken */
	struct buf text; /* what they said, a line each */
	struct run *runs[4];
	size_t run_count;
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
	d->budget.limit = 1 << 20;
	d->budget.share = 1 << 20;
	d->loop = loop_new();
	d->engine = ssh_engine_new(d->loop, 1024);
	d->lines = lines_new(d->loop, 1, 1024);
	d->remotes = remotes_new(d->engine, d->lines, 0, 0);
	d->registry = registry_new(d);
	d->idle = evtimer_new(loop_base(d->loop), on_timer, NULL);
	f->client = client_new(d, pair[0]);
	client_set_state(f->client, CLIENT_IDLE);
	f->peer = pair[1];
	*state = f;
	return 0;
}

static void turn(struct fixture *f);

static bool is_over(struct job *job)
{
	return job_state_is_finished(job_state(job));
}

/* A local job goes on without its daemon: those of the test end with it. */
static void stop_all(struct fixture *f)
{
	for (size_t i = 0; i < f->run_count; i++)
		run_stop(f->runs[i]);
	for (size_t i = 0; i < f->run_count; i++)
		while (!is_over(run_job(f->runs[i])))
			turn(f);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	stop_all(f);
	client_free(f->client);
	registry_free(f->daemon.registry);
	remotes_free(f->daemon.remotes);
	lines_free(f->daemon.lines);
	loop_flush(f->daemon.loop);
	ssh_engine_free(f->daemon.engine);
	event_free(f->daemon.idle);
	loop_free(f->daemon.loop);
	fd_close(&f->peer);
	buf_done(&f->in);
	buf_done(&f->text);
	free(f->daemon.clients);
	free(f);
	return 0;
}

static void take_frame(struct fixture *f, const struct frame *frame)
{
	struct get_end_msg end;
	struct problem_msg problem;
	struct get_row_msg row;

	switch (frame->type) {
	case MSG_GET_ROW:
		assert_int_equal(get_row_get(&row, frame->body, frame->len, NULL), 0);
		buf_addf(&f->text, "row %llu %s\n", (unsigned long long)row.id, row.state);
		get_row_done(&row);
		return;
	case MSG_PROBLEM:
		assert_int_equal(problem_get(&problem, frame->body, frame->len, NULL), 0);
		buf_addf(&f->text, "problem %llu %s\n", (unsigned long long)problem.exit_status,
			 problem.text);
		problem_done(&problem);
		return;
	case MSG_GET_END:
		assert_int_equal(get_end_get(&end, frame->body, frame->len, NULL), 0);
		buf_addf(&f->text, "end%s\n", end.timed_out ? " timed out" : "");
		get_end_done(&end);
		return;
	default:
		fail_msg("message %u", frame->type);
	}
}

/* One round of the loop, and the peer reads what is there. */
static void turn(struct fixture *f)
{
	struct frame frame;
	ssize_t n;
	int used;

	(void)event_base_loop(loop_base(f->daemon.loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
	while ((n = read(f->peer, buf_room(&f->in, 65536), 65536)) > 0)
		f->in.len += (size_t)n;
	while ((used = (int)frame_parse(f->in.data, f->in.len, &frame, NULL)) > 0) {
		take_frame(f, &frame);
		buf_consume(&f->in, (size_t)used);
	}
}

static struct child *child_of(struct run *run)
{
	return job_child(run_job(run), 0);
}

/* A local job that runs until it is stopped. */
static struct run *add(struct fixture *f)
{
	static const char *const here[] = {"localhost"};
	struct job_open_msg open = {.local = true, .background = true, .argc = 2};
	struct run *run;

	open.argv = xcalloc(2, sizeof(char *));
	open.argv[0] = xstrdup("sleep");
	open.argv[1] = xstrdup("1000");
	open.display = xstrdup("sleep 1000");
	open.directory = xstrdup("/");
	run = run_new(&f->daemon, &(struct run_spec){.open = &open, .locations = here, .count = 1});
	assert_true(f->run_count < ARRAY_LEN(f->runs));
	f->runs[f->run_count++] = run;
	run_start(run);
	while (child_state(child_of(run)) != JOB_STATE_RUNNING)
		turn(f);
	return run;
}

/* Waits for every job, as the client that asks. */
static void wait_for(struct fixture *f, const struct doing_msg *how)
{
	struct doing_msg m = *how;
	struct errmsg msg = {{0}};

	m.verb = DO_WAIT;
	assert_int_equal(doing_start(f->client, &m, &msg), 0);
	for (int i = 0; i < 10; i++)
		turn(f);
}

/* Takes what came since. */
static void expect(struct fixture *f, const char *text)
{
	assert_string_equal(buf_cstr(&f->text), text);
	buf_clear(&f->text);
}

static void until_answered(struct fixture *f)
{
	while (client_state(f->client) != CLIENT_IDLE)
		turn(f);
	turn(f);
}

static void test_wait_for_a_blocked_job(void **state)
{
	struct fixture *f = *state;
	struct run *run = add(f);

	child_on_blocked(child_of(run), 1);
	wait_for(f, &(struct doing_msg){0});
	expect(f, "problem 1 job 1 is Blocked: it waits for input, and waiting for it would not "
		  "end\nend\n");
	/* It blocks while somebody waits. */
	child_on_unblocked(child_of(run), 2);
	wait_for(f, &(struct doing_msg){.force = true});
	expect(f, "");
	child_on_blocked(child_of(run), 3);
	until_answered(f);
	expect(f, "problem 1 job 1 is Blocked: it waits for input, and waiting for it would not "
		  "end\nend\n");
	/* Who waits for that very state has what he wants. */
	wait_for(f, &(struct doing_msg){.until = xstrdup("blocked")});
	expect(f, "row 1 Blocked\nend\n");
}

static void test_wait_for_any_of_blocked_and_running_jobs(void **state)
{
	struct fixture *f = *state;
	struct run *blocked = add(f), *running = add(f);

	child_on_blocked(child_of(blocked), 1);
	wait_for(f, &(struct doing_msg){.any = true});
	expect(f, ""); /* the other may end */
	run_stop(running);
	until_answered(f);
	expect(f, "row 3 Stopped\nend\n");
	/* Of all: one that is Blocked is enough. */
	(void)add(f);
	wait_for(f, &(struct doing_msg){0});
	expect(f, "problem 1 job 1 is Blocked: it waits for input, and waiting for it would not "
		  "end\nrow 3 Stopped\nend\n");
}

static void test_wait_for_a_disconnected_job(void **state)
{
	struct fixture *f = *state;
	struct run *run = add(f);

	child_on_disconnected(child_of(run), 1);
	assert_int_equal(job_state(run_job(run)), JOB_STATE_DISCONNECTED);
	wait_for(f, &(struct doing_msg){0});
	expect(f, "problem 0 job 1 is Disconnected, not finished: --force waits on\n"
		  "row 1 Disconnected\nend\n");
	wait_for(f, &(struct doing_msg){.force = true});
	expect(f, "");
	child_on_reconnected(child_of(run), 2);
	run_stop(run);
	until_answered(f);
	expect(f, "row 1 Stopped\nend\n");
}

static void set_throttle(struct fixture *f, uint64_t throttle, const char *selector)
{
	struct doing_msg m = {.verb = DO_SET, .throttle = throttle};
	struct errmsg msg = {{0}};

	m.filter.selectors = xcalloc(1, sizeof(char *));
	m.filter.selectors[0] = xstrdup(selector);
	m.filter.selector_count = 1;
	assert_int_equal(doing_start(f->client, &m, &msg), 0);
	until_answered(f);
}

static void test_another_throttle(void **state)
{
	struct fixture *f = *state;
	struct run *run = add(f);

	set_throttle(f, 7, "1");
	expect(f, "row 1 Running\nend\n");
	assert_int_equal(run_open(run)->throttle, 7);
	set_throttle(f, 8, "2");
	expect(f, "problem 2 job 2 is a child of job 1: only that has a throttle limit\nend\n");
	assert_int_equal(run_open(run)->throttle, 7);
	set_throttle(f, 9, "77");
	assert_non_null(strstr(buf_cstr(&f->text), "problem 2 "));
	assert_null(strstr(buf_cstr(&f->text), "row"));
	buf_clear(&f->text);
	run_stop(run);
	while (!is_over(run_job(run)))
		turn(f);
	set_throttle(f, 9, "1");
	expect(f, "problem 2 job 1 has ended (Stopped): nothing of it is left to be set\nend\n");
}

static void test_a_state_that_is_none(void **state)
{
	struct fixture *f = *state;
	struct doing_msg m = {.verb = DO_WAIT, .until = xstrdup("Done")};
	struct errmsg msg = {{0}};

	assert_int_equal(doing_start(f->client, &m, &msg), ERR_SYNTAX);
	assert_non_null(strstr(msg.text, "Done"));
	assert_int_equal(client_state(f->client), CLIENT_IDLE);
}

#define DOING_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DOING_TEST(test_wait_for_a_blocked_job),
		DOING_TEST(test_wait_for_any_of_blocked_and_running_jobs),
		DOING_TEST(test_wait_for_a_disconnected_job),
		DOING_TEST(test_another_throttle),
		DOING_TEST(test_a_state_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
