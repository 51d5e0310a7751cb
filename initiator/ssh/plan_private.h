/* The inside of a plan, for plan.c, plan_login.c, plan_trust.c and plan_cache.c. */
#ifndef MUSTER_PLAN_PRIVATE_H
#define MUSTER_PLAN_PRIVATE_H

#include <stdatomic.h>

#include "plan.h"
#include "plan_cache.h"
#include "plan_index.h"

/* The identities of one ssh-agent, asked for once. */
struct plan_agent {
	struct agent_list list;
	struct errmsg fault; /* why it could not be asked; empty: it was */
};

/* One known_hosts file. */
struct plan_known {
	struct known_hosts *file;
	char *fault; /* why it is NULL */
};

/* A plan_trust, and why it cannot be established, or NULL. */
struct plan_trusted {
	struct plan_trust trust;
	char *fault;
};

struct plan {
	atomic_uint holds;	     /* beyond the owner's */
	struct plan_request request; /* owns the labels that targets borrow */
	struct plan_target *targets;
	size_t count;
	struct ssh_config *config;
	const struct plan_lent *lent; /* while it is made; NULL: nothing */
	char *local_user;
	struct buf warning; /* a line each; ends in NUL once the plan is ready */

	/*
	 * What targets share: each made once for each distinct configuration, and found by an index
	 * of the same numbers. Pointers, where targets and each other borrow them.
	 */
	struct plan_index key_paths;
	struct key_file **keys;
	struct plan_index agent_paths;
	struct plan_agent **agents;
	struct plan_index paths; /* of known_hosts files */
	struct plan_known *known;
	struct plan_index login_names; /* the configuration that each stands for, as one text */
	struct plan_login **logins;
	struct plan_index trust_names;
	struct plan_trusted **trusts;
	struct buf name; /* for the making of names */
};

/* lent: what can be taken over from earlier plans. Returns as plan_build does. */
int plan_make(struct plan **ret, struct plan_request *request, const struct plan_lent *lent,
	      struct errmsg *msg);

const struct plan_login *plan_login_get(struct plan *plan, const struct ssh_options *options);
void plan_login_free_all(struct plan *plan);

/* *ret_fault: why trust cannot be established (a file that cannot be read), or NULL. Borrowed. */
const struct plan_trust *plan_trust_get(struct plan *plan, const struct ssh_options *options,
					const char **ret_fault);
void plan_trust_free_all(struct plan *plan);

#endif
