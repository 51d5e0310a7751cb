/* Which connection may begin next. */
#include "pacer_rig.h"

#include <time.h>

#define MANY	100000u
#define SECONDS 5

static void test_in_order_up_to_the_limit(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 6; i++)
		ask_own(f, i);
	assert_granted(f, "0 1 2 3 ");
	assert_int_equal(pacer_in_flight(f->pacer), 4);
	assert_int_equal(pacer_waiting(f->pacer), 2);
	ask(f, 5, "again");
	ask(f, 0, "again");
	assert_int_equal(pacer_waiting(f->pacer), 2);
	end(f, 2, PACER_FINAL);
	assert_granted(f, "0 1 2 3 4 ");
	end(f, 0, PACER_FINAL);
	end(f, 1, PACER_FINAL);
	assert_granted(f, "0 1 2 3 4 5 ");
	assert_int_equal(pacer_in_flight(f->pacer), 3);
}

static void test_a_full_group_holds_up_nobody_else(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 4; i++)
		ask(f, i, "bastion");
	assert_granted(f, "0 1 ");
	ask_own(f, 4);
	assert_granted(f, "0 1 4 ");
	ask(f, 5, "other");
	ask(f, 6, "other");
	assert_granted(f, "0 1 4 5 ");
	/* 2 may not go though it waits the longest; when it may, it does. */
	end(f, 4, PACER_FINAL);
	assert_granted(f, "0 1 4 5 6 ");
	end(f, 0, PACER_FINAL);
	assert_granted(f, "0 1 4 5 6 2 ");
}

static void test_order_holds_between_groups(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 4; i++)
		ask_own(f, i);
	ask(f, 4, "b");
	ask(f, 5, "a");
	ask(f, 6, "b");
	ask(f, 7, "a");
	for (size_t i = 0; i < 4; i++)
		end(f, i, PACER_FINAL);
	assert_granted(f, "0 1 2 3 4 5 6 7 ");
}

/* Who was held up stands where it stood before, however many came since. */
static void test_a_group_that_has_room_again(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 3; i++)
		ask(f, i, "bastion");
	for (size_t i = 3; i < 12; i++)
		ask_own(f, i);
	assert_granted(f, "0 1 3 4 ");
	end(f, 3, PACER_FINAL);
	assert_granted(f, "0 1 3 4 5 ");
	end(f, 1, PACER_FINAL);
	assert_granted(f, "0 1 3 4 5 2 ");
	end(f, 0, PACER_FINAL);
	assert_granted(f, "0 1 3 4 5 2 6 ");
}

static void test_who_leaves(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 4; i++)
		ask_own(f, i);
	ask(f, 4, "a");
	ask(f, 5, "a");
	ask(f, 6, "b");
	pacer_forget(f->pacer, &f->at[4].ticket, f->now); /* the first of its group */
	pacer_forget(f->pacer, &f->at[4].ticket, f->now);
	assert_int_equal(pacer_waiting(f->pacer), 2);
	pacer_forget(f->pacer, &f->at[6].ticket, f->now); /* the only one */
	assert_int_equal(pacer_group_count(f->pacer), 5);
	pacer_forget(f->pacer, &f->at[1].ticket, f->now); /* one that is held */
	assert_granted(f, "0 1 2 3 5 ");
	/* It may ask again, and stands behind. */
	ask(f, 6, "b");
	ask(f, 4, "a");
	end(f, 0, PACER_FINAL);
	end(f, 2, PACER_FINAL);
	assert_granted(f, "0 1 2 3 5 6 4 ");
}

/* The rig allows 4 at once. */
static void test_those_that_hang_make_room(void **state)
{
	struct fixture *f = *state;
	struct pacer_limits limits = {
		.start = 4, .min = 2, .max = 4, .group_start = 2, .group_max = 4, .hanging = 3};

	make(f, &limits);
	for (size_t i = 0; i < 12; i++)
		ask_own(f, i);
	assert_granted(f, "0 1 2 3 ");
	f->now += 900 * MS;
	pacer_look(f->pacer, f->now);
	assert_granted(f, "0 1 2 3 ");
	end(f, 0, PACER_LOGIN);
	assert_granted(f, "0 1 2 3 4 ");
	/* A login has taken 900 ms: eight times that for others, smoothed. */
	f->now += 100 * MS;
	pacer_look(f->pacer, f->now);
	assert_granted(f, "0 1 2 3 4 5 6 7 ");
	assert_int_equal(pacer_in_flight(f->pacer), 4);
	/* No more than 3 hang. */
	f->now += 10000 * MS;
	pacer_look(f->pacer, f->now);
	assert_granted(f, "0 1 2 3 4 5 6 7 ");
	/* One of those ends, and another takes its place: two begin. */
	end(f, 1, PACER_UNREACHABLE);
	assert_granted(f, "0 1 2 3 4 5 6 7 8 ");
	pacer_forget(f->pacer, &f->at[2].ticket, f->now);
	pacer_forget(f->pacer, &f->at[4].ticket, f->now);
	assert_granted(f, "0 1 2 3 4 5 6 7 8 9 10 ");
	for (size_t i = 0; i < 12; i++)
		pacer_forget(f->pacer, &f->at[i].ticket, f->now);
	assert_int_equal(pacer_in_flight(f->pacer), 0);
	assert_int_equal(pacer_waiting(f->pacer), 0);
}

