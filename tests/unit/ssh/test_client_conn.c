/* Lines by the OpenSSH client to a real sshd, and to programs that are called ssh. */
#include "line_rig.h"
#include "plan_private.h"

#define USUAL_PATH "/usr/local/bin:/usr/bin:/bin"
#define ECHO_BYTES (UINT64_C(20) << 20)
#define FLOOD_HEAD (UINT64_C(8) << 20)
/* As in test_line.c, and what socket and pipe hold in the kernel. */
#define AHEAD_MAX ((512u << 10) + (192u << 10))

static int set_up(void **state)
{
	struct rig *rig;
	int rc = rig_set_up_with(state, 2, 4096);

	rig = *state;
	if (rig) {
		rig->host.plan->targets[0].way = PLAN_OPENSSH;
		assert_int_equal(setenv("PATH", USUAL_PATH, 1), 0);
	}
	return rc;
}

static int tear_down(void **state)
{
	assert_int_equal(setenv("PATH", USUAL_PATH, 1), 0);
	return rig_tear_down(state);
}

/* From now on a program that does this is what is found as ssh. */
static void ssh_is(struct rig *rig, const char *script)
{
	char *text = xasprintf("#!/bin/sh\n%s\n", script);
	char *path = xasprintf("%s/ssh", rig->host.dir);
	char *folders = xasprintf("%s:/usr/bin:/bin", rig->host.dir);

	sshd_host_write(&rig->host, "ssh", text);
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(setenv("PATH", folders, 1), 0);
	free(folders);
	free(path);
	free(text);
}

static void run_command(struct rig *rig, struct heard *h, const char *command)
{
	heard_start(rig, h, &(struct line_spec){.conn = {.command = command, .run_id = "r"}});
	rig_run(rig);
}

static void test_output_and_exit(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {0};

	run_command(rig, &h, "sh -c 'echo out; echo err >&2; exit 3'");
	heard_ended(&h, CONN_END_EXITED, 3);
	assert_true(h.result.began);
	assert_int_equal(h.began, 1);
	assert_string_equal(buf_cstr(&h.out), "out\n");
	assert_string_equal(buf_cstr(&h.err), "err\n");
	heard_done(&h);
}

/* The input is at its end: what reads it ends. */
static void test_no_input(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {0};

	run_command(rig, &h, "cat");
	heard_ended(&h, CONN_END_EXITED, 0);
	assert_int_equal(h.out.len, 0);
	heard_done(&h);
}

static void test_pattern_there_and_back(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {.expects_pattern = true,
			  .to_send = ECHO_BYTES,
			  .on_running = heard_send_pattern,
			  .on_writable = heard_send_pattern};

	heard_stream(rig, &h, "exec cat");
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 0);
	assert_int_equal(h.received, ECHO_BYTES);
	assert_true(h.queued_max < 4 * CONN_QUEUE_LO);
	heard_done(&h);
}

/* What was written before there is a process gets there. */
static void test_early_input(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {0};

	heard_stream(rig, &h, "exec cat");
	line_write(h.line, "early\n", 6);
	line_finish(h.line);
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 0);
	assert_string_equal(buf_cstr(&h.out), "early\n");
	heard_done(&h);
}

static void let_go(evutil_socket_t fd, short what, void *arg)
{
	struct heard *h = arg;

	(void)fd;
	(void)what;
	assert_true(h->out.len < AHEAD_MAX + (512u << 10));
	line_hold(h->line, false);
}

static void hold_once(struct heard *h)
{
	struct timeval tv = {.tv_usec = 300000};

	if (h->told++ == 0) {
		line_hold(h->line, true);
		(void)event_base_once(loop_base(h->rig->host.loop), -1, EV_TIMEOUT, let_go, h, &tv);
	}
}

/* One that has more to say than buffers hold is held, and loses nothing. */
static void test_hold(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {.on_data = hold_once};

	run_command(rig, &h, "head -c 8388608 /dev/zero");
	heard_ended(&h, CONN_END_EXITED, 0);
	assert_int_equal(h.out.len, FLOOD_HEAD);
	heard_done(&h);
}

static void stop(struct heard *h)
{
	line_stop(h->line);
}

static void test_stop_of_a_stream(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {.on_running = stop}, early = {0};

	heard_stream(rig, &h, "exec cat");
	heard_stream(rig, &early, "exec cat");
	line_stop(early.line);
	rig_run(rig);
	heard_ended(&h, CONN_END_STOPPED, -1);
	heard_ended(&early, CONN_END_STOPPED, -1);
	assert_int_equal(early.began, 0);
}

/* Freed in every state: rig_close looks for descriptors, and sshd_host_stop for processes. */
static void test_freed_in_each_state(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard before = {0}, inside = {.on_running = heard_free}, between = {0};
	struct timeval tv = {.tv_usec = 20000};

	heard_stream(rig, &before, "exec cat");
	heard_free(&before);
	heard_stream(rig, &inside, "exec cat");
	heard_stream(rig, &between, "exec cat");
	(void)event_base_loopexit(loop_base(rig->host.loop), &tv);
	loop_run(rig->host.loop);
	heard_free(&between);
	rig_run(rig);
	assert_false(inside.ended);
}

