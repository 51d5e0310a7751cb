#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "buf.h"

static void zero_is_empty_and_valid(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_clear(&b);
	buf_consume(&b, 5);
	buf_add(&b, NULL, 0);
	buf_add_str(&b, "");
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_cstr(&b), "");
	buf_done(&b);
	assert_null(b.data);
	buf_done(&b);
}

static void room_is_never_null(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_non_null(buf_room(&b, 0));
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

static void content_survives_growth(void **state)
{
	struct buf b = {0};

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_add_char(&b, (char)('a' + i % 26));
	assert_int_equal(b.len, 100000);
	assert_true(b.size >= b.len && b.size <= 2 * b.len);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(b.data[i], 'a' + i % 26);
	buf_done(&b);
}

static void room_may_be_filled_by_the_caller(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_add_str(&b, "head ");
	memset(buf_room(&b, 1000), 'x', 1000);
	b.len += 1000;
	assert_int_equal(b.len, 1005);
	assert_memory_equal(b.data, "head xxx", 8);
	assert_int_equal(b.data[1004], 'x');
	buf_done(&b);
}

static void formatting(void **state)
{
	struct buf b = {0};
	char *wide;

	(void)state;
	buf_addf(&b, "%s=%d", "a", 1);
	buf_addf(&b, "%s", "");
	buf_addf(&b, ";%5000d", 7);
	assert_int_equal(b.len, 3 + 5001);
	wide = xasprintf("a=1;%5000d", 7);
	assert_string_equal(buf_cstr(&b), wide);
	free(wide);
	buf_done(&b);
}

/* Whether the text fits into the room there is, with its NUL or without, must not show. */
static void formatting_at_the_end_of_the_room(void **state)
{
	(void)state;
	for (size_t free_bytes = 0; free_bytes < 8; free_bytes++) {
		struct buf b = {0};

		(void)buf_room(&b, 1);
		b.len = b.size - free_bytes;
		memset(b.data, 'x', b.len);
		buf_addf(&b, "%d", 12345);
		assert_int_equal(b.data[b.len - 6], 'x');
		assert_memory_equal(b.data + b.len - 5, "12345", 5);
		buf_done(&b);
	}
}

static void consume_takes_from_the_front(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_add_str(&b, "abcdef");
	buf_consume(&b, 0);
	assert_string_equal(buf_cstr(&b), "abcdef");
	buf_consume(&b, 2);
	assert_string_equal(buf_cstr(&b), "cdef");
	buf_consume(&b, 99);
	assert_int_equal(b.len, 0);
	buf_add_str(&b, "again");
	assert_string_equal(buf_cstr(&b), "again");
	buf_done(&b);
}

static void clear_keeps_the_memory(void **state)
{
	struct buf b = {0};
	uint8_t *data;

	(void)state;
	buf_add_str(&b, "text");
	data = b.data;
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_ptr_equal(b.data, data);
	buf_done(&b);
}

static void cstr_does_not_count_its_nul(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_add(&b, "a\0b", 3);
	assert_memory_equal(buf_cstr(&b), "a\0b", 4);
	assert_int_equal(b.len, 3);
	buf_done(&b);
}

static void take_hands_over_and_empties(void **state)
{
	struct buf b = {0};
	char *text;

	(void)state;
	text = buf_take_str(&b);
	assert_string_equal(text, "");
	free(text);
	buf_add_str(&b, "mine");
	text = buf_take_str(&b);
	assert_string_equal(text, "mine");
	assert_null(b.data);
	assert_int_equal(b.len + b.size, 0);
	free(text);
}

static void copies_of_text(void **state)
{
	char *text;

	(void)state;
	text = xstrndup("abcdef", 3);
	assert_string_equal(text, "abc");
	free(text);
	text = xstrndup("ab", 3);
	assert_string_equal(text, "ab");
	free(text);
	text = xstrdup("");
	assert_string_equal(text, "");
	free(text);
}

static void nothing_is_still_a_pointer(void **state)
{
	void *p;

	(void)state;
	p = xmalloc(0);
	assert_non_null(p);
	p = xrealloc(p, 0, 8);
	assert_non_null(p);
	free(p);
	p = xcalloc(0, 0);
	assert_non_null(p);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_is_empty_and_valid),
		cmocka_unit_test(room_is_never_null),
		cmocka_unit_test(content_survives_growth),
		cmocka_unit_test(room_may_be_filled_by_the_caller),
		cmocka_unit_test(formatting),
		cmocka_unit_test(formatting_at_the_end_of_the_room),
		cmocka_unit_test(consume_takes_from_the_front),
		cmocka_unit_test(clear_keeps_the_memory),
		cmocka_unit_test(cstr_does_not_count_its_nul),
		cmocka_unit_test(take_hands_over_and_empties),
		cmocka_unit_test(copies_of_text),
		cmocka_unit_test(nothing_is_still_a_pointer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
