/* Selecting among very many children: what is not asked for costs nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "alloc.h"
#include "select.h"

static void ignore_child(void *ctx, struct child *child)
{
	(void)ctx;
	(void)child;
}

static void ignore_job(void *ctx, struct job *job)
{
	(void)ctx;
	(void)job;
}

static const struct job_transport transport = {.start = ignore_child, .stop = ignore_child};
static const struct job_observer observer = {.child_changed = ignore_child,
					     .job_changed = ignore_job};

enum { BIG = 100000 };

#define SELECT(...)                                                                            \
	((struct select_filter){.selectors = (const char *const[]){__VA_ARGS__},               \
				.selector_count = sizeof((const char *const[]){__VA_ARGS__}) / \
						  sizeof(const char *)})

static struct job *make_big(uint64_t id, size_t count)
{
	const char **hosts = xcalloc(count, sizeof(char *));
	struct job_spec spec = {.type = "Remote",
				.command = "true",
				.throttle = 1,
				.locations = hosts,
				.count = count};
	struct job *job;

	for (size_t i = 0; i < count; i++)
		hosts[i] = "h";
	job = job_new(&spec, id, &transport, &observer, NULL);
	free(hosts);
	return job;
}

/* To look at the children each time would take far longer than the test may. */
static void test_children_that_nobody_asks_for_are_not_looked_at(void **state)
{
	struct job *big[] = {make_big(1, 500000), make_big(500002, 500000)};
	const struct select_filter filters[] = {{.all = true},
						SELECT("Job400000", "web*", "job500002", "7"),
						{.child_state = "Failed"},
						{.state = "Running", .command = "t*"}};

	(void)state;
	for (size_t i = 0; i < BIG; i++) {
		struct select_result r;

		assert_int_equal(select_jobs(&r, big, 2, &filters[i % ARRAY_LEN(filters)], NULL),
				 0);
		assert_int_equal(r.count, i % ARRAY_LEN(filters) == 1 ? 3 : 2);
		select_done(&r);
	}
	job_free(big[0]);
	job_free(big[1]);
}

/* As many selectors as can be, each of a child of a big job: nothing is searched for one by one. */
static void test_many_selectors_of_many_children(void **state)
{
	struct job *big = make_big(1, BIG);
	char(*text)[UUID_TEXT_SIZE] = xcalloc(SELECT_MAX, sizeof *text);
	const char **selectors = xcalloc(SELECT_MAX, sizeof(char *));
	struct select_filter filter = {.selectors = selectors, .selector_count = SELECT_MAX};
	struct select_result r;

	(void)state;
	for (size_t i = 0; i < SELECT_MAX; i++) {
		struct child *child = job_child(big, BIG - 1 - i);

		selectors[i] =
			i % 2 ? child_instance_id(child, text[i]) : child_name(child, text[i]);
	}
	assert_int_equal(select_jobs(&r, &big, 1, &filter, NULL), 0);
	assert_int_equal(r.count, SELECT_MAX);
	for (size_t i = 0; i < SELECT_MAX; i++)
		assert_int_equal(child_index(r.items[i].child), BIG - 1 - i);
	select_done(&r);
	selectors[0] = "*";
	filter.selector_count = 1;
	assert_int_equal(select_jobs(&r, &big, 1, &filter, NULL), 0);
	assert_int_equal(r.count, BIG + 1);
	select_done(&r);
	free(selectors);
	free(text);
	job_free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_children_that_nobody_asks_for_are_not_looked_at),
		cmocka_unit_test(test_many_selectors_of_many_children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
