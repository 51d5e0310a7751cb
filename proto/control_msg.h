/*
 * The bodies of the control socket's messages (docs/protocol.md, sections 5 to 8). For each struct:
 * _put appends the body's msgpack to out; _get fills *ret from a received body and returns 0 or a
 * negative ERR_* with msg set, *ret then empty. _done frees what a filled struct owns; strings in a
 * struct that is put are only read.
 */
#ifndef MUSTER_CONTROL_MSG_H
#define MUSTER_CONTROL_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "record.h"

#define CONTROL_VERSION 1u /* docs/protocol.md, section 4 */

/* Caps of single fields; the others are in limits.h. */
#define CONTROL_TARGETS_MAX   4096u	   /* targets of one JOB_TARGETS */
#define CONTROL_TARGETS_BATCH 512u	   /* so many fit into a frame whatever their names are */
#define CONTROL_IDS_MAX	      4096u	   /* selectors, and locations, of one GET, DO or RECEIVE */
#define CONTROL_IDS_BYTES     (256u << 10) /* of all of them together, a NUL each */
#define CONTROL_LABEL_MAX     600u	   /* a target as the user wrote it */
#define CONTROL_USER_MAX      255u
#define CONTROL_PASSWORD_MAX  1024u
#define CONTROL_WORD_MAX      64u	     /* states, causes, signals, types */
#define CONTROL_LOCATION_MAX  (512u << 10)   /* the hosts of a job as one text */
#define CONTROL_MS_MAX	      9223372036854u /* milliseconds that are nanoseconds in an int64 */

/* 5.1. The first message of each side. */
struct hello_msg {
	uint64_t version_min; /* protocol versions that the sender speaks */
	uint64_t version_max;
	char *program; /* "muster 0.1.0" */
	uint64_t pid;
};

/* 5.2. Ends the request (or the connection, for code ERR_PROTO and ERR_VERSION). */
struct error_msg {
	int64_t code; /* ERR_* */
	char *text;
};

