/*
 * hostile ACTION...: an agent that does not keep to docs/protocol.md, on stdin and stdout as sshd
 * starts one. It does what its arguments say, in their order; then it reads until its stdin ends.
 *
 *   hello[=MIN-MAX]        HELLO, with these versions
 *   open                   waits for TASK_OPEN; what follows is about that task
 *   running, end=STATUS    TASK_RUNNING, TASK_END
 *   refuse=TEXT            TASK_END of a command that could not be started
 *   text=TEXT              a record, numbered as it should be; %b of a shell has made its bytes
 *   frame=NAME:SEQ:HEX     a frame with this body
 *   raw=HEX                bytes
 *   header=LENGTH          the header of TASK_RECORDS with this length, and no body
 *   nest=DEPTH             a record whose value is so many arrays in one another
 *   value=BYTES            a record of a text of this length
 *   schemas=N, columns=N   N schemas of a column; one of N columns of 200 bytes each
 *   error=TEXT             ERROR
 *   flood, deaf            records without end: as the credit allows, and without regard to it
 *   noise, states, rooms   a text, TASK_STATE, TASK_STDIN_ROOM without end
 *   exit                   ends
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent_msg.h"
#include "fd.h"
#include "frame.h"
#include "message.h"
#include "peer.h"
#include "record.h"
#include "wire.h"

#define FLOOD_LINE 1000u /* bytes of a record of a flood, 60 of them in a frame */

struct hostile {
	struct buf in;
	uint64_t task;
	uint64_t seq;	  /* of the last numbered frame */
	uint64_t records; /* sent in all */
	uint64_t credit;  /* that is left */
};

static void put_bytes(const void *data, size_t len)
{
	if (fd_write_all(1, data, len) != 0)
		exit(0);
}

static void put_frame(uint8_t type, uint64_t seq, const void *body, size_t len)
{
	struct buf out = {0};
	size_t begin = frame_begin(&out);

	buf_add(&out, body, len);
	if (frame_end(&out, begin, type, 0, seq) != 0)
		abort();
	put_bytes(out.data, out.len);
	buf_done(&out);
}

static void put_body(uint8_t type, uint64_t seq, struct buf *body)
{
	put_frame(type, seq, body->data, body->len);
	buf_done(body);
}

static void take_frame(struct hostile *h, const struct frame *frame)
{
	struct task_open_msg open;
	struct task_credit_msg credit;

	if (frame->type == MSG_TASK_OPEN &&
	    task_open_get(&open, frame->body, frame->len, NULL) == 0) {
		h->task = open.task;
		h->credit = open.credit;
		task_open_done(&open);
	}
	if (frame->type == MSG_TASK_CREDIT &&
	    task_credit_get(&credit, frame->body, frame->len, NULL) == 0) {
		h->credit += credit.bytes;
		task_credit_done(&credit);
	}
}

/* Reads until a message of this type has been taken; of type 0, until the end. */
static void await(struct hostile *h, uint8_t type)
{
	for (;;) {
		struct frame frame;
		int64_t used = frame_parse(h->in.data, h->in.len, &frame, NULL);
		ssize_t got;

		if (used < 0)
			exit(1);
		if (used > 0) {
			uint8_t taken = frame.type;

			take_frame(h, &frame);
			buf_consume(&h->in, (size_t)used);
			if (taken == type)
				return;
			continue;
		}
		got = read(0, buf_room(&h->in, 65536), 65536);
		if (got <= 0 && errno != EINTR)
			exit(0);
		h->in.len += got > 0 ? (size_t)got : 0;
	}
}

/* --- what is said as it should be ----------------------------------------------------------- */

static void do_hello(struct hostile *h, const char *versions)
{
	struct agent_hello_msg m = {.version_min = AGENT_VERSION,
				    .version_max = AGENT_VERSION,
				    .program = (char[]){"hostile"},
				    .arch = (char[]){"pdp11\033[2J"}};
	struct buf body = {0};

	(void)h;
	if (*versions) {
		char *end;

		m.version_min = strtoull(versions, &end, 10);
		m.version_max = strtoull(end + 1, NULL, 10);
	}
	agent_hello_put(&body, &m);
	put_body(MSG_HELLO, 0, &body);
}

