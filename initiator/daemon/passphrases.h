/* The passphrases of a plan's keys: each is asked for once, before any host is connected to. */
#ifndef MUSTER_PASSPHRASES_H
#define MUSTER_PASSPHRASES_H

#include <stdbool.h>

#include "client.h"
#include "plan.h"

struct passphrases;
typedef void passphrases_fn(void *arg, struct plan *plan);

/* Whether there is anything to ask. last_resort: as in plan_unlock.h. */
bool passphrases_wanted(const struct plan *plan, bool last_resort);

/*
 * Asks the user of a client, and takes the plan over until fn gives it back, from the loop and not
 * from here: with the keys that could be unlocked. The others say in their fault why not.
 */
struct passphrases *passphrases_ask(struct client *client, struct plan *plan, bool last_resort,
				    passphrases_fn *fn, void *arg);
/* Frees the plan, too; fn will not be called. NULL is fine. */
void passphrases_free(struct passphrases *asking);

#endif