/* 6.1. What to run and how. Times in milliseconds; 0 is the default, or none for run_timeout. */
struct job_open_msg {
	char *name;    /* NULL: Job<Id> */
	char *display; /* the command as people see it, in get */
	char **argv;   /* the command; one element and shell for a script text */
	size_t argc;
	bool shell;
	uint64_t throttle; /* children that run at once; 0: the default */
	uint64_t run_timeout_ms;
	uint64_t connect_timeout_ms;
	uint64_t stop_grace_ms; /* between TERM and KILL; 0: the default */
	char *ssh_config;	/* absolute path, "none", or NULL for ssh's own files */
	char *agent_socket;	/* SSH_AUTH_SOCK of the caller, or NULL */
	char *home;		/* HOME of the caller */
	bool background; /* --as-job, start: the answer is the job's row, and the client is free */
	bool local;	 /* start: one child, at localhost, by this daemon itself; no targets */
	char *directory; /* working directory; NULL: the home */
	char *init_script; /* run by the same shell before the command; NULL: none */
	char *path;	   /* PATH of the caller, for local jobs */
	uint64_t agent;	   /* enum job_agent */
	uint64_t builtin;  /* enum job_builtin; with one there is no argv */
	char **env;	   /* K=V; LIMIT_ENV of them */
	size_t env_count;
	uint8_t *script; /* --file-path: a file to run with argv as its arguments (argc may be 0) */
	size_t script_len;
	char *script_name;
	bool stdin_follows; /* JOB_STDIN comes; otherwise /dev/null */
	bool pty;
	int64_t nice;
	uint64_t parse; /* enum agent_parse (agent_msg.h) */
	char *parse_argument;
	uint64_t idle_timeout_ms;  /* without output; 0: none */
	uint64_t start_timeout_ms; /* from the login to the start of the command; 0: the default */
	uint64_t output_limit;	   /* bytes of one child; 0: none */
	uint64_t become;	   /* enum job_become */
	char *become_user;	   /* NULL: root */
	bool expand;		   /* %h and %n in argv; %%h and %%n are %h and %n */
	uint64_t durable;	   /* enum job_durable */
	uint64_t
		reconnect_timeout_ms; /* a lost durable run is looked for so long; 0: the default */
	uint64_t spool_limit; /* bytes of a durable run's spool on its host; 0: the default */
	bool spool_drop;      /* a full spool drops its oldest; otherwise the command waits */
	bool detached;	 /* --in-disconnected-session: let go of each host once its command runs */
	char **sessions; /* --session: their hosts, connections and settings; there are no targets
			  */
	size_t session_count;
	uint64_t session_idle_ms; /* of a new session (builtin): without a job on it; 0: never */
	uint64_t
		retries; /* 1 + how often a host is tried again; 0: the default (docs/scaling.md) */
	char *kex;	 /* algorithms to offer, best first, with commas; NULL: ours */
	char *ciphers;	 /* as kex */
	char *macs;	 /* as kex */
	struct job_route *routes; /* targets that gateways run; the others are ours */
	size_t route_count;
	char *topology; /* the text of the topology, for gateways that need further ones; NULL */
	uint64_t hops;	/* gateways that the job has come through */
	uint64_t whole; /* targets of the whole job, of which these are a part; 0: they are all */
	char **options; /* of ssh_config(5), "Keyword=value", above every file */
	size_t option_count;
	uint64_t host_key;  /* enum job_host_key */
	uint64_t transport; /* enum job_transport_way */
	uint64_t batch;	    /* so many children at a time, the next when they have ended; 0: all */
	bool batch_percent; /* that is a hundredth part of them, rounded up */
	uint64_t pause_ms;  /* between two batches */
	uint64_t failures;  /* 1 + failed children with which no other starts any more; 0: any
			       number */
	bool failures_percent;	     /* that many (without the 1) are a hundredth part of them */
	bool fail_fast;		     /* with the first failed child all others are stopped */
	uint64_t canary;	     /* the first so many run alone; 0: none do */
	uint64_t until_reachable_ms; /* a host that cannot be reached is tried for so long */
	char **copy_from; /* of JOB_COPY: absolute paths here, or (copy_pull) paths there */
	size_t copy_from_count;
	char *copy_to;	     /* there, or (copy_pull) an absolute path here */
	uint64_t copy_flags; /* JOB_COPY_* */
};

enum job_host_key {
	JOB_HOST_KEY_CONFIG,
	JOB_HOST_KEY_STRICT,
	JOB_HOST_KEY_NEW,
	JOB_HOST_KEY_COUNT
};
enum job_transport_way { JOB_BY_ANY, JOB_BY_LIBSSH, JOB_BY_OPENSSH, JOB_BY_COUNT };
#define JOB_COPY_PULL	  1u /* from the hosts to here */
#define JOB_COPY_RECURSE  2u /* folders, too */
#define JOB_COPY_CHECKSUM 4u /* what looks unchanged is compared by its content */
#define JOB_COPY_FLAGS	  7u

/* Targets that any one of some gateways can run. */
struct job_route {
	char **gateways; /* as users write hosts, the preferred one first */
	size_t gateway_count;
	uint64_t *targets; /* numbers of targets, in order */
	size_t target_count;
};

enum job_agent {
	JOB_AGENT_AUTO,
	JOB_AGENT_ALWAYS,
	JOB_AGENT_NEVER,
	JOB_AGENT_SUBSYSTEM,
	JOB_AGENT_COUNT
};
enum job_builtin {
	JOB_COMMAND,
	JOB_AGENT_LIST,
	JOB_AGENT_PUSH,
	JOB_AGENT_REMOVE,
	JOB_SESSION, /* no job: a session is made, named by name */
	JOB_CHECK,   /* reaches each host as a command would be, and runs nothing */
	JOB_COPY,
	JOB_BUILTIN_COUNT
};
/* AUTO: durable if the job is a background one and the host can; otherwise inline, with a warning
 * where a background job was not made durable. */
enum job_durable { JOB_DURABLE_AUTO, JOB_DURABLE_ALWAYS, JOB_DURABLE_NEVER, JOB_DURABLE_COUNT };
enum job_become { JOB_AS_SELF, JOB_SUDO, JOB_SU, JOB_DOAS, JOB_BECOME_COUNT };

