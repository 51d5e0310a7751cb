/* Receiving the results of jobs: written, and then acknowledged. */
#ifndef MUSTER_RECEIVE_H
#define MUSTER_RECEIVE_H

#include <stdbool.h>

#include "cmd.h"
#include "control_msg.h"
#include "format.h"

struct receive_options {
	const struct receive_msg *request; /* borrowed */
	const struct format *format;
	bool labels;
	bool quiet;
	bool colour_out;
	bool colour_err;
};

/* Runs it to its end. Returns the exit status. */
int receive_run(const struct cmd *cmd, const struct cmd_globals *globals,
		const struct receive_options *options);

#endif
