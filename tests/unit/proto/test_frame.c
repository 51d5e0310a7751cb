/* proto/frame.c, crc32c.c and message.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "crc32c.h"
#include "frame.h"
#include "limits.h"
#include "message.h"

/* A slow CRC32C straight from the polynomial, to judge the quick ones by. */
static uint32_t slow_crc(const uint8_t *p, size_t n)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static void assert_crc(const void *data, size_t n, uint32_t expected)
{
	assert_int_equal(crc32c_soft(0, data, n), expected);
	assert_int_equal(crc32c(0, data, n), expected);
	if (crc32c_has_hard())
		assert_int_equal(crc32c_hard(0, data, n), expected);
}

/* RFC 3720, appendix B.4, and the usual check value. */
static void test_crc_vectors(void **state)
{
	static const uint8_t read_pdu[48] = {
		0x01,	     0xc0,	  0x00,	       0x00,	    [16] = 0x14,
		[22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02,
	};
	uint8_t block[32];

	(void)state;
	assert_crc("", 0, 0);
	assert_crc("123456789", 9, 0xe3069283u);
	memset(block, 0, sizeof block);
	assert_crc(block, sizeof block, 0x8a9136aau);
	memset(block, 0xff, sizeof block);
	assert_crc(block, sizeof block, 0x62a8ab43u);
	for (uint8_t i = 0; i < 32; i++)
		block[i] = i;
	assert_crc(block, sizeof block, 0x46dd794eu);
	for (uint8_t i = 0; i < 32; i++)
		block[i] = (uint8_t)(31 - i);
	assert_crc(block, sizeof block, 0x113fdb5cu);
	assert_crc(read_pdu, sizeof read_pdu, 0xd9963a56u);
}

static void test_crc_paths_agree(void **state)
{
	uint8_t data[300];
	uint32_t seed = 1;

	(void)state;
	for (size_t i = 0; i < sizeof data; i++) {
		seed = seed * 1664525u + 1013904223u;
		data[i] = (uint8_t)(seed >> 24);
	}
	for (size_t at = 0; at < 9; at++)
		for (size_t n = 0; n + at <= sizeof data; n++)
			assert_crc(data + at, n, slow_crc(data + at, n));
	for (size_t cut = 0; cut <= sizeof data; cut++) {
		uint32_t whole = slow_crc(data, sizeof data);

		assert_int_equal(
			crc32c_soft(crc32c_soft(0, data, cut), data + cut, sizeof data - cut),
			whole);
		assert_int_equal(
			crc32c_hard(crc32c_hard(0, data, cut), data + cut, sizeof data - cut),
			whole);
	}
}

/* Where the instruction is used for three parts of a block at once. */
static void test_crc_of_much(void **state)
{
	static const size_t sizes[] = {12287, 12288, 12289, 12296, 24575, 24576, 36901, 65571};
	uint8_t *data = malloc(65572);
	uint32_t seed = 7;

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < 65572; i++) {
		seed = seed * 1664525u + 1013904223u;
		data[i] = (uint8_t)(seed >> 24);
	}
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		for (size_t at = 0; at < 2; at++)
			assert_crc(data + at, sizes[i], slow_crc(data + at, sizes[i]));
	free(data);
}

static void make_frame(struct buf *out, uint8_t type, uint64_t seq, const void *body, size_t len)
{
	size_t begin = frame_begin(out);

	buf_add(out, body, len);
	assert_int_equal(frame_end(out, begin, type, 3, seq), 0);
}

