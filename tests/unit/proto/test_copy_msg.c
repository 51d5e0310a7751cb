/* The bodies of the messages of a copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "copy_msg.h"

/* Packs m and unpacks it into got. */
#define AGAIN(message, got, m)                                                     \
	do {                                                                       \
		struct buf b_ = {0};                                               \
		struct errmsg msg_ = {""};                                         \
                                                                                   \
		message##_put(&b_, (m));                                           \
		assert_int_equal(message##_get((got), b_.data, b_.len, &msg_), 0); \
		buf_done(&b_);                                                     \
	} while (0)

/* Is refused, and the text names the field. */
#define REFUSED(message, m, field)                                             \
	do {                                                                   \
		struct message##_msg got_;                                     \
		struct buf b_ = {0};                                           \
		struct errmsg msg_ = {""};                                     \
                                                                               \
		message##_put(&b_, (m));                                       \
		assert_true(message##_get(&got_, b_.data, b_.len, &msg_) < 0); \
		assert_non_null(strstr(msg_.text, field));                     \
		buf_done(&b_);                                                 \
	} while (0)

static uint8_t hash[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static uint8_t data[3] = {'a', 0, 'b'};

static void open_both_ways(void **state)
{
	char *from[] = {(char *)(uintptr_t) "/a", (char *)(uintptr_t) "~/b"};
	struct copy_open_msg m = {.task = 3, .several = true, .to = (char *)(uintptr_t) "/srv"},
			     got;

	(void)state;
	AGAIN(copy_open, &got, &m);
	assert_int_equal(got.task, 3);
	assert_true(got.several && !got.pull);
	assert_string_equal(got.to, "/srv");
	copy_open_done(&got);
	m = (struct copy_open_msg){.task = 1,
				   .pull = true,
				   .recurse = true,
				   .from = from,
				   .from_count = 2,
				   .window = 9};
	AGAIN(copy_open, &got, &m);
	assert_string_equal(got.from[1], "~/b");
	assert_int_equal(got.window, 9);
	copy_open_done(&got);
	m.to = from[0];
	REFUSED(copy_open, &m, "to");
	m = (struct copy_open_msg){.task = 1, .pull = true};
	REFUSED(copy_open, &m, "from");
	m = (struct copy_open_msg){.task = 1};
	REFUSED(copy_open, &m, "to");
	m = (struct copy_open_msg){.to = from[0]};
	REFUSED(copy_open, &m, "task");
}

static void the_destination_is_told_of_one_thing(void **state)
{
	struct copy_open_msg m = {.task = 3,
				  .place = COPY_PLACE_NAME,
				  .to = (char *)(uintptr_t) "/srv"},
			     got;
	struct copy_answer_msg answer = {.task = 3, .verdict = 2}, answered;

	(void)state;
	AGAIN(copy_open, &got, &m);
	assert_int_equal(got.place, COPY_PLACE_NAME);
	copy_open_done(&got);
	m.several = true;
	REFUSED(copy_open, &m, "place");
	m.several = false;
	m.place = COPY_PLACES;
	REFUSED(copy_open, &m, "place");
	AGAIN(copy_answer, &answered, &answer);
	assert_int_equal(answered.index, 0);
	copy_answer_done(&answered);
}

static void names_are_bytes(void **state)
{
	struct copy_entry_msg m = {.task = 1,
				   .index = 7,
				   .kind = 1,
				   .name = (char *)(uintptr_t) "no\xffutf8\n",
				   .mode = 0640,
				   .mtime_ns = -5,
				   .size = 99,
				   .hash = hash,
				   .hash_len = sizeof hash};
	struct copy_entry_msg got;

	(void)state;
	AGAIN(copy_entry, &got, &m);
	assert_string_equal(got.name, "no\xffutf8\n");
	assert_int_equal(got.mtime_ns, -5);
	assert_int_equal(got.size, 99);
	assert_memory_equal(got.hash, hash, sizeof hash);
	assert_null(got.text);
	copy_entry_done(&got);
	m.hash_len = 7;
	REFUSED(copy_entry, &m, "hash");
	m.hash = NULL;
	m.kind = 6;
	REFUSED(copy_entry, &m, "kind");
	m.kind = 0;
	REFUSED(copy_entry, &m, "kind");
	m.kind = 1;
	m.mode = 01777;
	REFUSED(copy_entry, &m, "mode");
	m.mode = 0;
	m.name = (char *)(uintptr_t) "";
	REFUSED(copy_entry, &m, "name");
	m.name = (char *)(uintptr_t) "a";
	m.index = 0;
	REFUSED(copy_entry, &m, "index");
}

static void the_end_has_a_hash(void **state)
{
	struct copy_data_msg m = {.task = 1, .index = 2, .data = data, .len = sizeof data}, got;

	(void)state;
	AGAIN(copy_data, &got, &m);
	assert_int_equal(got.len, 3);
	assert_memory_equal(got.data, data, 3);
	assert_false(got.end || got.failed);
	copy_data_done(&got);
	m.end = true;
	REFUSED(copy_data, &m, "hash");
	m.hash = hash;
	m.hash_len = sizeof hash;
	AGAIN(copy_data, &got, &m);
	assert_true(got.end);
	copy_data_done(&got);
	m.end = false;
	REFUSED(copy_data, &m, "hash");
}

static void borrowed_it_is_the_same(void **state)
{
	struct copy_data_msg m = {.task = 3, .index = 4, .data = data, .len = sizeof data}, got;
	struct errmsg msg = {""};
	struct buf b = {0};

	(void)state;
	for (int what = 0; what < 3; what++) {
		m.end = what == 1;
		m.hash = m.end ? hash : NULL;
		m.hash_len = m.end ? sizeof hash : 0;
		m.failed = what == 2;
		m.data = m.failed ? NULL : data;
		m.len = m.failed ? 0 : sizeof data;
		buf_clear(&b);
		copy_data_put(&b, &m);
		assert_int_equal(copy_data_borrow(&got, b.data, b.len, &msg), 0);
		assert_int_equal(got.task, 3);
		assert_int_equal(got.index, 4);
		assert_int_equal(got.len, m.len);
		assert_int_equal(got.end, m.end);
		assert_int_equal(got.failed, m.failed);
		assert_int_equal(got.hash_len, m.hash_len);
		if (m.len)
			assert_memory_equal(got.data, data, sizeof data);
		if (m.len)
			assert_true(got.data > b.data && got.data < b.data + b.len);
		/* Whatever is missing is found missing. */
		for (size_t len = 0; len < b.len; len++)
			assert_true(copy_data_borrow(&got, b.data, len, &msg) < 0);
	}
	m.end = true;
	buf_clear(&b);
	copy_data_put(&b, &m);
	assert_int_equal(copy_data_borrow(&got, b.data, b.len, &msg), ERR_PROTO);
	assert_non_null(strstr(msg.text, "hash"));
	buf_done(&b);
}

static void written_in_parts_it_is_the_same(void **state)
{
	struct copy_data_msg got;
	struct errmsg msg = {""};
	struct buf b = {0};

	(void)state;
	for (int end = 0; end < 2; end++) {
		copy_data_put_head(&b, 300, 70000, sizeof data);
		buf_add(&b, data, sizeof data);
		copy_data_put_tail(&b, end, hash);
		assert_int_equal(copy_data_get(&got, b.data, b.len, &msg), 0);
		assert_int_equal(got.task, 300);
		assert_int_equal(got.index, 70000);
		assert_int_equal(got.len, sizeof data);
		assert_memory_equal(got.data, data, sizeof data);
		assert_int_equal(got.end, end);
		copy_data_done(&got);
		buf_clear(&b);
	}
	buf_done(&b);
}

static void answers(void **state)
{
	struct copy_answer_msg m = {.task = 1,
				    .index = 2,
				    .verdict = 4,
				    .offset = 5,
				    .text = (char *)(uintptr_t) "no space"};
	struct copy_answer_msg got;
	struct copy_credit_msg credit = {.task = 1, .bytes = 5}, credited;
	struct copy_end_msg end = {.task = 8}, ended;

	(void)state;
	AGAIN(copy_answer, &got, &m);
	assert_string_equal(got.text, "no space");
	assert_int_equal(got.offset, 5);
	copy_answer_done(&got);
	m.verdict = 5;
	REFUSED(copy_answer, &m, "verdict");
	m.verdict = 0;
	REFUSED(copy_answer, &m, "verdict");
	AGAIN(copy_credit, &credited, &credit);
	assert_int_equal(credited.bytes, 5);
	AGAIN(copy_end, &ended, &end);
	assert_int_equal(ended.task, 8);
	end.task = 0;
	REFUSED(copy_end, &end, "task");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_both_ways),
		cmocka_unit_test(names_are_bytes),
		cmocka_unit_test(the_end_has_a_hash),
		cmocka_unit_test(borrowed_it_is_the_same),
		cmocka_unit_test(written_in_parts_it_is_the_same),
		cmocka_unit_test(answers),
		cmocka_unit_test(the_destination_is_told_of_one_thing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
