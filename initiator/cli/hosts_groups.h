/* Sets of hosts in terms of groups: muster hosts --regroup and --groups. */
#ifndef MUSTER_HOSTS_GROUPS_H
#define MUSTER_HOSTS_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"
#include "hostlist.h"

/* Where groups come from: env with a default source of its own. */
struct hosts_groups {
	struct hostlist_env env;
	const struct hostlist_env *from;
	const char *source; /* NULL: the default one */
};

/* env must live as long. */
void hosts_groups_fill(struct hosts_groups *ret, const struct hostlist_env *env,
		       const char *source);

/*
 * Appends the names, folded into groups that they contain as a whole, largest first, and what is
 * left of them: "@rack[1-2],web7". arg is a struct hosts_groups. Returns 0, or what hostlist_parse
 * returns, with msg.
 */
int hosts_groups_fold(void *arg, const char *const *names, size_t n, struct buf *out,
		      struct errmsg *msg);

/*
 * Appends a line for each group that has one of the hosts (hosts NULL: any): "@web", and with
 * members also which. Returns as above.
 */
int hosts_groups_list(struct hosts_groups *groups, const struct hostlist *hosts, bool members,
		      struct buf *out, struct errmsg *msg);

#endif
