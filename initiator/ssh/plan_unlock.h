/*
 * Keys that have a passphrase: who has just made a plan may ask for it, before a connection borrows
 * from the plan. A key that is unlocked is so for this plan alone.
 */
#ifndef MUSTER_PLAN_UNLOCK_H
#define MUSTER_PLAN_UNLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "engine.h"
#include "locked.h"
#include "plan.h"

#define PLAN_LOCKED_NONE ((size_t)-1)

/*
 * The next key from this number on whose passphrase is worth asking for: it was configured by name,
 * and no agent holds it. last_resort: also default ones (ssh_config(5), IdentityFile) of hosts for
 * which there is no other key. PLAN_LOCKED_NONE: no further one.
 */
size_t plan_locked(const struct plan *plan, size_t from, bool last_resort);
const char *plan_locked_path(const struct plan *plan, size_t key);

struct plan_unlock;
typedef void plan_unlock_fn(void *arg, int rc); /* as key_file_unlock returns */

/* Tries a passphrase on a thread; fn comes from the loop. passphrase is held. Nothing else may be
 * done with the plan until then but plan_free. */
struct plan_unlock *plan_unlock_start(struct ssh_engine *engine, struct plan *plan, size_t key,
				      struct locked *passphrase, plan_unlock_fn *fn, void *arg);
void plan_unlock_cancel(struct plan_unlock *unlock); /* fn will not be called. NULL is fine */

/* Nobody has said it: why stands in the fault of who would have needed it, behind the path. */
void plan_locked_fault(struct plan *plan, size_t key, const char *why);

#endif
