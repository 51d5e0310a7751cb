/* daemon/session*.c over connections that are played (remote_rig.h), without clients and store. */

/* The rig is made for another test, and this one does not need all of it. */
#pragma GCC diagnostic ignored "-Wunused-function"
#include "remote_rig.h"

#include <event2/event.h>

#include "daemon_private.h"
#include "keep.h"
#include "registry.h"
#include "session_job.h"
#include "session_pick.h"
#include "session_private.h"

struct world {
	struct daemon d;
	struct session_watch watch;
	unsigned told;
};

static void on_told(void *arg)
{
	((struct world *)arg)->told++;
}

static int world_up(void **state)
{
	struct world *w = xcalloc(1, sizeof *w);

	w->d.loop = rig_loop = loop_new();
	w->d.engine = ssh_engine_new(w->d.loop, 4096);
	w->d.remotes = remotes_new(w->d.engine, NULL, 0, 0);
	w->d.registry = registry_new(&w->d);
	w->d.sessions = sessions_new(&w->d);
	w->watch = (struct session_watch){.fn = on_told, .arg = w};
	session_watch(w->d.sessions, &w->watch);
	*state = w;
	return 0;
}

static int world_down(void **state)
{
	struct world *w = *state;

	session_unwatch(&w->watch);
	registry_free(w->d.registry);
	sessions_free(w->d.sessions);
	remotes_free(w->d.remotes);
	loop_flush(w->d.loop);
	assert_int_equal(conn_count(), 0);
	while (conns) {
		struct line *c = conns;

		conns = c->next;
		conn_done(c);
	}
	ssh_engine_free(w->d.engine);
	loop_free(w->d.loop);
	free(w);
	return 0;
}

/* --- helpers --------------------------------------------------------------------------------- */

static struct plan_request targets_of(size_t count)
{
	struct plan_request targets = {.count = count};

	targets.hosts = xcalloc(count, sizeof *targets.hosts);
	for (size_t i = 0; i < count; i++) {
		targets.hosts[i].host = xasprintf("h%zu", i + 1);
		targets.hosts[i].hostname = xstrdup(targets.hosts[i].host);
	}
	return targets;
}

static struct job_open_msg open_of(const char *name)
{
	return (struct job_open_msg){.name = name ? xstrdup(name) : NULL,
				     .builtin = JOB_SESSION,
				     .agent = JOB_AGENT_SUBSYSTEM,
				     .ssh_config = xstrdup("none"),
				     .home = xstrdup("/nonexistent")};
}

static struct session *make(struct world *w, const char *name, size_t count)
{
	struct job_open_msg open = open_of(name);
	struct plan_request targets = targets_of(count);
	struct session *s = NULL;
	struct errmsg msg = {""};

	if (session_make(w->d.sessions, &open, &targets, &s, &msg) != 0)
		fail_msg("%s", msg.text);
	return s;
}

static void once(struct world *w, int flags)
{
	assert_true(event_base_loop(loop_base(w->d.loop), flags) >= 0);
}

/* Until so many connections are there. */
static void until_conns(struct world *w, size_t count)
{
	while (conn_count() < count)
		once(w, EVLOOP_ONCE);
	/* And no more than that come. */
	for (int i = 0; i < 3; i++)
		once(w, EVLOOP_NONBLOCK);
	assert_int_equal(conn_count(), count);
}

static void until_settled(struct world *w, const struct session *s)
{
	while (session_is_opening(s))
		once(w, EVLOOP_ONCE);
	for (int i = 0; i < 3; i++)
		once(w, EVLOOP_NONBLOCK);
}

static void answer(struct line *c)
{
	struct buf said = {0};

	c->side->running(c->state);
	say_hello(&said);
	conn_give(c, &said);
	buf_done(&said);
}

