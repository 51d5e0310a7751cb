/* The I/O threads: what crosses, how many there are, and their end. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "shard.h"

#define THREADS 4u
/* As in shard.c. */
#define BUSY 64u
/* There and back, for each of the threads. */
#define ROUNDS 2000u

struct scene {
	struct loop *loop;
	struct shards *shards;
	pthread_t thread;
	struct rlimit files;
	unsigned told;
	unsigned expected; /* told, and then the loop stops */
};

/* One call, and what came of it there. */
struct call {
	struct scene *scene;
	struct shard *shard;
	pthread_t thread;
	unsigned number;
	unsigned *order; /* of a shard: how many were called before */
	unsigned at;
	sigset_t blocked;
	bool tells;
};

static int set_up(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);

	s->loop = loop_new();
	s->shards = shards_new(s->loop, THREADS);
	s->thread = pthread_self();
	*state = s;
	return getrlimit(RLIMIT_NOFILE, &s->files);
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	(void)setrlimit(RLIMIT_NOFILE, &s->files);
	shards_free(s->shards);
	loop_free(s->loop);
	free(s);
	return 0;
}

static void on_told(void *arg)
{
	struct call *call = arg;
	struct scene *s = call->scene;

	assert_true(pthread_equal(pthread_self(), s->thread));
	if (++s->told == s->expected)
		loop_stop(s->loop);
}

static void on_called(void *arg)
{
	struct call *call = arg;

	call->thread = pthread_self();
	(void)pthread_sigmask(SIG_SETMASK, NULL, &call->blocked);
	if (call->order)
		call->at = (*call->order)++;
	if (call->tells)
		shard_tell(call->shard, on_told, call);
}

static struct call *calls_new(struct scene *s, struct shard *shard, unsigned count)
{
	struct call *calls = xcalloc(count, sizeof *calls);

	for (unsigned i = 0; i < count; i++)
		calls[i] = (struct call){.scene = s, .shard = shard, .number = i, .tells = true};
	return calls;
}

/* Lets the threads end, and takes in what they have told. */
static void end(struct scene *s)
{
	shards_free(s->shards);
	s->shards = NULL;
}

/* --- across ----------------------------------------------------------------------------------- */

static void test_a_call_runs_on_the_thread_and_its_answer_here(void **state)
{
	struct scene *s = *state;
	struct shard *shard = shards_pick(s->shards);
	struct call call = {.scene = s, .shard = shard, .tells = true};

	s->expected = 1;
	shard_call(shard, on_called, &call);
	loop_run(s->loop);
	assert_int_equal(s->told, 1);
	assert_false(pthread_equal(call.thread, s->thread));
	/* Signals are for the main thread. */
	assert_int_equal(sigismember(&call.blocked, SIGTERM), 1);
	assert_int_equal(sigismember(&call.blocked, SIGINT), 1);
	shard_leave(shard);
}

/* More than a batch has room for at first; half of them from a later round. */
static void test_calls_keep_their_order(void **state)
{
	enum { CALLS = 1000 };
	struct scene *s = *state;
	struct shard *shard = shards_pick(s->shards);
	struct call *calls = calls_new(s, shard, CALLS);
	unsigned order = 0;

	for (unsigned i = 0; i < CALLS; i++) {
		calls[i].order = &order;
		shard_call(shard, on_called, &calls[i]);
		if (i == CALLS / 2) {
			s->expected = i + 1;
			loop_run(s->loop);
		}
	}
	s->expected = CALLS;
	loop_run(s->loop);
	assert_int_equal(order, CALLS);
	for (unsigned i = 0; i < CALLS; i++)
		assert_int_equal(calls[i].at, i);
	free(calls);
	shard_leave(shard);
}

/* A message that goes there and back, and back again. */
struct ball {
	struct scene *scene;
	struct shard *shard;
	unsigned left;
	unsigned hits; /* on the thread */
};

static void ball_on_thread(void *arg);

static void ball_on_main(void *arg)
{
	struct ball *ball = arg;
	struct scene *s = ball->scene;

	if (--ball->left)
		shard_call(ball->shard, ball_on_thread, ball);
	else if (++s->told == s->expected)
		loop_stop(s->loop);
}

