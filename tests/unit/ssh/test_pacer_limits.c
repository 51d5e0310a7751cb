/* How many connections may begin, and what is learnt about that. */
#include "pacer_rig.h"

/* --- the limit of all ------------------------------------------------------------------------ */

static void test_grows_by_each_login_that_fills_it(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 40; i++)
		ask_own(f, i);
	assert_int_equal(pacer_limit(f->pacer), 4);
	end(f, 0, PACER_LOGIN);
	assert_int_equal(pacer_limit(f->pacer), 5);
	assert_int_equal(pacer_in_flight(f->pacer), 5);
	for (size_t i = 1; i < 20; i++)
		end(f, i, PACER_LOGIN);
	assert_int_equal(pacer_limit(f->pacer), 8);
	assert_int_equal(pacer_in_flight(f->pacer), 8);
}

static void test_does_not_grow_where_it_is_not_reached(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 30; i++) {
		ask_own(f, i);
		end(f, i, PACER_LOGIN);
	}
	assert_int_equal(pacer_limit(f->pacer), 4);
	for (size_t i = 30; i < 40; i++)
		ask_own(f, i);
	end(f, 30, PACER_REFUSED);
	end(f, 31, PACER_FINAL);
	end(f, 32, PACER_UNREACHABLE);
	assert_int_equal(pacer_limit(f->pacer), 4);
}

static void test_falls_when_we_run_out(void **state)
{
	struct fixture *f = *state;

	make(f, NULL);
	for (size_t i = 0; i < ASKERS; i++)
		ask_own(f, i);
	assert_int_equal(pacer_limit(f->pacer), 64);
	f->now += 500 * MS;
	end(f, 0, PACER_LOCAL);
	assert_int_equal(pacer_limit(f->pacer), 44);
	/* What was on its way says nothing new, and nothing is cut twice within a login's time. */
	for (size_t i = 1; i < 20; i++)
		end(f, i, PACER_LOCAL);
	assert_int_equal(pacer_limit(f->pacer), 44);
	assert_int_equal(f->at[64].ticket.state, PACER_TICKET_WAITING);
	f->now += 10 * MS;
	end(f, 20, PACER_FINAL);
	assert_int_equal(f->at[64].ticket.state, PACER_TICKET_HELD);
	end(f, 64, PACER_LOCAL);
	assert_int_equal(pacer_limit(f->pacer), 44);
	f->now += 200 * MS;
	end(f, 65, PACER_LOCAL);
	assert_int_equal(pacer_limit(f->pacer), 30);
}

static void test_never_falls_below_its_least(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 40; i++) {
		ask_own(f, i);
		f->now += 1000 * MS;
		end(f, i, PACER_LOCAL);
		assert_true(pacer_limit(f->pacer) >= 2);
	}
	assert_int_equal(pacer_limit(f->pacer), 2);
}

/* So does one that many have dropped; a few bad ones among good ones do not matter. */
static void test_some_bad_hosts_are_no_overload(void **state)
{
	struct fixture *f = *state;

	make(f, NULL);
	for (size_t i = 0; i < 500; i++) {
		ask_own(f, i);
		f->now += 200 * MS;
		end(f, i, i % 50 == 0 ? PACER_DROPPED : PACER_LOGIN);
	}
	assert_int_equal(pacer_limit(f->pacer), 64);
	/* Nor is a bad one that is tried again and again. */
	for (size_t i = 0; i < 50; i++) {
		ask_own(f, 500);
		f->now += 200 * MS;
		end(f, 500, PACER_DROPPED);
	}
	assert_int_equal(pacer_limit(f->pacer), 64);
	for (size_t i = 1; i < 8; i++) {
		ask_own(f, i);
		f->now += 200 * MS;
		end(f, i, PACER_DROPPED);
	}
	assert_int_equal(pacer_limit(f->pacer), 44);
}

static void test_grows_slowly_after_a_cut(void **state)
{
	struct fixture *f = *state;
	size_t next = 0;

	make(f, NULL);
	for (size_t i = 0; i < ASKERS; i++)
		ask_own(f, i);
	f->now += 100 * MS;
	end(f, next++, PACER_LOCAL);
	while (pacer_in_flight(f->pacer) > 44)
		end(f, next++, PACER_FINAL);
	assert_int_equal(pacer_limit(f->pacer), 44);
	for (size_t i = 0; i < 4; i++)
		end(f, next++, PACER_LOGIN);
	assert_int_equal(pacer_limit(f->pacer), 44);
	end(f, next++, PACER_LOGIN);
	assert_int_equal(pacer_limit(f->pacer), 45);
}

