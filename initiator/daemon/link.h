/*
 * A link: how one child is carried out, and what has come of it. The transport is an agent on the
 * target (remote.h), which for a local job is this computer, a plain SSH exec (ssh/conn.h), or the
 * daemon of a gateway (relays.h). It ends with the command; the results stay until the job is
 * removed.
 */
#ifndef MUSTER_LINK_H
#define MUSTER_LINK_H

#include <stdbool.h>

#include "job.h"
#include "keep_copy.h"
#include "results.h"
#include "run.h"

struct link;

/* What is known of a child from before a restart of the daemon. */
struct link_past {
	bool begun;	  /* it was reported running: the child is Disconnected */
	bool asked;	  /* it may have been started */
	bool attach_only; /* so long ago that the host may not know any more whether it was */
	bool parked;	  /* the host was let go of on purpose */
	bool stopping;	  /* a stop was asked for */
	uint64_t read[STREAM_COUNT]; /* how far each stream was read */
	uint64_t last_seq;
	uint64_t *schema_ids; /* malloc'ed, freed with it */
	size_t schema_count;
	struct keep_copy_past copy;
};

/* A link with results and nothing else. Freed by link_free. */
struct link *link_new(struct run *run, struct child *child);
/* What was before a restart: to be filled in before link_start. */
struct link_past *link_past(struct link *link);
/* Starts the child's command, or goes on with it. Reports by child_on_running and child_on_end,
 * from the loop. */
void link_start(struct link *link);
void link_stop(struct link *link);
void link_suspend(struct link *link, bool suspend);
void link_feed(struct link *link);	      /* there is more of the job's input */
void link_free(struct link *link, bool park); /* park: a durable run goes on. NULL is fine */

/* Of a durable run: lets go of its host; connects to it again, now. */
void link_park(struct link *link);
void link_wake(struct link *link);
bool link_is_started(const struct link *link); /* and has not ended */
/* True if it goes on without us. */
bool link_is_durable(const struct link *link);
/* A connection to it is being looked for, or what it has written in the meantime is being fetched.
 */
bool link_is_waking(const struct link *link);
/* It is Disconnected, and it is tried to get it back. */
bool link_is_looked_for(const struct link *link);
/* Its connection was lost: why, and what became of trying again. "" if not. Borrowed. */
const char *link_trouble(const struct link *link);

struct results *link_results(struct link *link);

/* Reads on, whatever the results hold: nobody will read them any more. */
void link_discard(struct link *link);

/* Whether the agent is asked to let it outlive us. */
bool link_wants_durable(const struct job_open_msg *open);

/* Why the command cannot be carried out (too long, an unknown cipher), before there is a job. 0,
 * ERR_RANGE or ERR_SYNTAX. */
int link_check(const struct job_open_msg *open, struct errmsg *msg);
/* The same with what is filled in for each host: the longest of their names, how many there are. */
int link_check_host(const struct job_open_msg *open, const char *longest, size_t count,
		    struct errmsg *msg);

#endif