static void ball_on_thread(void *arg)
{
	struct ball *ball = arg;

	ball->hits++;
	shard_tell(ball->shard, ball_on_main, ball);
}

/* Brings all threads up; the first one of each is in ret. */
static void start_all(struct scene *s, struct shard *ret[THREADS], size_t *ret_picks)
{
	size_t picks = 0;

	while (shards_running(s->shards) < THREADS) {
		struct shard *shard = shards_pick(s->shards);

		ret[shards_running(s->shards) - 1] = shard;
		picks++;
	}
	*ret_picks = picks;
}

static void test_nothing_is_lost_between_all_threads(void **state)
{
	struct scene *s = *state;
	struct shard *shards[THREADS];
	struct ball balls[THREADS * 4];
	size_t picks;

	start_all(s, shards, &picks);
	s->expected = ARRAY_LEN(balls);
	for (size_t i = 0; i < ARRAY_LEN(balls); i++) {
		balls[i] = (struct ball){s, shards[i % THREADS], ROUNDS, 0};
		shard_call(balls[i].shard, ball_on_thread, &balls[i]);
	}
	loop_run(s->loop);
	for (size_t i = 0; i < ARRAY_LEN(balls); i++)
		assert_int_equal(balls[i].hits, ROUNDS);
}

/* --- how many --------------------------------------------------------------------------------- */

static void test_threads_come_with_the_work(void **state)
{
	struct scene *s = *state;
	struct shard *at[THREADS * BUSY];

	assert_int_equal(shards_running(s->shards), 0);
	for (unsigned i = 0; i < THREADS * BUSY; i++) {
		at[i] = shards_pick(s->shards);
		assert_int_equal(shards_running(s->shards), i / BUSY + 1);
	}
	/* All have enough to do, and there are no more: who has the least. */
	shard_leave(at[BUSY]);
	assert_ptr_equal(shards_pick(s->shards), at[BUSY]);
	shard_leave(at[0]);
	shard_leave(at[0]);
	assert_ptr_equal(shards_pick(s->shards), at[0]);
	assert_ptr_equal(shards_pick(s->shards), at[0]);
	assert_int_equal(shards_running(s->shards), THREADS);
}

static void test_one_at_least(void **state)
{
	struct scene *s = *state;
	struct shards *none = shards_new(s->loop, 0);

	for (unsigned i = 0; i < 3 * BUSY; i++)
		(void)shards_pick(none);
	assert_int_equal(shards_running(none), 1);
	shards_free(none);
	shards_free(NULL);
}

