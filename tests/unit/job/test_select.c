/* Which jobs a command means. Case numbers are those of the original's acceptance cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "buf.h"
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

static struct job *make(uint64_t id, const char *name, const char *command, bool hidden,
			size_t count)
{
	static const char *const hosts[] = {"a", "b", "c", "d"};
	struct job_spec spec = {.name = name,
				.type = "Remote",
				.command = command,
				.hidden = hidden,
				.throttle = 10,
				.locations = hosts,
				.count = count};
	struct job *job = job_new(&spec, id, &transport, &observer, NULL);

	job_start(job, 1);
	return job;
}

static void end(struct job *job, size_t index, int exit_code, uint64_t now)
{
	struct outcome o = {.cause = CAUSE_EXITED, .exit_code = exit_code, .began = true};

	child_on_end(job_child(job, index), &o, now);
}

/*
 * The jobs of every test, with their children:
 *  1 disks   (2, 3)    Failed at 20: 2 Failed at 10, 3 Completed at 20
 *  4 web     (5)       Completed at 30
 *  6 hidden  (7)       Completed at 40, synchronous
 *  8 Job8    (9, 10)   Running: 9 Failed at 15, 10 Running with unread data
 * 11 WEB     (12)      Completed at 50 with unread data
 * 13 Job5    (14)      Running: named as the child 5 is
 */
enum { JOBS = 6 };

static struct job *jobs[JOBS];

static int set_up(void **state)
{
	(void)state;
	jobs[0] = make(1, "disks", "df -h", false, 2);
	end(jobs[0], 0, 1, 10);
	end(jobs[0], 1, 0, 20);
	jobs[1] = make(4, "web", "  systemctl restart nginx ", false, 1);
	end(jobs[1], 0, 0, 30);
	jobs[2] = make(6, "hidden", "uptime", true, 1);
	end(jobs[2], 0, 0, 40);
	jobs[3] = make(8, NULL, "df -h /home", false, 2);
	end(jobs[3], 0, 2, 15);
	child_on_running(job_child(jobs[3], 1), 16);
	child_set_unread(job_child(jobs[3], 1), true);
	jobs[4] = make(11, "WEB", "true", false, 1);
	end(jobs[4], 0, 0, 50);
	child_set_unread(job_child(jobs[4], 0), true);
	jobs[5] = make(13, "Job5", "sleep [1] *", false, 1);
	child_on_running(job_child(jobs[5], 0), 16);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < JOBS; i++)
		job_free(jobs[i]);
	return 0;
}

/* The ids of the items, then "| " and each missing, then "# " and each note. */
static char *result_text(const struct select_result *r)
{
	struct buf b = {0};

	for (size_t i = 0; i < r->count; i++) {
		const struct select_item *item = &r->items[i];

		if (item->child)
			assert_ptr_equal(child_job(item->child), item->job);
		buf_addf(&b, "%s%llu", i ? " " : "",
			 (unsigned long long)(item->child ? child_id(item->child)
							  : job_id(item->job)));
	}
	for (size_t i = 0; i < r->missing_count; i++)
		buf_addf(&b, "| %s", r->missing[i]);
	for (size_t i = 0; i < r->note_count; i++)
		buf_addf(&b, "# %s", r->notes[i]);
	return buf_take_str(&b);
}

static void expect(const struct select_filter *filter, const char *want)
{
	struct select_result r;
	struct errmsg msg;
	char *got;

	if (select_jobs(&r, jobs, JOBS, filter, &msg))
		fail_msg("%s", msg.text);
	got = result_text(&r);
	assert_string_equal(got, want);
	free(got);
	select_done(&r);
	assert_int_equal(r.count, 0);
}

#define SELECT(...)                                                                            \
	((struct select_filter){.selectors = (const char *const[]){__VA_ARGS__},               \
				.selector_count = sizeof((const char *const[]){__VA_ARGS__}) / \
						  sizeof(const char *)})

#define NO_ID(id) \
	"| there is no job with the id '" id "': 'muster get --all' lists the jobs there are"
#define NO_NAME(n) \
	"| there is no job with the name '" n "': 'muster get --all' lists the jobs there are"

static void expect_selected(struct select_filter filter, const char *want)
{
	expect(&filter, want);
}

