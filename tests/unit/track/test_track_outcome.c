/* What an agent tells of an end, as an outcome. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "track.h"

static void test_each_kind(void **state)
{
	static const enum cause causes[TASK_END_KIND_COUNT] = {
		[TASK_EXITED] = CAUSE_EXITED,	[TASK_SIGNALLED] = CAUSE_SIGNALLED,
		[TASK_TIMEOUT] = CAUSE_TIMEOUT, [TASK_STOPPED] = CAUSE_STOPPED,
		[TASK_REFUSED] = CAUSE_REFUSED, [TASK_LIMIT] = CAUSE_LIMIT,
		[TASK_LOST] = CAUSE_AGENT_LOST, [TASK_GONE] = CAUSE_AGENT_LOST,
	};

	(void)state;
	for (uint64_t kind = TASK_EXITED; kind < TASK_END_KIND_COUNT; kind++) {
		struct task_end_msg m = {.kind = kind, .exit_code = 259};
		struct outcome o;

		track_outcome(&o, &m);
		assert_int_equal(o.cause, causes[kind]);
		assert_int_equal(o.exit_code, kind == TASK_EXITED ? 3 : -1);
	}
}

static void test_texts_are_harmless(void **state)
{
	char evil[] = "a\033[31mb\n", signal[] = "KI\033LL";
	struct task_end_msg m = {.kind = TASK_SIGNALLED, .signal = signal, .text = evil};
	struct outcome o;

	(void)state;
	track_outcome(&o, &m);
	assert_null(strpbrk(o.text, "\033\n"));
	assert_null(strchr(o.signal, '\033'));
	m = (struct task_end_msg){.kind = TASK_STOPPED, .survivors = 2};
	track_outcome(&o, &m);
	assert_string_equal(o.text, "2 processes could not be ended");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind),
		cmocka_unit_test(test_texts_are_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
