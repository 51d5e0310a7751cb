/*
 * The process that stands between the agent and one command. It is the reaper of all that the
 * command starts, so it alone can end that tree for sure; and it sees when the agent dies, and then
 * ends it too.
 */
#ifndef MUSTER_SUPERVISOR_H
#define MUSTER_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "limits.h"
#include "spawn.h"

struct supervisor {
	pid_t pid; /* 0: none */
	int fd;	   /* non-blocking */
};

enum supervisor_order {
	SUPERVISOR_STOP = 1, /* TERM to the tree, and KILL when the grace is over */
	SUPERVISOR_KILL,
	SUPERVISOR_SUSPEND,
	SUPERVISOR_RESUME,
	SUPERVISOR_RELEASE /* what still runs lives on; the supervisor goes */
};

enum supervisor_report_kind {
	SUPERVISOR_STARTED = 1, /* exec(3) has been called: pid, begin_ns */
	SUPERVISOR_REFUSED,	/* text */
	SUPERVISOR_EXITED,	/* status, CPU, memory, end_ns */
	SUPERVISOR_SUSPENDED,	/* suspended */
	SUPERVISOR_GONE,	/* of a tree that was to end: survivors */
	SUPERVISOR_REPORT_COUNT
};

/* Goes through a socket between two processes of the same program. */
struct supervisor_report {
	uint32_t kind;
	int32_t pid;
	int32_t status; /* of wait(2) */
	bool suspended;
	uint64_t user_us;
	uint64_t system_us;
	uint64_t max_rss; /* bytes */
	uint64_t begin_ns;
	uint64_t end_ns;
	uint64_t survivors;
	char text[ERRMSG_MAX];
};

/* Starts the supervisor and through it the command. Returns 0, or ERR_SYS with msg. */
int supervisor_start(struct supervisor *ret, const struct spawn *spawn, uint64_t grace_ms,
		     struct errmsg *msg);

void supervisor_order(const struct supervisor *s, enum supervisor_order order);

/* Returns 1 and the next report; 0 if there is none now; ERR_CLOSED: it has died. */
int supervisor_read(const struct supervisor *s, struct supervisor_report *ret);

/* Waits for one that has died, and ends what it has left: MUSTER_RUN= this instance. */
void supervisor_bury(struct supervisor *s, const char *instance);

/* Closes our end. Without SUPERVISOR_RELEASE before it, the tree is ended. */
void supervisor_done(struct supervisor *s);

#endif
