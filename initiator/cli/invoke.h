/* A synchronous job from the CLI's side: submitted, watched, its results written, one verdict. */
#ifndef MUSTER_INVOKE_H
#define MUSTER_INVOKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control_msg.h"
#include "format.h"
#include "hostlist.h"
#include "paths.h"

struct invoke_options {
	const struct hostlist *hosts;	 /* at least one */
	const struct job_open_msg *open; /* what to run and how; borrowed */
	const struct format *format;
	bool labels;
	bool quiet;
	bool largest; /* -S */
	bool ephemeral;
	bool colour_out;
	bool colour_err;
};

/* Runs it to its end. Returns the exit status. */
int invoke_run(const struct invoke_options *options, const struct paths *paths);

#endif
