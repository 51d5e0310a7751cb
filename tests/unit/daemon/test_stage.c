/* Stages whose client goes: what is in them goes too, and the loop does not wait for that. */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "client.h"
#include "copy_msg.h"
#include "daemon_private.h"
#include "fd.h"
#include "registry.h"
#include "stage.h"
#include "work.h"

#define KEY	"0f8fad5b-d9cb-469f-a165-70867728950e"
#define LONG_MS 60000u

struct scene {
	struct daemon daemon;
	struct client *client;
	int peer;
	char folder[64];
	char *root;
	char *path; /* of the stage */
	char *file; /* in it, from before */
	sem_t entered;
	sem_t gate;
};

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void put_stage(struct scene *s)
{
	int fd;

	(void)strcpy(s->folder, "/tmp/test_stage.XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	s->root = xasprintf("%s/copies", s->folder);
	s->path = xasprintf("%s/%s", s->root, KEY);
	s->file = xasprintf("%s/file", s->path);
	assert_int_equal(mkdir(s->root, 0700), 0);
	assert_int_equal(mkdir(s->path, 0700), 0);
	fd = open(s->file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	fd_close(&fd);
}

static int set_up(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);
	struct daemon *d = &s->daemon;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -1;
	put_stage(s);
	(void)sem_init(&s->entered, 0, 0);
	(void)sem_init(&s->gate, 0, 0);
	d->options.stage_path = s->root;
	d->loop = loop_new();
	d->registry = registry_new(d);
	d->idle = evtimer_new(loop_base(d->loop), on_timer, NULL);
	d->flush = evtimer_new(loop_base(d->loop), on_timer, NULL);
	d->copies = work_pool_new(d->loop, "copy", 1);
	s->client = client_new(d, pair[0]);
	s->peer = pair[1];
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;
	struct daemon *d = &s->daemon;

	/* Also behind a test that has failed. */
	for (int i = 0; i < 3; i++)
		(void)sem_post(&s->gate);
	while (d->client_count)
		client_free(d->clients[0]);
	stages_free(d->stages);
	work_pool_free(d->copies, LONG_MS);
	registry_free(d->registry);
	event_free(d->idle);
	event_free(d->flush);
	loop_free(d->loop);
	free(d->clients);
	fd_close(&s->peer);
	assert_int_equal(rmdir(s->root), 0);
	assert_int_equal(rmdir(s->folder), 0);
	free(s->root);
	free(s->path);
	free(s->file);
	(void)sem_destroy(&s->entered);
	(void)sem_destroy(&s->gate);
	free(s);
	return 0;
}

static void wait_for(sem_t *sem)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LONG_MS / 1000;
	assert_int_equal(sem_timedwait(sem, &until), 0);
}

static void run_gated(void *arg)
{
	struct scene *s = arg;

	(void)sem_post(&s->entered);
	(void)sem_wait(&s->gate);
}

static void done_nothing(void *arg, bool cancelled)
{
	(void)arg;
	(void)cancelled;
}

/* The one thread stands here until the gate is opened. */
static void put_gate(struct scene *s)
{
	(void)work_submit(s->daemon.copies, run_gated, done_nothing, s);
}

static void on_turn(void *arg)
{
	loop_stop(arg);
}

/* All that was posted so far has come. */
static void turn(struct scene *s)
{
	loop_post(s->daemon.loop, on_turn, s->daemon.loop);
	loop_run(s->daemon.loop);
}

static void ask_for_stage(struct scene *s)
{
	char key[] = KEY;
	struct copy_open_msg m = {.task = 1, .to = key};
	struct frame frame = {.type = MSG_COPY_OPEN};
	struct errmsg msg = {""};
	struct buf body = {0};

	copy_open_put(&body, &m);
	frame.body = body.data;
	frame.len = body.len;
	assert_int_equal(stage_on_open(s->client, &frame, &msg), 0);
	buf_done(&body);
}

/* Of a daemon before it may have left much, which comes to light when nobody wants it. */
static void left_while_it_was_opened_it_goes_on_a_thread(void **state)
{
	struct scene *s = *state;

	put_gate(s);
	ask_for_stage(s);
	put_gate(s);
	wait_for(&s->entered);
	client_free(s->client);
	(void)sem_post(&s->gate);
	/* It is opened now, and the thread has something else to do. */
	wait_for(&s->entered);
	turn(s);
	assert_int_equal(access(s->file, F_OK), 0);
	put_gate(s);
	(void)sem_post(&s->gate);
	wait_for(&s->entered);
	assert_int_not_equal(access(s->path, F_OK), 0);
	(void)sem_post(&s->gate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(left_while_it_was_opened_it_goes_on_a_thread,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
