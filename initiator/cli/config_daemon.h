/* What the daemon that runs was started with, beside what muster.conf says now. */
#ifndef MUSTER_CONFIG_DAEMON_H
#define MUSTER_CONFIG_DAEMON_H

#include "cmd.h"
#include "config.h"

/* Appends what files and environment set of a daemon's keys, as lines of muster.conf. */
void config_daemon_settings(struct buf *out, const struct config *config);

/*
 * Appends the keys of which the daemon has another value: "idle-timeout 10m (now 5m), ...".
 * running: as config_daemon_settings wrote it. What cannot be read is passed over: it is of another
 * version.
 */
void config_daemon_compare(struct buf *out, const char *running, const struct config *now);

/* Asks the daemon of globals, if one runs, and says in one line on stderr what differs. */
void config_daemon_tell(const struct cmd *cmd, const struct cmd_globals *globals,
			const struct config *now);

#endif
