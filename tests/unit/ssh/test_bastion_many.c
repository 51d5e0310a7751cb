/*
 * A thousand connections through one session of a bastion (a real sshd), and some that are not read
 * from: what they hold is bounded, and the others go on. The hosts behind it are a server of this
 * test's on its loop, as a thousand sshd would be too many for a small computer.
 */
#include <event2/event.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include "bastion_rig.h"

#define MANY 1000u
/* More than BASTION_WINDOW_FEW, whose window is larger: for each of those a little more below. */
#define STALLED 24u
/* libssh's window, and what is on its way to it. */
#define STALLED_MAX (3u << 20)
/* And what the kernel and the bastion hold. */
#define STALLED_SENT_MAX UINT64_C(16000000)
#define ECHO_BYTES	 100000u
#define SOURCE_MARK	 'S'

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

/* What it is told, it says again; after SOURCE_MARK it says as much as it can. */
struct server {
	struct scene *scene;
	struct server *next;
	struct event *event;
	int fd;
	bool source;
	uint64_t sent;
};

static void server_pour(struct server *s)
{
	static const uint8_t piece[16384];
	ssize_t n;

	while ((n = send(s->fd, piece, sizeof piece, MSG_NOSIGNAL | MSG_DONTWAIT)) > 0)
		s->sent += (uint64_t)n;
}

static void server_watch(struct server *s, short what, event_callback_fn fn)
{
	if (s->event)
		event_free(s->event);
	s->event = event_new(loop_base(s->scene->rig->host.loop), s->fd, what | EV_PERSIST, fn, s);
	assert_non_null(s->event);
	assert_int_equal(event_add(s->event, NULL), 0);
}

static void server_on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	server_pour(arg);
}

static void server_on_readable(evutil_socket_t fd, short what, void *arg)
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
	/* A few bytes each: the kernel has room for them. */
	assert_int_equal(send(fd, bytes, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT), n);
}

static void scene_on_accept(evutil_socket_t fd, short what, void *arg)
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

static void scene_listen(struct scene *scene)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;

	scene->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(scene->listener >= 0);
	assert_int_equal(bind(scene->listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(scene->listener, MANY), 0);
	assert_int_equal(getsockname(scene->listener, (struct sockaddr *)&at, &len), 0);
	scene->port = ntohs(at.sin_port);
	scene->acceptor = event_new(loop_base(scene->rig->host.loop), scene->listener,
				    EV_READ | EV_PERSIST, scene_on_accept, scene);
	assert_int_equal(event_add(scene->acceptor, NULL), 0);
}

static int set_up(void **state)
{
	struct scene *scene = xcalloc(1, sizeof *scene);
	struct rlimit files;
	void *rig;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &scene->files), 0);
	files = scene->files;
	files.rlim_cur = files.rlim_max < 8192 ? files.rlim_max : 8192;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	*state = scene;
	if (files.rlim_cur < 3 * MANY + 200 ||
	    rig_set_up_as(&rig, 1, 4096, "MaxStartups 1000\nLogLevel VERBOSE") != 0 || !rig)
		return 0;
	scene->rig = rig;
	scene_listen(scene);
	scene->shards = shards_new(scene->rig->host.loop, 1);
	scene->engine = ssh_engine_new(scene->rig->host.loop, 4096);
	scene->bastions = bastions_new(scene->rig->host.loop, scene->shards, scene->engine, NULL);
	way_make(scene->rig, &scene->way, 2);
	scene->target = *way_end(&scene->way);
	scene->target.port = scene->port;
	return 0;
}

static int tear_down(void **state)
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

static struct scene *scene_of(void **state)
{
	struct scene *scene = *state;

	if (!scene->rig)
		skip();
	return scene;
}

static void scene_turn(struct scene *scene)
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

static void through_ask(struct scene *scene, struct through *t)
{
	t->tie = bastion_ask(scene->bastions, &scene->target, NULL, 0, &t->fd);
	assert_non_null(t->tie);
}

/* The next bytes, however long they take: the watchdog of the rig ends what hangs. */
static void through_read(struct scene *scene, const struct through *t, void *data, size_t len)
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