/* The bytes themselves, so that the layout cannot change unseen. */
static void test_frame_bytes(void **state)
{
	static const uint8_t expected[] = {
		'M', 'S', 0x21, 0x03, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8,
	};
	struct buf out = {0};
	uint32_t crc;

	(void)state;
	make_frame(&out, 0x21, 0x0102030405060708u, "abc", 3);
	assert_int_equal(out.len, FRAME_HEADER_SIZE + 3);
	assert_memory_equal(out.data, expected, sizeof expected);
	assert_memory_equal(out.data + FRAME_HEADER_SIZE, "abc", 3);
	crc = crc32c(crc32c(0, expected, sizeof expected), "abc", 3);
	for (int i = 0; i < 4; i++)
		assert_int_equal(out.data[16 + i], crc >> (24 - 8 * i) & 0xff);
	buf_done(&out);
}

static void test_frame_round_trip(void **state)
{
	struct buf out = {0};
	struct frame frame;
	int64_t first, second;

	(void)state;
	make_frame(&out, MSG_HELLO, UINT64_MAX, "hello", 5);
	make_frame(&out, MSG_STATUS, 7, NULL, 0);
	first = frame_parse(out.data, out.len, &frame, NULL);
	assert_int_equal(first, FRAME_HEADER_SIZE + 5);
	assert_int_equal(frame.type, MSG_HELLO);
	assert_int_equal(frame.flags, 3);
	assert_true(frame.seq == UINT64_MAX);
	assert_int_equal(frame.len, 5);
	assert_memory_equal(frame.body, "hello", 5);
	second = frame_parse(out.data + first, out.len - (size_t)first, &frame, NULL);
	assert_int_equal(second, FRAME_HEADER_SIZE);
	assert_int_equal(frame.type, MSG_STATUS);
	assert_int_equal(frame.seq, 7);
	assert_int_equal(frame.len, 0);
	buf_done(&out);
}

static void test_frame_needs_more(void **state)
{
	struct frame frame = {.type = 99};
	struct buf out = {0};

	(void)state;
	make_frame(&out, MSG_WARNING, 1, "some body", 9);
	for (size_t n = 0; n < out.len; n++) {
		uint8_t *cut = xmalloc(n + 1); /* exact, so that reading on is seen */

		cut = xrealloc(cut, n ? n : 1, 1);
		memcpy(cut, out.data, n);
		assert_int_equal(frame_parse(cut, n, &frame, NULL), 0);
		free(cut);
	}
	assert_int_equal(frame.type, 99);
	buf_done(&out);
}