/* --- that of a group ------------------------------------------------------------------------- */

static void test_a_group_halves_and_is_remembered(void **state)
{
	struct fixture *f = *state;

	make(f, NULL);
	for (size_t i = 0; i < 20; i++)
		ask(f, i, "bastion");
	assert_int_equal(f->count, 8);
	assert_int_equal(pacer_group_limit(f->pacer, "bastion"), 8);
	f->now += 100 * MS;
	end(f, 0, PACER_DROPPED);
	end(f, 1, PACER_DROPPED);
	assert_int_equal(pacer_group_limit(f->pacer, "bastion"), 4);
	assert_int_equal(pacer_limit(f->pacer), 64);
	end(f, 2, PACER_LOGIN);
	end(f, 3, PACER_LOGIN);
	assert_int_equal(f->count, 8);
	end(f, 4, PACER_LOGIN);
	end(f, 5, PACER_LOGIN);
	assert_int_equal(f->count, 10);
	for (size_t i = 0; i < 20; i++)
		pacer_forget(f->pacer, &f->at[i].ticket, f->now);
	/* Nobody asks; what comes again half a second later finds what was learnt. */
	assert_int_equal(pacer_group_limit(f->pacer, "bastion"), 4);
	assert_int_equal(pacer_group_count(f->pacer), 1);
}

static void cut_group(struct fixture *f, const char *group)
{
	f->count = 0;
	ask(f, 0, group);
	ask(f, 1, group);
	f->now += 1000 * MS;
	end(f, 0, PACER_DROPPED);
	pacer_forget(f->pacer, &f->at[1].ticket, f->now);
	assert_int_equal(pacer_group_limit(f->pacer, group), 1);
}

static void test_what_was_learnt_is_not_kept_for_ever(void **state)
{
	struct fixture *f = *state;
	char group[32];

	cut_group(f, "first");
	cut_group(f, "second");
	assert_int_equal(pacer_group_count(f->pacer), 2);
	f->now += 1000000 * MS;
	cut_group(f, "third");
	assert_int_equal(pacer_group_count(f->pacer), 1);
	for (int i = 0; i < 1000; i++) {
		f->now -= 1000 * MS; /* cut_group's: so that none is too old */
		(void)snprintf(group, sizeof group, "g%d", i);
		cut_group(f, group);
		assert_true(pacer_group_count(f->pacer) <= 256);
	}
	assert_int_equal(pacer_group_limit(f->pacer, "g999"), 1);
	assert_int_equal(pacer_group_limit(f->pacer, "g1"), 2);
}

static void test_a_group_grows(void **state)
{
	struct fixture *f = *state;

	make(f, NULL);
	for (size_t i = 0; i < ASKERS; i++)
		ask(f, i, "bastion");
	for (size_t i = 0; i < 31; i++)
		end(f, i, PACER_LOGIN);
	assert_int_equal(pacer_group_limit(f->pacer, "bastion"), 8);
	end(f, 31, PACER_LOGIN);
	assert_int_equal(pacer_group_limit(f->pacer, "bastion"), 9);
	assert_int_equal(pacer_in_flight(f->pacer), 9);
}

/* How many logins it takes until the group may have so many in flight, while it is full. */
static size_t logins_until(struct fixture *f, size_t limit)
{
	size_t n = 0, i = 0;

	for (; pacer_group_limit(f->pacer, "bastion") < limit; i = (i + 1) % 100) {
		ask(f, i, "bastion");
		if (f->at[i].ticket.state != PACER_TICKET_HELD)
			continue;
		n++;
		f->count = 0;
		end(f, i, PACER_LOGIN);
		ask(f, i, "bastion");
	}
	return n;
}

