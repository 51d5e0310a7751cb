/* proto/copy_route.c: another task in front, and the rest as it came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "copy_msg.h"
#include "copy_route.h"
#include "limits.h"
#include "message.h"

static const uint64_t tasks[] = {1,	127,	    128,	255,	    256,	   65535,
				 65536, UINT32_MAX, 1ULL << 32, UINT64_MAX, 3ULL << 32 | 7};

static void test_each_width(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tasks); i++)
		for (size_t j = 0; j < ARRAY_LEN(tasks); j++) {
			char name[] = "a/b";
			struct copy_entry_msg m = {
				.task = tasks[i], .index = 9, .kind = 1, .name = name, .size = 5};
			struct buf body = {0}, out = {0};
			struct frame frame = {.type = MSG_COPY_ENTRY}, got;
			uint64_t task = 0;

			copy_entry_put(&body, &m);
			frame.body = body.data;
			frame.len = body.len;
			assert_int_equal(copy_route_task(&task, &frame, NULL), 0);
			assert_int_equal(task, tasks[i]);
			assert_int_equal(copy_route_put(&out, &frame, tasks[j], NULL), 0);
			assert_int_equal(frame_parse(out.data, out.len, &got, NULL), out.len);
			assert_int_equal(got.type, MSG_COPY_ENTRY);
			assert_int_equal(copy_entry_get(&m, got.body, got.len, NULL), 0);
			assert_int_equal(m.task, tasks[j]);
			assert_int_equal(m.index, 9);
			assert_string_equal(m.name, "a/b");
			assert_int_equal(m.size, 5);
			copy_entry_done(&m);
			buf_done(&body);
			buf_done(&out);
		}
}

static void test_none(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {{"", 0},	    {"\x90", 1},	 {"\x92", 1},
		   {"\x92\xcf", 2}, {"\x92\xcf\1\2", 4}, {"\x92\xa1", 2},
		   {"\x92\xff", 2}, {"\x92\x00", 2},	 {"\xdc", 1},
		   {"\xdc\x00", 2}, {"\xdc\0\0\1", 4},	 {"\xdc\0\2", 3},
		   {"\x82\1", 2},   {"\x92\xcd\0", 3}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		/* Of their own, so that a byte too much is seen. */
		uint8_t *own = xcalloc(bad[i].len ? bad[i].len : 1, 1);
		struct frame frame = {.type = MSG_COPY_DATA, .body = own, .len = bad[i].len};
		struct errmsg msg = {""};
		struct buf out = {0};
		uint64_t task;

		memcpy(own, bad[i].bytes, bad[i].len);
		assert_int_equal(copy_route_task(&task, &frame, &msg), ERR_PROTO);
		assert_true(msg.text[0] != '\0');
		assert_int_equal(copy_route_put(&out, &frame, 1, &msg), ERR_PROTO);
		assert_int_equal(out.len, 0);
		buf_done(&out);
		free(own);
	}
}

static void test_too_long(void **state)
{
	uint8_t *body = xcalloc(LIMIT_FRAME_BODY, 1);
	struct frame frame = {.type = MSG_COPY_DATA, .body = body, .len = LIMIT_FRAME_BODY};
	struct buf out = {0};

	(void)state;
	body[0] = 0x92;
	body[1] = 1;
	assert_int_equal(copy_route_put(&out, &frame, 2, NULL), 0);
	buf_clear(&out);
	assert_int_equal(copy_route_put(&out, &frame, UINT64_MAX, NULL), ERR_LIMIT);
	assert_int_equal(out.len, 0);
	buf_done(&out);
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_width),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
