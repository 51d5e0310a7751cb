/*
 * Writes the seeds of the targets that read binary input, through the real encoders: seeds CORPUS
 * (the folder). Run it by hand when a message has changed, and look at what git says.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent_msg.h"
#include "control_msg.h"
#include "frame.h"
#include "message.h"
#include "peer.h"
#include "record.h"
#include "value.h"
#include "wire.h"

static const char *seeds_root;

/* Writes and empties it. */
static void seed(const char *target, const char *name, struct buf *content)
{
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", seeds_root, target);
	if (mkdir(path, 0777) < 0 && errno != EEXIST) {
		perror(path);
		exit(1);
	}
	(void)snprintf(path, sizeof path, "%s/%s/%s", seeds_root, target, name);
	file = fopen(path, "wb");
	if (!file || fwrite(content->data, 1, content->len, file) != content->len ||
	    fclose(file) != 0) {
		perror(path);
		exit(1);
	}
	buf_clear(content);
}

static void seed_bytes(const char *target, const char *name, const char *bytes, size_t len)
{
	struct buf b = {0};

	buf_add(&b, bytes, len);
	seed(target, name, &b);
	buf_done(&b);
}

static char *seed_words[] = {"printf", "%s", "a b"};
static char *seed_env[] = {"A=1", "LANG=C"};
static char *seed_columns[] = {"pid", "name"};
static uint8_t seed_script[] = "#!/bin/sh\necho $1\n";

static const struct agent_hello_msg seed_hello = {.version_min = 1,
						  .version_max = 1,
						  .program = "muster 0.1.0",
						  .pid = 4711,
						  .arch = "x86_64",
						  .machine_id = "0123456789abcdef",
						  .boot_id = "6a3f0c2e-0000-4000-8000-0",
						  .uid = 1000,
						  .capabilities = AGENT_CAN_PTY};
static const struct task_open_msg seed_open = {.task = 1,
					       .instance = "6a3f0c2e-0000-4000-8000-000000000000",
					       .argv = seed_words,
					       .argc = 3,
					       .env = seed_env,
					       .env_count = 2,
					       .directory = "/tmp",
					       .parse = PARSE_CSV,
					       .parse_argument = ";",
					       .credit = 1 << 20};
static const struct task_open_msg seed_open_script = {.task = 2,
						      .script = seed_script,
						      .script_len = sizeof seed_script - 1,
						      .script_name = "s.sh",
						      .pty = true,
						      .nice = 5};
static const struct task_end_msg seed_exited = {.task = 1, .kind = TASK_EXITED, .exit_code = 3};
static const struct task_end_msg seed_signalled = {.task = 1,
						   .kind = TASK_SIGNALLED,
						   .exit_code = -1,
						   .signal = "TERM",
						   .text = "why",
						   .began = true};
static const struct task_attach_msg seed_attach = {.task = 1,
						   .instance =
							   "6a3f0c2e-0000-4000-8000-000000000000",
						   .epoch = 3,
						   .next_seq = 4,
						   .credit = 1 << 20};
static const struct task_attached_msg seed_attached = {
	.task = 1, .last = 5, .taken = 4096, .resumed = true};
static char *seed_left[] = {"A=1", "B="};
static const struct task_session_msg seed_session = {
	.task = 1, .directory = "/usr", .env = seed_left, .env_count = 2};
static const struct task_gap_msg seed_gap = {
	.task = 1, .from = 2, .first_record = 1, .records = 5, .bytes = 300};
static const struct task_schema_msg seed_schema = {1, 1, "ps", seed_columns, 2};

