/* What invoke and session let a user say of how hosts are connected to, and muster.conf of every
 * connection. */
#ifndef MUSTER_CONNECT_H
#define MUSTER_CONNECT_H

#include "config.h"
#include "control_msg.h"
#include "options.h"

struct connect_values {
	const char *retries;
	const char *kex;
	const char *ciphers;
	const char *macs;
};

/* The rows of these options: field is where the caller's values have their struct connect_values.
 */
#define CONNECT_ROWS(field)                                                                     \
	{"retries",                                                                             \
	 0,                                                                                     \
	 OPTION_TEXT,                                                                           \
	 VALUE(field.retries),                                                                  \
	 "N",                                                                                   \
	 "try a host again so often when it cannot be connected\nto (3, and 0 where nobody "    \
	 "listens or no way leads)"},                                                           \
		{"kex-algorithms", 0,	   OPTION_TEXT,                                         \
		 VALUE(field.kex), "LIST", "key exchanges to offer, best first, with commas"},  \
		{"ciphers", 0, OPTION_TEXT, VALUE(field.ciphers), "LIST", "ciphers, the same"}, \
	{                                                                                       \
		"macs", 0, OPTION_TEXT, VALUE(field.macs), "LIST", "MACs, the same"             \
	}

/* The option that was given; NULL: none. */
const char *connect_given(const struct connect_values *v);

/*
 * Sets the fields of open that these values tell; what an option does not tell config does. open
 * borrows from both. v NULL: there are no such options. Returns 0, or ERR_SYNTAX, ERR_RANGE or
 * ERR_LIMIT with msg.
 */
int connect_fill(struct job_open_msg *open, const struct connect_values *v,
		 const struct config *config, struct errmsg *msg);

#endif