static void expect_error(const struct select_filter *filter, int code, const char *text)
{
	struct select_result r = {.count = 77};
	struct errmsg msg;

	assert_int_equal(select_jobs(&r, jobs, JOBS, filter, &msg), code);
	assert_int_equal(r.count, 77);
	assert_null(r.items);
	if (!strstr(msg.text, text))
		fail_msg("'%s' is not in: %s", text, msg.text);
}

static void test_no_selector_is_every_job(void **state)
{
	(void)state;
	expect(&(struct select_filter){0}, "1 4 8 11 13");
	expect(&(struct select_filter){.all = true}, "1 4 6 8 11 13");
}

static void test_no_jobs_at_all(void **state)
{
	struct select_filter filter = SELECT("3", "*", "x");
	struct select_result r;

	(void)state;
	assert_int_equal(select_jobs(&r, NULL, 0, &filter, NULL), 0);
	assert_int_equal(r.count, 0);
	assert_int_equal(r.missing_count, 2);
	select_done(&r);
	assert_int_equal(select_jobs(&r, NULL, 0, &(struct select_filter){0}, NULL), 0);
	assert_int_equal(r.count, 0);
	select_done(&r);
}

static void test_ids(void **state)
{
	(void)state;
	expect_selected(SELECT("8", "1"), "8 1");
	expect_selected(SELECT("10"), "10");
	expect_selected(SELECT("6"), "6");
	expect_selected(SELECT("7"), "7");
	expect_selected(SELECT("0013"), "13");
}

/* Cases 24 and 26: what is unknown is said, and the others are still found. */
static void test_unknown_ids(void **state)
{
	(void)state;
	expect_selected(SELECT("99", "4", "15"), "4" NO_ID("99") NO_ID("15"));
	expect_selected(SELECT("0"), NO_ID("0"));
	expect_selected(SELECT("18446744073709551616"), NO_ID("18446744073709551616"));
	expect_selected(SELECT("18446744073709551620"), NO_ID("18446744073709551620"));
	expect_selected(SELECT("-1", "1x", ""), NO_NAME("-1") NO_NAME("1x") NO_NAME(""));
}

/* Case 30. */
static void test_the_same_twice_is_one(void **state)
{
	(void)state;
	expect_selected(SELECT("4", "4"), "4");
	expect_selected(SELECT("disks", "1", "DISKS", "0001", "d*"), "1");
	expect_selected(SELECT("99", "99"), NO_ID("99"));
	expect_selected(SELECT("nope", "NOPE"), NO_NAME("nope"));
	expect_selected(SELECT("*", "*", "10"), "1 2 3 4 5 8 9 10 11 12 13 14");
}

static void test_names(void **state)
{
	(void)state;
	expect_selected(SELECT("Disks"), "1");
	expect_selected(SELECT("job8"), "8");
	expect_selected(SELECT("JOB10"), "10");
	expect_selected(SELECT("job1"), NO_NAME("job1"));
	expect_selected(SELECT("job010"), NO_NAME("job010"));
	expect_selected(SELECT("job"), NO_NAME("job"));
	expect_selected(SELECT("disk"), NO_NAME("disk"));
	expect_selected(SELECT("\x1b[2J]"), "");
	expect_selected(SELECT("\x1b"), NO_NAME("\\x1b"));
}

static void test_a_name_of_two_jobs(void **state)
{
	(void)state;
	expect_selected(SELECT("web", "1", "Web"),
			"4 11 1# the name 'web' is that of 2 jobs, and all are meant: 4, 11");
	expect_selected(SELECT("job5"),
			"5 13# the name 'job5' is that of 2 jobs, and all are meant: 5, 13");
}

static void test_a_name_of_many_jobs(void **state)
{
	enum { MANY = 12 };
	struct job *many[MANY];
	struct select_filter filter = SELECT("Nightly");
	struct select_result r;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		many[i] = make(1 + 2 * i, "nightly", "true", false, 1);
	assert_int_equal(select_jobs(&r, many, MANY, &filter, NULL), 0);
	assert_int_equal(r.count, MANY);
	assert_int_equal(r.note_count, 1);
	assert_non_null(strstr(r.notes[0], "12 jobs, and all are meant: 1, 3, 5,"));
	assert_non_null(strstr(r.notes[0], ", 19 and 2 more"));
	select_done(&r);
	for (size_t i = 0; i < MANY; i++)
		job_free(many[i]);
}