/* A text, bytes, a piece, a row, a map that says what could not be parsed, a number. */
static void put_records(struct buf *out)
{
	struct record_batch batch = {0};
	struct buf row = {0}, map = {0};

	wire_put_array(&row, 2);
	wire_put_i64(&row, -5);
	value_put_time(&row, 1700000000, 123456789);
	value_put_map(&map, 2);
	wire_put_str(&map, "$error");
	wire_put_str(&map, "no JSON");
	wire_put_str(&map, "$raw");
	wire_put_bin(&map, "\xff{", 2);
	record_batch_add(&batch, &(struct record){.value = (const uint8_t *)"a line", .len = 6});
	record_batch_add(&batch, &(struct record){.stream = STREAM_ERROR,
						  .flags = RECORD_CONTINUES | RECORD_UNPARSED,
						  .time_ns = 1700000000123456789,
						  .value = (const uint8_t *)"\xff\0",
						  .len = 2});
	record_batch_add(&batch, &(struct record){.value = row.data,
						  .len = row.len,
						  .is_typed = true,
						  .nodes = 3,
						  .schema = 1});
	record_batch_add(&batch, &(struct record){.value = map.data,
						  .len = map.len,
						  .is_typed = true,
						  .nodes = 5,
						  .flags = RECORD_UNPARSED});
	record_batch_add(&batch, &(struct record){.value = (const uint8_t *)"\xc0",
						  .len = 1,
						  .is_typed = true,
						  .nodes = 1});
	records_put(out, 1, 1, &batch);
	record_batch_done(&batch);
	buf_done(&row);
	buf_done(&map);
}

/* --- by target ------------------------------------------------------------------------------ */

static void put_frame(struct buf *out, uint8_t type, uint64_t seq, const struct buf *body)
{
	size_t begin = frame_begin(out);

	buf_add(out, body->data, body->len);
	(void)frame_end(out, begin, type, 0, seq);
}

static void seeds_frame(void)
{
	struct buf out = {0}, body = {0};

	put_frame(&out, MSG_JOB_RUN, 0, &body);
	seed("fuzz_frame", "empty", &out);
	put_records(&body);
	put_frame(&out, MSG_TASK_RECORDS, 7, &body);
	put_frame(&out, MSG_TASK_STATE, 0, &body);
	seed("fuzz_frame", "two", &out);
	put_frame(&out, MSG_TASK_RECORDS, 7, &body);
	out.data[30] ^= 1;
	seed("fuzz_frame", "damaged", &out);
	seed_bytes("fuzz_frame", "length_37", "MS\x62\0\xff\xff\xff\xff\0\0\0\0\0\0\0\x01\0\0\0\0",
		   20);
	seed_bytes("fuzz_frame", "no_magic", "SSH-2.0-x\r\n", 11);
	buf_done(&out);
	buf_done(&body);
}

static void seeds_check(void)
{
	struct buf b = {0};

	put_records(&b);
	seed("fuzz_check", "records", &b);
	task_open_put(&b, &seed_open);
	seed("fuzz_check", "open", &b);
	wire_put_array(&b, 5);
	value_put_float(&b, 0.5);
	value_put_time(&b, 5, 0);
	value_put_time(&b, 5, 1);
	value_put_time(&b, -5, 1);
	wire_put_u64(&b, UINT64_MAX);
	seed("fuzz_check", "scalars", &b);
	for (int i = 0; i < 16; i++)
		wire_put_array(&b, 1);
	wire_put_nil(&b);
	seed("fuzz_check", "depth_17", &b);
	seed_bytes("fuzz_check", "bomb_35", "\xdd\xff\xff\xff\xff", 5);
	seed_bytes("fuzz_check", "map_bomb_35", "\xdf\x80\x00\x00\x00", 5);
	seed_bytes("fuzz_check", "same_key", "\x82\xa1\x61\x01\xa1\x61\x02", 7);
	seed_bytes("fuzz_check", "not_utf8", "\x91\xa2\xc3\x28", 4);
	buf_done(&b);
}

/* The number is the place in fuzz_bodies of fuzz_agent_msg.c. */
#define SEED_AGENT(number, message, name, m)       \
	do {                                       \
		struct buf b_ = {0};               \
                                                   \
		buf_add_char(&b_, number);         \
		message##_put(&b_, m);             \
		seed("fuzz_agent_msg", name, &b_); \
		buf_done(&b_);                     \
	} while (0)