static void test_what_was_too_much_is_tried_with_care(void **state)
{
	struct fixture *f = *state;
	size_t before;

	make(f, NULL);
	for (size_t i = 0; i < 100; i++)
		ask(f, i, "bastion");
	f->now += 100 * MS;
	end(f, 0, PACER_DROPPED);
	assert_int_equal(pacer_group_limit(f->pacer, "bastion"), 4);
	before = logins_until(f, 7);
	assert_true(before < 100);
	assert_true(logins_until(f, 8) > 4 * before);
}

/* --- together: servers that drop what is too much -------------------------------------------- */

struct world {
	struct fixture *f;
	size_t capacity; /* logins at once: the server drops those beyond */
	size_t drops, logins, most_drops;
	size_t failed[ASKERS];
};

/* Everybody asks; each login takes 20 ms, a drop 1 ms, a retry what pacer_retry says. */
static void play(struct world *w, size_t count, const char *group)
{
	struct fixture *f = w->f;
	uint64_t due[ASKERS];
	enum { ASKS, IS_ASKING, IS_DROPPED, IS_LOGGING_IN, IS_IN } is[ASKERS] = {0};
	size_t inside = 0;

	for (size_t i = 0; i < count; i++)
		due[i] = f->now;
	for (; w->logins < count; f->now += MS) {
		assert_true(f->now < 600000 * MS);
		for (size_t i = 0; i < count; i++) {
			bool held = f->at[i].ticket.state == PACER_TICKET_HELD;

			if (is[i] == ASKS && f->now >= due[i]) {
				is[i] = IS_ASKING;
				group ? ask(f, i, group) : ask_own(f, i);
			} else if (is[i] == IS_ASKING && held) {
				is[i] = inside < w->capacity ? IS_LOGGING_IN : IS_DROPPED;
				inside += is[i] == IS_LOGGING_IN;
				due[i] = f->now + (is[i] == IS_LOGGING_IN ? 20 : 1) * MS;
			} else if (is[i] == IS_LOGGING_IN && f->now >= due[i]) {
				is[i] = IS_IN;
				inside--;
				w->logins++;
				end(f, i, PACER_LOGIN);
			} else if (is[i] == IS_DROPPED && f->now >= due[i]) {
				int64_t ms = pacer_retry(PACER_DROPPED, w->failed[i]++, 0,
							 f->now * 7919 + i * 104729);

				assert_true(ms >= 0);
				is[i] = ASKS;
				due[i] = f->now + (uint64_t)ms * MS;
				w->drops++;
				end(f, i, PACER_DROPPED);
			}
		}
		if (f->count > ASKERS)
			f->count = 0;
	}
}

static void test_a_bastion_of_10(void **state)
{
	struct world w = {.f = *state, .capacity = 10};

	make(w.f, NULL);
	play(&w, ASKERS, "bastion");
	assert_true(w.drops < ASKERS / 20);
}

static void test_a_bastion_of_3(void **state)
{
	struct world w = {.f = *state, .capacity = 3};

	make(w.f, NULL);
	play(&w, ASKERS, "bastion");
	assert_true(w.drops < ASKERS / 10);
	assert_true(pacer_group_limit(w.f->pacer, "bastion") <= 4);
}

/* A way that all go by bears fewer than we begin with: nobody fails for good. */
static void test_a_network_of_30(void **state)
{
	struct world w = {.f = *state, .capacity = 30};

	make(w.f, NULL);
	play(&w, ASKERS, NULL);
	assert_true(pacer_limit(w.f->pacer) < 64);
	assert_true(w.drops < ASKERS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PACER_TEST(test_grows_by_each_login_that_fills_it),
		PACER_TEST(test_does_not_grow_where_it_is_not_reached),
		PACER_TEST(test_falls_when_we_run_out),
		PACER_TEST(test_never_falls_below_its_least),
		PACER_TEST(test_some_bad_hosts_are_no_overload),
		PACER_TEST(test_grows_slowly_after_a_cut),
		PACER_TEST(test_a_group_halves_and_is_remembered),
		PACER_TEST(test_what_was_learnt_is_not_kept_for_ever),
		PACER_TEST(test_a_group_grows),
		PACER_TEST(test_what_was_too_much_is_tried_with_care),
		PACER_TEST(test_a_bastion_of_10),
		PACER_TEST(test_a_bastion_of_3),
		PACER_TEST(test_a_network_of_30),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
