/*
 * Which gateways lead to which hosts (docs/relays.md): a topology as ClusterShell's, and the parts
 * that the targets of a job are split into. Pure.
 *
 *   [routes]
 *   admin: gw[1-4]
 *   gw[1-2]: web[001-500]
 *
 * Both sides are host expressions. A host is known by its name alone: users and ports count where
 * a gateway is connected to. Where a line stands in the way, the message begins with "FILE:LINE".
 */
#ifndef MUSTER_ROUTES_H
#define MUSTER_ROUTES_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "hostlist.h"

#define ROUTES_RUNS_MAX 4096u /* runs of consecutive targets in a part */

struct routes;

/* Some targets, and who can run them. */
struct routes_part {
	char **gateways; /* labels; the preferred one first */
	size_t gateway_count;
	uint64_t *targets; /* indices, ascending */
	size_t target_count;
};

/* The targets that are in no part are connected to directly. All zero is empty and valid. */
struct routes_plan {
	struct routes_part *parts;
	size_t count;
	size_t hops; /* the most gateways that a target lies behind */
};

/*
 * Parses len bytes of a topology. Besides [routes] there may be [here], with "name: EXPR": what the
 * topology calls this computer; the last such line counts. file is for messages. Returns 0, or
 * ERR_SYNTAX, ERR_RANGE, ERR_LIMIT or ERR_EXISTS (a host that is reached, or reaches, twice; a
 * loop) with msg naming file, line and cure. *ret is freed by routes_free.
 */
int routes_parse(struct routes **ret, const char *text, size_t len, const char *file,
		 struct errmsg *msg);
void routes_free(struct routes *routes);

/*
 * Appends the topology again, with its lines where they were but without comments, other sections
 * and [here]: for gateways, and routes_parse. name: whom it is for, as the topology calls him,
 * which becomes its [here]; NULL: nobody. Appending "[here]\nname: NAME\n" to the text has the same
 * effect.
 */
void routes_text(const struct routes *routes, const char *name, struct buf *out);

/*
 * Splits count targets (names, without user and port) over the first gateways on their ways. Those
 * that need none, and those that the topology does not know, are left out. hostname: of this
 * computer; if the topology does not have it, its part before the first '.' is looked for, and with
 * a [here] only that. Returns 0; ERR_NOTFOUND (the topology does not know this computer, or no line
 * leads from here to the gateways of a target); ERR_LIMIT. *ret is freed by routes_plan_done.
 */
int routes_find(struct routes_plan *ret, const struct routes *routes, const char *hostname,
		const char *const *targets, size_t count, struct errmsg *msg);

/* The same without a topology: all targets lie behind all gateways, but for these themselves. */
int routes_via(struct routes_plan *ret, const struct hostlist *gateways, const char *const *targets,
	       size_t count, struct errmsg *msg);

void routes_plan_done(struct routes_plan *plan);

#endif
