/* The inside of a plan, for plan.c, plan_login.c and plan_trust.c. */
#ifndef MUSTER_PLAN_PRIVATE_H
#define MUSTER_PLAN_PRIVATE_H

#include "plan.h"

/* The identities of one ssh-agent, asked for once. */
struct plan_agent {
	char *path;
	struct agent_list list;
	struct errmsg fault; /* why it could not be asked; empty: it was */
};

struct plan {
	unsigned holds;		     /* beyond the owner's */
	struct plan_request request; /* owns the labels that targets borrow */
	struct plan_target *targets;
	size_t count;
	struct ssh_config *config;
	char *local_user;
	struct buf warning; /* a line each; ends in NUL once the plan is ready */

	/* What targets share: each made once for each distinct configuration. */
	struct key_file **keys;
	size_t key_count;
	struct plan_agent **agents;
	size_t agent_count;
	struct known_hosts **known;
	char **known_paths; /* of known, also where loading failed and known is NULL */
	char **known_faults;
	size_t known_count;
	struct plan_login **logins;
	char **login_names; /* the configuration that each stands for, as one text */
	size_t login_count;
	struct plan_trust **trusts;
	char **trust_names;
	char **trust_faults;
	size_t trust_count;
};

/* Looked for from the newest backwards, so far: hosts that are alike stand together. */
#define PLAN_LOOKBACK 16u

const struct plan_login *plan_login_get(struct plan *plan, const struct ssh_options *options);
void plan_login_free_all(struct plan *plan);

/* *ret_fault: why trust cannot be established (a file that cannot be read), or NULL. Borrowed. */
const struct plan_trust *plan_trust_get(struct plan *plan, const struct ssh_options *options,
					const char **ret_fault);
void plan_trust_free_all(struct plan *plan);

#endif
