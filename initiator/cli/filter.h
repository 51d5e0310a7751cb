/* The options that choose among jobs: the same for get, receive, wait, stop, remove. */
#ifndef MUSTER_FILTER_H
#define MUSTER_FILTER_H

#include "control_msg.h"
#include "options.h"

struct filter_values {
	struct option_texts selectors; /* --id, --name, --instance-id: as the words are */
	const char *state;
	const char *more;
	const char *command;
	const char *before;
	const char *after;
	uint64_t newest;
	bool all;
	bool children;
	const char *child_state;
};

/* Rows for a table of options whose struct has a filter_values at this offset. */
#define FILTER_ROWS(offset)                                                                        \
	{"id", 0, OPTION_TEXTS, (offset) + offsetof(struct filter_values, selectors), "ID", NULL}, \
		{"name", 0,   OPTION_TEXTS, (offset) + offsetof(struct filter_values, selectors),  \
		 "NAME", NULL},                                                                    \
		{"instance-id", 0,                                                                 \
		 OPTION_TEXTS,	(offset) + offsetof(struct filter_values, selectors),              \
		 "UUID",	NULL},                                                             \
		{"state",     0,                                                                   \
		 OPTION_TEXT, (offset) + offsetof(struct filter_values, state),                    \
		 "STATE",     "in this state: NotStarted, Running, Completed, ..."},               \
	{                                                                                          \
		"command", 0, OPTION_TEXT, (offset) + offsetof(struct filter_values, command),     \
			"TEXT", "with this command; wildcards * ? [a-z]"                           \
	}

/*
 * Fills a message: argv's words are selectors, too. It borrows from values and argv, but for the
 * list of selectors, which the caller frees. Returns 0, or ERR_SYNTAX with msg.
 */
int filter_fill(struct filter_msg *ret, const struct filter_values *values, int argc, char **argv,
		struct errmsg *msg);

/* True if nothing chooses: every job is meant. */
bool filter_is_empty(const struct filter_msg *filter);

/* "2026-03-01", "2026-03-01T12:34:56.789Z", "12:34" (today), "90s" or "5m" (ago), "@EPOCH" as wall
 * clock in nanoseconds; local time where no zone stands. */
int filter_time(uint64_t *ret_ns, const char *text, const char *what, struct errmsg *msg);

#endif
