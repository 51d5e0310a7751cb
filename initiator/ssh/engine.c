#include "engine.h"

#include <stdlib.h>

#include "alloc.h"
#include "log.h"
#include "plan_cache.h"

/*
 * Descriptors that are not connections: stdio, log, epoll, eventfd, control socket and its clients,
 * and what the helper threads open for a moment.
 */
#define ENGINE_FD_BASE	      16u
#define ENGINE_FD_PER_HELPER  2u
#define ENGINE_FD_PER_LOGIN   2u /* beside the connection: both ends of an agent proxy */
#define ENGINE_FILE_THREADS   2u
#define ENGINE_SIGNER_THREADS 2u
#define ENGINE_RESOLVERS_MAX  16u
#define ENGINE_RESOLVERS_MIN  2u
#define ENGINE_GRACE_MS	      200u
/* libssh cuts descriptor numbers above 65535 (options.c of 0.10.6): more are not made use of. */
#define ENGINE_FD_MAX 65536u

struct ssh_engine {
	struct loop *loop;
	struct work_pool *resolvers;
	struct work_pool *files;
	struct work_pool *signers;
	struct patience *patience;
	struct plan_cache *plans;
	size_t slots;
	size_t in_use;
	struct ssh_slot *first;
	struct ssh_slot **last;
};

static struct ssh_engine *engine_new(struct loop *loop, unsigned resolvers, size_t slots)
{
	struct ssh_engine *engine = xcalloc(1, sizeof *engine);

	engine->loop = loop;
	engine->last = &engine->first;
	engine->slots = slots;
	engine->resolvers = work_pool_new(loop, "resolver", resolvers);
	engine->files = work_pool_new(loop, "files", ENGINE_FILE_THREADS);
	engine->signers = work_pool_new(loop, "signer", ENGINE_SIGNER_THREADS);
	engine->patience = patience_new(loop);
	engine->plans = plan_cache_new(loop);
	return engine;
}

/* A connection that is logged in needs one descriptor, and few are on their way there. */
static size_t engine_slots(size_t left)
{
	size_t logins = left / (1 + ENGINE_FD_PER_LOGIN);

	if (logins > ENGINE_LOGINS_MAX)
		logins = ENGINE_LOGINS_MAX;
	return left > logins * ENGINE_FD_PER_LOGIN ? left - logins * ENGINE_FD_PER_LOGIN : 1;
}

struct ssh_engine *ssh_engine_new(struct loop *loop, size_t fd_limit)
{
	unsigned resolvers = ENGINE_RESOLVERS_MAX;
	size_t used, slots;

	if (fd_limit > ENGINE_FD_MAX)
		fd_limit = ENGINE_FD_MAX;
	if (fd_limit / 16 < resolvers)
		resolvers = (unsigned)(fd_limit / 16);
	if (resolvers < ENGINE_RESOLVERS_MIN)
		resolvers = ENGINE_RESOLVERS_MIN;
	used = ENGINE_FD_BASE +
	       ENGINE_FD_PER_HELPER * (resolvers + ENGINE_FILE_THREADS + ENGINE_SIGNER_THREADS);
	slots = engine_slots(fd_limit > used ? fd_limit - used : 1);
	log_debug("%zu open files allow %zu connections", fd_limit, slots);
	return engine_new(loop, resolvers, slots);
}

struct ssh_engine *ssh_engine_new_part(struct loop *loop, unsigned parts)
{
	unsigned resolvers = ENGINE_RESOLVERS_MAX / (parts ? parts : 1);

	return engine_new(loop, resolvers < ENGINE_RESOLVERS_MIN ? ENGINE_RESOLVERS_MIN : resolvers,
			  ENGINE_FD_MAX);
}

void ssh_engine_free(struct ssh_engine *engine)
{
	if (!engine)
		return;
	work_pool_free(engine->resolvers, ENGINE_GRACE_MS);
	work_pool_free(engine->files, ENGINE_GRACE_MS);
	work_pool_free(engine->signers, ENGINE_GRACE_MS);
	plan_cache_free(engine->plans);
	patience_free(engine->patience);
	free(engine);
}

struct loop *ssh_engine_loop(struct ssh_engine *engine)
{
	return engine->loop;
}

struct work_pool *ssh_engine_resolvers(struct ssh_engine *engine)
{
	return engine->resolvers;
}

struct work_pool *ssh_engine_files(struct ssh_engine *engine)
{
	return engine->files;
}

struct work_pool *ssh_engine_signers(struct ssh_engine *engine)
{
	return engine->signers;
}

struct patience *ssh_engine_patience(struct ssh_engine *engine)
{
	return engine->patience;
}

struct plan_cache *ssh_engine_plans(struct ssh_engine *engine)
{
	return engine->plans;
}

size_t ssh_engine_in_use(const struct ssh_engine *engine)
{
	return engine->in_use;
}

size_t ssh_engine_slots(const struct ssh_engine *engine)
{
	return engine->slots;
}

static void ssh_slot_unlink(struct ssh_engine *engine, struct ssh_slot *slot)
{
	*slot->prev = slot->next;
	if (slot->next)
		slot->next->prev = slot->prev;
	else
		engine->last = slot->prev;
	slot->next = NULL;
	slot->prev = NULL;
}

static size_t ssh_slot_cost(const struct ssh_slot *slot)
{
	return slot->cost ? slot->cost : 1;
}

static void ssh_slot_grant(struct ssh_engine *engine, struct ssh_slot *slot)
{
	slot->state = SSH_SLOT_HELD;
	engine->in_use += ssh_slot_cost(slot);
	slot->granted(slot->arg);
}

/* One that takes more than there is gets it when it is alone. */
static bool ssh_slot_fits(const struct ssh_engine *engine, const struct ssh_slot *slot)
{
	return !engine->in_use || engine->in_use + ssh_slot_cost(slot) <= engine->slots;
}

void ssh_slot_take(struct ssh_engine *engine, struct ssh_slot *slot)
{
	slot->state = SSH_SLOT_HELD;
	engine->in_use += ssh_slot_cost(slot);
}

void ssh_slot_ask(struct ssh_engine *engine, struct ssh_slot *slot)
{
	if (!engine->first && ssh_slot_fits(engine, slot)) {
		ssh_slot_grant(engine, slot);
		return;
	}
	slot->state = SSH_SLOT_WAITING;
	slot->next = NULL;
	slot->prev = engine->last;
	*engine->last = slot;
	engine->last = &slot->next;
}

void ssh_slot_release(struct ssh_engine *engine, struct ssh_slot *slot)
{
	if (slot->state == SSH_SLOT_WAITING)
		ssh_slot_unlink(engine, slot);
	if (slot->state != SSH_SLOT_HELD) {
		slot->state = SSH_SLOT_NONE;
		return;
	}
	slot->state = SSH_SLOT_NONE;
	engine->in_use -= ssh_slot_cost(slot);
	/* Granting may itself ask, and give back. */
	while (engine->first && ssh_slot_fits(engine, engine->first)) {
		struct ssh_slot *next = engine->first;

		ssh_slot_unlink(engine, next);
		ssh_slot_grant(engine, next);
	}
}
