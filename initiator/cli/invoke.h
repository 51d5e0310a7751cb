/* A synchronous job from the CLI's side: submitted, watched, its results written, one verdict. */
#ifndef MUSTER_INVOKE_H
#define MUSTER_INVOKE_H

#include <stdbool.h>

#include "paths.h"
#include "submit_job.h"
#include "view.h"

struct invoke_options {
	const struct submit *submit; /* what to run, how and where: at least one host; borrowed */
	struct view_look look;
	bool quiet;
	bool largest; /* -S */
	bool ephemeral;
};

/* Runs it to its end. Returns the exit status. */
int invoke_run(const struct invoke_options *options, const struct paths *paths);

#endif