/* --- programs that are called ssh ---------------------------------------------------------------
 */

static void expect_end(struct rig *rig, const char *script, enum conn_end end, const char *text)
{
	struct heard h = {0};

	ssh_is(rig, script);
	run_command(rig, &h, "true");
	heard_ended(&h, end, -1);
	assert_string_equal(h.result.text, text);
	assert_int_equal(h.began, 0);
	heard_done(&h);
}

static void test_without_a_word(void **state)
{
	expect_end(rig_of(state), "exit 255", CONN_END_UNREACHABLE,
		   "the OpenSSH client failed without a word");
}

static void test_killed(void **state)
{
	expect_end(rig_of(state), "kill -KILL $$", CONN_END_UNREACHABLE,
		   "the OpenSSH client was ended by signal 9");
}

static void test_flood(void **state)
{
	expect_end(rig_of(state), "yes >&2", CONN_END_UNREACHABLE,
		   "the OpenSSH client says more than 1048576 bytes before the command");
}

/* The last words count, whatever came before them. */
static void test_last_words(void **state)
{
	expect_end(rig_of(state),
		   "head -c 100000 /dev/zero >&2; echo 'ssh: connect to host x port 1: Connection "
		   "refused' >&2; exit 255",
		   CONN_END_UNREACHABLE, "connection refused");
}

static void test_no_ssh(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {0};

	assert_int_equal(setenv("PATH", "relative:/nowhere", 1), 0);
	run_command(rig, &h, "true");
	heard_ended(&h, CONN_END_UNREACHABLE, -1);
	assert_non_null(strstr(h.result.text, "install openssh-client"));
	heard_done(&h);
}

/* A login shell that says no mark: what it says is not lost, and its status counts. */
static void test_no_mark(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {0};

	ssh_is(rig, "echo This account is not available.; echo no >&2; exit 1");
	run_command(rig, &h, "true");
	heard_ended(&h, CONN_END_EXITED, 1);
	assert_string_equal(buf_cstr(&h.out), "This account is not available.\n");
	assert_string_equal(buf_cstr(&h.err), "no\n");
	assert_int_equal(h.began, 1);
	heard_done(&h);
}

/* Piece by piece, with noise before it on both streams; that on stderr is the banner's. */
static void test_mark_in_pieces(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {0};

	ssh_is(rig, "for last; do :; done; m=${last#*echo }; m=${m%%;*}; a=${m%????}\n"
		    "echo noise; echo banner >&2\n"
		    "printf %s \"$a\"; printf %s \"$a\" >&2; sleep 0.2\n"
		    "echo \"${m#\"$a\"}\"; echo \"${m#\"$a\"}\" >&2; echo out; echo err >&2");
	run_command(rig, &h, "true");
	heard_ended(&h, CONN_END_EXITED, 0);
	assert_string_equal(buf_cstr(&h.out), "noise\nout\n");
	assert_string_equal(buf_cstr(&h.err), "err\n");
	heard_done(&h);
}

/* What it is called with: nothing that asks, forwards or shares, and the host behind "--". */
static void test_arguments(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {0};
	const char *out;

	ssh_is(rig, "printf '<%s>\\n' \"$@\"; tty; env | grep -c -e ASKPASS -e DISPLAY; exit 0");
	assert_int_equal(setenv("SSH_ASKPASS", "/bin/false", 1), 0);
	assert_int_equal(setenv("DISPLAY", ":0", 1), 0);
	run_command(rig, &h, "true");
	heard_ended(&h, CONN_END_EXITED, 0);
	out = buf_cstr(&h.out);
	assert_non_null(strstr(out, "<-T>\n<-F>\n<"));
	assert_non_null(strstr(out, "<BatchMode=yes>\n"));
	assert_non_null(strstr(out, "<ForwardAgent=no>\n"));
	assert_non_null(strstr(out, "<ClearAllForwardings=yes>\n"));
	assert_non_null(strstr(out, "<ControlPath=none>\n"));
	assert_non_null(strstr(out, "<StrictHostKeyChecking=yes>\n"));
	assert_non_null(strstr(out, "<-->\n<127.0.0.1>\n"));
	assert_null(strstr(out, "<-l>"));
	assert_non_null(strstr(out, "not a tty\n0\n"));
	heard_done(&h);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_output_and_exit),
		TEST(test_no_input),
		TEST(test_pattern_there_and_back),
		TEST(test_early_input),
		TEST(test_hold),
		TEST(test_stop_of_a_stream),
		TEST(test_freed_in_each_state),
		TEST(test_without_a_word),
		TEST(test_killed),
		TEST(test_flood),
		TEST(test_last_words),
		TEST(test_no_ssh),
		TEST(test_no_mark),
		TEST(test_mark_in_pieces),
		TEST(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
