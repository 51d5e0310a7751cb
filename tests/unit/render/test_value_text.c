/* What a progress record says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "typed_values.h"
#include "value_text.h"

static void says(const struct buf *value, const char *want)
{
	struct buf out = {0};

	value_text_progress(&out, value->data, value->len);
	assert_string_equal(buf_cstr(&out), want);
	buf_done(&out);
}

#define SAYS(want, ...)                      \
	do {                                 \
		struct buf value_ = {0};     \
		TYPED(&value_, __VA_ARGS__); \
		says(&value_, want);         \
		buf_done(&value_);           \
	} while (0)

static void progress(void **state)
{
	(void)state;
	SAYS("45%", "u45");
	SAYS("half", "shalf");
	SAYS("45% copying: file 3", "{3", "sstatus", "sfile 3", "spercent", "u45", "sactivity",
	     "scopying");
	SAYS("12.5% copying", "{2", "sactivity", "scopying", "sPercentComplete", "f12.5");
	SAYS("45% file 3", "{2", "spercent", "u45", "smessage", "sfile 3");
	SAYS("copying", "{1", "sActivity", "scopying");
	SAYS("n=3", "{1", "sn", "u3");
	SAYS("[1]", "[1", "u1");
	SAYS("", "{0");
	says(&(const struct buf){0}, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(progress)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
