/* proto/peer.c: the order of messages between initiator and agent (docs/protocol.md, section 11).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "control_msg.h"
#include "frame.h"
#include "limits.h"
#include "message.h"
#include "peer.h"

/* What the events have seen. */
struct seen {
	unsigned hellos;
	unsigned messages;
	struct frame last;
	uint64_t last_sum; /* of the bytes of its body */
	int answer;	   /* of the next event */
};

static int on_hello(void *arg, const struct agent_hello_msg *hello, struct errmsg *msg)
{
	struct seen *seen = arg;

	assert_non_null(hello->program);
	seen->hellos++;
	return seen->answer ? err_set(msg, seen->answer, "hello refused") : 0;
}

static int on_message(void *arg, const struct frame *frame, struct errmsg *msg)
{
	struct seen *seen = arg;

	seen->messages++;
	seen->last = *frame;
	seen->last_sum = 0;
	for (size_t i = 0; i < frame->len; i++)
		seen->last_sum += frame->body[i];
	return seen->answer ? err_set(msg, seen->answer, "message refused") : 0;
}

static const struct peer_events events = {on_hello, on_message};

static void put_frame(struct buf *out, uint8_t type, const void *body, size_t len)
{
	size_t begin = frame_begin(out);

	buf_add(out, body, len);
	assert_int_equal(frame_end(out, begin, type, 0, 0), 0);
}

/* A frame that is legal but for its type: HELLO and ERROR have bodies of their own. */
static void put_any(struct buf *out, uint8_t type)
{
	static const struct agent_hello_msg hello = {.pid = 1};

	if (type == MSG_HELLO)
		peer_put_hello(out, &hello);
	else if (type == MSG_ERROR)
		peer_put_error(out, ERR_DENIED, "go away");
	else
		put_frame(out, type, "\x91\x01", 2);
}

static int feed_type(struct peer *peer, uint8_t type, struct errmsg *msg)
{
	struct buf out = {0};
	int r;

	put_any(&out, type);
	r = peer_feed(peer, out.data, out.len, msg);
	buf_done(&out);
	return r;
}

/* What section 11 allows, written down once more. */
static int expected(enum peer_role role, bool open, uint8_t type)
{
	static const uint8_t to_agent[] = {
		MSG_TASK_OPEN, MSG_TASK_STDIN,	MSG_TASK_SIGNAL, MSG_TASK_CREDIT, MSG_TASK_ATTACH,
		MSG_TASK_ACK,  MSG_TASK_DETACH, MSG_PING,	 MSG_COPY_OPEN,	  MSG_COPY_ENTRY,
		MSG_COPY_DATA, MSG_COPY_ANSWER, MSG_COPY_CREDIT, MSG_COPY_END};
	static const uint8_t to_initiator[] = {
		MSG_TASK_RUNNING,    MSG_TASK_SCHEMA, MSG_TASK_RECORDS,	 MSG_TASK_STATE,
		MSG_TASK_STDIN_ROOM, MSG_TASK_END,    MSG_TASK_ATTACHED, MSG_TASK_GAP,
		MSG_TASK_DETACH,     MSG_PING,	      MSG_TASK_SESSION,	 MSG_COPY_ENTRY,
		MSG_COPY_DATA,	     MSG_COPY_ANSWER, MSG_COPY_CREDIT,	 MSG_COPY_END};
	const uint8_t *types = role == PEER_AGENT ? to_agent : to_initiator;
	size_t count = role == PEER_AGENT ? ARRAY_LEN(to_agent) : ARRAY_LEN(to_initiator);

	if (type == MSG_ERROR)
		return ERR_CLOSED;
	if (!open)
		return type == MSG_HELLO ? 0 : ERR_PROTO;
	for (size_t i = 0; i < count; i++)
		if (types[i] == type)
			return 0;
	return ERR_PROTO;
}

static void one_of_the_table(enum peer_role role, bool open, uint8_t type)
{
	struct seen seen = {0};
	struct errmsg msg = {""};
	struct peer *peer = peer_new(role, &events, &seen);
	int want = expected(role, open, type);

	if (open)
		assert_int_equal(feed_type(peer, MSG_HELLO, NULL), 0);
	assert_int_equal(peer_is_open(peer), open);
	assert_int_equal(feed_type(peer, type, &msg), want);
	assert_int_equal(seen.messages, open && !want);
	assert_int_equal(seen.hellos, open || (!want && type == MSG_HELLO));
	assert_int_equal(peer_is_open(peer), !want);
	if (want) {
		assert_true(msg.text[0] != '\0');
		/* The third state: nothing more is taken, whatever it is. */
		assert_int_equal(feed_type(peer, MSG_HELLO, NULL), ERR_CLOSED);
		assert_int_equal(feed_type(peer, type, NULL), ERR_CLOSED);
		assert_int_equal(seen.messages, 0);
	}
	peer_free(peer);
}