/* Where logins take long, as all servers share a computer, they do not hang. */
static void test_slow_logins_do_not_hang(void **state)
{
	struct fixture *f = *state;
	struct pacer_limits limits = {
		.start = 4, .min = 2, .max = 4, .group_start = 2, .group_max = 4, .hanging = 99};

	make(f, &limits);
	for (size_t i = 0; i < 100; i++)
		ask_own(f, i);
	for (size_t i = 0; i < 40; i++) {
		f->now += 200 * MS;
		end(f, i, PACER_LOGIN);
	}
	assert_int_equal(pacer_in_flight(f->pacer), 4);
	f->now += 3000 * MS;
	pacer_look(f->pacer, f->now);
	assert_int_equal(f->count, 44);
	f->now += 4000 * MS;
	pacer_look(f->pacer, f->now);
	assert_int_equal(f->count, 48);
}

static void test_failing_at_once_is_no_recursion(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 4; i++)
		ask_own(f, i);
	for (size_t i = 4; i < ASKERS; i++) {
		f->at[i].then = PACER_REFUSED;
		ask_own(f, i);
	}
	/* on_granted asserts that it is not inside itself. */
	end(f, 0, PACER_REFUSED);
	assert_int_equal(f->count, ASKERS);
	assert_int_equal(pacer_in_flight(f->pacer), 3);
}

static void test_groups_are_forgotten(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ASKERS; i++)
		ask_own(f, i);
	assert_int_equal(pacer_group_count(f->pacer), ASKERS);
	for (size_t i = 0; i < ASKERS; i++)
		end(f, i, i % 2 ? PACER_LOGIN : PACER_DROPPED);
	assert_int_equal(pacer_group_count(f->pacer), 0);
}

/* --- many ------------------------------------------------------------------------------------ */

static void on_many_granted(void *arg)
{
	(void)arg;
}

static void play_many(struct pacer_ticket *tickets, size_t groups)
{
	struct pacer *pacer = pacer_new(NULL);
	char group[32];
	uint64_t now = 0;

	for (size_t i = 0; i < MANY; i++) {
		tickets[i] = (struct pacer_ticket){.granted = on_many_granted};
		(void)snprintf(group, sizeof group, "h%zu", i * 7919 % groups);
		pacer_ask(pacer, &tickets[i], group, now++);
	}
	assert_int_equal(pacer_waiting(pacer) + pacer_in_flight(pacer), MANY);
	for (size_t i = MANY / 2; i < MANY; i += 2)
		pacer_forget(pacer, &tickets[i], now++);
	for (size_t i = 0; i < MANY; i++)
		pacer_login_done(pacer, &tickets[i], PACER_LOGIN, now++);
	assert_int_equal(pacer_in_flight(pacer), 0);
	assert_int_equal(pacer_waiting(pacer), 0);
	assert_int_equal(pacer_group_count(pacer), 0);
	pacer_free(pacer);
}

/* Some 20 ms each; what walks along who waits would take minutes. */
static void test_a_hundred_thousand(void **state)
{
	struct pacer_ticket *tickets = xcalloc(MANY, sizeof *tickets);
	struct timespec begin, now;

	(void)state;
	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin), 0);
	play_many(tickets, MANY);
	play_many(tickets, 1000);
	play_many(tickets, 1);
	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
	assert_true(now.tv_sec - begin.tv_sec < SECONDS);
	free(tickets);
	pacer_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PACER_TEST(test_in_order_up_to_the_limit),
		PACER_TEST(test_a_full_group_holds_up_nobody_else),
		PACER_TEST(test_order_holds_between_groups),
		PACER_TEST(test_a_group_that_has_room_again),
		PACER_TEST(test_who_leaves),
		PACER_TEST(test_those_that_hang_make_room),
		PACER_TEST(test_slow_logins_do_not_hang),
		PACER_TEST(test_failing_at_once_is_no_recursion),
		PACER_TEST(test_groups_are_forgotten),
		cmocka_unit_test(test_a_hundred_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
