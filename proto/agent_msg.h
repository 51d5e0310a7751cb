/*
 * The bodies of the messages between the initiator and an agent (docs/protocol.md, section 12),
 * with the functions of control_msg.h: _put, _get, _done.
 *
 * A connection to an agent carries many tasks at once, each a command. The frames of a task that
 * must not get lost (TASK_SCHEMA, TASK_RECORDS, TASK_END) are numbered in the header's seq, from 1
 * for each task; all others have seq 0.
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
	TASK_LOST,    /* the supervisor died */
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

#endif
