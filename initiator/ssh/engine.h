/*
 * What all SSH connections of a loop share: helper threads for what blocks, and the number of
 * connections that the file descriptor limit allows.
 */
#ifndef MUSTER_ENGINE_H
#define MUSTER_ENGINE_H

#include <stddef.h>

#include "loop.h"
#include "patience.h"
#include "work.h"

struct ssh_engine;

/* fd_limit: open files that this process may have (fd_limit_raise). Freed by ssh_engine_free. */
struct ssh_engine *ssh_engine_new(struct loop *loop, size_t fd_limit);

/* The same for one of parts threads: as many connections as it is given (whoever gives them holds
 * the slots), and its part of the resolvers. */
struct ssh_engine *ssh_engine_new_part(struct loop *loop, unsigned parts);

/* After every connection and plan is gone and the loop has ended. NULL is fine. */
void ssh_engine_free(struct ssh_engine *engine);

struct loop *ssh_engine_loop(struct ssh_engine *engine);
struct work_pool *ssh_engine_resolvers(struct ssh_engine *engine); /* getaddrinfo(3) */
struct work_pool *ssh_engine_files(struct ssh_engine *engine);	   /* configuration, keys */
struct work_pool *ssh_engine_signers(struct ssh_engine *engine);   /* authentication by ssh-agent */

struct patience *ssh_engine_patience(struct ssh_engine *engine);

struct plan_cache;
struct plan_cache *ssh_engine_plans(struct ssh_engine *engine); /* what plans have read */

/* No more logins than this may be under way at once: each needs more than its slot. */
#define ENGINE_LOGINS_MAX 256u

/* Connections that hold a slot now, and how many may. */
size_t ssh_engine_in_use(const struct ssh_engine *engine);
size_t ssh_engine_slots(const struct ssh_engine *engine);

/*
 * A place in the queue for a connection slot; embedded by who waits. granted is called from the
 * loop, in order of asking, as soon as a slot is free; it may be called inside slot_ask.
 */
struct ssh_slot {
	struct ssh_slot *next;
	struct ssh_slot **prev;
	void (*granted)(void *arg);
	void *arg;
	enum { SSH_SLOT_NONE, SSH_SLOT_WAITING, SSH_SLOT_HELD } state;
	size_t cost; /* descriptors that it takes; 0: one. Not changed while it waits or is held */
};

void ssh_slot_ask(struct ssh_engine *engine, struct ssh_slot *slot);
/* Takes one at once, even if there is none: for the few that others who hold slots wait for. */
void ssh_slot_take(struct ssh_engine *engine, struct ssh_slot *slot);
/* Gives the slot back, or leaves the queue. Again: no effect. */
void ssh_slot_release(struct ssh_engine *engine, struct ssh_slot *slot);

#endif
