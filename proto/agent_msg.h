/*
 * The bodies of the messages between the initiator and an agent (docs/protocol.md, section 12),
 * with the functions of control_msg.h: _put, _get, _done.
 *
 * A connection to an agent carries many tasks at once, each a command. The frames of a task that
 * must not get lost (TASK_SCHEMA, TASK_RECORDS, TASK_GAP, TASK_END) are numbered in the header's
 * seq, from 1 for each task; all others have seq 0.
 */
#ifndef MUSTER_AGENT_MSG_H
#define MUSTER_AGENT_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "record.h"

#define AGENT_VERSION 1u /* docs/protocol.md, section 4 */

/* What the agent can do; bits of HELLO.capabilities. */
#define AGENT_CAN_PTY	  1u
#define AGENT_CAN_SUSPEND 2u
#define AGENT_CAN_DURABLE 4u /* runs that survive the connection */
#define AGENT_CAN_COPY	  8u

/* 12.1. HELLO on a connection to an agent: the fields of 5.1 and what only an agent says. */
struct agent_hello_msg {
	uint64_t version_min;
	uint64_t version_max;
	char *program;
	uint64_t pid;
	char *arch; /* as uname -m */
	char *machine_id;
	char *boot_id;
	uint64_t uid;
	uint64_t capabilities; /* AGENT_CAN_* */
	char *durable_note;    /* why durable runs cannot be, or may not survive; NULL: nothing */
};

enum agent_parse {
	PARSE_LINES, /* a text a line; the default */
	PARSE_RAW,   /* the bytes as they come */
	PARSE_NUL,   /* as lines, but NUL ends one */
	PARSE_JSON,  /* one document, or several; an array is a record an element */
	PARSE_JSONL,
	PARSE_CSV, /* RFC 4180, the first row names the columns */
	PARSE_TSV,
	PARSE_KV,     /* KEY=VALUE or KEY: VALUE lines, all one record */
	PARSE_BLOCKS, /* the same in stanzas, an empty line between two: a record each */
	PARSE_TABLE,  /* columns under the words of a header line */
	PARSE_REGEX,  /* POSIX extended; parse_argument; groups are the columns */
	PARSE_AUTO,   /* JSON if it begins as JSON, otherwise lines */
	PARSE_COUNT
};

/* "lines", ... Static; NULL if none. */
const char *agent_parse_name(uint64_t parse);
/* 0, or ERR_SYNTAX with a msg that lists the names. */
int agent_parse_find(const char *name, uint64_t *ret, struct errmsg *msg);

/* 12.2 */
struct task_open_msg {
	uint64_t task;	/* chosen by the initiator; above 0, never used twice on a connection */
	char *instance; /* UUID of the child */
	char **argv;	/* of a script: its arguments */
	size_t argc;
	char **env; /* K=V, beyond what a login has */
	size_t env_count;
	char *directory;    /* NULL: the home */
	uint8_t *script;    /* --file-path: run this file; NULL: none */
	size_t script_len;  /* at most LIMIT_SCRIPT */
	char *script_name;  /* of the file, for messages */
	bool stdin_follows; /* TASK_STDIN comes; otherwise /dev/null */
	bool pty;	    /* a terminal for the command; merges its error stream into output */
	int64_t nice;
	uint64_t parse; /* enum agent_parse, of output */
	char *parse_argument;
	uint64_t run_timeout_ms;  /* 0: none */
	uint64_t idle_timeout_ms; /* without output; 0: none */
	uint64_t grace_ms;	  /* between TERM and KILL; 0: the default */
	uint64_t credit;	  /* bytes of numbered frames that may come before TASK_CREDIT */
	uint64_t output_limit;	  /* bytes of output and error together; 0: none */
	bool durable;		  /* survives the connection: section 14 */
	uint64_t epoch;	      /* of a durable one: higher with each connection that asks for it */
	uint64_t spool_limit; /* bytes; 0: the default */
	bool spool_drop;      /* when it is full the oldest goes; otherwise the command waits */
	bool session; /* TASK_SESSION tells what the command leaves behind; not of a durable one */
};

/* 12.3 */
struct task_stdin_msg {
	uint64_t task;
	uint8_t *data; /* at most LIMIT_STDIN_PIECE */
	size_t len;
	bool end; /* nothing follows */
};

/* 12.4 */
enum task_signal { TASK_STOP = 1, TASK_SUSPEND, TASK_RESUME, TASK_KILL, TASK_SIGNAL_COUNT };
struct task_signal_msg {
	uint64_t task;
	uint64_t signal; /* enum task_signal */
};

/* 12.5 */
struct task_credit_msg {
	uint64_t task;
	uint64_t bytes; /* so many more than before: grants add up */
};