/* 6.10. Input for the commands of the job: of a background one before JOB_RUN, of a synchronous one
 * also after it. */
struct job_stdin_msg {
	uint8_t *data; /* at most LIMIT_STDIN_PIECE */
	size_t len;
	bool end;
};

/* 6.11. What become and the logins ask for. Between JOB_OPEN and JOB_RUN. _done wipes it. */
struct job_secret_msg {
	char *password; /* of become; NULL: none */
	char *login;	/* of users on hosts; NULL: none */
};

/* 6.15. The user is asked for something. */
enum job_ask_kind {
	JOB_ASK_PASSPHRASE = 1, /* of a key file */
	JOB_ASK_PASSWORD,
	JOB_ASK_PROMPT, /* whatever text says */
	JOB_ASK_KIND_COUNT
};

struct job_ask_msg {
	uint64_t number; /* of the question; at least 1 */
	uint64_t kind;	 /* enum job_ask_kind */
	char *text;	 /* what stands before the cursor */
	bool echo;	 /* the answer may be seen */
};

/* 6.16. The answer, or that there is none. _done wipes it. */
struct job_answer_msg {
	uint64_t number;
	bool given;
	char *text;
};

/* 6.12. The columns of the records that name this schema; before the first of them. */
struct schema_msg {
	uint64_t schema; /* the daemon's number, which it gives once */
	char *name;
	char **columns;
	size_t column_count;
};

/* 6.2. Some of the targets, in order; sent as often as needed. */
struct job_target {
	char *host;	/* as the user wrote it; what results are labelled with */
	char *hostname; /* to look up in ssh_config and to connect to */
	char *user;	/* NULL: from ssh_config */
	uint64_t port;	/* 0: from ssh_config */
	uint64_t rank;	/* 1 + its number in the whole job; 0: that in this one */
};

struct job_targets_msg {
	struct job_target *targets;
	size_t count;
};

/* 6.3 JOB_RUN has no fields. 6.4: */
struct job_stop_msg {
	uint64_t job;
};

/* 6.13. To some children of the synchronous job that the client reads. */
enum job_children_verb {
	JOB_CHILDREN_STOP = 1,
	JOB_CHILDREN_SUSPEND,
	JOB_CHILDREN_RESUME,
	JOB_CHILDREN_HOLD, /* send nothing of them until */
	JOB_CHILDREN_GO,
	JOB_CHILDREN_VERB_COUNT
};

struct job_children_msg {
	uint64_t verb;	    /* enum job_children_verb */
	uint64_t *children; /* ids */
	size_t count;
};

/* 6.5 */
struct job_accepted_msg {
	uint64_t job;	      /* id of the parent */
	uint64_t first_child; /* its children have the next ids, in target order */
	char *name;
};

/* 6.6. A child has entered a state. For an unfinished one the outcome fields are zero. */
struct child_state_msg {
	uint64_t child;	      /* id */
	char *state;	      /* "Running", section 9 */
	bool finished;	      /* no other state follows */
	char *cause;	      /* "exited", section 10; NULL: not ended */
	int64_t exit_code;    /* -1: none */
	char *signal;	      /* "TERM", or NULL */
	char *text;	      /* "connection refused"; NULL if the cause says it all */
	uint64_t exit_status; /* section 10: what this end argues for as muster's exit status */
	uint64_t begin_ns;    /* wall clock; 0: never began, or not ended */
	uint64_t end_ns;
	bool starting; /* of a job with hops: its command may begin from now on */
};

/* 6.7 RECORDS: see record.h. */

/* 6.8 */
struct job_end_msg {
	uint64_t job;
	char *state; /* "Failed", section 9 */
};

/* 6.9. Something that the user should know and that ends nothing. */
struct warning_msg {
	char *text;
};

/*
 * Which jobs. Everything that is set must hold (docs/protocol.md, section 7). Selectors are ids,
 * names (of parents and children; wildcards * ? [...], in any case) and instance ids; none: every
 * job.
 */
enum filter_more { FILTER_MORE_ANY, FILTER_MORE_YES, FILTER_MORE_NO };