/* Each role, state and number of a message. */
static void fault_39_illegal_in_state(void **state)
{
	(void)state;
	for (int role = PEER_INITIATOR; role <= PEER_AGENT; role++)
		for (int open = 0; open < 2; open++)
			for (int type = 0; type < 256; type++)
				one_of_the_table((enum peer_role)role, open, (uint8_t)type);
}

static void fault_39_is_named(void **state)
{
	struct errmsg msg = {""};
	struct seen seen = {0};
	struct peer *peer = peer_new(PEER_INITIATOR, &events, &seen);

	(void)state;
	assert_int_equal(feed_type(peer, MSG_TASK_END, &msg), ERR_PROTO);
	assert_string_equal(msg.text,
			    "message TASK_END (101) from the agent: HELLO must come first");
	peer_free(peer);
	peer = peer_new(PEER_AGENT, &events, &seen);
	assert_int_equal(feed_type(peer, MSG_HELLO, NULL), 0);
	assert_int_equal(feed_type(peer, 200, &msg), ERR_PROTO);
	assert_string_equal(
		msg.text, "message unknown (200) from the initiator: there is none of that number");
	assert_int_equal(feed_type(peer, MSG_TASK_OPEN, &msg), ERR_CLOSED);
	peer_free(peer);
}

/* The whole talk at once, and byte by byte, and in every two pieces: the same comes out. */
static void test_pieces(void **state)
{
	struct buf out = {0};
	struct seen seen;
	struct peer *peer;

	(void)state;
	put_any(&out, MSG_HELLO);
	put_frame(&out, MSG_TASK_OPEN, "", 0);
	put_frame(&out, MSG_TASK_STDIN, "abc", 3);
	for (size_t cut = 0; cut <= out.len; cut++) {
		seen = (struct seen){0};
		peer = peer_new(PEER_AGENT, &events, &seen);
		if (cut == out.len)
			for (size_t i = 0; i < out.len; i++)
				assert_int_equal(peer_feed(peer, out.data + i, 1, NULL), 0);
		else
			assert_int_equal(peer_feed(peer, out.data, cut, NULL), 0);
		if (cut < out.len)
			assert_int_equal(peer_feed(peer, out.data + cut, out.len - cut, NULL), 0);
		assert_int_equal(seen.hellos, 1);
		assert_int_equal(seen.messages, 2);
		assert_int_equal(seen.last.type, MSG_TASK_STDIN);
		assert_int_equal(seen.last_sum, 'a' + 'b' + 'c');
		peer_free(peer);
	}
	assert_int_equal(out.len > 0, 1);
	buf_done(&out);
}

/* The largest frame in pieces of an odd size, between small ones. */
static void test_large_pieces(void **state)
{
	uint8_t *body = xmalloc(LIMIT_FRAME_BODY);
	struct buf out = {0};
	struct seen seen = {0};
	struct peer *peer = peer_new(PEER_INITIATOR, &events, &seen);

	(void)state;
	memset(body, 1, LIMIT_FRAME_BODY);
	put_any(&out, MSG_HELLO);
	for (int i = 0; i < 3; i++) {
		put_frame(&out, MSG_TASK_RECORDS, body, LIMIT_FRAME_BODY);
		put_frame(&out, MSG_TASK_STATE, "x", 1);
	}
	for (size_t at = 0, n; at < out.len; at += n) {
		n = out.len - at < 32749 ? out.len - at : 32749;
		assert_int_equal(peer_feed(peer, out.data + at, n, NULL), 0);
		if (seen.last.type == MSG_TASK_RECORDS)
			assert_int_equal(seen.last_sum, LIMIT_FRAME_BODY);
	}
	assert_int_equal(seen.messages, 6);
	peer_free(peer);
	buf_done(&out);
	free(body);
}

/* After a fault the frames behind it are not looked at, though they came with it. */
static void test_fault_stops(void **state)
{
	struct seen seen = {0};
	struct buf out = {0};
	struct errmsg msg = {""};
	struct peer *peer = peer_new(PEER_AGENT, &events, &seen);

	(void)state;
	put_any(&out, MSG_HELLO);
	put_any(&out, MSG_TASK_OPEN);
	put_any(&out, MSG_TASK_END);
	put_any(&out, MSG_TASK_OPEN);
	assert_int_equal(peer_feed(peer, out.data, out.len, &msg), ERR_PROTO);
	assert_int_equal(seen.messages, 1);
	assert_int_equal(peer_feed(peer, out.data, 0, &msg), ERR_CLOSED);
	assert_string_equal(msg.text, "the connection has ended already");
	peer_free(peer);
	buf_done(&out);
}

