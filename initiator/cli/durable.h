/* What invoke and start let a user say of how a job survives: durable runs and their spools. */
#ifndef MUSTER_DURABLE_H
#define MUSTER_DURABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "control_msg.h"
#include "options.h"

struct durable_values {
	bool always; /* --durable */
	bool never;  /* --inline */
	bool detached;
	struct option_wait reconnect;
	uint64_t spool_limit;
	const char *spool_full;
};

/* The rows of these options: field is where the caller's values have their struct durable_values.
 */
#define DURABLE_ROWS(field)                                                                       \
	{"durable",   0,                                                                          \
	 OPTION_FLAG, VALUE(field.always),                                                        \
	 NULL,	      "it survives a lost connection and a killed daemon\n(background jobs do)"}, \
		{"inline",                                                                        \
		 0,                                                                               \
		 OPTION_FLAG,                                                                     \
		 VALUE(field.never),                                                              \
		 NULL,                                                                            \
		 "it does not: the command ends with its connection,\nand no disk is touched "    \
		 "there"},                                                                        \
		{"reconnect-timeout",                                                             \
		 0,                                                                               \
		 OPTION_WAIT,                                                                     \
		 VALUE(field.reconnect),                                                          \
		 "TIME",                                                                          \
		 "look for a durable one so long when its connection\nis lost (30m; 0: not)"},    \
		{"spool-limit",                                                                   \
		 0,                                                                               \
		 OPTION_SIZE,                                                                     \
		 VALUE(field.spool_limit),                                                        \
		 "SIZE",                                                                          \
		 "what a durable one may keep on its disk until it is\nfetched (64M)"},           \
	{                                                                                         \
		"spool-full", 0, OPTION_TEXT, VALUE(field.spool_full), "HOW",                     \
			"then: block, the command waits; or drop the oldest\n(block)"             \
	}

/* What becomes of a full spool, by its name: *ret is 1 for drop. what: what the text is of, for
 * msg. */
int durable_full_find(uint64_t *ret, const char *text, const char *what, struct errmsg *msg);

/* A --reconnect-timeout as JOB_OPEN and the daemon have it, where 0 is the default. */
uint64_t durable_reconnect_ms(uint64_t ms);

/*
 * Sets the fields of open that these values tell; agent and background are set already. What an
 * option does not tell config does. Returns 0, or ERR_SYNTAX with msg that names both options where
 * two do not go together.
 */
int durable_fill(struct job_open_msg *open, const struct durable_values *v,
		 const struct config *config, struct errmsg *msg);

#endif