struct filter_msg {
	char **selectors;
	size_t selector_count;
	char *state;	    /* "Running"; in any case; NULL: any */
	uint64_t more;	    /* enum filter_more: HasMoreData */
	char *command;	    /* wildcard; NULL: any */
	uint64_t before_ns; /* ended strictly before; 0: not asked */
	uint64_t after_ns;  /* ended strictly after */
	uint64_t newest;    /* only so many, by end time; 0: all */
	bool all;	    /* synchronous invokes too */
	bool children;	    /* the children beside the parents */
	char *child_state;  /* the children in this state beside the parents; outweighs children */
};

/* 7.1 */
struct get_msg {
	struct filter_msg filter;
};

/* 7.2. A job or child job, with every property. */
struct get_row_msg {
	uint64_t id;
	uint64_t parent_id; /* 0: none */
	char *name;
	char *type; /* NULL on children */
	char *state;
	bool has_more_data;
	char *location;
	char *command;
	uint64_t begin_ns;
	uint64_t end_ns;
	char *cause;	   /* NULL: not ended, or a parent */
	int64_t exit_code; /* -1: none */
	char *signal;
	char *text;
	char *instance_id;
	uint64_t *children; /* ids; travel as runs, so that a million in sequence are one */
	size_t child_count;
	char *progress; /* parent: "3/200 failed: web07 (exited 2), ..."; NULL: nothing to say */
	uint64_t exit_status; /* the worst that its ended children (or itself) argue for */
};

/* 7.3. The answer to GET and DO is complete. */
struct get_end_msg {
	bool timed_out;
};

/* 7.4. A line for stderr that does not end the request. */
struct problem_msg {
	uint64_t exit_status; /* of muster, that it argues for; 0: a warning */
	char *text;
};

/* 7.5. Wait for, stop, remove, suspend, resume, set: answered by GET_ROW (what it acted on),
 * PROBLEM and GET_END. */
enum do_verb { DO_WAIT = 1, DO_STOP, DO_REMOVE, DO_SUSPEND, DO_RESUME, DO_SET, DO_VERB_COUNT };

struct doing_msg {
	struct filter_msg filter;
	uint64_t verb; /* enum do_verb */
	bool force;    /* remove: of unfinished ones too; wait: past Suspended and Disconnected */
	bool any;      /* wait: for one of them */
	bool once;     /* wait: look once (--timeout 0) */
	uint64_t timeout_ms; /* wait; 0: none */
	char *until;	     /* wait for this state; NULL: any that is persistent */
	uint64_t throttle;   /* set; children that run at once; at least 1 */
};

/* The exit status of `muster relay` when the daemon there has gone, and all that it had said was
 * passed on: of nothing else that may stand in its place (6.14). */
#define CONTROL_RELAY_ENDED 93

/* 7.6. Answered by SOURCE, RECORDS, CHILD_STATE, GET_ROW, PROBLEM and RECEIVE_END. */
struct receive_msg {
	struct filter_msg filter;
	bool keep;
	bool wait;
	bool force;	     /* wait: past Suspended and Disconnected */
	uint64_t timeout_ms; /* 0: none */
	bool remove;	     /* --auto-remove-job */
	bool events;	     /* CHILD_STATE of each end, GET_ROW of each job's */
	bool job_rows;	     /* GET_ROW of each job first */
	bool no_recurse;
	char **locations; /* only children at these; none: all */
	size_t location_count;
	uint64_t streams; /* bit per enum record_stream; 0: all */
	bool by_time;
};

/* 7.7. Where the records of a child come from; before the first of them. */
struct source_msg {
	uint64_t child;
	uint64_t job;
	char *host;
	char *instance_id; /* of the child */
};

/* 7.8. What of a child has been written to where it was to go, up to and with this seq. */
struct received_msg {
	uint64_t child;
	uint64_t seq;
};

/* 7.9 */
struct receive_end_msg {
	bool timed_out;
};

/* 8.1 STATUS and 8.3 SHUTDOWN: */
struct shutdown_msg {
	bool force; /* stop the jobs that are still running */
};

