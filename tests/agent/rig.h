/*
 * An initiator for tests: starts the agent that MUSTER_AGENT names (through MUSTER_AGENT_RUNNER, if
 * that is set) on two pipes, and keeps what it says. Whatever breaks the protocol fails the test.
 */
#ifndef MUSTER_RIG_H
#define MUSTER_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <sys/types.h>

#include "agent_msg.h"
#include "buf.h"
#include "limits.h"
#include "message.h"
#include "peer.h"
#include "record.h"

#define RIG_TASKS_MAX	 512u
#define RIG_CREDIT	 (1u << 20)
#define RIG_RECORDS_KEPT 100000u /* of a task, one by one */

struct rig_record {
	uint64_t stream;
	uint64_t flags;
	uint64_t schema;
	bool is_text;
	bool is_typed;
	size_t at; /* of its bytes in rig_task.values */
	size_t len;
};

struct rig_task {
	uint64_t id;
	struct task_order order;
	bool running, ended, suspended, grants; /* grants: credit comes back as it is used */
	bool durable, attached, detached, stalled;
	struct task_attached_msg at; /* TASK_ATTACHED */
	uint64_t gaps, gap_records;
	uint64_t pid;
	uint64_t states;   /* TASK_STATE that came */
	uint64_t taken;	   /* of its input */
	uint64_t received; /* bytes of records and schemas */
	uint64_t granted;
	uint64_t next_record;
	struct rig_record *records; /* the first RIG_RECORDS_KEPT */
	size_t count, size;
	uint64_t came; /* records, also those that are not kept */
	struct buf values;
	struct buf streams[STREAM_COUNT]; /* what is no typed value; lines with their newline */
	char *columns;			  /* of the last schema, "a,b" */
	struct task_end_msg end;
	struct task_session_msg left; /* the last that came */
	uint64_t lefts;
};

struct rig {
	pid_t pid;
	int in, out; /* its stdin and stdout */
	struct peer *peer;
	struct rig_task tasks[RIG_TASKS_MAX];
	size_t count;
	char *arch;
	uint64_t uid;
	uint64_t capabilities;
	char *durable_note;
	uint64_t pings;
	bool open;
	bool fails;  /* what it says next may be an ERROR or its end */
	bool failed; /* which came */
	char *error;
};

/* Starts the agent and waits for its HELLO. */
void rig_start(struct rig *rig);
/* Ends the input of the agent and waits for its end; frees all. Its exit status, or -signal. */
int rig_done(struct rig *rig);

/* A command with the default credit, given back as it is used; more can be set before rig_open. */
struct task_open_msg rig_shell(const char *script);
struct rig_task *rig_open(struct rig *rig, struct task_open_msg *open);

/* On with a durable run: from this frame, whose first record has this number. */
struct rig_task *rig_attach(struct rig *rig, const char *instance, uint64_t epoch,
			    uint64_t next_seq, uint64_t next_record);
void rig_ack(struct rig *rig, const struct rig_task *task, uint64_t seq);
void rig_detach(struct rig *rig, const struct rig_task *task);
void rig_ping(struct rig *rig, uint64_t number);

/* Opens a shell command and waits for its end. */
struct rig_task *rig_run(struct rig *rig, const char *script);

void rig_send(struct rig *rig, uint8_t type, struct buf *body);
void rig_signal(struct rig *rig, const struct rig_task *task, enum task_signal signal);
void rig_credit(struct rig *rig, struct rig_task *task, uint64_t bytes);
void rig_stdin(struct rig *rig, const struct rig_task *task, const void *data, size_t len,
	       bool end);

/* Handles what comes until the condition holds; fails the test if that takes too long. */
typedef bool rig_until(struct rig *rig, void *arg);
void rig_wait(struct rig *rig, rig_until *until, void *arg);
void rig_wait_end(struct rig *rig, struct rig_task *task);
/* Until the output has this text in it. */
void rig_wait_output(struct rig *rig, struct rig_task *task, const char *text);
/* Until no process has this word in its environment as MARK=word. */
void rig_wait_gone(struct rig *rig, const char *mark);
/* Until so many have. One that becomes a program has none for a moment, and one that forks is two.
 */
void rig_wait_marked(struct rig *rig, const char *mark, size_t count);

/* What was written to a stream, as text. */
const char *rig_text(struct rig_task *task, enum record_stream stream);

/* Processes whose environment has MARK=mark, zombies left out. */
size_t rig_count_marked(const char *mark);
/* From now on what loses its parent is a child of the test. */
void rig_adopt(void);
/* KILL to all children, until none is left: what a test has left behind, on purpose or not. */
void rig_end_children(void);
/* A mark that no other run has, as "MARK=..." for env and its value behind the '='. */
char *rig_mark(void);

#endif
