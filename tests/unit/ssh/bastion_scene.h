/* Many connections through one session of a bastion, which is a real sshd. The hosts behind it are
 * a server of the test's on its loop. */
#ifndef MUSTER_TEST_BASTION_SCENE_H
#define MUSTER_TEST_BASTION_SCENE_H

#include <event2/event.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include "bastion_rig.h"

#define SCENE_MANY  1000u
#define ECHO_BYTES  100000u
#define SOURCE_MARK 'S'
#define SINK_MARK   'K'

struct scene {
	struct rig *rig;
	struct shards *shards;
	struct ssh_engine *engine;
	struct bastions *bastions;
	struct event *acceptor;
	int listener;
	uint16_t port;
	struct way way;
	struct plan_target target;
	struct rlimit files;
	size_t served;
	struct server *servers;
};

/* What it is told, it says again; after SOURCE_MARK it says as much as it can; after SINK_MARK it
 * says nothing, and takes nothing until it is told to. */
struct server {
	struct scene *scene;
	struct server *next;
	struct event *event;
	int fd;
	bool source;
	bool sink;
	uint64_t sent;
	uint64_t taken;
};

static inline void server_pour(struct server *s)
{
	static const uint8_t piece[16384];
	ssize_t n;

	while ((n = send(s->fd, piece, sizeof piece, MSG_NOSIGNAL | MSG_DONTWAIT)) > 0)
		s->sent += (uint64_t)n;
}

static inline void server_watch(struct server *s, short what, event_callback_fn fn)
{
	if (s->event)
		event_free(s->event);
	s->event = event_new(loop_base(s->scene->rig->host.loop), s->fd, what | EV_PERSIST, fn, s);
	assert_non_null(s->event);
	assert_int_equal(event_add(s->event, NULL), 0);
}

static inline void server_on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	server_pour(arg);
}

static inline void server_on_more(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	static uint8_t bytes[65536];
	ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

	(void)what;
	if (n > 0)
		s->taken += (uint64_t)n;
	else
		(void)event_del(s->event);
}

static inline void server_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	uint8_t bytes[4096];
	ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

	(void)what;
	if (n <= 0) {
		(void)event_del(s->event);
		return;
	}
	if (bytes[0] == SOURCE_MARK) {
		s->source = true;
		server_watch(s, EV_WRITE, server_on_writable);
		return;
	}
	if (bytes[0] == SINK_MARK) {
		s->sink = true;
		(void)event_del(s->event);
		return;
	}
	/* A few bytes each: the kernel has room for them. */
	assert_int_equal(send(fd, bytes, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT), n);
}

static inline void scene_on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct scene *scene = arg;
	int size = 16384;

	(void)what;
	for (;;) {
		int got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct server *s;

		if (got < 0)
			return;
		(void)setsockopt(got, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
		s = xcalloc(1, sizeof *s);
		s->scene = scene;
		s->fd = got;
		s->next = scene->servers;
		scene->servers = s;
		scene->served++;
		server_watch(s, EV_READ, server_on_readable);
	}
}

static inline void scene_listen(struct scene *scene)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;

	scene->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(scene->listener >= 0);
	assert_int_equal(bind(scene->listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(scene->listener, SCENE_MANY), 0);
	assert_int_equal(getsockname(scene->listener, (struct sockaddr *)&at, &len), 0);
	scene->port = ntohs(at.sin_port);
	scene->acceptor = event_new(loop_base(scene->rig->host.loop), scene->listener,
				    EV_READ | EV_PERSIST, scene_on_accept, scene);
	assert_int_equal(event_add(scene->acceptor, NULL), 0);
}