static void seeds_agent_msg(void)
{
	SEED_AGENT(0, agent_hello, "hello", &seed_hello);
	SEED_AGENT(1, task_open, "open", &seed_open);
	SEED_AGENT(1, task_open, "open_script", &seed_open_script);
	SEED_AGENT(2, task_stdin, "stdin", (&(struct task_stdin_msg){1, seed_script, 9, false}));
	SEED_AGENT(2, task_stdin, "stdin_end", (&(struct task_stdin_msg){1, NULL, 0, true}));
	SEED_AGENT(3, task_signal, "signal", (&(struct task_signal_msg){1, TASK_STOP}));
	SEED_AGENT(4, task_credit, "credit", (&(struct task_credit_msg){1, 65536}));
	SEED_AGENT(5, task_running, "running", (&(struct task_running_msg){1, 4711}));
	SEED_AGENT(6, task_schema, "schema", &seed_schema);
	SEED_AGENT(7, task_state, "state",
		   (&(struct task_state_msg){.task = 1, .suspended = true}));
	SEED_AGENT(8, task_stdin_room, "room", (&(struct task_stdin_room_msg){1, 4096}));
	SEED_AGENT(9, task_end, "exited", &seed_exited);
	SEED_AGENT(9, task_end, "signalled", &seed_signalled);
	SEED_AGENT(10, task_attach, "attach", &seed_attach);
	SEED_AGENT(11, task_ack, "ack", (&(struct task_ack_msg){1, 300}));
	SEED_AGENT(12, task_detach, "detach", (&(struct task_detach_msg){1}));
	SEED_AGENT(13, task_attached, "attached", &seed_attached);
	SEED_AGENT(14, task_gap, "gap", &seed_gap);
	SEED_AGENT(15, ping, "ping", (&(struct ping_msg){7}));
	SEED_AGENT(16, task_session, "session", &seed_session);
}

static void seeds_records(void)
{
	struct buf b = {0};

	put_records(&b);
	seed("fuzz_records", "all", &b);
	seed_bytes("fuzz_records", "later_fields",
		   "\x94\x05\x06\x91\x97\x01\x00\x00\xa1x\xc0\x81\x01\x02\xc0\xa1z", 17);
	seed_bytes("fuzz_records", "long_numbers",
		   "\x93\xd0\x05\xcf\0\0\0\0\0\0\0\x06\x91\x94\xd1\0\x01\x00\xcc\x07\xa1x", 22);
	seed_bytes("fuzz_records", "bomb_35",
		   "\x93\x01\x01\x91\x94\x00\x00\x00\xdd\xff\xff\xff\xff", 13);
	seed_bytes("fuzz_records", "rows", "\x94\x00\x00\x00\xa1x\x95\x01\x00\x00\x91\x05\x01", 13);
	buf_done(&b);
}

/* One step of fuzz_peer.c: bodies there are below 256 bytes. */
static void put_step(struct buf *out, uint8_t type, uint8_t seq, struct buf *body)
{
	buf_add_char(out, (char)type);
	buf_add_char(out, (char)seq);
	buf_add_char(out, (char)(body->len < 255 ? body->len : 255));
	buf_add(out, body->data, body->len < 255 ? body->len : 255);
	buf_clear(body);
}

