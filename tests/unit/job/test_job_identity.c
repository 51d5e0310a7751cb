/* What a job and its children are: ids, names, identifiers, places; and a very big job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "job.h"

static void ignore_child(void *ctx, struct child *child)
{
	(void)ctx;
	(void)child;
}

static void count_job_change(void *ctx, struct job *job)
{
	size_t *changes = ctx;

	(void)job;
	++*changes;
}

static const struct job_transport transport = {.start = ignore_child, .stop = ignore_child};
static const struct job_observer observer = {.child_changed = ignore_child,
					     .job_changed = count_job_change};

static struct job *make_job(const char *name, const char *const *locations, size_t count,
			    size_t *changes)
{
	struct job_spec spec = {
		.name = name,
		.type = "Remote",
		.command = "uptime -p",
		.hidden = name == NULL,
		.throttle = 32,
		.locations = locations,
		.count = count,
	};

	return job_new(&spec, 100, &transport, &observer, changes);
}

static const char *const abc[] = {"a", "b", "c"};

static void test_ids_follow_the_parent(void **state)
{
	struct job *job = make_job(NULL, abc, 3, NULL);

	(void)state;
	assert_int_equal(job_id(job), 100);
	assert_int_equal(job_child_count(job), 3);
	for (size_t i = 0; i < 3; i++) {
		struct child *child = job_child(job, i);

		assert_int_equal(child_id(child), 101 + i);
		assert_int_equal(child_index(child), i);
		assert_ptr_equal(child_job(child), job);
		assert_ptr_equal(job_child_by_id(job, 101 + i), child);
	}
	job_free(job);
}

static void test_no_such_child(void **state)
{
	struct job *job = make_job(NULL, abc, 3, NULL);

	(void)state;
	assert_null(job_child(job, 3));
	assert_null(job_child(job, SIZE_MAX));
	assert_null(job_child_by_id(job, 0));
	assert_null(job_child_by_id(job, 99));
	assert_null(job_child_by_id(job, 100));
	assert_null(job_child_by_id(job, 104));
	assert_null(job_child_by_id(job, UINT64_MAX));
	job_free(job);
}

static void test_names(void **state)
{
	struct job *named = make_job("disks", abc, 3, NULL),
		   *unnamed = make_job(NULL, abc, 3, NULL);

	(void)state;
	assert_string_equal(job_name(named), "disks");
	assert_false(job_is_hidden(named));
	assert_string_equal(job_name(unnamed), "Job100");
	assert_true(job_is_hidden(unnamed));
	assert_string_equal(job_type(named), "Remote");
	assert_string_equal(job_command(named), "uptime -p");
	assert_int_equal(job_state(named), JOB_STATE_RUNNING);
	job_free(named);
	job_free(unnamed);
}

static void test_names_of_children(void **state)
{
	struct job *job = make_job("disks", abc, 3, NULL);
	char name[CHILD_NAME_SIZE];

	(void)state;
	assert_ptr_equal(child_name(job_child(job, 0), name), name);
	assert_string_equal(name, "Job101");
	assert_string_equal(child_name(job_child(job, 2), name), "Job103");
	job_free(job);
}

static void test_the_longest_name_of_a_child(void **state)
{
	struct job_spec spec = {.type = "Remote", .command = "x", .throttle = 1};
	char name[CHILD_NAME_SIZE];
	struct job *job;

	(void)state;
	spec.locations = abc;
	spec.count = 1;
	job = job_new(&spec, UINT64_MAX - 1, &transport, &observer, NULL);
	assert_string_equal(child_name(job_child(job, 0), name), "Job18446744073709551615");
	job_free(job);
}

static void test_locations_are_copied(void **state)
{
	char first[] = "web01", second[] = "[::1]:22";
	const char *names[] = {first, second};
	struct job *job = make_job(NULL, names, 2, NULL);
	char *all;

	(void)state;
	memset(first, 'x', sizeof first - 1);
	memset(second, 'x', sizeof second - 1);
	names[0] = names[1] = NULL;
	all = job_location(job);
	assert_string_equal(all, "web01,[::1]:22");
	assert_string_equal(child_location(job_child(job, 1)), "[::1]:22");
	free(all);
	job_free(job);
}

static void test_link_of_a_child(void **state)
{
	struct job *job = make_job(NULL, abc, 3, NULL);
	int link;

	(void)state;
	assert_null(child_link(job_child(job, 1)));
	child_set_link(job_child(job, 1), &link);
	assert_ptr_equal(child_link(job_child(job, 1)), &link);
	assert_null(child_link(job_child(job, 0)));
	job_free(job);
}

static void check_uuid(const char *text)
{
	assert_int_equal(strlen(text), UUID_TEXT_SIZE - 1);
	for (size_t i = 0; i < UUID_TEXT_SIZE - 1; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23)
			assert_int_equal(text[i], '-');
		else
			assert_non_null(strchr("0123456789abcdef", text[i]));
	}
	assert_int_equal(text[14], '4');
	assert_non_null(strchr("89ab", text[19]));
}

static void test_instance_ids(void **state)
{
	struct job *job = make_job(NULL, abc, 3, NULL), *other = make_job(NULL, abc, 3, NULL);
	char first[UUID_TEXT_SIZE], second[UUID_TEXT_SIZE], again[UUID_TEXT_SIZE];

	(void)state;
	assert_ptr_equal(child_instance_id(job_child(job, 0), first), first);
	child_instance_id(job_child(job, 1), second);
	child_instance_id(job_child(job, 0), again);
	check_uuid(job_instance_id(job));
	check_uuid(first);
	check_uuid(second);
	assert_string_equal(first, again);
	assert_string_not_equal(first, second);
	assert_string_not_equal(first, job_instance_id(job));
	assert_string_not_equal(job_instance_id(job), job_instance_id(other));
	job_free(job);
	job_free(other);
}

static void test_uuid_text(void **state)
{
	const struct uuid uuid = {{0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x46, 0x07, 0x88, 0x09, 0xaa,
				   0xbb, 0xcc, 0xdd, 0xee, 0xff}};
	char text[UUID_TEXT_SIZE];

	(void)state;
	assert_string_equal(uuid_text(text, &uuid), "00010203-0405-4607-8809-aabbccddeeff");
}

static void test_uuid_parse(void **state)
{
	static const char *const bad[] = {
		"",
		"00010203-0405-4607-8809-aabbccddeef",
		"00010203-0405-4607-8809-aabbccddeeff0",
		"00010203-0405-4607-8809-aabbccddeefg",
		"00010203-0405-4607-8809_aabbccddeeff",
		"000102030-405-4607-8809-aabbccddeeff",
		"00010203040546078809aabbccddeeff",
		" 00010203-0405-4607-8809-aabbccddeef",
	};
	struct uuid uuid, other;
	char text[UUID_TEXT_SIZE];

	(void)state;
	assert_true(uuid_parse(&uuid, "00010203-0405-4607-8809-AABBccddeeff"));
	assert_string_equal(uuid_text(text, &uuid), "00010203-0405-4607-8809-aabbccddeeff");
	other = uuid;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(uuid_parse(&other, bad[i]));
	assert_int_equal(uuid_compare(&uuid, &other), 0);
	other.bytes[15]--;
	assert_true(uuid_compare(&uuid, &other) > 0);
}

static void test_uuids_as_bytes(void **state)
{
	struct job *job = make_job(NULL, abc, 3, NULL);
	char text[UUID_TEXT_SIZE], other[UUID_TEXT_SIZE];

	(void)state;
	assert_string_equal(uuid_text(text, job_uuid(job)), job_instance_id(job));
	assert_string_equal(uuid_text(text, child_uuid(job_child(job, 1))),
			    child_instance_id(job_child(job, 1), other));
	job_free(job);
}

/* Every bit that is not fixed is set in some of many, and clear in some. */
static void test_uuid_is_random_everywhere(void **state)
{
	enum { MANY = 1000 };
	struct uuid *uuids = xcalloc(MANY, sizeof *uuids);
	uint8_t ever[16] = {0}, always[16];

	(void)state;
	memset(always, 0xff, sizeof always);
	uuid_make(uuids, MANY);
	for (size_t i = 0; i < MANY; i++)
		for (size_t b = 0; b < 16; b++) {
			ever[b] |= uuids[i].bytes[b];
			always[b] &= uuids[i].bytes[b];
		}
	for (size_t b = 0; b < 16; b++) {
		assert_int_equal(ever[b], b == 6 ? 0x4f : b == 8 ? 0xbf : 0xff);
		assert_int_equal(always[b], b == 6 ? 0x40 : b == 8 ? 0x80 : 0);
	}
	free(uuids);
}

