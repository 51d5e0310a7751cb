/* --via and --topology: which hosts of a job gateways run (docs/relays.md). */
#ifndef MUSTER_VIA_H
#define MUSTER_VIA_H

#include "buf.h"
#include "cmd.h"
#include "control_msg.h"
#include "hostlist.h"
#include "options.h"
#include "routes.h"

struct via_values {
	struct option_texts gateways;
	const char *topology;
};

#define VIA_ROWS(member)                                                                         \
	{"via",                                                                                  \
	 0,                                                                                      \
	 OPTION_TEXTS,                                                                           \
	 VALUE(member.gateways),                                                                 \
	 "EXPR",                                                                                 \
	 "by way of muster on these gateways, the hosts split\namong them; may be repeated"},    \
	{                                                                                        \
		"topology", 0, OPTION_TEXT, VALUE(member.topology), "FILE",                      \
			"by way of the gateways that this file has for the\nhosts; none: of no " \
			"file (none)"                                                            \
	}

/* What a job owns of it. */
struct via_made {
	struct routes_plan plan;
	struct job_route *routes;
	struct buf topology;
};

/*
 * Sets routes and topology of open for its hosts. open borrows from *made, which is freed by
 * via_made_done, also after a failure. Returns 0 or a negative ERR_* with msg.
 */
int via_fill(struct job_open_msg *open, struct via_made *made, const struct via_values *v,
	     const struct cmd_globals *globals, const struct hostlist *hosts, struct errmsg *msg);
void via_made_done(struct via_made *made);

/* What of it was given that cannot be with what a session has fixed; NULL: nothing. */
const char *via_given(const struct via_values *v);

/* The request with its routes fits into one message. Else ERR_LIMIT with msg. */
int via_check_size(const struct job_open_msg *open, struct errmsg *msg);

#endif