/* 12.6 */
struct task_running_msg {
	uint64_t task;
	uint64_t pid;
};

/* 12.7. Before the first record that is a row of it. */
struct task_schema_msg {
	uint64_t task;
	uint64_t schema; /* from 1, in sequence */
	char *name;	 /* of the type; NULL: none */
	char **columns;
	size_t column_count;
};

/* 12.8 TASK_RECORDS: as RECORDS (record.h), the task in the place of the child. */

/* 12.9 */
struct task_state_msg {
	uint64_t task;
	bool suspended;
	bool stalled; /* a durable run cannot write: the file system of the target is full */
};

/* 12.10. So much of its stdin was taken by the command, in all. */
struct task_stdin_room_msg {
	uint64_t task;
	uint64_t taken;
};

/* 12.11 */
enum task_end_kind {
	TASK_EXITED = 1,
	TASK_SIGNALLED,
	TASK_TIMEOUT, /* text: run, idle */
	TASK_STOPPED, /* by TASK_STOP */
	TASK_REFUSED, /* could not be started; text says why */
	TASK_LIMIT,   /* output_limit */
	TASK_LOST,    /* what watched over it died */
	TASK_GONE,    /* TASK_ATTACH: there is no such run here */
	TASK_END_KIND_COUNT
};
struct task_end_msg {
	uint64_t task;
	uint64_t kind;	   /* enum task_end_kind */
	int64_t exit_code; /* -1: none */
	char *signal;	   /* without SIG */
	char *text;
	bool began;	    /* the command had been started */
	bool pipes_open;    /* something that it left running holds its output open */
	uint64_t survivors; /* processes that could not be ended */
	uint64_t user_us;   /* CPU time */
	uint64_t system_us;
	uint64_t max_rss;  /* bytes */
	uint64_t begin_ns; /* wall clock there */
	uint64_t end_ns;
};

/* 12.12. A durable run that was started before: on with it, from this frame. Never starts it. */
struct task_attach_msg {
	uint64_t task;
	char *instance;
	uint64_t epoch;
	uint64_t next_seq; /* the first frame that the initiator has not; from 1 */
	uint64_t credit;
};

/* 12.13. All frames up to this one are with the initiator for good. */
struct task_ack_msg {
	uint64_t task;
	uint64_t seq;
};

/* 12.14. Lets go of a durable run, which goes on. From the agent: it is let go, as it was asked or
 * as somebody with a higher epoch has it; nothing of this task follows. */
struct task_detach_msg {
	uint64_t task;
};

/* 12.15. The answer to TASK_OPEN of a durable run, and to TASK_ATTACH. */
struct task_attached_msg {
	uint64_t task;
	uint64_t last;	  /* seq of the last frame so far */
	uint64_t taken;	  /* bytes of its input that came before */
	bool resumed;	  /* the run was there already */
	bool input_ended; /* the end of its input came before */
};

/* 12.16. Frames that the spool could not keep; seq in the header is that of the last of them. */
struct task_gap_msg {
	uint64_t task;
	uint64_t from; /* seq of the first */
	uint64_t first_record;
	uint64_t records;
	uint64_t bytes;
};

/* 12.17. From the initiator; the agent answers with the same. */
struct ping_msg {
	uint64_t number;
};

/* 12.18. What a command of a session has left for the next one. */
struct task_session_msg {
	uint64_t task;
	char *directory;
	char **env; /* K=V, what differs from a login; LIMIT_ENV and LIMIT_COMMAND */
	size_t env_count;
};

#define AGENT_MSG_DECLARE(name)                                                                   \
	void name##_put(struct buf *out, const struct name##_msg *m);                             \
	int name##_get(struct name##_msg *ret, const void *data, size_t len, struct errmsg *msg); \
	void name##_done(struct name##_msg *m);

AGENT_MSG_DECLARE(agent_hello)
AGENT_MSG_DECLARE(task_open)
AGENT_MSG_DECLARE(task_stdin)
AGENT_MSG_DECLARE(task_signal)
AGENT_MSG_DECLARE(task_credit)
AGENT_MSG_DECLARE(task_running)
AGENT_MSG_DECLARE(task_schema)
AGENT_MSG_DECLARE(task_state)
AGENT_MSG_DECLARE(task_stdin_room)
AGENT_MSG_DECLARE(task_end)
AGENT_MSG_DECLARE(task_attach)
AGENT_MSG_DECLARE(task_ack)
AGENT_MSG_DECLARE(task_detach)
AGENT_MSG_DECLARE(task_attached)
AGENT_MSG_DECLARE(task_gap)
AGENT_MSG_DECLARE(ping)
AGENT_MSG_DECLARE(task_session)

#endif
