#include "peer.h"

#include <stdlib.h>

#include "alloc.h"
#include "control_msg.h"
#include "escape.h"
#include "message.h"

#ifdef MUSTER_VERSION
#define PEER_PROGRAM "muster " MUSTER_VERSION
#else
#define PEER_PROGRAM "muster"
#endif
#define PEER_TEXT 400u /* of what the other side says in ERROR */

#define PEER_PART_KEPT (128u << 10)

enum peer_state { PEER_EXPECT_HELLO, PEER_EXPECT_MESSAGE, PEER_DONE };

struct peer {
	enum peer_role role;
	enum peer_state state;
	const struct peer_events *events;
	void *arg;
	struct buf part; /* a frame that has not come whole */
};

/* --- what is done about a message ----------------------------------------------------------- */

static int peer_do_hello(struct peer *peer, const struct frame *frame, struct errmsg *msg)
{
	struct agent_hello_msg hello;
	int r = agent_hello_get(&hello, frame->body, frame->len, msg);

	if (r < 0)
		return r;
	if (hello.version_min > AGENT_VERSION || hello.version_max < AGENT_VERSION)
		r = err_set(msg, ERR_VERSION,
			    "the other side speaks versions %llu to %llu of the protocol, this "
			    "program version %u; use the same release of muster on both",
			    (unsigned long long)hello.version_min,
			    (unsigned long long)hello.version_max, AGENT_VERSION);
	else
		r = peer->events->hello(peer->arg, &hello, msg);
	agent_hello_done(&hello);
	return r;
}

static int peer_do_message(struct peer *peer, const struct frame *frame, struct errmsg *msg)
{
	return peer->events->message(peer->arg, frame, msg);
}

static int peer_do_error(struct peer *peer, const struct frame *frame, struct errmsg *msg)
{
	struct error_msg error;
	char text[PEER_TEXT];
	int code, r = error_get(&error, frame->body, frame->len, msg);

	(void)peer;
	if (r < 0)
		return r;
	code = (int)error.code;
	(void)escape_str(text, sizeof text, error.text ? error.text : err_text(code));
	r = err_set(msg, ERR_CLOSED, "the other side ended the connection: %s (%s)", text,
		    err_name(code));
	error_done(&error);
	return r;
}

/* --- what is legal -------------------------------------------------------------------------- */

typedef int peer_do(struct peer *peer, const struct frame *frame, struct errmsg *msg);

/* Who may send it says messages.def. */
static const struct peer_row {
	uint8_t state; /* enum peer_state */
	uint8_t type;
	uint8_t next;
	peer_do *run;
} peer_rows[] = {
	{PEER_EXPECT_HELLO, MSG_HELLO, PEER_EXPECT_MESSAGE, peer_do_hello},
	{PEER_EXPECT_HELLO, MSG_ERROR, PEER_DONE, peer_do_error},
	{PEER_EXPECT_MESSAGE, MSG_ERROR, PEER_DONE, peer_do_error},
	{PEER_EXPECT_MESSAGE, MSG_TASK_OPEN, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_TASK_STDIN, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_TASK_SIGNAL, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_TASK_CREDIT, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_TASK_ATTACH, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_TASK_ACK, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_TASK_DETACH, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_PING, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_COPY_OPEN, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_COPY_ENTRY, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_COPY_DATA, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_COPY_ANSWER, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_COPY_CREDIT, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_COPY_END, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_TASK_ATTACHED, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_TASK_GAP, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_TASK_RUNNING, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_TASK_SCHEMA, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_TASK_RECORDS, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_TASK_STATE, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_TASK_STDIN_ROOM, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_TASK_SESSION, PEER_EXPECT_MESSAGE, peer_do_message},
	{PEER_EXPECT_MESSAGE, MSG_TASK_END, PEER_EXPECT_MESSAGE, peer_do_message},
};

static const struct peer_row *peer_find(const struct peer *peer, uint8_t type)
{
	enum message_sender other = peer->role == PEER_AGENT ? MSG_FROM_I : MSG_FROM_A;

	if (!message_may_send(type, other))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(peer_rows); i++)
		if (peer_rows[i].state == peer->state && peer_rows[i].type == type)
			return &peer_rows[i];
	return NULL;
}