static inline int scene_set_up(void **state, const struct bastions_options *options)
{
	struct scene *scene = xcalloc(1, sizeof *scene);
	struct rlimit files;
	void *rig;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &scene->files), 0);
	files = scene->files;
	files.rlim_cur = files.rlim_max < 8192 ? files.rlim_max : 8192;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	*state = scene;
	if (files.rlim_cur < 3 * SCENE_MANY + 200 ||
	    rig_set_up_as(&rig, 1, 4096, "MaxStartups 1000\nLogLevel VERBOSE") != 0 || !rig)
		return 0;
	scene->rig = rig;
	scene_listen(scene);
	scene->shards = shards_new(scene->rig->host.loop, 1);
	scene->engine = ssh_engine_new(scene->rig->host.loop, 4096);
	scene->bastions =
		bastions_new(scene->rig->host.loop, scene->shards, scene->engine, options);
	way_make(scene->rig, &scene->way, 2);
	scene->target = *way_end(&scene->way);
	scene->target.port = scene->port;
	return 0;
}

static inline int scene_tear_down(void **state)
{
	struct scene *scene = *state;
	void *rig = scene->rig;

	if (rig) {
		loop_flush(scene->rig->host.loop);
		bastions_close(scene->bastions);
		shards_free(scene->shards);
		bastions_free(scene->bastions);
		ssh_engine_free(scene->engine);
		event_free(scene->acceptor);
		(void)close(scene->listener);
		for (struct server *s = scene->servers, *next; s; s = next) {
			next = s->next;
			event_free(s->event);
			(void)close(s->fd);
			free(s);
		}
		(void)rig_tear_down(&rig);
	}
	(void)setrlimit(RLIMIT_NOFILE, &scene->files);
	free(scene);
	return 0;
}

static inline struct scene *scene_of(void **state)
{
	struct scene *scene = *state;

	if (!scene->rig)
		skip();
	return scene;
}

static inline void scene_turn(struct scene *scene)
{
	struct timeval tv = {.tv_usec = 10000};

	(void)event_base_loopexit(loop_base(scene->rig->host.loop), &tv);
	(void)event_base_loop(loop_base(scene->rig->host.loop), EVLOOP_ONCE);
}

/* --- the connections
 * ------------------------------------------------------------------------------
 */

struct through {
	struct bastion_tie *tie;
	int fd;
};

static inline void through_ask(struct scene *scene, struct through *t)
{
	t->tie = bastion_ask(scene->bastions, &scene->target, NULL, 0, &t->fd);
	assert_non_null(t->tie);
}

/* The next bytes, however long they take: the watchdog of the rig ends what hangs. */
static inline void through_read(struct scene *scene, const struct through *t, void *data,
				size_t len)
{
	uint8_t *at = data;

	while (len) {
		ssize_t n = recv(t->fd, at, len, MSG_DONTWAIT);
		struct conn_result why;

		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			scene_turn(scene);
			continue;
		}
		if (n == 0)
			fail_msg("closed: %s",
				 bastion_tie_end(t->tie, &why) ? why.text : "without a reason");
		at += n;
		len -= (size_t)n;
	}
}

static inline void through_expect_open(struct scene *scene, const struct through *t)
{
	char said[2];

	through_read(scene, t, said, 2);
	assert_int_equal(said[0], BASTION_READY);
	assert_int_equal(said[1], BASTION_OPEN);
}

static inline void through_say(const struct through *t, const void *data, size_t len)
{
	assert_int_equal(send(t->fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static inline void through_close(struct through *t)
{
	(void)close(t->fd);
	bastion_tie_free(t->tie);
}

static inline uint64_t scene_sent(const struct scene *scene)
{
	uint64_t sent = 0;

	for (const struct server *s = scene->servers; s; s = s->next)
		sent += s->sent;
	return sent;
}

/* Bytes there and back, beside those that stand still. */
static inline void scene_echo(struct scene *scene, const struct through *t)
{
	uint8_t out[1000], in[sizeof out];

	for (size_t i = 0; i < ECHO_BYTES; i += sizeof out) {
		memset(out, (int)(i / sizeof out % 50), sizeof out);
		through_say(t, out, sizeof out);
		through_read(scene, t, in, sizeof in);
		assert_memory_equal(out, in, sizeof in);
	}
}

#endif
