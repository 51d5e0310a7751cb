/* Who logs in on a bastion with what, and who shares a session with whom. A password that is taken
 * needs users of its own: tests/e2e/root_credentials.sh. */
#include "bastion_rig.h"

#define THREADS 2u

static int set_up(void **state)
{
	/* As root it would ask the accounts of this computer. */
	return rig_set_up_as(state, THREADS, 4096,
			     "MaxStartups 1000\nLogLevel VERBOSE\nPasswordAuthentication no\n"
			     "KbdInteractiveAuthentication no");
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	if (rig && rig->lines)
		rig_close(rig);
	return rig_tear_down(state);
}

static struct secret_login *password(void)
{
	return secret_login_new(locked_new("not it", 6), NULL);
}

static void heard_with(struct rig *rig, struct heard *h, const struct plan_target *target,
		       struct secret_login *login)
{
	heard_start(rig, h,
		    &(struct line_spec){.conn = {.command = "true",
						 .target = target,
						 .stream = true,
						 .login = login}});
}

/* One attempt for all who come with the same; another password is another one. */
static void test_refused_once_for_each_password(void **state)
{
	static const struct plan_login nothing;
	struct rig *rig = rig_of(state);
	struct secret_login *login[2] = {password(), password()};
	struct heard h[21] = {{0}};
	static struct way way;

	way_make(rig, &way, 2);
	way.at[0].login = &nothing;
	for (size_t i = 0; i < 20; i++)
		heard_with(rig, &h[i], way_end(&way), login[i % 2]);
	rig_run(rig);
	assert_int_equal(rig_log_count(rig, "Connection from"), 2);
	/* Nor later. */
	heard_with(rig, &h[20], way_end(&way), login[0]);
	rig_run(rig);
	for (size_t i = 0; i < ARRAY_LEN(h); i++)
		heard_failed(&h[i], CONN_END_AUTH, "bastion gw1: no usable key; it takes no pass");
	assert_int_equal(rig_log_count(rig, "Connection from"), 2);
	secret_login_drop(login[0]);
	secret_login_drop(login[1]);
}

/* Nothing of the password is left behind when the lines and the bastion are gone: the leak checker
 * of the sanitizer looks. A session that is there serves those with another password, too. */
static void test_shared_when_it_is_there(void **state)
{
	struct rig *rig = rig_of(state);
	struct secret_login *login[2] = {password(), password()};
	struct heard h[3] = {{0}};
	static struct way way;

	way_make(rig, &way, 2);
	heard_with(rig, &h[0], way_end(&way), login[0]);
	rig_run(rig);
	heard_with(rig, &h[1], way_end(&way), login[1]);
	heard_with(rig, &h[2], way_end(&way), NULL);
	secret_login_drop(login[0]);
	secret_login_drop(login[1]);
	rig_run(rig);
	for (size_t i = 0; i < ARRAY_LEN(h); i++)
		heard_ended(&h[i], CONN_END_EXITED, 0);
	assert_int_equal(rig_log_count(rig, "Accepted publickey"), 3 + 1);
}

/* What may be used to log in is a part of who logs in. */
static void test_other_methods_are_another_session(void **state)
{
	struct rig *rig = rig_of(state);
	struct heard h[4] = {{0}};
	static struct way way, keys_alone, algs, same;

	way_make(rig, &way, 2);
	way_make(rig, &same, 2);
	way_make(rig, &keys_alone, 2);
	keys_alone.at[0].auth.count = 1;
	keys_alone.at[0].auth.order[0] = PLAN_PUBKEY;
	way_make(rig, &algs, 2);
	algs.at[0].pubkey_algs = "ssh-ed25519,rsa-sha2-512";
	heard_with(rig, &h[0], way_end(&way), NULL);
	rig_run(rig);
	heard_with(rig, &h[1], way_end(&same), NULL);
	rig_run(rig);
	assert_int_equal(rig_log_count(rig, "Accepted publickey"), 2 + 1);
	heard_with(rig, &h[2], way_end(&keys_alone), NULL);
	rig_run(rig);
	heard_with(rig, &h[3], way_end(&algs), NULL);
	rig_run(rig);
	for (size_t i = 0; i < ARRAY_LEN(h); i++)
		heard_ended(&h[i], CONN_END_EXITED, 0);
	assert_int_equal(rig_log_count(rig, "Accepted publickey"), 4 + 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refused_once_for_each_password),
		TEST(test_shared_when_it_is_there),
		TEST(test_other_methods_are_another_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