static void test_synchronous_jobs_are_hidden_from_names(void **state)
{
	struct select_filter filter = SELECT("hidden", "job7");

	(void)state;
	expect(&filter, "| there is no job with the name 'hidden' but synchronous ones: give an "
			"id, or --all| there is no job with the name 'job7' but synchronous ones: "
			"give an id, or --all");
	filter.all = true;
	expect(&filter, "6 7");
	expect_selected(SELECT("hid*"), "");
}

/* Case 25: a wildcard that matches nothing is no error. */
static void test_wildcards(void **state)
{
	struct select_filter all = SELECT("*d*");

	(void)state;
	expect_selected(SELECT("nothing*"), "");
	expect_selected(SELECT("w?b"), "4 11");
	expect_selected(SELECT("job1*"), "10 12 14");
	expect_selected(SELECT("Job[5-9]"), "5 8 9 13");
	expect_selected(SELECT("[!j]*"), "1 4 11");
	expect_selected(SELECT("*d*"), "1");
	all.all = true;
	expect(&all, "1 6");
}

static void test_jobs_alone(void **state)
{
	struct select_filter filter = SELECT("job1*", "job10", "job5", "*", "10");

	(void)state;
	filter.jobs_only = true;
	expect(&filter, "13 1 4 8 11 10" NO_NAME("job10"));
}

static void test_instance_ids(void **state)
{
	char job[UUID_TEXT_SIZE], child[UUID_TEXT_SIZE], sync[UUID_TEXT_SIZE];
	struct select_filter filter = SELECT(child, "4", job, sync, child);

	(void)state;
	for (size_t i = 0; i < UUID_TEXT_SIZE; i++)
		job[i] = job_instance_id(jobs[4])[i];
	for (char *p = job; *p; p++)
		*p = (char)(*p >= 'a' ? *p - 'a' + 'A' : *p);
	child_instance_id(job_child(jobs[0], 1), child);
	child_instance_id(job_child(jobs[2], 0), sync);
	expect(&filter, "3 4 11 7");
	expect_selected(SELECT("00000000-0000-4000-8000-000000000000", "1"),
			"1| there is no job with the instance id "
			"'00000000-0000-4000-8000-000000000000': 'muster get --all' lists the jobs "
			"there are");
	expect_selected(SELECT("00000000-0000-4000-8000-00000000000x"),
			NO_NAME("00000000-0000-4000-8000-00000000000x"));
}

static void test_state(void **state)
{
	struct select_filter named = SELECT("9", "8", "1");

	(void)state;
	expect(&(struct select_filter){.state = "completed"}, "4 11");
	expect(&(struct select_filter){.state = "RUNNING"}, "8 13");
	expect(&(struct select_filter){.state = "Blocked"}, "");
	named.state = "Failed";
	expect(&named, "9 1");
	expect_error(&(struct select_filter){.state = "Done"}, ERR_SYNTAX,
		     "'Done' is no state of a job: use one of NotStarted, Running,");
}

static void test_more_data(void **state)
{
	struct select_filter filter = {.more = SELECT_MORE_YES};

	(void)state;
	expect(&filter, "8 11");
	filter.children = true;
	expect(&filter, "8 10 11 12");
	filter.more = SELECT_MORE_NO;
	expect(&filter, "1 2 3 4 5 9 13 14");
}

static void test_command(void **state)
{
	struct select_filter child = SELECT("9", "10", "2");

	(void)state;
	expect(&(struct select_filter){.command = "df*"}, "1 8");
	expect(&(struct select_filter){.command = " DF -H\t"}, "1");
	expect(&(struct select_filter){.command = "systemctl*"}, "4");
	expect(&(struct select_filter){.command = " *nginx "}, "4");
	expect(&(struct select_filter){.command = "df"}, "");
	/* Not only as a pattern, but also letter for letter. */
	expect(&(struct select_filter){.command = "sleep [1] *"}, "13");
	child.command = "*home";
	expect(&child, "9 10");
	expect_error(&(struct select_filter){.command = "[ -f x"}, ERR_SYNTAX,
		     "at byte 1 is never closed");
}

