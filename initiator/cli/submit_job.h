/* Submitting a job: the messages of docs/protocol.md, section 6, and jobs left to the daemon. */
#ifndef MUSTER_SUBMIT_JOB_H
#define MUSTER_SUBMIT_JOB_H

#include "cmd.h"
#include "control_msg.h"
#include "hostlist.h"
#include "message.h"

/* Takes a message's body, which is empty afterwards. */
typedef void submit_fn(void *arg, enum message_type type, struct buf *body);

/* JOB_OPEN, JOB_TARGETS for all hosts (NULL: a local job has none), JOB_RUN. open is only read; who
 * calls (home, ssh-agent) is filled in. */
void submit_send(const struct job_open_msg *open, const struct hostlist *hosts, submit_fn *send,
		 void *arg);

/* Submits a background job and shows its row, or with --quiet its id. Returns the exit status. */
int submit_job(const struct cmd *cmd, const struct cmd_globals *globals,
	       const struct job_open_msg *open, const struct hostlist *hosts);

/*
 * The command for people, as they would write it to a shell: words that a shell would not take as
 * they are stand in quotes. shell: argv is one script text, which is shown as it is. The caller
 * frees it.
 */
char *submit_display(const char *const *argv, size_t argc, bool shell);

#endif