/* A flip in the length may ask for more bytes, which is no frame either. */
static void test_frame_bit_flips(void **state)
{
	struct frame frame = {.type = 99};
	struct buf out = {0};

	(void)state;
	make_frame(&out, MSG_RECORDS, 42, "0123456789abcdef", 16);
	for (size_t bit = 0; bit < out.len * 8; bit++) {
		int64_t r;

		out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		r = frame_parse(out.data, out.len, &frame, NULL);
		assert_true(r <= 0);
		if (bit / 8 < 4 || bit / 8 >= 8)
			assert_int_equal(r, ERR_PROTO);
		out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(frame.type, 99);
	assert_true(frame_parse(out.data, out.len, &frame, NULL) > 0);
	buf_done(&out);
}

static void test_frame_wrong_magic(void **state)
{
	struct errmsg msg = {""};
	struct frame frame;

	(void)state;
	assert_int_equal(frame_parse((const uint8_t *)"S", 1, &frame, &msg), ERR_PROTO);
	assert_non_null(strstr(msg.text, "0x53"));
	assert_int_equal(frame_parse((const uint8_t *)"M", 1, &frame, &msg), 0);
	assert_int_equal(frame_parse((const uint8_t *)"MT", 2, &frame, &msg), ERR_PROTO);
}

static void test_frame_too_long(void **state)
{
	/* The length alone is enough: nothing waits for a body that may not come. */
	const uint8_t over[8] = {'M', 'S', 16, 0, 0x00, 0x10, 0x00, 0x01};
	const uint8_t most[8] = {'M', 'S', 16, 0, 0x00, 0x10, 0x00, 0x00};
	const uint8_t huge[8] = {'M', 'S', 16, 0, 0xff, 0xff, 0xff, 0xff};
	struct errmsg msg = {""};
	struct frame frame;

	(void)state;
	assert_int_equal(frame_parse(over, sizeof over, &frame, &msg), ERR_LIMIT);
	assert_non_null(strstr(msg.text, "1048577"));
	assert_int_equal(frame_parse(huge, sizeof huge, &frame, &msg), ERR_LIMIT);
	assert_int_equal(frame_parse(most, sizeof most, &frame, &msg), 0);
}

static void test_frame_end_limit(void **state)
{
	uint8_t *body = xcalloc(LIMIT_FRAME_BODY + 1, 1);
	struct buf out = {0};
	struct frame frame;
	size_t begin;

	(void)state;
	buf_add_str(&out, "before");
	begin = frame_begin(&out);
	buf_add(&out, body, LIMIT_FRAME_BODY + 1);
	assert_int_equal(frame_end(&out, begin, MSG_GET_ROW, 0, 0), ERR_LIMIT);
	assert_int_equal(out.len, 6);
	assert_memory_equal(out.data, "before", 6);
	begin = frame_begin(&out);
	buf_add(&out, body, LIMIT_FRAME_BODY);
	assert_int_equal(frame_end(&out, begin, MSG_GET_ROW, 0, 0), 0);
	assert_int_equal(frame_parse(out.data + 6, out.len - 6, &frame, NULL), out.len - 6);
	assert_int_equal(frame.len, LIMIT_FRAME_BODY);
	buf_done(&out);
	free(body);
}

static void test_message_table(void **state)
{
	int known = 0;

	(void)state;
	for (int type = 0; type < 256; type++) {
		bool any = false;

		for (unsigned side = MSG_FROM_C; side <= MSG_FROM_S; side *= 2)
			any |= message_may_send((uint8_t)type, (enum message_sender)side);
		assert_int_equal(any, message_name((uint8_t)type) != NULL);
		known += any;
	}
	assert_int_equal(known, 62);
	assert_string_equal(message_name(MSG_JOB_OPEN), "JOB_OPEN");
	assert_null(message_name(0));
	assert_true(message_may_send(MSG_JOB_OPEN, MSG_FROM_C));
	assert_false(message_may_send(MSG_JOB_OPEN, MSG_FROM_D));
	assert_true(message_may_send(MSG_RECORDS, MSG_FROM_D));
	assert_false(message_may_send(MSG_RECORDS, MSG_FROM_C));
	assert_true(message_may_send(MSG_HELLO, MSG_FROM_C));
	assert_true(message_may_send(MSG_HELLO, MSG_FROM_D));
	assert_true(message_may_send(MSG_HELLO, MSG_FROM_I));
	assert_true(message_may_send(MSG_ERROR, MSG_FROM_A));
	assert_true(message_may_send(MSG_TASK_OPEN, MSG_FROM_I));
	assert_false(message_may_send(MSG_TASK_OPEN, MSG_FROM_A));
	assert_false(message_may_send(MSG_TASK_OPEN, MSG_FROM_C));
	assert_true(message_may_send(MSG_TASK_END, MSG_FROM_A));
	assert_false(message_may_send(MSG_TASK_END, MSG_FROM_I));
	assert_true(message_may_send(MSG_JOB_SECRET, MSG_FROM_C));
	assert_false(message_may_send(MSG_JOB_SECRET, MSG_FROM_I));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc_vectors),	 cmocka_unit_test(test_crc_paths_agree),
		cmocka_unit_test(test_crc_of_much),	 cmocka_unit_test(test_frame_bytes),
		cmocka_unit_test(test_frame_round_trip), cmocka_unit_test(test_frame_needs_more),
		cmocka_unit_test(test_frame_bit_flips),	 cmocka_unit_test(test_frame_wrong_magic),
		cmocka_unit_test(test_frame_too_long),	 cmocka_unit_test(test_frame_end_limit),
		cmocka_unit_test(test_message_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