static void through_expect_open(struct scene *scene, const struct through *t)
{
	char said[2];

	through_read(scene, t, said, 2);
	assert_int_equal(said[0], BASTION_READY);
	assert_int_equal(said[1], BASTION_OPEN);
}

static void through_say(const struct through *t, const void *data, size_t len)
{
	assert_int_equal(send(t->fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void through_close(struct through *t)
{
	(void)close(t->fd);
	bastion_tie_free(t->tie);
}

static void test_a_thousand(void **state)
{
	struct scene *scene = scene_of(state);
	struct through *at = xcalloc(MANY, sizeof *at);

	for (size_t i = 0; i < MANY; i++)
		through_ask(scene, &at[i]);
	for (size_t i = 0; i < MANY; i++)
		through_expect_open(scene, &at[i]);
	assert_int_equal(bastions_users(scene->bastions), MANY);
	assert_int_equal(bastions_count(scene->bastions), 1);
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t number = htonl(i);

		through_say(&at[i], &number, sizeof number);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t said;

		through_read(scene, &at[i], &said, sizeof said);
		assert_int_equal(ntohl(said), i);
	}
	assert_int_equal(scene->served, MANY);
	assert_int_equal(rig_log_count(scene->rig, "Accepted publickey"), 1);
	for (size_t i = 0; i < MANY; i++)
		through_close(&at[i]);
	while (bastions_users(scene->bastions))
		scene_turn(scene);
	free(at);
}

/* --- those that are not read from
 * ------------------------------------------------------------------
 */

static uint64_t scene_sent(const struct scene *scene)
{
	uint64_t sent = 0;

	for (const struct server *s = scene->servers; s; s = s->next)
		sent += s->sent;
	return sent;
}

/* Bytes there and back, beside those that stand still. */
static void scene_echo(struct scene *scene, const struct through *t)
{
	uint8_t out[1000], in[sizeof out];

	for (size_t i = 0; i < ECHO_BYTES; i += sizeof out) {
		memset(out, (int)(i / sizeof out % 50), sizeof out);
		through_say(t, out, sizeof out);
		through_read(scene, t, in, sizeof in);
		assert_memory_equal(out, in, sizeof in);
	}
}

/* Nothing more is taken from the sources: for long enough that whoever takes would have. */
static void scene_settle(struct scene *scene, const struct through *t)
{
	for (unsigned quiet = 0; quiet < 3;) {
		uint64_t before = scene_sent(scene);

		scene_echo(scene, t);
		quiet = scene_sent(scene) == before ? quiet + 1 : 0;
	}
}

static void test_stalled(void **state)
{
	static const char mark = SOURCE_MARK;
	struct scene *scene = scene_of(state);
	struct through at[STALLED], lively;
	size_t before, after;

	through_ask(scene, &lively);
	through_expect_open(scene, &lively);
	for (size_t i = 0; i < STALLED; i++)
		through_ask(scene, &at[i]);
	for (size_t i = 0; i < STALLED; i++)
		through_expect_open(scene, &at[i]);
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	for (size_t i = 0; i < STALLED; i++)
		through_say(&at[i], &mark, 1);
	scene_settle(scene, &lively);
	after = mallinfo2().uordblks + mallinfo2().hblkhd;
	print_message("%zu bytes for each that is not read, of %llu that its host has sent\n",
		      (after - before) / STALLED,
		      (unsigned long long)(scene_sent(scene) / STALLED));
	assert_true(scene_sent(scene) > STALLED * 100000u);
	assert_true(after < before + (size_t)STALLED * STALLED_MAX);
	/* Where a sanitizer allocates nothing is counted above; what is not taken cannot be held.
	 */
	assert_true(scene_sent(scene) < STALLED * STALLED_SENT_MAX);
	for (size_t i = 0; i < STALLED; i++)
		through_close(&at[i]);
	while (bastions_users(scene->bastions) > 1)
		scene_turn(scene);
	scene_echo(scene, &lively);
	through_close(&lively);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_a_thousand), TEST(test_stalled)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
