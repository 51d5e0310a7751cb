/* Past jobs as sets of hosts: what stands behind @job: in a host expression. */
#ifndef MUSTER_JOB_SET_H
#define MUSTER_JOB_SET_H

#include "buf.h"
#include "cmd.h"
#include "err.h"

/*
 * Appends the hosts of a job, a label a line, in the order of its targets. text: "ID[:FILTER]",
 * where ID is the number of a job or "last", the newest that ran on hosts, and FILTER a state or a
 * cause as 'muster get' names them (in any case; "ok" is completed), "rc=N" or "cause=WORD".
 * Asks the daemon of globals, and starts none. Returns 0; ERR_NOTFOUND (no daemon, no such job);
 * ERR_SYNTAX (a bad filter); ERR_CLOSED (the daemon went away: said on stderr); msg has the cure.
 */
int job_set_find(struct buf *out, const char *text, const struct cmd_globals *globals,
		 struct errmsg *msg);

#endif
