#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "loop.h"

#define THREADS	   4
#define PER_THREAD 5000

/* What the functions under test share; each test sets up its own. */
struct scene {
	struct loop *loop;
	char text[64]; /* one letter for each call, in order */
	size_t count;
	size_t rounds;
	int pipe[2];
	pthread_t thread;
};

struct letter {
	struct scene *scene;
	char c;
};

static int set_up(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);

	s->loop = loop_new();
	s->thread = pthread_self();
	*state = s;
	return pipe(s->pipe);
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	loop_free(s->loop);
	(void)close(s->pipe[0]);
	(void)close(s->pipe[1]);
	free(s);
	return 0;
}

static void stop(void *arg)
{
	struct scene *s = arg;

	loop_stop(s->loop);
}

static void write_letter(void *arg)
{
	struct letter *l = arg;
	struct scene *s = l->scene;

	s->text[s->count++] = l->c;
	free(l);
}

static struct letter *letter(struct scene *s, char c)
{
	struct letter *l = xmalloc(sizeof *l);

	*l = (struct letter){s, c};
	return l;
}

static void deferred_functions_run_later_and_in_order(void **state)
{
	struct scene *s = *state;

	for (char c = 'a'; c <= 'z'; c++)
		loop_defer(s->loop, write_letter, letter(s, c));
	assert_string_equal(s->text, "");
	loop_defer(s->loop, stop, s);
	loop_run(s->loop);
	assert_string_equal(s->text, "abcdefghijklmnopqrstuvwxyz");
}

static void defer_two_more(void *arg)
{
	struct scene *s = arg;

	loop_defer(s->loop, write_letter, letter(s, 'c'));
	loop_defer(s->loop, stop, s);
	s->text[s->count++] = 'a';
}

static void what_a_deferred_function_defers_comes_after_its_round(void **state)
{
	struct scene *s = *state;

	loop_defer(s->loop, defer_two_more, s);
	loop_defer(s->loop, write_letter, letter(s, 'b'));
	loop_run(s->loop);
	assert_string_equal(s->text, "abc");
}

static void defer_until_input(void *arg)
{
	struct scene *s = arg;

	/* Input that comes once the rounds are under way. */
	if (++s->rounds == 3)
		assert_int_equal(write(s->pipe[1], "x", 1), 1);
	if (!s->count)
		loop_defer(s->loop, defer_until_input, s);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct scene *s = arg;

	(void)fd;
	(void)what;
	s->count++;
	loop_stop(s->loop);
}

/* Each round looks at input: this test hangs if deferred functions can starve it. */
static void endless_deferring_does_not_starve_input(void **state)
{
	struct scene *s = *state;
	struct event *ev = event_new(loop_base(s->loop), s->pipe[0], EV_READ, on_readable, s);

	assert_int_equal(event_add(ev, NULL), 0);
	loop_defer(s->loop, defer_until_input, s);
	loop_run(s->loop);
	assert_true(s->rounds >= 3);
	event_free(ev);
}

struct poster {
	struct scene *scene;
	pthread_t thread;
	int next;
	bool ordered;
};

struct posted {
	struct poster *from;
	int number;
};

static void take_posted(void *arg)
{
	struct posted *p = arg;
	struct poster *from = p->from;
	struct scene *s = from->scene;

	if (p->number != from->next++ || !pthread_equal(pthread_self(), s->thread))
		from->ordered = false;
	free(p);
	if (++s->count == THREADS * PER_THREAD)
		loop_stop(s->loop);
}

static void *post_many(void *arg)
{
	struct poster *from = arg;

	for (int i = 0; i < PER_THREAD; i++) {
		struct posted *p = xmalloc(sizeof *p);

		*p = (struct posted){from, i};
		loop_post(from->scene->loop, take_posted, p);
	}
	return NULL;
}