/* Connects to all of its hosts. */
static void open_all(struct world *w, struct session *s)
{
	session_connect(s, NULL);
	while (session_is_opening(s)) {
		once(w, EVLOOP_ONCE);
		for (struct line *c = conns; c; c = c->next)
			if (!c->freed && !c->written)
				answer(c);
	}
	until_settled(w, s);
	assert_int_equal(s->in_state[SESSION_OPENED], s->targets.count);
}

static struct job_open_msg job_on(const char *name)
{
	struct job_open_msg open = {.session_count = 1};

	open.sessions = xcalloc(1, sizeof(char *));
	open.sessions[0] = xstrdup(name);
	return open;
}

static void refused(struct world *w, struct job_open_msg *open, int code, const char *words)
{
	struct plan_request targets = {0};
	struct errmsg msg = {""};

	assert_int_equal(session_fill(w->d.sessions, open, &targets, &msg), code);
	if (!strstr(msg.text, words))
		fail_msg("\"%s\" does not say \"%s\"", msg.text, words);
	assert_int_equal(targets.count, 0);
	plan_request_done(&targets);
	job_open_done(open);
}

/* --- connections ----------------------------------------------------------------------------- */

static void so_many_at_a_time(void **state)
{
	struct world *w = *state;
	struct session *s = make(w, NULL, 3);

	s->open.throttle = 2;
	session_connect(s, NULL);
	assert_true(session_is_opening(s));
	until_conns(w, 2);
	assert_int_equal(s->in_state[SESSION_OPENING], 3);
	answer(conns);
	until_conns(w, 3);
	assert_int_equal(s->in_state[SESSION_OPENED], 1);
	w->told = 0;
	answer(conns);
	conn_lose(conns->next->next);
	until_settled(w, s);
	assert_true(w->told > 0);
	assert_int_equal(s->hosts[0].state, SESSION_BROKEN);
	assert_int_equal(s->hosts[1].state, SESSION_OPENED);
	assert_int_equal(s->hosts[2].state, SESSION_OPENED);
	assert_null(s->plan);
}

static void one_is_lost_and_connected_again_alone(void **state)
{
	struct world *w = *state;
	struct session *s = make(w, "web", 2);
	struct line *first;

	open_all(w, s);
	first = conns->next;
	conn_lose(first);
	until_settled(w, s);
	assert_int_equal(s->hosts[0].state, SESSION_BROKEN);
	assert_int_equal(s->hosts[0].cause, CAUSE_LINK_LOST);
	assert_null(s->hosts[0].task);
	assert_int_equal(s->hosts[1].state, SESSION_OPENED);
	assert_int_equal(conn_count(), 1);
	assert_true(sessions_are_open(w->d.sessions));
	session_connect(s, NULL);
	until_conns(w, 2);
	answer(conns);
	until_settled(w, s);
	assert_int_equal(s->in_state[SESSION_OPENED], 2);
}

static void letting_go(void **state)
{
	struct world *w = *state;
	struct session *s = make(w, "web", 2);

	open_all(w, s);
	session_disconnect(s, "why");
	loop_flush(w->d.loop);
	assert_int_equal(conn_count(), 0);
	assert_int_equal(s->in_state[SESSION_DISCONNECTED], 2);
	assert_string_equal(s->hosts[1].text, "why");
	assert_false(sessions_are_open(w->d.sessions));
	/* Half-way, and before there is a plan. */
	session_connect(s, locked_new("secret", 6));
	session_disconnect(s, NULL);
	assert_null(s->password);
	session_connect(s, NULL);
	until_conns(w, 2);
	answer(conns);
	session_disconnect(s, NULL);
	until_settled(w, s);
	loop_flush(w->d.loop);
	assert_int_equal(conn_count(), 0);
	w->told = 0;
	session_connect(s, NULL);
	session_remove(s);
	assert_true(w->told > 0);
	assert_int_equal(sessions_count(w->d.sessions), 0);
}