static void seeds_peer_durable(void)
{
	struct buf b = {0}, body = {0};

	buf_add_char(&b, 30); /* initiator, a durable run */
	agent_hello_put(&body, &seed_hello);
	put_step(&b, MSG_HELLO, 0, &body);
	task_attached_put(&body, &seed_attached);
	put_step(&b, MSG_TASK_ATTACHED, 0, &body);
	task_running_put(&body, &(struct task_running_msg){1, 5});
	put_step(&b, MSG_TASK_RUNNING, 0, &body);
	task_gap_put(&body, &seed_gap);
	put_step(&b, MSG_TASK_GAP, 3, &body);
	ping_put(&body, &(struct ping_msg){7});
	put_step(&b, MSG_PING, 0, &body);
	task_detach_put(&body, &(struct task_detach_msg){1});
	put_step(&b, MSG_TASK_DETACH, 0, &body);
	seed("fuzz_peer", "durable", &b);

	buf_add_char(&b, 31);
	agent_hello_put(&body, &seed_hello);
	put_step(&b, MSG_HELLO, 0, &body);
	task_attach_put(&body, &seed_attach);
	put_step(&b, MSG_TASK_ATTACH, 0, &body);
	task_ack_put(&body, &(struct task_ack_msg){1, 3});
	put_step(&b, MSG_TASK_ACK, 0, &body);
	ping_put(&body, &(struct ping_msg){7});
	put_step(&b, MSG_PING, 0, &body);
	task_detach_put(&body, &(struct task_detach_msg){1});
	put_step(&b, MSG_TASK_DETACH, 0, &body);
	seed("fuzz_peer", "agent_durable", &b);
	buf_done(&b);
	buf_done(&body);
}

static void seeds_peer(void)
{
	struct buf b = {0}, body = {0};
	struct error_msg error = {ERR_LIMIT, "too much \033[2J"};

	buf_add_char(&b, 14); /* initiator, pieces of 8 */
	agent_hello_put(&body, &seed_hello);
	put_step(&b, MSG_HELLO, 0, &body);
	task_running_put(&body, &(struct task_running_msg){1, 5});
	put_step(&b, MSG_TASK_RUNNING, 0, &body);
	task_schema_put(&body, &seed_schema);
	put_step(&b, MSG_TASK_SCHEMA, 1, &body);
	put_records(&body);
	put_step(&b, MSG_TASK_RECORDS, 2, &body);
	task_end_put(&body, &seed_exited);
	put_step(&b, MSG_TASK_END, 3, &body);
	seed("fuzz_peer", "task", &b);

	buf_add_char(&b, 1); /* agent, byte by byte */
	agent_hello_put(&body, &(struct agent_hello_msg){.version_min = 1, .version_max = 2});
	put_step(&b, MSG_HELLO, 0, &body);
	task_open_put(&body, &seed_open);
	put_step(&b, MSG_TASK_OPEN, 0, &body);
	task_credit_put(&body, &(struct task_credit_msg){1, 5});
	put_step(&b, MSG_TASK_CREDIT, 0, &body);
	error_put(&body, &error);
	put_step(&b, MSG_ERROR, 0, &body);
	seed("fuzz_peer", "agent", &b);

	buf_add_char(&b, 6);
	agent_hello_put(&body, &seed_hello);
	put_step(&b, MSG_HELLO, 0, &body);
	buf_add_str(&body, "MS\x62 damaged");
	put_step(&b, 255, 0, &body);
	seed("fuzz_peer", "raw", &b);
	buf_done(&b);
	buf_done(&body);
}

/* One step of fuzz_spool.c, in a segment. */
static void put_part(struct buf *out, uint8_t segment, uint8_t type, uint8_t seq, struct buf *body)
{
	buf_add_char(out, (char)segment);
	put_step(out, type, seq, body);
}

/* Frames of these numbers, one with records to each. */
static void put_parts(struct buf *out, uint8_t segment, uint8_t from, uint8_t to)
{
	struct record_batch batch = {0};
	struct buf body = {0};

	record_batch_add(&batch, &(struct record){.value = (const uint8_t *)"a line", .len = 6});
	for (; from <= to; from++) {
		records_put(&body, 1, from, &batch);
		put_part(out, segment, MSG_TASK_RECORDS, from, &body);
	}
	record_batch_done(&batch);
	buf_done(&body);
}