static int peer_illegal(const struct peer *peer, uint8_t type, struct errmsg *msg)
{
	static const char *const expected[] = {
		[PEER_EXPECT_HELLO] = "HELLO must come first",
		[PEER_EXPECT_MESSAGE] = "it may not be sent now",
		[PEER_DONE] = "the connection has ended",
	};
	const char *name = message_name(type);

	return err_set(msg, ERR_PROTO, "message %s (%u) from the %s: %s", name ? name : "unknown",
		       type, peer->role == PEER_AGENT ? "initiator" : "agent",
		       name ? expected[peer->state] : "there is none of that number");
}

/* The one place where the state is written. */
static int peer_take(struct peer *peer, const struct frame *frame, struct errmsg *msg)
{
	const struct peer_row *row = peer_find(peer, frame->type);
	int r = row ? row->run(peer, frame, msg) : peer_illegal(peer, frame->type, msg);

	peer->state = r < 0 ? PEER_DONE : (enum peer_state)row->next;
	return r;
}

/* --- bytes ---------------------------------------------------------------------------------- */

/*
 * Takes the frame at the begin of data, completing what is kept. Returns how many of the n bytes
 * were used (all that are needed, or all there are), or the fault.
 */
static int64_t peer_take_part(struct peer *peer, const uint8_t *data, size_t n, struct errmsg *msg)
{
	struct frame frame;
	size_t used = 0, more;
	int64_t whole;
	int r;

	/* First the header, then as much as that says. */
	do {
		more = frame_size(peer->part.data, peer->part.len) - peer->part.len;
		if (more > n - used)
			more = n - used;
		buf_add(&peer->part, data + used, more);
		used += more;
		whole = frame_parse(peer->part.data, peer->part.len, &frame, msg);
	} while (!whole && used < n);
	if (whole < 0)
		return whole;
	if (whole > 0) {
		r = peer_take(peer, &frame, msg);
		/* Thousands of peers, each with a frame's worth of memory, would be gigabytes. */
		if (peer->part.size > PEER_PART_KEPT)
			buf_done(&peer->part);
		buf_clear(&peer->part);
		if (r < 0)
			return r;
	}
	return (int64_t)used;
}

static int peer_take_all(struct peer *peer, const uint8_t *data, size_t n, struct errmsg *msg)
{
	while (n) {
		struct frame frame;
		int64_t used = peer->part.len ? 0 : frame_parse(data, n, &frame, msg);
		int r;

		if (used > 0) {
			r = peer_take(peer, &frame, msg);
			if (r < 0)
				return r;
		} else if (!used) {
			used = peer_take_part(peer, data, n, msg);
		}
		if (used < 0)
			return (int)used;
		data += used;
		n -= (size_t)used;
	}
	return 0;
}

int peer_feed(struct peer *peer, const void *data, size_t len, struct errmsg *msg)
{
	int r;

	if (peer->state == PEER_DONE)
		return err_set(msg, ERR_CLOSED, "the connection has ended already");
	r = peer_take_all(peer, data, len, msg);
	if (r < 0) {
		peer->state = PEER_DONE;
		buf_done(&peer->part);
	}
	return r;
}

struct peer *peer_new(enum peer_role role, const struct peer_events *events, void *arg)
{
	struct peer *peer = xcalloc(1, sizeof *peer);

	peer->role = role;
	peer->events = events;
	peer->arg = arg;
	return peer;
}

void peer_free(struct peer *peer)
{
	if (!peer)
		return;
	buf_done(&peer->part);
	free(peer);
}

bool peer_is_open(const struct peer *peer)
{
	return peer->state == PEER_EXPECT_MESSAGE;
}

/* --- our side ------------------------------------------------------------------------------- */

void peer_put_hello(struct buf *out, const struct agent_hello_msg *hello)
{
	static char program[] = PEER_PROGRAM;
	struct agent_hello_msg ours = *hello;
	size_t begin = frame_begin(out);

	ours.version_min = AGENT_VERSION;
	ours.version_max = AGENT_VERSION;
	ours.program = program;
	agent_hello_put(out, &ours);
	(void)frame_end(out, begin, MSG_HELLO, 0, 0);
}

void peer_put_error(struct buf *out, int code, const char *text)
{
	struct error_msg error = {.code = code, .text = (char *)(uintptr_t)text};
	size_t begin = frame_begin(out);

	error_put(out, &error);
	(void)frame_end(out, begin, MSG_ERROR, 0, 0);
}