/* 8.2 */
struct status_reply_msg {
	uint64_t pid;
	char *version;
	char *socket;
	uint64_t jobs;	   /* unfinished */
	uint64_t sessions; /* open SSH connections */
	uint64_t clients;
	uint64_t started_ns; /* wall clock */
	uint64_t fd_limit;
	char *store_path;	/* NULL: jobs are in memory only, and the rest means nothing */
	char *store_state;	/* "well", "full" or "failed" */
	uint64_t store_bytes;	/* of all segments */
	uint64_t store_pending; /* bytes that are not on the disk so far */
	char *store_note; /* what people should know: why it is not well, damage that was found; or
			     NULL */
	uint64_t named_sessions; /* of SESSION_GET, open or not */
	uint64_t io_threads;	 /* that connections run on */
	char *settings; /* what muster.conf and the environment set when it started, as there;
			   never NULL from a daemon of this version */
};

/* 8.4 SHUTDOWN_REPLY: jobs is what kept it from ending; 0: it ends now. */
struct shutdown_reply_msg {
	uint64_t jobs;
};

/* 8.5. Which sessions: ids, names, wildcards; none: every one. */
struct session_get_msg {
	char **names;
	size_t name_count;
};

/* 8.6. Answered by SESSION_ROW, PROBLEM and GET_END. */
enum session_verb { SESSION_CONNECT = 1, SESSION_DISCONNECT, SESSION_REMOVE, SESSION_VERB_COUNT };

struct session_do_msg {
	char **names; /* as above, but at least one */
	size_t name_count;
	uint64_t verb; /* enum session_verb */
};

/* 8.7. A session on one host. */
struct session_row_msg {
	uint64_t id;
	char *name;
	char *host;
	char *state;		  /* "Opening", "Opened", "Disconnected", "Broken" */
	char *availability;	  /* "Available", "Busy", "None" */
	uint64_t commands;	  /* that run on it */
	uint64_t idle_since_ns;	  /* no command has run since; 0: one does, or it is not open */
	uint64_t idle_timeout_ms; /* 0: never */
	char *text;		  /* what broke it, or ended it; NULL: nothing */
	uint64_t exit_status;	  /* section 10: what that argues for */
	bool is_job; /* no session: a job that was started to be let go of; id and name are its */
};

#define CONTROL_MSG_DECLARE(name)                                                                 \
	void name##_put(struct buf *out, const struct name##_msg *m);                             \
	int name##_get(struct name##_msg *ret, const void *data, size_t len, struct errmsg *msg); \
	void name##_done(struct name##_msg *m);

CONTROL_MSG_DECLARE(hello)
CONTROL_MSG_DECLARE(error)
CONTROL_MSG_DECLARE(job_open)
CONTROL_MSG_DECLARE(job_targets)
CONTROL_MSG_DECLARE(job_stop)
CONTROL_MSG_DECLARE(job_stdin)
CONTROL_MSG_DECLARE(job_secret)
CONTROL_MSG_DECLARE(job_ask)
CONTROL_MSG_DECLARE(job_answer)
CONTROL_MSG_DECLARE(job_children)
CONTROL_MSG_DECLARE(schema)
CONTROL_MSG_DECLARE(job_accepted)
CONTROL_MSG_DECLARE(child_state)
CONTROL_MSG_DECLARE(job_end)
CONTROL_MSG_DECLARE(warning)
CONTROL_MSG_DECLARE(get)
CONTROL_MSG_DECLARE(get_row)
CONTROL_MSG_DECLARE(get_end)
CONTROL_MSG_DECLARE(problem)
CONTROL_MSG_DECLARE(doing)
CONTROL_MSG_DECLARE(receive)
CONTROL_MSG_DECLARE(source)
CONTROL_MSG_DECLARE(received)
CONTROL_MSG_DECLARE(receive_end)
CONTROL_MSG_DECLARE(shutdown)
CONTROL_MSG_DECLARE(status_reply)
CONTROL_MSG_DECLARE(shutdown_reply)
CONTROL_MSG_DECLARE(session_get)
CONTROL_MSG_DECLARE(session_do)
CONTROL_MSG_DECLARE(session_row)

#endif
