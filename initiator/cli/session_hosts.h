/* The hosts of the sessions that a job is to run on, as the daemon has them. */
#ifndef MUSTER_SESSION_HOSTS_H
#define MUSTER_SESSION_HOSTS_H

#include "cmd.h"

struct session_hosts {
	char **labels; /* in the order of the children */
	size_t count;
};

/* Asks for them. Returns the exit status; what is wrong was said. Freed by session_hosts_done. */
int session_hosts_find(struct session_hosts *ret, const struct cmd *cmd,
		       const struct cmd_globals *globals, const struct option_texts *sessions);
void session_hosts_done(struct session_hosts *hosts);

#endif