/* An event that refuses ends the connection with its own words. */
static void test_events_refuse(void **state)
{
	struct seen seen = {.answer = ERR_DENIED};
	struct errmsg msg = {""};
	struct peer *peer = peer_new(PEER_INITIATOR, &events, &seen);

	(void)state;
	assert_int_equal(feed_type(peer, MSG_HELLO, &msg), ERR_DENIED);
	assert_string_equal(msg.text, "hello refused");
	assert_false(peer_is_open(peer));
	peer_free(peer);
	seen.answer = 0;
	peer = peer_new(PEER_INITIATOR, &events, &seen);
	assert_int_equal(feed_type(peer, MSG_HELLO, &msg), 0);
	seen.answer = ERR_NOTFOUND;
	assert_int_equal(feed_type(peer, MSG_TASK_END, &msg), ERR_NOTFOUND);
	assert_string_equal(msg.text, "message refused");
	assert_int_equal(feed_type(peer, MSG_TASK_END, &msg), ERR_CLOSED);
	peer_free(peer);
}

static int feed_versions(uint64_t min, uint64_t max, struct errmsg *msg)
{
	struct agent_hello_msg hello = {.version_min = min, .version_max = max, .program = "p"};
	struct seen seen = {0};
	struct buf body = {0}, out = {0};
	struct peer *peer = peer_new(PEER_AGENT, &events, &seen);
	int r;

	agent_hello_put(&body, &hello);
	put_frame(&out, MSG_HELLO, body.data, body.len);
	r = peer_feed(peer, out.data, out.len, msg);
	assert_int_equal(seen.hellos, r == 0);
	peer_free(peer);
	buf_done(&body);
	buf_done(&out);
	return r;
}

static void test_versions(void **state)
{
	struct errmsg msg = {""};

	(void)state;
	assert_int_equal(feed_versions(1, 1, NULL), 0);
	assert_int_equal(feed_versions(1, UINT64_MAX, NULL), 0);
	assert_int_equal(feed_versions(2, 9, &msg), ERR_VERSION);
	assert_non_null(strstr(msg.text, "speaks versions 2 to 9"));
	assert_non_null(strstr(msg.text, "version 1;"));
	assert_int_equal(feed_versions(0, 1, NULL), ERR_PROTO);
	assert_int_equal(feed_versions(2, 1, NULL), ERR_PROTO);
}

/* ERROR is for people, and comes from somewhere hostile. */
static void test_error_is_tame(void **state)
{
	char text[3000];
	struct seen seen = {0};
	struct errmsg msg = {""};
	struct buf out = {0};
	struct peer *peer = peer_new(PEER_INITIATOR, &events, &seen);

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	memcpy(text, "\033]0;t\a\n\xe2\x80\xae", 10);
	peer_put_error(&out, ERR_LIMIT, text);
	assert_int_equal(peer_feed(peer, out.data, out.len, &msg), ERR_CLOSED);
	assert_null(strpbrk(msg.text, "\033\a\n"));
	assert_null(strstr(msg.text, "\xe2\x80\xae"));
	assert_non_null(strstr(msg.text, "\\x1b]0;t"));
	assert_non_null(strstr(msg.text, "ERR_LIMIT"));
	peer_free(peer);
	/* Without a text, and one that is none. */
	buf_clear(&out);
	peer_put_error(&out, ERR_TIMEOUT, NULL);
	peer = peer_new(PEER_INITIATOR, &events, &seen);
	assert_int_equal(peer_feed(peer, out.data, out.len, &msg), ERR_CLOSED);
	assert_string_equal(msg.text,
			    "the other side ended the connection: timed out (ERR_TIMEOUT)");
	peer_free(peer);
	buf_clear(&out);
	put_frame(&out, MSG_ERROR, "\x91\x05", 2);
	peer = peer_new(PEER_INITIATOR, &events, &seen);
	assert_int_equal(peer_feed(peer, out.data, out.len, &msg), ERR_PROTO);
	peer_free(peer);
	buf_done(&out);
}

/* Each bit of a talk turned over: never a message that was not sent. */
static void test_bit_flips(void **state)
{
	struct buf out = {0};
	struct seen seen;

	(void)state;
	put_any(&out, MSG_HELLO);
	put_frame(&out, MSG_TASK_OPEN, "abc", 3);
	for (size_t bit = 0; bit < 8 * out.len; bit++) {
		struct peer *peer = peer_new(PEER_AGENT, &events, &seen);
		int r;

		seen = (struct seen){0};
		out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		r = peer_feed(peer, out.data, out.len, NULL);
		/* A length that grew makes it wait for more. */
		assert_true(r < 0 || !seen.messages);
		out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		peer_free(peer);
	}
	buf_done(&out);
}

static void test_no_peer(void **state)
{
	(void)state;
	peer_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fault_39_illegal_in_state),
		cmocka_unit_test(fault_39_is_named),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_large_pieces),
		cmocka_unit_test(test_fault_stops),
		cmocka_unit_test(test_events_refuse),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_error_is_tame),
		cmocka_unit_test(test_bit_flips),
		cmocka_unit_test(test_no_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