/* An agent may say nothing of a task that was never opened. */
static void an_agent_that_says_too_much_is_let_go(void **state)
{
	struct world *w = *state;
	struct session *s = make(w, "web", 1);
	struct buf said = {0};

	open_all(w, s);
	say_running(&said, 1);
	conn_give(conns, &said);
	buf_done(&said);
	until_settled(w, s);
	assert_int_equal(s->hosts[0].state, SESSION_BROKEN);
	assert_int_equal(s->hosts[0].cause, CAUSE_AGENT_LOST);
	loop_flush(w->d.loop);
}

static void idle_for_too_long(void **state)
{
	struct world *w = *state;
	struct session *s = make(w, "web", 1);

	s->open.session_idle_ms = 20;
	open_all(w, s);
	session_host_use(&s->hosts[0]);
	assert_false(event_pending(s->idle, EV_TIMEOUT, NULL));
	session_host_release(&s->hosts[0]);
	assert_true(event_pending(s->idle, EV_TIMEOUT, NULL));
	while (s->in_state[SESSION_OPENED])
		once(w, EVLOOP_ONCE);
	assert_int_equal(s->hosts[0].state, SESSION_DISCONNECTED);
	assert_non_null(s->hosts[0].text);
	loop_flush(w->d.loop);
}

/* --- names ----------------------------------------------------------------------------------- */

static void names(void **state)
{
	static const char *const bad[] = {"", "12", "-x", "a b", "a*", "a:1", "a/b", "a,b", "x\n"};
	struct world *w = *state;
	struct session *s = make(w, NULL, 1);
	struct errmsg msg;

	assert_string_equal(s->open.name, "Session1");
	assert_int_equal(make(w, "\xc3\xa4.b_c-1", 1)->id, 2);
	for (size_t i = 0; i <= ARRAY_LEN(bad); i++) {
		bool again = i == ARRAY_LEN(bad);
		struct job_open_msg open = open_of(again ? "SESSION1" : bad[i]);
		struct plan_request targets = targets_of(1);

		assert_int_equal(session_make(w->d.sessions, &open, &targets, &s, &msg),
				 again ? ERR_EXISTS : ERR_SYNTAX);
		assert_null(open.name);
		assert_null(targets.hosts);
	}
	assert_int_equal(sessions_count(w->d.sessions), 2);
}

static void picking(void **state)
{
	char *wanted[] = {"WEB1", "web*", "2", "nobody", "x*", "web1"}, *wrong[] = {"[a"};
	struct world *w = *state;
	struct session_pick pick;
	struct errmsg msg;

	(void)make(w, "web1", 1);
	(void)make(w, "db", 1);
	(void)make(w, "web2", 1);
	assert_int_equal(session_pick(&pick, &w->d, NULL, 0, &msg), 0);
	assert_int_equal(pick.session_count, 3);
	session_pick_done(&pick);
	assert_int_equal(session_pick(&pick, &w->d, wanted, ARRAY_LEN(wanted), &msg), 0);
	assert_int_equal(pick.session_count, 3);
	assert_int_equal(pick.sessions[1], 2);
	assert_int_equal(pick.missing_count, 1);
	assert_string_equal(pick.missing[0], "nobody");
	session_pick_done(&pick);
	assert_int_equal(session_pick(&pick, &w->d, wrong, 1, &msg), ERR_SYNTAX);
}

/* --- jobs ------------------------------------------------------------------------------------ */

