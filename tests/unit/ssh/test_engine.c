/* The queue for connection slots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "engine.h"

#define WAITERS 6u

struct waiter {
	struct ssh_slot slot;
	struct fixture *f;
	char letter;
	bool gives_back; /* as soon as it is granted */
};

struct fixture {
	struct loop *loop;
	struct ssh_engine *engine;
	struct waiter at[WAITERS];
	char granted[64]; /* letters in the order of being granted */
};

static void on_granted(void *arg)
{
	struct waiter *w = arg;
	size_t n = strlen(w->f->granted);

	assert_int_equal(w->slot.state, SSH_SLOT_HELD);
	assert_true(n < sizeof w->f->granted - 1);
	w->f->granted[n] = w->letter;
	if (w->gives_back)
		ssh_slot_release(w->f->engine, &w->slot);
}

/* The limit of open files that makes so many slots. */
static size_t fd_limit_for(size_t slots)
{
	size_t limit = 0, got;

	do {
		struct loop *loop = loop_new();
		struct ssh_engine *engine = ssh_engine_new(loop, ++limit);

		got = ssh_engine_slots(engine);
		ssh_engine_free(engine);
		loop_free(loop);
	} while (got < slots);
	return limit;
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	f->loop = loop_new();
	f->engine = ssh_engine_new(f->loop, fd_limit_for(2));
	for (size_t i = 0; i < WAITERS; i++)
		f->at[i] = (struct waiter){.slot = {.granted = on_granted, .arg = &f->at[i]},
					   .f = f,
					   .letter = (char)('a' + i)};
	*state = f;
	return ssh_engine_slots(f->engine) == 2 ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	ssh_engine_free(f->engine);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void ask(struct fixture *f, char letter)
{
	ssh_slot_ask(f->engine, &f->at[letter - 'a'].slot);
}

static void release(struct fixture *f, char letter)
{
	ssh_slot_release(f->engine, &f->at[letter - 'a'].slot);
}

static void test_in_order(void **state)
{
	struct fixture *f = *state;

	for (char c = 'a'; c < 'a' + (int)WAITERS; c++)
		ask(f, c);
	assert_string_equal(f->granted, "ab");
	assert_int_equal(ssh_engine_in_use(f->engine), 2);
	release(f, 'b');
	assert_string_equal(f->granted, "abc");
	release(f, 'a');
	release(f, 'c');
	assert_string_equal(f->granted, "abcde");
	assert_int_equal(ssh_engine_in_use(f->engine), 2);
	release(f, 'd');
	release(f, 'e');
	release(f, 'f');
	assert_string_equal(f->granted, "abcdef");
	assert_int_equal(ssh_engine_in_use(f->engine), 0);
}

static void test_who_leaves_the_queue(void **state)
{
	static const char leavers[] = {'c', 'd', 'f', 0}; /* first, middle, last; in turn */
	struct fixture *f = *state;

	for (char c = 'a'; c < 'a' + (int)WAITERS; c++)
		ask(f, c);
	for (const char *c = leavers; *c; c++) {
		release(f, *c);
		assert_int_equal(f->at[*c - 'a'].slot.state, SSH_SLOT_NONE);
	}
	assert_string_equal(f->granted, "ab");
	/* The end of the queue is still where the next one goes. */
	ask(f, 'd');
	release(f, 'a');
	release(f, 'b');
	assert_string_equal(f->granted, "abed");
	release(f, 'e');
	release(f, 'd');
	assert_int_equal(ssh_engine_in_use(f->engine), 0);
}

static void test_the_only_one_leaves(void **state)
{
	struct fixture *f = *state;

	ask(f, 'a');
	ask(f, 'b');
	ask(f, 'c');
	release(f, 'c');
	release(f, 'a');
	assert_int_equal(ssh_engine_in_use(f->engine), 1);
	ask(f, 'd');
	assert_string_equal(f->granted, "abd");
	release(f, 'b');
	release(f, 'd');
}

static void test_giving_back_twice(void **state)
{
	struct fixture *f = *state;

	release(f, 'a'); /* never asked */
	ask(f, 'a');
	ask(f, 'b');
	ask(f, 'c');
	release(f, 'a');
	release(f, 'a');
	release(f, 'a');
	assert_int_equal(ssh_engine_in_use(f->engine), 2);
	assert_string_equal(f->granted, "abc");
	release(f, 'b');
	release(f, 'c');
	assert_int_equal(ssh_engine_in_use(f->engine), 0);
}

static void test_asking_again(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		ask(f, 'a');
		release(f, 'a');
	}
	assert_string_equal(f->granted, "aaa");
	assert_int_equal(ssh_engine_in_use(f->engine), 0);
}

/* One that gives its slot back inside of granted passes it on. */
static void test_given_back_at_once(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 2; i < 5; i++)
		f->at[i].gives_back = true;
	for (char c = 'a'; c < 'a' + (int)WAITERS; c++)
		ask(f, c);
	release(f, 'b');
	assert_string_equal(f->granted, "abcdef");
	assert_int_equal(ssh_engine_in_use(f->engine), 2);
	release(f, 'a');
	release(f, 'f');
	assert_int_equal(ssh_engine_in_use(f->engine), 0);
}

static void test_slots_follow_the_limit(void **state)
{
	static const size_t limits[] = {0, 1, 16, 64, 256, 1024, 65536, 1u << 20, SIZE_MAX};
	size_t last = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct loop *loop = loop_new();
		struct ssh_engine *engine = ssh_engine_new(loop, limits[i]);
		size_t slots = ssh_engine_slots(engine);
		size_t logins = slots < ENGINE_LOGINS_MAX ? slots : ENGINE_LOGINS_MAX;

		assert_true(slots >= 1);
		assert_true(slots >= last);
		/* The connections, and both ends of an agent proxy for those that log in; libssh
		 * takes 16 bits of a number. */
		assert_true(slots + 2 * logins <= 65536);
		if (limits[i] >= 64)
			assert_true(slots + 2 * logins + 20 < limits[i]);
		assert_ptr_equal(ssh_engine_loop(engine), loop);
		assert_non_null(ssh_engine_resolvers(engine));
		assert_non_null(ssh_engine_files(engine));
		assert_non_null(ssh_engine_signers(engine));
		last = slots;
		ssh_engine_free(engine);
		loop_free(loop);
	}
	assert_true(last > 20000);
	ssh_engine_free(NULL);
}

#define ENGINE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE_TEST(test_in_order),
		ENGINE_TEST(test_who_leaves_the_queue),
		ENGINE_TEST(test_the_only_one_leaves),
		ENGINE_TEST(test_giving_back_twice),
		ENGINE_TEST(test_asking_again),
		ENGINE_TEST(test_given_back_at_once),
		cmocka_unit_test(test_slots_follow_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
