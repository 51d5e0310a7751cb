/* How a job goes over its hosts: --batch, --pause, --max-failures, --fail-fast, --canary,
 * --until-reachable (docs/rollouts.md). For every command that makes a job of many hosts. */
#ifndef MUSTER_CLI_ROLLOUT_H
#define MUSTER_CLI_ROLLOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "control_msg.h"
#include "err.h"
#include "options.h"

struct rollout_values {
	const char *batch;
	uint64_t pause_ms;
	const char *failures;
	bool fail_fast;
	uint64_t canary;
	uint64_t reachable_ms;
};

/* Rows of a table of options, for a member of the values that VALUE names. */
#define ROLLOUT_ROWS(member)                                                                      \
	{"batch",                                                                                 \
	 0,                                                                                       \
	 OPTION_TEXT,                                                                             \
	 VALUE(member.batch),                                                                     \
	 "N|N%",                                                                                  \
	 "so many hosts, or so many of a hundred, at a time; the\nnext when all of them have "    \
	 "ended"},                                                                                \
		{"pause",	  0,                                                              \
		 OPTION_DURATION, VALUE(member.pause_ms),                                         \
		 "TIME",	  "behind each batch, and the canary"},                           \
		{"max-failures", 0,                                                               \
		 OPTION_TEXT,	 VALUE(member.failures),                                          \
		 "N|N%",	 "with more failed hosts than this no other begins"},             \
		{"fail-fast",                                                                     \
		 0,                                                                               \
		 OPTION_FLAG,                                                                     \
		 VALUE(member.fail_fast),                                                         \
		 NULL,                                                                            \
		 "with the first failed host (or more than\n--max-failures) stop all others, "    \
		 "too"},                                                                          \
		{"canary",                                                                        \
		 0,                                                                               \
		 OPTION_COUNT,                                                                    \
		 VALUE(member.canary),                                                            \
		 "N",                                                                             \
		 "the first N hosts alone; the others when these have\ncompleted, or on 'muster " \
		 "resume'"},                                                                      \
	{                                                                                         \
		"until-reachable", 0, OPTION_DURATION, VALUE(member.reachable_ms), "TIME",        \
			"for so long try a host again that cannot be reached,\nwhile the "        \
			"others go on"                                                            \
	}

/* Sets the fields 51 to 58 of JOB_OPEN. session: the job is on sessions. Returns 0, or ERR_SYNTAX
 * or ERR_RANGE with msg, which names the option and the cure. */
int rollout_fill(struct job_open_msg *open, const struct rollout_values *v, bool session,
		 struct errmsg *msg);

/* Appends lines that tell what the fields mean for a job of so many hosts; none: nothing. */
void rollout_describe(struct buf *text, const struct job_open_msg *open, size_t count);

#endif
