/* The inside of a plan, for plan.c, plan_login.c, plan_trust.c and plan_cache.c. */
#ifndef MUSTER_PLAN_PRIVATE_H
#define MUSTER_PLAN_PRIVATE_H

#include <stdatomic.h>

#include "key_cert.h"
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

/* A list of algorithms, or why there is none. */
struct plan_list {
	char *list;
	char *fault;
};

/* A bastion: a target that is nobody's but those that go by it. */
struct plan_bastion {
	struct plan_target target;
	char *host;
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
	struct ssh_config *options;   /* of the command line */
	struct ssh_exec *exec;	      /* while it is made */
	const struct plan_lent *lent; /* while it is made; NULL: nothing */
	char *local_user;
	struct buf warning; /* a line each; ends in NUL once the plan is ready */

	/*
	 * What targets share: each made once for each distinct configuration, and found by an index
	 * of the same numbers. Pointers, where targets and each other borrow them.
	 */
	struct plan_index key_paths;
	struct key_file **keys;
	struct plan_index cert_paths;
	struct key_cert **certs;
	struct plan_index agent_paths;
	struct plan_agent **agents;
	struct plan_index paths; /* of known_hosts files */
	struct plan_known *known;
	struct plan_index login_names; /* the configuration that each stands for, as one text */
	struct plan_login **logins;
	struct plan_index trust_names;
	struct plan_trusted **trusts;
	struct plan_index list_names; /* kind and list, as it is written */
	struct plan_list *lists;
	struct plan_index bastion_names; /* ProxyJump, expanded */
	struct plan_bastion **bastions;
	struct plan_index texts; /* for people */
	struct buf name;	 /* for the making of names */
};

/* lent: what can be taken over from earlier plans. Returns as plan_build does. */
int plan_make(struct plan **ret, struct plan_request *request, const struct plan_lent *lent,
	      struct errmsg *msg);

const struct plan_login *plan_login_get(struct plan *plan, const struct ssh_options *options);
void plan_login_free_all(struct plan *plan);
/* Its keys are others than before. */
void plan_login_settle(struct plan_login *login);

/* *ret_fault: why trust cannot be established (a file that cannot be read), or NULL. Borrowed. */
const struct plan_trust *plan_trust_get(struct plan *plan, const struct ssh_options *options,
					const char **ret_fault);
void plan_trust_free_all(struct plan *plan);

/* plan.c: what holds for a target whose configuration was looked up. */
void plan_fill(struct plan *plan, struct plan_target *t, const struct ssh_options *o);
void plan_target_done(struct plan_target *t);
/* Sets the fault of a target that has none yet. */
void plan_fail(struct plan_target *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The text, kept as long as the plan. */
const char *plan_text(struct plan *plan, const char *text);

/* plan_auth.c: ways to prove who we are, and lists of algorithms. */
void plan_fill_auth(struct plan_target *t, const struct ssh_options *o);
void plan_fill_lists(struct plan *plan, struct plan_target *t, const struct ssh_options *o);
void plan_lists_free(struct plan *plan);

/* plan_way.c: how it is reached; the last step. */
void plan_fill_way(struct plan *plan, struct plan_target *t, const struct ssh_options *o);

/* plan_jump.c: the bastion of a ProxyJump; NULL with *ret_fault, borrowed from the plan. */
const struct plan_target *plan_jump_get(struct plan *plan, const char *jump,
					const char **ret_fault);
void plan_jumps_free(struct plan *plan);

#endif
