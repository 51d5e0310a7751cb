/* A synchronous job from the CLI's side: submitted, watched, its results written, one verdict. */
#ifndef MUSTER_INVOKE_H
#define MUSTER_INVOKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format.h"
#include "hostlist.h"
#include "paths.h"

struct invoke_options {
	const struct hostlist *hosts; /* at least one */
	const char *const *argv;
	size_t argc;
	bool shell; /* argv is one script text */
	char *display;
	char *ssh_config; /* absolute, "none", or NULL */
	uint64_t throttle;
	uint64_t run_timeout_ms;
	uint64_t connect_timeout_ms;
	uint64_t grace_ms;
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