/* Case 40. */
static void test_before_and_after_are_strict(void **state)
{
	(void)state;
	expect(&(struct select_filter){.before_ns = 30}, "1");
	expect(&(struct select_filter){.before_ns = 31}, "1 4");
	expect(&(struct select_filter){.after_ns = 30}, "11");
	expect(&(struct select_filter){.after_ns = 29}, "4 11");
	expect(&(struct select_filter){.after_ns = 19, .before_ns = 31}, "1 4");
	expect(&(struct select_filter){.after_ns = 20, .before_ns = 30}, "");
	expect(&(struct select_filter){.after_ns = 1, .all = true}, "1 4 6 11");
	expect(&(struct select_filter){.before_ns = 16, .child_state = "Failed"}, "2 9");
}

static void test_newest(void **state)
{
	struct select_filter filter = SELECT("11", "8", "4", "1");

	(void)state;
	expect(&(struct select_filter){.newest = 1}, "11");
	expect(&(struct select_filter){.newest = 2}, "4 11");
	expect(&(struct select_filter){.newest = 3}, "1 4 11");
	expect(&(struct select_filter){.newest = UINT64_MAX}, "1 4 11");
	expect(&(struct select_filter){.newest = 1, .before_ns = 50}, "4");
	/* The child 12 ended with its parent. */
	expect(&(struct select_filter){.newest = 1, .children = true}, "12");
	filter.newest = 2;
	expect(&filter, "11 4");
}

static void test_children(void **state)
{
	struct select_filter filter = SELECT("10", "8", "4");

	(void)state;
	expect(&(struct select_filter){.children = true, .state = "Failed"}, "1 2 3");
	filter.children = true;
	expect(&filter, "10 8 9 4 5");
}

/* Case 41: the parents, and the children in that state; it outweighs `children`. */
static void test_child_state(void **state)
{
	(void)state;
	expect(&(struct select_filter){.child_state = "failed"}, "1 2 4 8 9 11 13");
	expect(&(struct select_filter){.child_state = "Running", .children = true},
	       "1 4 8 10 11 13 14");
	expect_error(&(struct select_filter){.child_state = "x"}, ERR_SYNTAX, "'x' is no state");
}

static void test_filters_combine(void **state)
{
	struct select_filter filter = SELECT("*", "99");

	(void)state;
	filter.jobs_only = true;
	filter.state = "Completed";
	filter.command = "*e*";
	filter.after_ns = 10;
	filter.more = SELECT_MORE_YES;
	expect(&filter, "11" NO_ID("99"));
}

static void test_malformed_selector(void **state)
{
	struct select_filter filter = SELECT("1", "web[", "99");

	(void)state;
	expect_error(&filter, ERR_SYNTAX, "the pattern 'web[' is malformed");
}

static void test_too_many(void **state)
{
	const char **selectors = xcalloc(SELECT_MAX + 1, sizeof(char *));
	struct select_filter filter = {.selectors = selectors, .selector_count = SELECT_MAX + 1};

	(void)state;
	for (size_t i = 0; i <= SELECT_MAX; i++)
		selectors[i] = "1";
	expect_error(&filter, ERR_LIMIT, "4097 jobs were named: name at most 4096 at once");
	filter.selector_count = SELECT_MAX;
	expect(&filter, "1");
	for (size_t i = 0; i <= SELECT_MAX; i++)
		selectors[i] = "d*";
	expect_error(&filter, ERR_LIMIT, "more than 64 patterns");
	filter.selector_count = SELECT_WILDCARDS_MAX;
	expect(&filter, "1");
	free(selectors);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_selector_is_every_job),
		TEST(test_no_jobs_at_all),
		TEST(test_ids),
		TEST(test_unknown_ids),
		TEST(test_the_same_twice_is_one),
		TEST(test_names),
		TEST(test_a_name_of_two_jobs),
		TEST(test_a_name_of_many_jobs),
		TEST(test_synchronous_jobs_are_hidden_from_names),
		TEST(test_wildcards),
		TEST(test_jobs_alone),
		TEST(test_instance_ids),
		TEST(test_state),
		TEST(test_more_data),
		TEST(test_command),
		TEST(test_before_and_after_are_strict),
		TEST(test_newest),
		TEST(test_children),
		TEST(test_child_state),
		TEST(test_filters_combine),
		TEST(test_malformed_selector),
		TEST(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
