/*
 * A link: how one child is carried out, and what has come of it. The transport is an agent on the
 * target (remote.h), which for a local job is this computer, or a plain SSH exec (ssh/conn.h). It
 * ends with the command; the results stay until the job is removed.
 */
#ifndef MUSTER_LINK_H
#define MUSTER_LINK_H

#include <stdbool.h>

#include "job.h"
#include "results.h"
#include "run.h"

struct link;

/* Starts the child's command. Reports by child_on_running and child_on_end, from the loop. */
struct link *link_start(struct run *run, struct child *child);
void link_stop(struct link *link);
void link_suspend(struct link *link, bool suspend);
void link_feed(struct link *link); /* there is more of the job's input */
void link_free(struct link *link); /* NULL is fine */

struct results *link_results(struct link *link);

/* Reads on, whatever the results hold: nobody will read them any more. */
void link_discard(struct link *link);

/* Why the command cannot be carried out (too long), before there is a job. 0 or ERR_RANGE. */
int link_check(const struct job_open_msg *open, struct errmsg *msg);
/* The same with what is filled in for each host: the longest of their names, how many there are. */
int link_check_host(const struct job_open_msg *open, const char *longest, size_t count,
		    struct errmsg *msg);

#endif