static void do_open(struct hostile *h, const char *arg)
{
	(void)arg;
	await(h, MSG_TASK_OPEN);
}

static void do_running(struct hostile *h, const char *arg)
{
	struct task_running_msg m = {.task = h->task, .pid = 1};
	struct buf body = {0};

	(void)arg;
	task_running_put(&body, &m);
	put_body(MSG_TASK_RUNNING, 0, &body);
}

static void do_end(struct hostile *h, const char *status)
{
	struct task_end_msg m = {.task = h->task, .kind = TASK_EXITED, .exit_code = atoi(status)};
	struct buf body = {0};

	task_end_put(&body, &m);
	put_body(MSG_TASK_END, ++h->seq, &body);
}

static void do_refuse(struct hostile *h, const char *text)
{
	struct task_end_msg m = {.task = h->task,
				 .kind = TASK_REFUSED,
				 .exit_code = -1,
				 .text = (char *)(uintptr_t)text};
	struct buf body = {0};

	task_end_put(&body, &m);
	put_body(MSG_TASK_END, ++h->seq, &body);
}

static void do_text(struct hostile *h, const char *text)
{
	struct record record = {.value = (const uint8_t *)text, .len = strlen(text)};
	struct record_batch batch = {0};
	struct buf body = {0};

	record_batch_add(&batch, &record);
	records_put(&body, h->task, ++h->records, &batch);
	record_batch_done(&batch);
	put_body(MSG_TASK_RECORDS, ++h->seq, &body);
}

static void do_error(struct hostile *h, const char *text)
{
	struct buf out = {0};

	(void)h;
	peer_put_error(&out, ERR_PROTO, text);
	put_bytes(out.data, out.len);
	buf_done(&out);
}

static void do_exit(struct hostile *h, const char *arg)
{
	(void)h;
	(void)arg;
	exit(0);
}

/* --- what is not ---------------------------------------------------------------------------- */

static void add_hex(struct buf *out, const char *hex)
{
	unsigned byte;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		buf_add_char(out, (char)byte);
}

static void do_raw(struct hostile *h, const char *hex)
{
	struct buf out = {0};

	(void)h;
	add_hex(&out, hex);
	put_bytes(out.data, out.len);
	buf_done(&out);
}

static void do_frame(struct hostile *h, const char *arg)
{
	char name[64], seq[32];
	struct buf body = {0};
	unsigned type = 0;
	int used = 0;

	(void)h;
	if (sscanf(arg, "%63[^:]:%31[^:]:%n", name, seq, &used) != 2 || !used)
		exit(2);
	while (type < 256 &&
	       !(message_name((uint8_t)type) && !strcmp(message_name((uint8_t)type), name)))
		type++;
	if (type == 256)
		type = (unsigned)atoi(name);
	add_hex(&body, arg + used);
	put_body((uint8_t)type, strtoull(seq, NULL, 10), &body);
}

static void do_header(struct hostile *h, const char *length)
{
	struct buf out = {0};
	size_t begin = frame_begin(&out);
	unsigned long n = strtoul(length, NULL, 10);

	if (frame_end(&out, begin, MSG_TASK_RECORDS, 0, h->seq + 1) != 0)
		abort();
	for (unsigned i = 0; i < 4; i++)
		out.data[4 + i] = (uint8_t)(n >> (24 - 8 * i));
	put_bytes(out.data, out.len);
	buf_done(&out);
}

/* A body of TASK_RECORDS up to the value of its one record. */
static void begin_record(struct hostile *h, struct buf *body)
{
	wire_put_array(body, 3);
	wire_put_u64(body, h->task);
	wire_put_u64(body, ++h->records);
	wire_put_array(body, 1);
	wire_put_array(body, 4);
	for (unsigned i = 0; i < 3; i++)
		wire_put_u64(body, 0);
}

static void do_nest(struct hostile *h, const char *depth)
{
	struct buf body = {0};

	begin_record(h, &body);
	for (long i = 0; i < atol(depth); i++)
		wire_put_array(&body, 1);
	wire_put_nil(&body);
	put_body(MSG_TASK_RECORDS, ++h->seq, &body);
}

