/* proto/check.c: what passes, and that each rule refuses with its own words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "check.h"
#include "limits.h"

/* Checks a copy of the exact size, so that the sanitizer sees a byte read too many. */
static int check_exact(const void *data, size_t n, struct errmsg *msg)
{
	uint8_t *copy = xmalloc(n ? n : 1);
	int r;

	memcpy(copy, data, n);
	r = check_body(copy, n, msg);
	free(copy);
	return r;
}

static void assert_good(const void *data, size_t n)
{
	struct errmsg msg = {""};

	if (check_exact(data, n, &msg) != 0)
		fail_msg("refused: %s", msg.text);
}

static void assert_bad(const void *data, size_t n, int code, const char *rule)
{
	struct errmsg msg = {""};

	assert_int_equal(check_exact(data, n, &msg), code);
	if (!strstr(msg.text, rule))
		fail_msg("\"%s\" does not say \"%s\"", msg.text, rule);
	assert_int_equal(check_exact(data, n, NULL), code);
}

#define GOOD(bytes)		assert_good(bytes, sizeof bytes - 1)
#define BAD(bytes, code, rule)	assert_bad(bytes, sizeof bytes - 1, code, rule)
#define PREFIXES_ARE_BAD(bytes) assert_prefixes_are_bad(bytes, sizeof bytes - 1)

static void assert_prefixes_are_bad(const void *data, size_t n)
{
	assert_good(data, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(check_exact(data, i, NULL), ERR_PROTO);
}

static void test_every_form(void **state)
{
	(void)state;
	PREFIXES_ARE_BAD("\xc0");
	PREFIXES_ARE_BAD("\x00");
	PREFIXES_ARE_BAD("\x7f");
	PREFIXES_ARE_BAD("\xff");
	PREFIXES_ARE_BAD("\xc2");
	PREFIXES_ARE_BAD("\xc3");
	PREFIXES_ARE_BAD("\xa0");
	PREFIXES_ARE_BAD("\xa3"
			 "abc");
	PREFIXES_ARE_BAD("\xd9\x03"
			 "abc");
	PREFIXES_ARE_BAD("\xda\x00\x03"
			 "abc");
	PREFIXES_ARE_BAD("\xdb\x00\x00\x00\x03"
			 "abc");
	PREFIXES_ARE_BAD("\xc4\x02\xff\xfe");
	PREFIXES_ARE_BAD("\xc5\x00\x02\xff\xfe");
	PREFIXES_ARE_BAD("\xc6\x00\x00\x00\x02\xff\xfe");
	PREFIXES_ARE_BAD("\xca\x00\x00\x00\x00");
	PREFIXES_ARE_BAD("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00");
	PREFIXES_ARE_BAD("\xcc\x80");
	PREFIXES_ARE_BAD("\xcd\x80\x00");
	PREFIXES_ARE_BAD("\xce\x80\x00\x00\x00");
	PREFIXES_ARE_BAD("\xcf\x80\x00\x00\x00\x00\x00\x00\x00");
	PREFIXES_ARE_BAD("\xd0\x80");
	PREFIXES_ARE_BAD("\xd1\x80\x00");
	PREFIXES_ARE_BAD("\xd2\x80\x00\x00\x00");
	PREFIXES_ARE_BAD("\xd3\x80\x00\x00\x00\x00\x00\x00\x00");
	PREFIXES_ARE_BAD("\xd6\xff\x00\x00\x00\x01");
	PREFIXES_ARE_BAD("\xd7\xff\x00\x00\x00\x01\x00\x00\x00\x01");
	PREFIXES_ARE_BAD("\xc7\x0c\xff"
			 "123456789012");
	PREFIXES_ARE_BAD("\x92\x01\x91\xc0");
	PREFIXES_ARE_BAD("\xdc\x00\x02\x01\x02");
	PREFIXES_ARE_BAD("\xdd\x00\x00\x00\x02\x01\x02");
	PREFIXES_ARE_BAD("\x82\xa1"
			 "a\x01\xa1"
			 "b\x90");
	PREFIXES_ARE_BAD("\xde\x00\x01\xa1"
			 "a\x01");
	PREFIXES_ARE_BAD("\xdf\x00\x00\x00\x01\xa1"
			 "a\x80");
	GOOD("\x90");
	GOOD("\x80");
	GOOD("\xdd\x00\x00\x00\x00");
	GOOD("\xdf\x00\x00\x00\x00");
}

static void test_nothing_and_too_much(void **state)
{
	uint8_t *big = xcalloc(LIMIT_FRAME_BODY + 1, 1);

	(void)state;
	assert_bad("", 0, ERR_PROTO, "ends before");
	assert_int_equal(check_body(NULL, 0, NULL), ERR_PROTO);
	BAD("\x01\x02", ERR_PROTO, "behind");
	BAD("\x90\xc0", ERR_PROTO, "body of 2 bytes, byte 1");
	assert_bad(big, LIMIT_FRAME_BODY + 1, ERR_LIMIT, "too long");
	free(big);
}

static void test_reserved_and_ext(void **state)
{
	(void)state;
	BAD("\xc1", ERR_PROTO, "0xc1");
	BAD("\x91\xc1", ERR_PROTO, "byte 1");
	BAD("\xd6\x01\x00\x00\x00\x01", ERR_PROTO, "extension -1");
	BAD("\xd4\xff\x00", ERR_PROTO, "4, 8 or 12");
	BAD("\xd5\xff\x00\x00", ERR_PROTO, "4, 8 or 12");
	BAD("\xd8\xff"
	    "1234567890123456",
	    ERR_PROTO, "4, 8 or 12");
	BAD("\xc7\x00\xff", ERR_PROTO, "4, 8 or 12");
	BAD("\xc9\xff\xff\xff\xff\xff", ERR_PROTO, "4, 8 or 12");
	GOOD("\xc7\x04\xff\x00\x00\x00\x01");
	GOOD("\xc8\x00\x08\xff"
	     "12345678");
}

/* What msgpack-c would reserve gigabytes for. */
static void test_bombs(void **state)
{
	(void)state;
	BAD("\xdd\xff\xff\xff\xff", ERR_PROTO, "count");
	BAD("\xdf\xff\xff\xff\xff", ERR_PROTO, "count");
	BAD("\xdf\x80\x00\x00\x00", ERR_PROTO, "count");
	BAD("\xdb\xff\xff\xff\xff", ERR_PROTO, "length");
	BAD("\xc6\xff\xff\xff\xff", ERR_PROTO, "length");
	BAD("\xdd\x00\x00\x00\x03\xc0\xc0", ERR_PROTO, "count");
	BAD("\xdf\x00\x00\x00\x02\x01\x02\x03", ERR_PROTO, "count");
	BAD("\xa4"
	    "abc",
	    ERR_PROTO, "length");
}

/* n arrays of one element each, and nil in the innermost. */
static void assert_nested(size_t n, uint8_t opener, int code)
{
	uint8_t *data = xmalloc(2 * n + 1);
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		data[len++] = opener;
		if (opener == 0x81)
			data[len++] = 0x01; /* the key */
	}
	data[len++] = 0xc0;
	assert_int_equal(check_exact(data, len, NULL), code);
	free(data);
}

