/* Lines whose bytes a program carries: a real sshd, and programs that misbehave. */
#include "bastion_rig.h"
#include "proxy_command.h"

static int set_up(void **state)
{
	return rig_set_up_as(state, 2, 4096, "MaxStartups 1000");
}

struct proxied {
	struct rig *rig;
	struct plan_target target;
	struct heard h;
};

static void proxied_start(struct proxied *p, void **state, char *proxy, const char *command)
{
	p->rig = rig_of(state);
	p->target = *plan_target(p->rig->host.plan, 0);
	p->target.way = PLAN_COMMAND;
	p->target.proxy_command = proxy;
	p->target.connect_timeout_ms = 2000;
	heard_by(p->rig, &p->h, &p->target, command);
}

/* Those that it has written down are gone when the lines are: waited for already, or, as what it
 * has left behind becomes our child, to be waited for now, which takes no time or far too long. */
static void proxied_done(struct proxied *p)
{
	struct buf pids = {0};
	char *path = xasprintf("%s/pids", p->rig->host.dir);

	rig_close(p->rig);
	heard_done(&p->h);
	(void)alarm(SSHD_HOST_LONG_S);
	if (fd_read_file(&pids, path, 4096) == 0)
		for (const char *at = buf_cstr(&pids); *at; at += strcspn(at, "\n") + 1)
			assert_true(waitpid((pid_t)strtol(at, NULL, 10), NULL, 0) > 0 ||
				    errno == ECHILD);
	(void)alarm(0);
	buf_done(&pids);
	free(path);
	free(p->target.proxy_command);
}

static char *proxy_sshd(const struct rig *rig)
{
	return xasprintf("exec %s -i -f %s/sshd_config", rig->host.sshd, rig->host.dir);
}

static void test_bytes_both_ways(void **state)
{
	struct proxied p = {.h = {.expects_pattern = true,
				  .to_send = UINT64_C(5) << 20,
				  .on_running = heard_send_pattern,
				  .on_writable = heard_send_pattern}};

	proxied_start(&p, state, proxy_sshd(rig_of(state)), "cat");
	rig_run(p.rig);
	heard_ended(&p.h, CONN_END_EXITED, 0);
	assert_int_equal(p.h.received, p.h.to_send);
	proxied_done(&p);
}

static void fails(void **state, const char *proxy, enum conn_end end, const char *text)
{
	struct proxied p = {0};

	/* $PIDS: where to write down who is to be gone. */
	proxied_start(&p, state,
		      xasprintf("PIDS=%s/pids; echo $$ >$PIDS; %s", rig_of(state)->host.dir, proxy),
		      "true");
	rig_run(p.rig);
	heard_failed(&p.h, end, text);
	proxied_done(&p);
}

static void test_fails_at_once(void **state)
{
	fails(state, "echo 'no way there' >&2; echo second >&2; exit 3", CONN_END_UNREACHABLE,
	      "ProxyCommand: no way there");
}

static void test_fails_without_a_word(void **state)
{
	fails(state, "exit 3", CONN_END_UNREACHABLE, "");
}

static void test_is_not_there(void **state)
{
	fails(state, "exec /nonexistent/proxy", CONN_END_UNREACHABLE, "/nonexistent/proxy");
}

/* It ignores TERM, too. */
static void test_hangs(void **state)
{
	fails(state, "trap '' TERM; while :; do sleep 1; done", CONN_END_TIMEOUT, "key exchange");
}

static void test_says_garbage(void **state)
{
	fails(state, "exec head -c 100000 /dev/urandom", CONN_END_UNREACHABLE, "");
}

static void test_floods_its_errors(void **state)
{
	fails(state, "exec yes flood >&2", CONN_END_TIMEOUT, "key exchange");
}

/* What it leaves in its group goes with it. */
static void test_leaves_a_child(void **state)
{
	fails(state, "sleep 1000 >/dev/null </dev/null & echo $! >>$PIDS; echo bye >&2; exit 1",
	      CONN_END_UNREACHABLE, "ProxyCommand: bye");
}

static void test_is_let_go_of(void **state)
{
	struct proxied p = {0};

	proxied_start(&p, state, proxy_sshd(rig_of(state)), "echo here; cat");
	while (!p.h.out.len)
		(void)event_base_loop(loop_base(p.rig->host.loop), EVLOOP_ONCE);
	heard_free(&p.h);
	proxied_done(&p);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bytes_both_ways),
		TEST(test_fails_at_once),
		TEST(test_fails_without_a_word),
		TEST(test_is_not_there),
		TEST(test_hangs),
		TEST(test_says_garbage),
		TEST(test_floods_its_errors),
		TEST(test_leaves_a_child),
		TEST(test_is_let_go_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