/* Work that grows with the square of the children would not end before the test's limit. */
static void test_half_a_million_children(void **state)
{
	enum { MANY = 500000 };
	const char **names = xcalloc(MANY, sizeof *names);
	struct outcome ok = {.cause = CAUSE_EXITED, .exit_code = 0, .began = true};
	size_t changes = 0;
	struct job *job;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		names[i] = "node-of-the-fleet.example.com";
	job = make_job(NULL, names, MANY, &changes);
	job_start(job, 1);
	for (size_t i = MANY - 1; i >= MANY - 1000; i--)
		child_stop(job_child(job, i), 2);
	for (size_t i = 0; i < MANY - 1000; i++) {
		struct child *child = job_child_by_id(job, 101 + i);

		child_on_running(child, 3);
		child_on_end(child, &ok, 4);
	}
	assert_int_equal(job_counts(job)->finished, MANY);
	assert_int_equal(job_counts(job)->in_state[JOB_STATE_STOPPED], 1000);
	assert_int_equal(job_state(job), JOB_STATE_STOPPED);
	assert_int_equal(changes, 1);
	job_free(job);
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_follow_the_parent),
		cmocka_unit_test(test_no_such_child),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_of_children),
		cmocka_unit_test(test_the_longest_name_of_a_child),
		cmocka_unit_test(test_locations_are_copied),
		cmocka_unit_test(test_link_of_a_child),
		cmocka_unit_test(test_instance_ids),
		cmocka_unit_test(test_uuid_text),
		cmocka_unit_test(test_uuid_parse),
		cmocka_unit_test(test_uuids_as_bytes),
		cmocka_unit_test(test_uuid_is_random_everywhere),
		cmocka_unit_test(test_half_a_million_children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
