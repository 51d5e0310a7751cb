/* Frames and bodies that want memory, depth or time: refused, and memory stays as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "agent_msg.h"
#include "alloc.h"
#include "check.h"
#include "control_msg.h"
#include "frame.h"
#include "limits.h"
#include "message.h"
#include "peer.h"
#include "record.h"

#define FLAT_KIB \
	16384 /* that the peak may grow by: a few frames, of which a sanitizer keeps copies */

static int on_hello(void *arg, const struct agent_hello_msg *hello, struct errmsg *msg)
{
	(void)arg;
	(void)hello;
	(void)msg;
	return 0;
}

/* Reads each body as what it says it is, as the daemon does. */
static int on_record(void *arg, uint64_t child, uint64_t seq, const struct record *record)
{
	(void)arg;
	(void)child;
	(void)seq;
	(void)record;
	return 0;
}

static int on_message(void *arg, const struct frame *frame, struct errmsg *msg)
{
	struct task_schema_msg schema;
	int r;

	(void)arg;
	if (frame->type == MSG_TASK_RECORDS)
		return records_get(frame->body, frame->len, on_record, NULL, msg);
	r = task_schema_get(&schema, frame->body, frame->len, msg);
	if (!r)
		task_schema_done(&schema);
	return r;
}

static const struct peer_events events = {on_hello, on_message};

static long peak_kib(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

/* HELLO and one frame of this body, from an agent. */
static int feed(uint8_t type, const void *body, size_t len, struct errmsg *msg)
{
	static const struct agent_hello_msg hello = {.pid = 1};
	struct peer *peer = peer_new(PEER_INITIATOR, &events, NULL);
	struct buf out = {0};
	size_t begin;
	int r;

	peer_put_hello(&out, &hello);
	begin = frame_begin(&out);
	buf_add(&out, body, len);
	assert_int_equal(frame_end(&out, begin, type, 0, 1), 0);
	r = peer_feed(peer, out.data, out.len, msg);
	peer_free(peer);
	buf_done(&out);
	return r;
}

/* Five bytes that announce four thousand million objects, in every place where a count may stand.
 */
static void fault_35_array_bomb(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bombs[] = {
		{"\xdd\xff\xff\xff\xff", 5},
		{"\xdf\xff\xff\xff\xff", 5},
		{"\xdf\x7f\xff\xff\xff", 5},
		{"\xdb\xff\xff\xff\xff", 5},
		{"\xc6\xff\xff\xff\xff", 5},
		{"\xdc\xff\xff", 3},
		{"\x93\x01\x01\xdd\xff\xff\xff\xff", 8},
		{"\x93\x01\x01\x91\xdd\xff\xff\xff\xff", 9},
		{"\x93\x01\x01\x91\x94\x00\x00\x00\xdd\xff\xff\xff\xff", 13},
		{"\x94\x01\x01\xc0\xdd\xff\xff\xff\xff", 9},
	};
	long before = peak_kib();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bombs); i++) {
		struct errmsg msg = {""};

		assert_int_equal(check_body(bombs[i].bytes, bombs[i].len, &msg), ERR_PROTO);
		assert_non_null(strstr(msg.text, "larger than what is left"));
		assert_int_equal(feed(MSG_TASK_RECORDS, bombs[i].bytes, bombs[i].len, NULL),
				 ERR_PROTO);
		assert_int_equal(feed(MSG_TASK_SCHEMA, bombs[i].bytes, bombs[i].len, NULL),
				 ERR_PROTO);
	}
	assert_true(peak_kib() - before < FLAT_KIB);
}

/* A frame full of nils, for which an unpacker would take 24 times as much. */
static void fault_35_million_nils(void **state)
{
	uint8_t *body = xmalloc(LIMIT_FRAME_BODY);
	struct errmsg msg = {""};
	long before;

	(void)state;
	memset(body, 0xc0, LIMIT_FRAME_BODY);
	body[0] = 0xdd;
	body[1] = 0;
	body[2] = (LIMIT_FRAME_BODY - 5) >> 16;
	body[3] = (LIMIT_FRAME_BODY - 5) >> 8 & 0xff;
	body[4] = (LIMIT_FRAME_BODY - 5) & 0xff;
	before = peak_kib();
	assert_int_equal(feed(MSG_TASK_RECORDS, body, LIMIT_FRAME_BODY, &msg), ERR_LIMIT);
	assert_non_null(strstr(msg.text, "too many objects"));
	assert_true(peak_kib() - before < FLAT_KIB);
	free(body);
}

