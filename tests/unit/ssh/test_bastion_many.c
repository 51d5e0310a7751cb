/*
 * A thousand connections through one session of a bastion (a real sshd), and some that are not read
 * from: what they hold is bounded, and the others go on. The hosts behind it are a server of this
 * test's on its loop, as a thousand sshd would be too many for a small computer.
 */
#include "bastion_scene.h"

#define MANY SCENE_MANY
/* More than BASTION_WINDOW_FEW, whose window is larger: for each of those a little more below. */
#define STALLED 24u
/* libssh's window, and what is on its way to it. */
#define STALLED_MAX (3u << 20)
/* And what the kernel and the bastion hold. */
#define STALLED_SENT_MAX UINT64_C(16000000)

static int set_up(void **state)
{
	return scene_set_up(state, NULL);
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, scene_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_a_thousand), TEST(test_stalled)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