static void threads_post_and_nothing_is_lost(void **state)
{
	struct scene *s = *state;
	struct poster posters[THREADS];

	for (int i = 0; i < THREADS; i++) {
		posters[i] = (struct poster){.scene = s, .ordered = true};
		assert_int_equal(pthread_create(&posters[i].thread, NULL, post_many, &posters[i]),
				 0);
	}
	loop_run(s->loop);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(posters[i].thread, NULL), 0);
		assert_true(posters[i].ordered);
		assert_int_equal(posters[i].next, PER_THREAD);
	}
}

static void post_then_stop(void *arg)
{
	struct scene *s = arg;

	loop_post(s->loop, write_letter, letter(s, 'b'));
	loop_post(s->loop, stop, s);
	s->text[s->count++] = 'a';
}

static void a_posted_function_may_post(void **state)
{
	struct scene *s = *state;

	loop_post(s->loop, post_then_stop, s);
	loop_run(s->loop);
	assert_string_equal(s->text, "ab");
}

static void the_rest_of_the_round_runs_after_stop(void **state)
{
	struct scene *s = *state;

	loop_defer(s->loop, stop, s);
	loop_defer(s->loop, write_letter, letter(s, 'a'));
	loop_run(s->loop);
	assert_string_equal(s->text, "a");
}

static void stop_before_run_is_not_forgotten(void **state)
{
	struct scene *s = *state;

	loop_stop(s->loop);
	loop_run(s->loop);
	/* And it does not count for the next run. */
	loop_post(s->loop, post_then_stop, s);
	loop_run(s->loop);
	assert_string_equal(s->text, "ab");
}

static void free_runs_what_is_left(void **state)
{
	struct scene *s = *state;

	loop_defer(s->loop, write_letter, letter(s, 'a'));
	loop_post(s->loop, post_then_stop, s);
	loop_defer(s->loop, defer_two_more, s);
	loop_free(s->loop);
	s->loop = NULL;
	/* a a from the first two deferred, a of the posted, then what those asked for. */
	assert_int_equal(s->count, 5);
	assert_memory_equal(s->text, "aaa", 3);
	assert_non_null(strchr(s->text, 'b'));
	assert_non_null(strchr(s->text, 'c'));
}

static void free_of_nothing(void **state)
{
	(void)state;
	loop_free(NULL);
}

static void *check_thread(void *arg)
{
	loop_assert_thread(arg);
	return NULL;
}

static void *run_to_the_end(void *arg)
{
	struct scene *s = arg;

	loop_defer(s->loop, stop, s);
	loop_run(s->loop);
	return NULL;
}

/* In a child process: what the parent sees is how it ended. */
static void misuse(struct scene *s)
{
	const struct rlimit no_core = {0};
	pthread_t thread;

	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)run_to_the_end(s);
	if (pthread_create(&thread, NULL, check_thread, s->loop) == 0)
		(void)pthread_join(thread, NULL);
	_exit(0);
}

static void the_wrong_thread_aborts(void **state)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		misuse(*state);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void a_loop_belongs_to_the_thread_that_runs_it(void **state)
{
	struct scene *s = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run_to_the_end, s), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	/* Freed from here: allowed once the other thread has ended. */
	loop_post(s->loop, write_letter, letter(s, 'a'));
	loop_free(s->loop);
	s->loop = NULL;
	assert_string_equal(s->text, "a");
}

static void milliseconds(void **state)
{
	struct timeval tv = loop_ms(12345);

	(void)state;
	assert_int_equal(tv.tv_sec, 12);
	assert_int_equal(tv.tv_usec, 345000);
	tv = loop_ms(0);
	assert_int_equal(tv.tv_sec + tv.tv_usec, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: it forks, and no thread has been started yet. */
		TEST(the_wrong_thread_aborts),
		TEST(deferred_functions_run_later_and_in_order),
		TEST(what_a_deferred_function_defers_comes_after_its_round),
		TEST(endless_deferring_does_not_starve_input),
		TEST(threads_post_and_nothing_is_lost),
		TEST(a_posted_function_may_post),
		TEST(the_rest_of_the_round_runs_after_stop),
		TEST(stop_before_run_is_not_forgotten),
		TEST(free_runs_what_is_left),
		TEST(free_of_nothing),
		TEST(a_loop_belongs_to_the_thread_that_runs_it),
		TEST(milliseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
