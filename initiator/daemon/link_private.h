/* The inside of a link: link.c (its life), link_command.c (what is run), and one file for each way
 * to run it. */
#ifndef MUSTER_LINK_PRIVATE_H
#define MUSTER_LINK_PRIVATE_H

#include "agent_msg.h"
#include "client.h"
#include "control_msg.h"
#include "daemon_private.h"
#include "feed.h"
#include "link.h"
#include "outcome.h"
#include "splitter.h"
#include "uuid.h"

/* A way to carry a command out. Called only while it is under way. */
struct link_transport {
	void (*stop)(struct link *link);
	void (*suspend)(struct link *link, bool suspend);
	void (*hold)(struct link *link, bool hold);
	void (*feed)(struct link *link); /* there is more input; NULL: it takes none */
	void (*free)(struct link *link); /* what handle stands for; NULL: nothing */
	/* Of one without a track that may lose its connection and look for another; NULL: of none.
	 * trouble: why it is away; NULL: it is not. wake: it tries now. */
	const char *(*trouble)(const struct link *link);
	void (*wake)(struct link *link);
};

struct link {
	struct run *run;
	struct child *child;
	struct results *results;
	struct link_live *live;	  /* NULL: the command has ended */
	struct link_track *track; /* its agent; NULL: none, or all is said and done */
	struct link_past *past;	  /* until it is started; NULL: it is new */
	bool discard;
	bool held;
};

/* What is needed only while the command runs. */
struct link_live {
	const struct link_transport *transport;
	void *handle; /* of the transport: line, link_track */
	char run_id[UUID_TEXT_SIZE];
	struct splitter streams[2]; /* output, error: of those that send bytes */
	uint64_t fed;		    /* input that was given, plain exec */
	bool feed_ended;
	bool stopping;
	bool suspend_asked;
	bool in_session;	   /* its session counts it */
	bool left;		   /* it has told what it leaves to the next one there */
	struct copy_pass *pass;	   /* of a copy from it: to who asked for it; NULL: to here */
	uint64_t since_ns;	   /* of a check: when it began, monotonic */
	bool has_agent;		   /* of a check: the agent was there */
	uint64_t can;		   /* of a check: AGENT_CAN_* of that */
	char *note;		   /* of a check: why it is not, or not durable; NULL: nothing */
	char *program;		   /* of a check: the agent's name and version; NULL: not known */
	struct event *refused;	   /* it cannot begin: its end comes; NULL: it can */
	struct results_wait noted; /* until it may begin */
	struct client_wait told;   /* the same */
};

/* The command begins: at once, or (link_tell.c) when it was told that it does, and (link_once.c)
 * when that is noted. */
void link_tell_begin(struct link *link);
void link_tell_stop(struct link *link);
void link_tell_leave(struct link *link);
void link_begin(struct link *link);
void link_go(struct link *link);
void link_once_begin(struct link *link);
/* It does not, if it has not; the end comes. */
void link_once_stop(struct link *link);
void link_once_leave(struct link *link);
/* One that has not begun ends, from the loop. */
void link_end_soon(struct link *link);

/* The ways. Each sets live->transport and live->handle. */
void link_plain_start(struct link *link);
void link_agent_start(struct link *link);
void link_relay_start(struct link *link);
void link_copy_start(struct link *link);
/* Into which folder of the destination the files of this host go; the caller frees it. */
char *link_copy_folder(const struct link *link);
void link_check_start(struct link *link);
/* The record that says what a check has found; before its end. */
void link_check_report(struct link *link);
struct track_spec;
/* link_spec.c. What was before a restart is taken from past. */
void link_track_spec(struct link *link, struct track_spec *ret);
/* After the end of the command too. park: a durable one goes on. */
void link_agent_free(struct link *link, bool park);
/* What was added is to be stored; flush: and acknowledged then. */
void link_agent_store(struct link *link);
void link_agent_flush(struct link *link);
void link_agent_wake(struct link *link);
void link_agent_park(struct link *link);
bool link_agent_is_durable(const struct link *link);
bool link_agent_is_waking(const struct link *link);
bool link_agent_is_looked_for(const struct link *link);
/* Why it is away; "" if it is not. Borrowed. */
const char *link_agent_trouble(const struct link *link);

/* Whether plain exec can do all that the job asks for; if not *ret_what says what not. */
bool link_plain_can(const struct job_open_msg *open, const char **ret_what);

/* Events of all of them. */
void link_on_running(void *arg);
void link_on_record(void *arg, const struct record *record);
void link_on_data(void *arg, bool is_error, const void *data, size_t len);
void link_on_burst_end(void *arg);
void link_flush(struct link *link);
void link_on_suspended(void *arg, bool suspended);
void link_end(struct link *link, const struct outcome *outcome);

/* A record of the daemon's own among those of the child. */
void link_warn(struct link *link, const char *text);

/* --- link_session.c: a child of a job on sessions; of others these do nothing ---------------- */

/* False: it cannot begin there, and its end comes. */
bool link_session_begin(struct link *link);
void link_session_end(struct link *link);
/* What a command of such a job leaves is kept for the next one: a shell's alone can tell. */
bool link_session_keeps(const struct job_open_msg *open);
void link_session_on_left(struct link *link, const struct task_session_msg *m);
/* Puts what was kept into TASK_OPEN. env of m is another afterwards, and owned as before. */
void link_session_open(struct link *link, struct task_open_msg *m);

/* --- link_command.c ------------------------------------------------------------------------- */

/* A command for one child: argv with what belongs to it filled in, NULL-terminated. */
struct link_command {
	const char **argv;
	size_t argc;
	char **owned; /* strings to be freed */
	size_t owned_count;
};

/* index: the child's, for %h and %n. plain: env, directory and the rest by words before it, as
 * nobody else would see to them. */
void link_command_make(struct link_command *ret, const struct job_open_msg *open, const char *host,
		       size_t index, size_t count, bool plain);
void link_command_done(struct link_command *command);

/* The environment for an agent: what was asked for and MUSTER_HOST, MUSTER_RANK, MUSTER_COUNT; of a
 * local job HOME and PATH of its user too. */
char **link_environment(const struct job_open_msg *open, const char *host, size_t index,
			size_t count, size_t *ret_count);

/* Appends TASK_OPEN for the child; own has what is the connection's of it. */
void link_task_open(struct link *link, struct buf *body, const struct task_open_msg *own);

#endif