static void do_value(struct hostile *h, const char *bytes)
{
	struct buf body = {0};
	char *text = calloc(1, (size_t)atol(bytes) + 1);

	if (!text)
		abort();
	memset(text, 'v', (size_t)atol(bytes));
	begin_record(h, &body);
	wire_put_text(&body, text, strlen(text));
	free(text);
	put_body(MSG_TASK_RECORDS, ++h->seq, &body);
}

static void put_schema(struct hostile *h, uint64_t number, size_t columns, size_t len)
{
	struct buf body = {0};
	char name[256] = {0};

	memset(name, 'c', len);
	wire_put_array(&body, 4);
	wire_put_u64(&body, h->task);
	wire_put_u64(&body, number);
	wire_put_str(&body, "schema");
	wire_put_array(&body, columns);
	for (size_t i = 0; i < columns; i++)
		wire_put_str(&body, name);
	put_body(MSG_TASK_SCHEMA, ++h->seq, &body);
}

static void do_schemas(struct hostile *h, const char *count)
{
	for (uint64_t i = 1; i <= (uint64_t)atol(count); i++)
		put_schema(h, i, 1, 1);
}

static void do_columns(struct hostile *h, const char *count)
{
	put_schema(h, 1, (size_t)atol(count), 200);
}

/* --- without end ---------------------------------------------------------------------------- */

static void flood(struct hostile *h, bool as_allowed)
{
	char line[FLOOD_LINE];
	struct record record = {.value = (const uint8_t *)line, .len = sizeof line};
	struct record_batch batch = {0};

	memset(line, 'f', sizeof line);
	while (batch.count < 60)
		record_batch_add(&batch, &record);
	for (;;) {
		struct buf body = {0};

		records_put(&body, h->task, h->records + 1, &batch);
		while (as_allowed && h->credit < body.len)
			await(h, MSG_TASK_CREDIT);
		h->credit -= as_allowed ? body.len : 0;
		h->records += batch.count;
		put_body(MSG_TASK_RECORDS, ++h->seq, &body);
	}
}

static void do_flood(struct hostile *h, const char *arg)
{
	(void)arg;
	flood(h, true);
}

static void do_deaf(struct hostile *h, const char *arg)
{
	(void)arg;
	flood(h, false);
}

static void do_noise(struct hostile *h, const char *arg)
{
	(void)h;
	(void)arg;
	for (;;)
		put_bytes("Welcome to this host. MS MS\033[2J\n", 32);
}

static void do_states(struct hostile *h, const char *arg)
{
	(void)arg;
	for (bool suspended = true;; suspended = !suspended) {
		struct task_state_msg m = {.task = h->task, .suspended = suspended};
		struct buf body = {0};

		task_state_put(&body, &m);
		put_body(MSG_TASK_STATE, 0, &body);
	}
}

static void do_rooms(struct hostile *h, const char *arg)
{
	(void)arg;
	for (;;) {
		struct task_stdin_room_msg m = {.task = h->task};
		struct buf body = {0};

		task_stdin_room_put(&body, &m);
		put_body(MSG_TASK_STDIN_ROOM, 0, &body);
	}
}

static const struct {
	const char *name;
	void (*fn)(struct hostile *h, const char *arg);
} actions[] = {
	{"hello", do_hello},   {"open", do_open},	{"running", do_running},
	{"end", do_end},       {"refuse", do_refuse},	{"text", do_text},
	{"error", do_error},   {"exit", do_exit},	{"raw", do_raw},
	{"frame", do_frame},   {"header", do_header},	{"nest", do_nest},
	{"value", do_value},   {"schemas", do_schemas}, {"columns", do_columns},
	{"flood", do_flood},   {"deaf", do_deaf},	{"noise", do_noise},
	{"states", do_states}, {"rooms", do_rooms},
};

static int act(struct hostile *h, const char *action)
{
	size_t len = strcspn(action, "=");

	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (strlen(actions[i].name) == len && !strncmp(actions[i].name, action, len)) {
			actions[i].fn(h, action[len] ? action + len + 1 : "");
			return 0;
		}
	fprintf(stderr, "hostile: %s is no action\n", action);
	return 2;
}

int main(int argc, char **argv)
{
	struct hostile h = {0};
	int rc = 0;

	(void)signal(SIGPIPE, SIG_IGN);
	for (int i = 1; i < argc && rc == 0; i++)
		rc = act(&h, argv[i]);
	if (rc == 0)
		await(&h, 0);
	return rc;
}
