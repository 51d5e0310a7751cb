#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schemas.h"

static char *disk[] = {"device", "size"};
static char *other[] = {"device", "used"};

static void test_same_columns_same_number(void **state)
{
	uint64_t last = 41;
	struct schemas *s = schemas_new(&last);

	(void)state;
	assert_int_equal(schemas_intern(s, "disk", disk, 2), 42);
	assert_int_equal(schemas_intern(s, "disk", disk, 2), 42);
	assert_int_equal(schemas_intern(s, "disk", other, 2), 43);
	assert_int_equal(schemas_intern(s, "disk", disk, 2), 42);
	assert_int_equal(schemas_count(s), 2);
	assert_int_equal(last, 43);
	schemas_free(s);
}

static void test_name_and_length_count(void **state)
{
	uint64_t last = 0;
	struct schemas *s = schemas_new(&last);

	(void)state;
	assert_int_equal(schemas_intern(s, NULL, disk, 2), 1);
	assert_int_equal(schemas_intern(s, "disk", disk, 2), 2);
	assert_int_equal(schemas_intern(s, NULL, disk, 1), 3);
	assert_int_equal(schemas_intern(s, NULL, disk, 2), 1);
	assert_null(schemas_at(s, 0)->name);
	assert_string_equal(schemas_at(s, 1)->name, "disk");
	assert_int_equal(schemas_at(s, 2)->column_count, 1);
	assert_string_equal(schemas_at(s, 0)->columns[1], "size");
	schemas_free(s);
}

static void test_two_jobs_share_the_counter(void **state)
{
	uint64_t last = 0;
	struct schemas *a = schemas_new(&last), *b = schemas_new(&last);

	(void)state;
	assert_int_equal(schemas_intern(a, NULL, disk, 2), 1);
	assert_int_equal(schemas_intern(b, NULL, disk, 2), 2);
	schemas_free(a);
	schemas_free(b);
	schemas_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_columns_same_number),
		cmocka_unit_test(test_name_and_length_count),
		cmocka_unit_test(test_two_jobs_share_the_counter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