/* Arrays in arrays, maps in maps, and both by turns. */
static void assert_too_deep(size_t depth)
{
	static const struct {
		const char *bytes;
		size_t len;
	} units[] = {{"\x91", 1}, {"\x81\x01", 2}, {"\x91\x81\x01", 3}};

	for (size_t u = 0; u < ARRAY_LEN(units); u++) {
		struct buf body = {0};
		struct errmsg msg = {""};

		for (size_t i = 0; i < depth && body.len + 3 < LIMIT_FRAME_BODY; i++)
			buf_add(&body, units[u].bytes, units[u].len);
		buf_add_char(&body, '\x01');
		assert_int_equal(feed(MSG_TASK_RECORDS, body.data, body.len, &msg), ERR_LIMIT);
		assert_non_null(strstr(msg.text, "nested too deep"));
		assert_int_equal(feed(MSG_TASK_SCHEMA, body.data, body.len, NULL), ERR_LIMIT);
		buf_done(&body);
	}
}

static void fault_36_depth_17(void **state)
{
	(void)state;
	assert_too_deep(17);
}

static void fault_36_depth_33(void **state)
{
	(void)state;
	assert_too_deep(33);
}

static void fault_36_depth_million(void **state)
{
	(void)state;
	assert_too_deep(1000000);
}

static int feed_length(uint32_t length, size_t more, struct errmsg *msg)
{
	uint8_t header[FRAME_HEADER_SIZE] = {'M', 'S', MSG_TASK_RECORDS};
	struct peer *peer = peer_new(PEER_INITIATOR, &events, NULL);
	int r;

	for (int i = 0; i < 4; i++)
		header[4 + i] = (uint8_t)(length >> (24 - 8 * i));
	r = peer_feed(peer, header, 8 + more, msg);
	peer_free(peer);
	return r;
}

/* As soon as the length is there, and without a byte of memory for the body. */
static void fault_37_length(void **state)
{
	static const uint32_t lengths[] = {LIMIT_FRAME_BODY + 1, 1u << 24,  INT32_MAX, 1u << 31,
					   UINT32_MAX - 1,	 UINT32_MAX};
	long before = peak_kib();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct errmsg msg = {""};
		char number[16];

		(void)snprintf(number, sizeof number, "%u", lengths[i]);
		assert_int_equal(feed_length(lengths[i], 0, &msg), ERR_LIMIT);
		assert_non_null(strstr(msg.text, number));
		assert_int_equal(feed_length(lengths[i], 12, NULL), ERR_LIMIT);
	}
	assert_int_equal(feed_length(LIMIT_FRAME_BODY, 12, NULL), 0);
	assert_true(peak_kib() - before < FLAT_KIB);
}

/* Announced and not sent: a thousand such peers keep what came, not what was announced. */
static void fault_37_announced(void **state)
{
	struct peer *peers[1000];
	uint8_t header[FRAME_HEADER_SIZE] = {'M', 'S', MSG_HELLO, 0, 0, 0x10, 0, 0};
	long before = peak_kib();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		peers[i] = peer_new(PEER_INITIATOR, &events, NULL);
		assert_int_equal(peer_feed(peers[i], header, sizeof header, NULL), 0);
	}
	assert_true(peak_kib() - before < FLAT_KIB);
	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		peer_free(peers[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fault_35_array_bomb),	  cmocka_unit_test(fault_35_million_nils),
		cmocka_unit_test(fault_36_depth_17),	  cmocka_unit_test(fault_36_depth_33),
		cmocka_unit_test(fault_36_depth_million), cmocka_unit_test(fault_37_length),
		cmocka_unit_test(fault_37_announced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
