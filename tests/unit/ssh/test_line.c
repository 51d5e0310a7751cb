/* Lines to a real sshd: bytes there and back, their order, and how much is on its way. */
#include "line_rig.h"

#define THREADS	   4u
#define ECHO_BYTES (UINT64_C(20) << 20)
/* More than one thread is given: it takes 64 before there is another (shard.c). */
#define MANY	   100u
#define MANY_BYTES (UINT64_C(200) << 10)
/* More than there are slots (set_up_few). */
#define TURNS 50u
/* line_private.h: what is read ahead; and what one burst may bring beyond it. */
#define AHEAD_MAX ((512u << 10) + (192u << 10))
/* All of it would be read if nothing held it back. */
#define FLOOD_PIECE  (256u << 10)
#define FLOOD_PIECES 256u
#define FLOOD_BYTES  ((uint64_t)FLOOD_PIECE * FLOOD_PIECES)
/* What the program far away has written has not changed for so long: it cannot write. */
#define QUIET_MS 300u

static int set_up(void **state)
{
	return rig_set_up_with(state, THREADS, 4096);
}

static int set_up_few(void **state)
{
	return rig_set_up_with(state, THREADS, 128);
}

/* --- bytes ------------------------------------------------------------------------------------ */

static void test_output_and_exit(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {0};

	heard_start(rig, &h,
		    &(struct line_spec){.conn = {.command = "echo out; echo err >&2; exit 3"}});
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 3);
	assert_true(h.result.began);
	assert_int_equal(h.began, 1);
	assert_true(h.bursts > 0);
	assert_string_equal(buf_cstr(&h.out), "out\n");
	assert_string_equal(buf_cstr(&h.err), "err\n");
	heard_done(&h);
}

/* What is borrowed only while it starts is gone when it is used. */
static void test_what_it_borrows_is_copied(void **state)
{
	struct rig *rig = rig_of(state);
	char *command = xstrdup("echo kept"), *kex = xstrdup("ecdh-sha2-nistp256"),
	     *ciphers = xstrdup("aes256-gcm@openssh.com"), *macs = xstrdup("hmac-sha2-256");
	struct line_spec spec = {
		.conn = {.command = command, .kex = kex, .ciphers = ciphers, .macs = macs}};
	struct heard h = {0};

	heard_start(rig, &h, &spec);
	memset(command, 'x', strlen(command));
	memset(kex, 'x', strlen(kex));
	memset(ciphers, 'x', strlen(ciphers));
	memset(macs, 'x', strlen(macs));
	free(command);
	free(kex);
	free(ciphers);
	free(macs);
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 0);
	assert_string_equal(buf_cstr(&h.out), "kept\n");
	heard_done(&h);
}

static void test_echo(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {.expects_pattern = true,
			  .to_send = ECHO_BYTES,
			  .on_running = heard_send_pattern,
			  .on_writable = heard_send_pattern};

	heard_stream(rig, &h, "cat");
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 0);
	assert_int_equal(h.received, ECHO_BYTES);
	assert_true(h.writables > 0);
	/* What waits on both sides together. */
	assert_in_range(h.queued_max, 2 * CONN_QUEUE_LO, 2 * CONN_QUEUE_LO + 10007);
	heard_done(&h);
}

static void test_written_before_the_start(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {0};

	heard_stream(rig, &h, "cat; echo end");
	line_write(h.line, "one\n", 4);
	line_write(h.line, "", 0);
	line_write(h.line, "two\n", 4);
	assert_int_equal(line_queued(h.line), 8);
	line_finish(h.line);
	line_finish(h.line);
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 0);
	assert_string_equal(buf_cstr(&h.out), "one\ntwo\nend\n");
	assert_int_equal(h.writables, 0);
	heard_done(&h);
}

/* Each answer brings the next question. */
static void ask_again(struct heard *h)
{
	if (h->out.len == 200 * 9)
		line_finish(h->line);
	else if (h->out.len % 9 == 0)
		line_write(h->line, "question\n", 9);
}

static void test_question_and_answer(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {.on_data = ask_again};

	heard_stream(rig, &h, "cat");
	assert_false(line_is_trusted(h.line, plan_target(rig->host.plan, 0)));
	line_write(h.line, "question\n", 9);
	rig_run(rig);
	heard_ended(&h, CONN_END_EXITED, 0);
	assert_int_equal(h.out.len, 200 * 9);
	heard_done(&h);
}

/* --- many ------------------------------------------------------------------------------------- */

struct crowd {
	struct heard at[MANY];
	size_t running;
	unsigned threads;
};
static struct crowd *crowd;

/* All are there before the first one goes. */
static void wait_for_all(struct heard *h)
{
	assert_true(line_is_trusted(h->line, plan_target(h->rig->host.plan, 0)));
	if (++crowd->running < MANY)
		return;
	crowd->threads = lines_threads(h->rig->lines);
	assert_int_equal(lines_in_use(h->rig->lines), MANY);
	for (size_t i = 0; i < MANY; i++)
		heard_send_pattern(&crowd->at[i]);
}