static void a_job_takes_hosts_and_settings(void **state)
{
	struct world *w = *state;
	struct session *a = make(w, "a", 2), *b = make(w, "b", 1);
	struct plan_request targets = {0};
	struct job_open_msg open = job_on("A");
	struct errmsg msg = {""};
	struct outcome outcome;

	a->open.become = b->open.become = JOB_SUDO;
	a->open.become_user = xstrdup("www");
	b->open.become_user = xstrdup("www");
	open_all(w, a);
	open_all(w, b);
	open.sessions = xrealloc(open.sessions, 2, sizeof(char *));
	open.sessions[open.session_count++] = xstrdup("2");
	open.home = xstrdup("/other");
	assert_int_equal(session_fill(w->d.sessions, &open, &targets, &msg), 0);
	assert_int_equal(targets.count, 3);
	assert_string_equal(targets.hosts[1].host, "h2");
	assert_string_equal(targets.hosts[2].host, "h1");
	assert_string_equal(open.home, "/nonexistent");
	assert_string_equal(open.ssh_config, "none");
	assert_int_equal(open.agent, JOB_AGENT_SUBSYSTEM);
	assert_string_equal(open.become_user, "www");
	assert_ptr_equal(session_host_of(w->d.sessions, &open, 1), &a->hosts[1]);
	assert_ptr_equal(session_host_of(w->d.sessions, &open, 2), &b->hosts[0]);
	assert_null(session_host_of(w->d.sessions, &open, 3));
	/* One of them goes: the others keep their places. */
	session_remove(a);
	assert_null(session_host_of(w->d.sessions, &open, 1));
	assert_false(session_host_takes(NULL, &outcome));
	assert_int_equal(outcome.cause, CAUSE_LINK_LOST);
	assert_ptr_equal(session_host_of(w->d.sessions, &open, 2), &b->hosts[0]);
	assert_true(session_host_takes(&b->hosts[0], &outcome));
	/* It has the connection that the other one had. */
	loop_flush(w->d.loop);
	assert_int_equal(conn_count(), 1);
	conn_lose(conns->freed ? conns->next : conns);
	assert_false(session_host_takes(&b->hosts[0], &outcome));
	until_settled(w, b);
	loop_flush(w->d.loop);
	plan_request_done(&targets);
	job_open_done(&open);
}

static void a_job_is_refused(void **state)
{
	struct world *w = *state;
	struct session *a = make(w, "a", 1), *b = make(w, "b", 1);
	struct job_open_msg open = job_on("c");

	refused(w, &open, ERR_NOTFOUND, "there is no session 'c'");
	open = job_on("a");
	refused(w, &open, ERR_ORDER, "session a is Disconnected: muster session connect a");
	open_all(w, a);
	open_all(w, b);
	open = job_on("a");
	open.ssh_config = xstrdup("/x");
	refused(w, &open, ERR_SYNTAX, "-F: session a was made with none");
	b->open.directory = xstrdup("/usr");
	for (int i = 0; i < 2; i++) {
		open = job_on("a");
		open.sessions = xrealloc(open.sessions, 2, sizeof(char *));
		open.sessions[open.session_count++] = xstrdup(i ? "b" : "1");
		refused(w, &open, ERR_SYNTAX, i ? "(--working-directory)" : "named twice");
	}
	open = job_on("a");
	open.env_count = SESSION_ENV_MAX + 1;
	open.env = xcalloc(open.env_count, sizeof(char *));
	for (size_t i = 0; i < open.env_count; i++)
		open.env[i] = xstrdup("A=1");
	refused(w, &open, ERR_RANGE, "--env");
}

static const char *left(const struct session_host *h, const char *name)
{
	size_t count, len = strlen(name);
	char *const *env = session_host_env(h, &count);

	for (size_t i = 0; i < count; i++)
		if (strncmp(env[i], name, len) == 0 && env[i][len] == '=')
			return env[i] + len + 1;
	return NULL;
}

