/* Connections through a bastion that stand still: one way, with what the hosts say in too much
 * memory; the other, with hosts that take nothing. Both go on by themselves. */
#include "bastion_scene.h"

#define STALLED 24u
/* What all that are not read from may hold. */
#define KEPT_MAX (4u << 20)
/* More than windows and sockets take. */
#define SINK_BYTES (UINT64_C(24) << 20)
/* Turns of 10 ms without a byte: longer than any pause. */
#define QUIET 200u

static int set_up(void **state)
{
	return scene_set_up(state, NULL);
}

static int set_up_limited(void **state)
{
	return scene_set_up(state, &(struct bastions_options){.memory = KEPT_MAX});
}

/* The sources say no more than this while what came of them is kept. */
static void test_kept_in_all(void **state)
{
	static const char mark = SOURCE_MARK;
	struct scene *scene = scene_of(state);
	struct through at[STALLED], lively;
	size_t before, after, got = 0;
	uint64_t sent = 0;
	static uint8_t bytes[65536];

	through_ask(scene, &lively);
	through_expect_open(scene, &lively);
	for (size_t i = 0; i < STALLED; i++)
		through_ask(scene, &at[i]);
	for (size_t i = 0; i < STALLED; i++)
		through_expect_open(scene, &at[i]);
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	for (size_t i = 0; i < STALLED; i++)
		through_say(&at[i], &mark, 1);
	/* As many turns without a byte as any pause is shorter than. */
	for (unsigned quiet = 0; quiet < QUIET; scene_turn(scene)) {
		quiet = scene_sent(scene) == sent ? quiet + 1 : 0;
		sent = scene_sent(scene);
	}
	after = mallinfo2().uordblks + mallinfo2().hblkhd;
	print_message("%zu bytes for all %u that are not read\n", after - before, STALLED);
	/* The buffers that hold them grow by doubling. */
	assert_true(after < before + 3 * (size_t)KEPT_MAX);
	/* One is read from again: what was kept of it comes, and more, until the others' is too
	 * much again; nothing of it is lost. */
	for (size_t i = 0; i < STALLED - 1; i++)
		through_close(&at[i]);
	while (got < (size_t)KEPT_MAX * 2) {
		through_read(scene, &at[STALLED - 1], bytes, sizeof bytes);
		got += sizeof bytes;
		for (size_t i = 0; i < sizeof bytes; i++)
			if (bytes[i])
				fail_msg("a byte that was not sent");
	}
	through_close(&at[STALLED - 1]);
	while (bastions_users(scene->bastions) > 1)
		scene_turn(scene);
	scene_echo(scene, &lively);
	through_close(&lively);
}

/* --- hosts that take nothing for a while
 * ------------------------------------------------------------------
 */

static struct server *scene_sink(const struct scene *scene)
{
	struct server *s = scene->servers;

	while (s && !s->sink)
		s = s->next;
	return s;
}

/* Until nothing more is taken. */
static uint64_t through_fill(struct scene *scene, const struct through *t, uint64_t bytes)
{
	static const uint8_t piece[16384];
	uint64_t said = 0;

	for (unsigned quiet = 0; quiet < QUIET && said < bytes;) {
		size_t len = bytes - said < sizeof piece ? (size_t)(bytes - said) : sizeof piece;
		ssize_t n = send(t->fd, piece, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			said += (uint64_t)n;
			quiet = 0;
			continue;
		}
		assert_int_equal(errno, EAGAIN);
		scene_turn(scene);
		quiet++;
	}
	return said;
}

static struct server *through_sink(struct scene *scene, struct through *t)
{
	static const char mark = SINK_MARK;

	through_ask(scene, t);
	through_expect_open(scene, t);
	through_say(t, &mark, 1);
	while (!scene_sink(scene))
		scene_turn(scene);
	return scene_sink(scene);
}

/* Its window was used up and nothing was on its way when it grew: that alone must go on with it. */
static void test_sink_pauses(void **state)
{
	struct scene *scene = scene_of(state);
	struct through t;
	struct server *sink = through_sink(scene, &t);
	uint64_t said = through_fill(scene, &t, SINK_BYTES);

	assert_true(said < SINK_BYTES);
	server_watch(sink, EV_READ, server_on_more);
	said += through_fill(scene, &t, SINK_BYTES - said);
	assert_int_equal(said, SINK_BYTES);
	while (sink->taken < SINK_BYTES)
		scene_turn(scene);
	through_close(&t);
	while (bastions_users(scene->bastions))
		scene_turn(scene);
}

static void test_sink_is_left(void **state)
{
	struct scene *scene = scene_of(state);
	struct through t;

	(void)through_sink(scene, &t);
	assert_true(through_fill(scene, &t, SINK_BYTES) < SINK_BYTES);
	through_close(&t);
	while (bastions_users(scene->bastions))
		scene_turn(scene);
}

#define TEST(f, begin) cmocka_unit_test_setup_teardown(f, begin, scene_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kept_in_all, set_up_limited),
		TEST(test_sink_pauses, set_up),
		TEST(test_sink_is_left, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