static void test_many_at_once(void **state)
{
	struct rig *rig = rig_of(state);

	crowd = xcalloc(1, sizeof *crowd);
	for (size_t i = 0; i < MANY; i++) {
		crowd->at[i] = (struct heard){.expects_pattern = true,
					      .to_send = MANY_BYTES + i,
					      .on_running = wait_for_all,
					      .on_writable = heard_send_pattern};
		heard_stream(rig, &crowd->at[i], "cat");
	}
	rig_run(rig);
	assert_in_range(crowd->threads, 2, THREADS);
	for (size_t i = 0; i < MANY; i++) {
		heard_ended(&crowd->at[i], CONN_END_EXITED, 0);
		assert_int_equal(crowd->at[i].received, MANY_BYTES + i);
		heard_done(&crowd->at[i]);
	}
	free(crowd);
}

/* Where descriptors are short one thread has to do, and who waits has its turn. */
static void test_more_than_descriptors(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard *at = xcalloc(TURNS, sizeof *at);

	assert_in_range(lines_slots(rig->lines), 1, TURNS - 1);
	for (size_t i = 0; i < TURNS; i++)
		heard_stream(rig, &at[i], "echo a");
	rig_run(rig);
	assert_int_equal(lines_threads(rig->lines), 1);
	for (size_t i = 0; i < TURNS; i++) {
		heard_ended(&at[i], CONN_END_EXITED, 0);
		assert_string_equal(buf_cstr(&at[i].out), "a\n");
		heard_done(&at[i]);
	}
	free(at);
}

/* --- how much is on its way ------------------------------------------------------------------- */

/* A program that floods, and says how far it has come. */
static char *flood_command(const struct rig *rig)
{
	return xasprintf("echo >%s/flood; i=0; while [ $i -lt %u ]; do head -c %u /dev/zero || "
			 "exit 1; i=$((i+1)); echo >>%s/flood; done",
			 rig->host.dir, FLOOD_PIECES, FLOOD_PIECE, rig->host.dir);
}

/* Waits, without a look at the loop, until it has begun and gets no further. */
static void wait_for_quiet(const struct rig *rig)
{
	char *path = xasprintf("%s/flood", rig->host.dir);
	struct stat now = {0};
	off_t before = -1;

	for (unsigned quiet = 0; quiet < QUIET_MS && before <= (off_t)FLOOD_PIECES; quiet += 10) {
		(void)usleep(10000);
		if (stat(path, &now) != 0 || now.st_size != before)
			quiet = 0;
		before = now.st_size;
	}
	free(path);
}

/* Nobody takes anything meanwhile. */
static void look_away(struct heard *h)
{
	wait_for_quiet(h->rig);
	line_hold(h->line, true);
	line_hold(h->line, true);
	loop_stop(h->rig->host.loop);
}

static void look_up(struct heard *h)
{
	loop_stop(h->rig->host.loop);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	loop_stop(arg);
}

/* All that has been told up to now, and some time for what should not be. */
static void take_in(struct rig *rig)
{
	struct timeval tv = loop_ms(QUIET_MS);

	assert_int_equal(event_base_once(loop_base(rig->host.loop), -1, EV_TIMEOUT, on_look,
					 rig->host.loop, &tv),
			 0);
	loop_run(rig->host.loop);
}

static void count(struct heard *h)
{
	h->received += h->out.len;
	buf_clear(&h->out);
}

static void let_go_on(struct rig *rig, struct heard *h)
{
	assert_in_range(h->received, 0, AHEAD_MAX);
	line_hold(h->line, false);
	rig_run(rig);
	heard_ended(h, CONN_END_EXITED, 0);
	assert_int_equal(h->received, FLOOD_BYTES);
	heard_done(h);
}

/* The thread reads so far, and no further. */
static void test_no_more_than_is_taken(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {.on_data = count, .on_running = look_away};
	char *command = flood_command(rig);

	heard_stream(rig, &h, command);
	loop_run(rig->host.loop);
	take_in(rig);
	let_go_on(rig, &h);
	free(command);
}

static void test_held_from_the_start(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h = {.on_data = count, .on_running = look_up};
	char *command = flood_command(rig);

	heard_stream(rig, &h, command);
	line_hold(h.line, true);
	loop_run(rig->host.loop);
	wait_for_quiet(rig);
	take_in(rig);
	let_go_on(rig, &h);
	free(command);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_output_and_exit),
		TEST(test_what_it_borrows_is_copied),
		TEST(test_echo),
		TEST(test_written_before_the_start),
		TEST(test_question_and_answer),
		TEST(test_many_at_once),
		cmocka_unit_test_setup_teardown(test_more_than_descriptors, set_up_few,
						rig_tear_down),
		TEST(test_no_more_than_is_taken),
		TEST(test_held_from_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
