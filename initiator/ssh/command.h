/*
 * A command as text for the login shell of a target: what an SSH exec request carries
 * (RFC 4254, section 6.5). Whatever that shell is (sh, bash, zsh, fish, csh, tcsh, mksh, busybox),
 * it must give the program exactly the argv that the user wrote. One thing cannot be: csh and tcsh
 * have no way to quote a newline.
 */
#ifndef MUSTER_COMMAND_H
#define MUSTER_COMMAND_H

#include <stddef.h>

#include "buf.h"
#include "err.h"

/*
 * Appends one argument, quoted. Quotes, backslashes and '!' stand outside of single quotes with a
 * backslash before them, since fish reads backslashes inside, and csh '!'.
 */
void command_quote(struct buf *out, const char *arg);

/*
 * The exec text: `env MUSTER_RUN=ID arg...`. The variable marks every process of the run, for
 * command_kill(); env(1) starts the program without another shell. run_id: letters, digits, '-'.
 * Returns 0, or ERR_LIMIT above LIMIT_COMMAND with msg.
 */
int command_exec(struct buf *out, const char *run_id, const char *const *argv, size_t argc,
		 struct errmsg *msg);

/*
 * The exec text that ends every process marked with run_id: TERM, then after grace_s seconds KILL,
 * until none is left. Exits with 0 when all are gone, 1 when some survived, 2 where there is no
 * /proc. Needs sh, grep and sleep on the target.
 */
void command_kill(struct buf *out, const char *run_id, unsigned grace_s);

/*
 * The exec text that sends a signal ("STOP", "CONT") to every process marked with run_id, twice, so
 * that those that were born meanwhile have it too. Exits with 0, 1 when there was none, 2 where
 * there is no /proc.
 */
void command_signal(struct buf *out, const char *run_id, const char *signal);

#endif