static void seeds_spool(void)
{
	struct buf b = {0}, body = {0};

	buf_add_char(&b, 4); /* from 1 */
	put_parts(&b, 0, 1, 4);
	task_schema_put(&body, &seed_schema);
	put_part(&b, 1, MSG_TASK_SCHEMA, 5, &body);
	task_end_put(&body, &seed_exited);
	put_part(&b, 1, MSG_TASK_END, 6, &body);
	seed("fuzz_spool", "ended", &b);

	buf_add_char(&b, 15); /* from 3, dropping, with an acknowledgement */
	put_parts(&b, 0, 2, 5);
	buf_add_str(&body, "MS\x62 damaged");
	put_part(&b, 0, 255, 0, &body);
	put_parts(&b, 1, 9, 12);
	buf_add_str(&body, "MS");
	put_part(&b, 1, 255, 0, &body);
	seed("fuzz_spool", "damaged", &b);

	/* Dropping was broken off: two segments have the same gap. */
	buf_add_char(&b, 5);
	task_gap_put(&body, &(struct task_gap_msg){1, 1, 1, 3, 90});
	put_part(&b, 0, MSG_TASK_GAP, 3, &body);
	task_gap_put(&body, &(struct task_gap_msg){1, 1, 1, 6, 180});
	put_part(&b, 1, MSG_TASK_GAP, 6, &body);
	put_parts(&b, 2, 7, 9);
	seed("fuzz_spool", "twice", &b);
	buf_done(&b);
	buf_done(&body);
}

/* Of fuzz_control.c: a run of frames, or a message number and a body. */
#define SEED_CONTROL(type, message, name, m)     \
	do {                                     \
		struct buf b_ = {0};             \
                                                 \
		buf_add_char(&b_, (char)(type)); \
		message##_put(&b_, m);           \
		seed("fuzz_control", name, &b_); \
		buf_done(&b_);                   \
	} while (0)

static void seeds_control(void)
{
	static const struct job_open_msg open = {.name = "j",
						 .argv = seed_words,
						 .argc = 3,
						 .env = seed_env,
						 .env_count = 2,
						 .script = seed_script,
						 .script_len = 9,
						 .become = JOB_SUDO,
						 .become_user = "www",
						 .ssh_config = "none"};
	static struct job_target targets[] = {
		{.host = "u@h:22", .hostname = "h", .user = "u", .port = 22}};
	struct buf b = {0}, body = {0};
	char *ids[] = {"1", "web*"};

	SEED_CONTROL(MSG_JOB_OPEN, job_open, "job_open", &open);
	SEED_CONTROL(MSG_JOB_TARGETS, job_targets, "job_targets",
		     (&(struct job_targets_msg){targets, 1}));
	SEED_CONTROL(MSG_JOB_STDIN, job_stdin, "job_stdin",
		     (&(struct job_stdin_msg){seed_script, 5, true}));
	SEED_CONTROL(MSG_JOB_SECRET, job_secret, "job_secret",
		     (&(struct job_secret_msg){.password = "pw"}));
	SEED_CONTROL(MSG_JOB_ASK, job_ask, "job_ask",
		     (&(struct job_ask_msg){1, JOB_ASK_PASSPHRASE, "key?", false}));
	SEED_CONTROL(MSG_JOB_ANSWER, job_answer, "job_answer",
		     (&(struct job_answer_msg){1, true, "pw"}));
	SEED_CONTROL(MSG_SCHEMA, schema, "schema",
		     (&(struct schema_msg){7, NULL, seed_columns, 2}));
	SEED_CONTROL(MSG_RECEIVE, receive, "receive",
		     (&(struct receive_msg){.filter = {.selectors = ids, .selector_count = 2},
					    .wait = true,
					    .remove = true}));
	job_open_put(&body, &open);
	put_frame(&b, MSG_JOB_OPEN, 0, &body);
	buf_clear(&body);
	put_frame(&b, MSG_JOB_RUN, 0, &body);
	seed("fuzz_control", "frames", &b);
	buf_add_char(&b, MSG_RECORDS);
	put_records(&b);
	seed("fuzz_control", "records", &b);
	buf_done(&b);
	buf_done(&body);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "usage: seeds CORPUS\n");
		return 2;
	}
	seeds_root = argv[1];
	seeds_frame();
	seeds_check();
	seeds_agent_msg();
	seeds_records();
	seeds_peer();
	seeds_peer_durable();
	seeds_spool();
	seeds_control();
	return 0;
}
