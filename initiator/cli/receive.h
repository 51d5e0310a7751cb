/* Receiving the results of jobs: written, and then acknowledged. */
#ifndef MUSTER_RECEIVE_H
#define MUSTER_RECEIVE_H

#include "cmd.h"
#include "control_msg.h"
#include "view.h"

struct receive_options {
	const struct receive_msg *request; /* borrowed */
	struct view_look look;
};

/* Runs it to its end. Returns the exit status. */
int receive_run(const struct cmd *cmd, const struct cmd_globals *globals,
		const struct receive_options *options);

#endif