static void test_depth(void **state)
{
	(void)state;
	assert_nested(LIMIT_MSG_DEPTH, 0x91, 0);
	assert_nested(LIMIT_MSG_DEPTH + 1, 0x91, ERR_LIMIT);
	assert_nested(33, 0x91, ERR_LIMIT);
	assert_nested(1000000, 0x91, ERR_LIMIT);
	assert_nested(LIMIT_MSG_DEPTH, 0x81, 0);
	assert_nested(LIMIT_MSG_DEPTH + 1, 0x81, ERR_LIMIT);
	assert_nested(500000, 0x81, ERR_LIMIT);
	/* Levels that were closed do not count. */
	GOOD("\x93\x91\x91\xc0\x91\x91\xc0\x91\x91\xc0");
}

static void assert_nils(uint32_t count, int code)
{
	uint8_t *data = xmalloc(count + 5);

	data[0] = 0xdd;
	for (int i = 0; i < 4; i++)
		data[1 + i] = (uint8_t)(count >> (24 - 8 * i));
	memset(data + 5, 0xc0, count);
	assert_int_equal(check_exact(data, count + 5, NULL), code);
	free(data);
}

static void test_nodes(void **state)
{
	(void)state;
	assert_nils(LIMIT_MSG_NODES - 1, 0);
	assert_nils(LIMIT_MSG_NODES, ERR_LIMIT);
	assert_nils(1000000, ERR_LIMIT);
}