static void what_is_left(void **state)
{
	char *env[] = {"A=1", "OWN=x", "CHANGED=2", "BOTH=job"};
	char *own[] = {"OWN=y", "OWN=x", "CHANGED=1", "BOTH=job"};
	struct task_session_msg m = {
		.task = 1, .directory = "/d", .env = env, .env_count = ARRAY_LEN(env)};
	struct world *w = *state;
	struct session *s = make(w, "web", 2);
	struct session_host *h = &s->hosts[0];
	char *big = xmalloc(SESSION_ENV_BYTES), *long_before[] = {big};

	s->open.directory = xstrdup("/usr");
	s->open.env = xcalloc(1, sizeof(char *));
	s->open.env[s->open.env_count++] = xstrdup("BOTH=session");
	assert_string_equal(session_host_directory(h), "/usr");
	assert_string_equal(left(h, "BOTH"), "session");
	assert_true(session_host_leave(h, &m, own, ARRAY_LEN(own)));
	assert_string_equal(session_host_directory(h), "/d");
	assert_string_equal(left(h, "A"), "1");
	assert_null(left(h, "OWN"));
	assert_string_equal(left(h, "CHANGED"), "2");
	assert_string_equal(left(h, "BOTH"), "session");
	/* The other host has nothing of it. */
	assert_string_equal(session_host_directory(&s->hosts[1]), "/usr");
	assert_null(left(&s->hosts[1], "A"));
	m.env_count = 0;
	assert_true(session_host_leave(h, &m, NULL, 0));
	assert_null(left(h, "BOTH"));
	/* Too much: as if nothing had been said. */
	memset(big, 'B', SESSION_ENV_BYTES - 1);
	big[SESSION_ENV_BYTES - 1] = '\0';
	big[1] = '=';
	m.env = long_before;
	m.env_count = 1;
	assert_true(session_host_leave(h, &m, NULL, 0));
	m.env_count = SESSION_ENV_MAX + 1;
	assert_false(session_host_leave(h, &m, NULL, 0));
	m.env = env;
	m.env_count = 1;
	assert_true(session_host_leave(&s->hosts[1], &m, NULL, 0));
	m.env = (char *[]){"B=1", "A=1"};
	m.env_count = 2;
	assert_false(session_host_leave(h, &m, (char *[]){"B=1"}, 1));
	assert_string_equal(session_host_directory(h), "/d");
	free(big);
}

/* --- the store ------------------------------------------------------------------------------- */

static void coming_back(void **state)
{
	static const char *const bad[] = {"session/",	 "session/x",	"session/8/",  "session/8",
					  "session/7/2", "session/9/0", "session/7/0x"};
	char *env[] = {"A=1"};
	struct task_session_msg m = {.task = 1, .directory = "/d", .env = env, .env_count = 1};
	struct world *w = *state;
	struct job_open_msg open = open_of("web");
	struct plan_request targets = targets_of(2);
	struct buf value = {0}, body = {0};
	struct session *s;

	keep_request(&value, &open, &targets);
	task_session_put(&body, &m);
	job_open_done(&open);
	plan_request_done(&targets);
	session_restore(w->d.sessions, "session/7", value.data, value.len);
	session_restore(w->d.sessions, "session/7/1", body.data, body.len);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		session_restore(w->d.sessions, bad[i], body.data, body.len);
	session_restore(w->d.sessions, "session/7", value.data, value.len);
	session_restore(w->d.sessions, "session/7/0", body.data, body.len - 1);
	session_restore(w->d.sessions, "session/8", value.data, value.len - 1);
	assert_int_equal(sessions_count(w->d.sessions), 1);
	s = session_find(w->d.sessions, 7);
	assert_string_equal(s->open.name, "web");
	assert_int_equal(s->in_state[SESSION_DISCONNECTED], 2);
	assert_string_equal(left(&s->hosts[1], "A"), "1");
	assert_null(s->hosts[0].directory);
	buf_done(&value);
	buf_done(&body);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_up, world_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(so_many_at_a_time), TEST(one_is_lost_and_connected_again_alone),
		TEST(letting_go),	 TEST(an_agent_that_says_too_much_is_let_go),
		TEST(idle_for_too_long), TEST(names),
		TEST(picking),		 TEST(a_job_takes_hosts_and_settings),
		TEST(a_job_is_refused),	 TEST(what_is_left),
		TEST(coming_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