/* Nothing can be opened any more. */
static void forbid_files(const struct scene *s)
{
	struct rlimit none = {.rlim_cur = 0, .rlim_max = s->files.rlim_max};

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void test_without_a_thread_it_is_done_here(void **state)
{
	struct scene *s = *state;
	struct call *calls;
	struct shard *shard;

	forbid_files(s);
	shard = shards_pick(s->shards);
	calls = calls_new(s, shard, 3);
	s->expected = 2;
	shard_call(shard, on_called, &calls[0]);
	shard_call(shard, on_called, &calls[1]);
	assert_int_equal(s->told, 0);
	loop_run(s->loop);
	assert_true(pthread_equal(calls[0].thread, s->thread));
	/* It is not tried again for each connection. */
	(void)setrlimit(RLIMIT_NOFILE, &s->files);
	for (unsigned i = 0; i < 2 * BUSY; i++)
		assert_ptr_equal(shards_pick(s->shards), shard);
	shard_call(shard, on_called, &calls[2]);
	end(s);
	assert_int_equal(s->told, 3);
	free(calls);
}

static void test_as_many_threads_as_can_be_had(void **state)
{
	struct scene *s = *state;
	struct shard *first = shards_pick(s->shards);

	forbid_files(s);
	for (unsigned i = 0; i < 3 * BUSY; i++)
		assert_ptr_equal(shards_pick(s->shards), first);
	assert_int_equal(shards_running(s->shards), 1);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void test_what_was_called_still_runs(void **state)
{
	enum { CALLS = 100 };
	struct scene *s = *state;
	struct shard *shards[THREADS];
	struct call *calls[THREADS];
	size_t picks;

	start_all(s, shards, &picks);
	for (unsigned t = 0; t < THREADS; t++) {
		calls[t] = calls_new(s, shards[t], CALLS);
		for (unsigned i = 0; i < CALLS; i++)
			shard_call(shards[t], on_called, &calls[t][i]);
	}
	end(s);
	assert_int_equal(s->told, THREADS * CALLS);
	for (unsigned t = 0; t < THREADS; t++)
		free(calls[t]);
}

static void call_now(void *arg)
{
	struct call *call = arg;

	shard_call(call->shard, on_called, call);
}

/* As when a connection that was let go is freed in the last round. */
static void test_what_is_deferred_may_still_call(void **state)
{
	struct scene *s = *state;
	struct shard *shard = shards_pick(s->shards);
	struct call call = {.scene = s, .shard = shard, .tells = true};

	loop_defer(s->loop, call_now, &call);
	end(s);
	assert_int_equal(s->told, 1);
	assert_false(pthread_equal(call.thread, s->thread));
}

/* --- how much is on its way ------------------------------------------------------------------- */

struct load {
	struct scene *scene;
	struct shard *shard;
	struct shard_wait waits[3];
	size_t bytes; /* until it was full */
	bool full;
	unsigned gone_on;
};

static void on_room(void *arg)
{
	struct load *load = arg;

	assert_false(pthread_equal(pthread_self(), load->scene->thread));
	assert_false(shard_is_full(load->shard));
	load->gone_on++;
}

static void on_load_told(void *arg)
{
	loop_stop(((struct load *)arg)->scene->loop);
}

static void fill(void *arg)
{
	struct load *load = arg;

	while (!shard_is_full(load->shard)) {
		shard_ahead(load->shard, 1 << 20);
		load->bytes += 1 << 20;
	}
	for (size_t i = 0; i < ARRAY_LEN(load->waits); i++) {
		load->waits[i] = (struct shard_wait){.fn = on_room, .arg = load};
		shard_wait(load->shard, &load->waits[i]);
		shard_wait(load->shard, &load->waits[i]);
	}
	/* Who ends meanwhile waits no more: the one in the middle. */
	shard_unwait(&load->waits[1]);
	shard_unwait(&load->waits[1]);
	shard_tell(load->shard, on_load_told, load);
}

static void look(void *arg)
{
	struct load *load = arg;

	load->full = shard_is_full(load->shard);
	shard_tell(load->shard, on_load_told, load);
}

static void run_there(struct load *load, loop_fn *fn)
{
	shard_call(load->shard, fn, load);
	loop_run(load->scene->loop);
}

static void test_what_is_not_taken_is_bounded(void **state)
{
	struct scene *s = *state;
	struct load load = {.scene = s, .shard = shards_pick(s->shards)};
	size_t taken = 0;

	run_there(&load, fill);
	assert_in_range(load.bytes, 1 << 20, 256 << 20);
	for (size_t i = 0; i < 4; i++, taken += 1000)
		shard_taken(load.shard, 1000);
	run_there(&load, look);
	assert_true(load.full);
	assert_int_equal(load.gone_on, 0);
	for (; load.bytes - taken > load.bytes / 4; taken += 4096)
		shard_taken(load.shard, 4096);
	run_there(&load, look);
	assert_false(load.full);
	assert_int_equal(load.gone_on, 2);
	/* Taken behind its end: nobody is told. */
	shard_taken(load.shard, load.bytes - taken);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_call_runs_on_the_thread_and_its_answer_here),
		TEST(test_calls_keep_their_order),
		TEST(test_nothing_is_lost_between_all_threads),
		TEST(test_threads_come_with_the_work),
		TEST(test_one_at_least),
		TEST(test_without_a_thread_it_is_done_here),
		TEST(test_as_many_threads_as_can_be_had),
		TEST(test_what_was_called_still_runs),
		TEST(test_what_is_deferred_may_still_call),
		TEST(test_what_is_not_taken_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
