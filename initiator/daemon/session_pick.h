/* Which sessions somebody means: ids, names and wildcards; and jobs that were started to be let go
 * of, which are much like sessions to whoever comes back to them. */
#ifndef MUSTER_SESSION_PICK_H
#define MUSTER_SESSION_PICK_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct daemon;

/* All zero is empty. */
struct session_pick {
	uint64_t *sessions; /* ids, each once, in order */
	size_t session_count;
	uint64_t *jobs; /* the same */
	size_t job_count;
	char **missing; /* names that are none */
	size_t missing_count;
};

/* count 0: all. ERR_SYNTAX or ERR_LIMIT with msg for a wildcard that cannot be. */
int session_pick(struct session_pick *ret, const struct daemon *daemon, char *const *names,
		 size_t count, struct errmsg *msg);
void session_pick_add(struct session_pick *pick, uint64_t session);
void session_pick_done(struct session_pick *pick);

#endif
