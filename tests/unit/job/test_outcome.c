#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "outcome.h"

static int status_of(enum cause cause, int exit_code, bool began)
{
	struct outcome o = {.cause = cause, .exit_code = exit_code, .began = began};

	return outcome_exit_status(&o);
}

static void test_names(void **state)
{
	static const char *const want[CAUSE_COUNT] = {
		[CAUSE_NONE] = "none",
		[CAUSE_EXITED] = "exited",
		[CAUSE_SIGNALLED] = "signalled",
		[CAUSE_UNREACHABLE] = "unreachable",
		[CAUSE_REFUSED] = "refused",
		[CAUSE_HOST_KEY] = "host-key",
		[CAUSE_AUTH] = "auth",
		[CAUSE_NO_AGENT] = "no-agent",
		[CAUSE_TIMEOUT] = "timeout",
		[CAUSE_STOPPED] = "stopped",
		[CAUSE_NEVER_RAN] = "never-ran",
		[CAUSE_LINK_LOST] = "link-lost",
		[CAUSE_AGENT_LOST] = "agent-lost",
		[CAUSE_STORE_FULL] = "store-full",
		[CAUSE_BECOME] = "become",
		[CAUSE_LIMIT] = "limit",
		[CAUSE_GATEWAY] = "gateway",
	};

	(void)state;
	for (int i = 0; i < CAUSE_COUNT; i++) {
		assert_non_null(want[i]);
		assert_string_equal(cause_name((enum cause)i), want[i]);
	}
	assert_string_equal(cause_name(CAUSE_COUNT), "?");
}

static void test_a_name_finds_its_cause(void **state)
{
	enum cause found = CAUSE_NONE;

	(void)state;
	for (int i = 0; i < CAUSE_COUNT; i++) {
		assert_true(cause_find(cause_name((enum cause)i), &found));
		assert_int_equal(found, i);
	}
	assert_false(cause_find("Exited", &found));
	assert_false(cause_find("", &found));
	assert_int_equal(found, CAUSE_COUNT - 1);
}

static void test_success_is_exit_code_0_alone(void **state)
{
	(void)state;
	for (int i = 0; i < CAUSE_COUNT; i++) {
		struct outcome o = {.cause = (enum cause)i, .exit_code = 0};

		assert_int_equal(outcome_is_success(&o), i == CAUSE_EXITED);
		o.exit_code = 1;
		assert_false(outcome_is_success(&o));
	}
}

static void test_exit_status_of_a_command(void **state)
{
	(void)state;
	assert_int_equal(status_of(CAUSE_EXITED, 0, true), 0);
	assert_int_equal(status_of(CAUSE_EXITED, 1, true), 5);
	assert_int_equal(status_of(CAUSE_EXITED, 255, true), 5);
	assert_int_equal(status_of(CAUSE_SIGNALLED, -1, true), 3);
	assert_int_equal(status_of(CAUSE_STOPPED, -1, true), 3);
	assert_int_equal(status_of(CAUSE_STOPPED, -1, false), 3);
	assert_int_equal(status_of(CAUSE_NEVER_RAN, -1, false), 3);
}

static void test_exit_status_of_a_computer(void **state)
{
	(void)state;
	assert_int_equal(status_of(CAUSE_UNREACHABLE, -1, false), 4);
	assert_int_equal(status_of(CAUSE_REFUSED, -1, false), 4);
	assert_int_equal(status_of(CAUSE_HOST_KEY, -1, false), 4);
	assert_int_equal(status_of(CAUSE_AUTH, -1, false), 4);
	assert_int_equal(status_of(CAUSE_NO_AGENT, -1, false), 4);
	assert_int_equal(status_of(CAUSE_LINK_LOST, -1, true), 4);
	assert_int_equal(status_of(CAUSE_AGENT_LOST, -1, true), 4);
	assert_int_equal(status_of(CAUSE_STORE_FULL, -1, true), 1);
	assert_int_equal(status_of(CAUSE_BECOME, -1, false), 4);
	assert_int_equal(status_of(CAUSE_LIMIT, -1, true), 3);
	assert_int_equal(status_of(CAUSE_GATEWAY, -1, true), 4);
}

static void test_exit_status_of_a_timeout(void **state)
{
	(void)state;
	assert_int_equal(status_of(CAUSE_TIMEOUT, -1, true), 3);
	assert_int_equal(status_of(CAUSE_TIMEOUT, -1, false), 4);
}

static void test_exit_status_of_no_cause(void **state)
{
	(void)state;
	assert_int_equal(status_of(CAUSE_COUNT, -1, false), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_a_name_finds_its_cause),
		cmocka_unit_test(test_success_is_exit_code_0_alone),
		cmocka_unit_test(test_exit_status_of_a_command),
		cmocka_unit_test(test_exit_status_of_a_computer),
		cmocka_unit_test(test_exit_status_of_a_timeout),
		cmocka_unit_test(test_exit_status_of_no_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