/* Nodes add up over siblings: 300 arrays of 300 nils. */
static void test_nodes_in_siblings(void **state)
{
	struct buf out = {0};

	(void)state;
	buf_add(&out, "\xdc\x01\x2c", 3);
	for (int i = 0; i < 300; i++) {
		buf_add(&out, "\xdc\x01\x2c", 3);
		for (int k = 0; k < 300; k++)
			buf_add_char(&out, '\x7f');
	}
	assert_bad(out.data, out.len, ERR_LIMIT, "too many objects");
	buf_done(&out);
}

static void test_utf8(void **state)
{
	(void)state;
	GOOD("\xa2\xc3\xa4");
	GOOD("\xa4\xf0\x9f\x98\x80");
	BAD("\xa1\xff", ERR_PROTO, "UTF-8");
	BAD("\xa1\xc3", ERR_PROTO, "UTF-8");
	BAD("\xa2\xc0\x80", ERR_PROTO, "UTF-8");
	BAD("\xa3\xed\xa0\x80", ERR_PROTO, "UTF-8");
	BAD("\xd9\x01\x80", ERR_PROTO, "UTF-8");
	BAD("\x81\xa1\xff\xc0", ERR_PROTO, "UTF-8");
	/* A character may not be cut by the end of its str, though its rest is there. */
	BAD("\x92\xa1\xc3\xa4", ERR_PROTO, "UTF-8");
}

static void test_keys(void **state)
{
	(void)state;
	BAD("\x82\xa1"
	    "a\x01\xa1"
	    "a\x02",
	    ERR_PROTO, "same key");
	BAD("\x83\x01\x01\x02\x02\x01\x03", ERR_PROTO, "same key");
	BAD("\x82\xc0\x01\xc0\x02", ERR_PROTO, "same key");
	BAD("\x91\x81\x01\x82\x05\x05\x05\x05", ERR_PROTO, "byte 6");
	BAD("\x81\x90\x01", ERR_PROTO, "key is an array");
	BAD("\x81\x80\x01", ERR_PROTO, "key is an array");
	/* Alike in different maps, as key and value, and as part of one another. */
	GOOD("\x92\x81\x01\x01\x81\x01\x01");
	GOOD("\x82\xa1"
	     "a\xa1"
	     "b\xa1"
	     "b\xa1"
	     "a");
	GOOD("\x82\xa1"
	     "a\x01\xa2"
	     "aa\x01");
	GOOD("\x81\x01\x82\x01\x01\x02\x02");
	/* The outer map's keys are remembered over the inner one. */
	BAD("\x82\x01\x81\x02\x02\x01\x03", ERR_PROTO, "same key");
	GOOD("\x82\x01\x81\x02\x02\x02\x03");
}

static void make_map(struct buf *out, uint16_t keys)
{
	uint8_t head[3] = {0xde, (uint8_t)(keys >> 8), (uint8_t)keys};

	buf_clear(out);
	buf_add(out, head, sizeof head);
	for (uint16_t i = 0; i < keys; i++) {
		uint8_t pair[4] = {0xcd, (uint8_t)(i >> 8), (uint8_t)i, 0xc0};

		buf_add(out, pair, sizeof pair);
	}
}

static void test_key_count(void **state)
{
	struct buf out = {0};

	(void)state;
	make_map(&out, LIMIT_MAP_KEYS);
	assert_good(out.data, out.len);
	out.data[out.len - 2] = 0; /* the last key is now the first one */
	out.data[out.len - 3] = 0;
	assert_bad(out.data, out.len, ERR_PROTO, "same key");
	make_map(&out, LIMIT_MAP_KEYS + 1);
	assert_bad(out.data, out.len, ERR_LIMIT, "too many keys");
	buf_done(&out);
}

/* No input of a few bytes may do harm; the sanitizers watch. */
static void test_all_short_inputs(void **state)
{
	uint8_t data[3];
	size_t good = 0;

	(void)state;
	for (uint32_t i = 0; i < 1u << 24; i += 7) {
		data[0] = (uint8_t)(i >> 16);
		data[1] = (uint8_t)(i >> 8);
		data[2] = (uint8_t)i;
		good += check_body(data, sizeof data, NULL) == 0;
	}
	assert_true(good > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_form),
		cmocka_unit_test(test_nothing_and_too_much),
		cmocka_unit_test(test_reserved_and_ext),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_nodes_in_siblings),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_key_count),
		cmocka_unit_test(test_all_short_inputs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
