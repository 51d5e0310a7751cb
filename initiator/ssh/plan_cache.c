#include "plan_cache.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "plan_private.h"

#define CACHE_CLEAN_MS 60000u

struct plan_cache {
	struct loop *loop;
	struct event *timer;   /* pending while there is something to clean */
	struct plan_lent kept; /* the last used first */
};

static void kept_hold(const struct plan_kept *k)
{
	if (k->config)
		ssh_config_hold(k->config);
	if (k->known)
		known_hosts_hold(k->known);
}

static void kept_free(const struct plan_kept *k)
{
	ssh_config_free(k->config);
	known_hosts_free(k->known);
}

static size_t kept_size(const struct plan_kept *k)
{
	return k->config ? ssh_config_size(k->config) : known_hosts_size(k->known);
}

static void cache_remove(struct plan_cache *cache, size_t i)
{
	struct plan_lent *all = &cache->kept;

	kept_free(&all->at[i]);
	memmove(&all->at[i], &all->at[i + 1], (all->count - i - 1) * sizeof all->at[0]);
	all->count--;
}

static void cache_arm(struct plan_cache *cache)
{
	struct timeval wait = loop_ms(CACHE_CLEAN_MS);

	if (cache->kept.count && !evtimer_pending(cache->timer, NULL))
		(void)evtimer_add(cache->timer, &wait);
}

static void cache_on_timer(evutil_socket_t fd, short events, void *arg)
{
	struct plan_cache *cache = arg;

	(void)fd;
	(void)events;
	plan_cache_clean(cache, clock_mono_ns());
	cache_arm(cache);
}

struct plan_cache *plan_cache_new(struct loop *loop)
{
	struct plan_cache *cache = xcalloc(1, sizeof *cache);

	cache->loop = loop;
	cache->timer = evtimer_new(loop_base(loop), cache_on_timer, cache);
	if (!cache->timer)
		alloc_die(sizeof *cache);
	return cache;
}

void plan_cache_free(struct plan_cache *cache)
{
	if (!cache)
		return;
	plan_lent_done(&cache->kept);
	event_free(cache->timer);
	free(cache);
}

void plan_cache_lend(const struct plan_cache *cache, struct plan_lent *ret)
{
	loop_assert_thread(cache->loop);
	*ret = cache->kept;
	for (size_t i = 0; i < ret->count; i++)
		kept_hold(&ret->at[i]);
}

void plan_lent_done(struct plan_lent *lent)
{
	for (size_t i = 0; i < lent->count; i++)
		kept_free(&lent->at[i]);
	lent->count = 0;
}

/* Puts k first, in a free place. */
static void cache_push(struct plan_cache *cache, const struct plan_kept *k)
{
	struct plan_lent *all = &cache->kept;

	if (all->count == PLAN_CACHE_MAX)
		cache_remove(cache, PLAN_CACHE_MAX - 1);
	kept_hold(k);
	memmove(&all->at[1], &all->at[0], all->count * sizeof all->at[0]);
	all->at[0] = *k;
	all->at[0].used_ns = clock_mono_ns();
	all->count++;
}

static void cache_keep_config(struct plan_cache *cache, struct ssh_config *config,
			      const struct plan_request *request)
{
	for (size_t i = cache->kept.count; i-- > 0;) {
		const struct ssh_config *old = cache->kept.at[i].config;

		if (old && ssh_config_is_of(old, request->config_path, request->home))
			cache_remove(cache, i);
	}
	if (ssh_config_is_settled(config))
		cache_push(cache, &(struct plan_kept){.config = config});
}

/* known NULL: the file could not be read. */
static void cache_keep_known(struct plan_cache *cache, struct known_hosts *known, const char *path)
{
	for (size_t i = cache->kept.count; i-- > 0;) {
		const struct known_hosts *old = cache->kept.at[i].known;

		if (old && strcmp(known_hosts_path(old), path) == 0)
			cache_remove(cache, i);
	}
	if (known && known_hosts_is_settled(known))
		cache_push(cache, &(struct plan_kept){.known = known});
}

static void cache_fit(struct plan_cache *cache)
{
	size_t size = 0;

	for (size_t i = 0; i < cache->kept.count; i++) {
		size_t more = kept_size(&cache->kept.at[i]);

		if (more <= PLAN_CACHE_SIZE - size)
			size += more;
		else
			cache_remove(cache, i--);
	}
}

void plan_cache_keep(struct plan_cache *cache, const struct plan *plan)
{
	size_t first = plan->paths.count > PLAN_CACHE_MAX - 1
			       ? plan->paths.count - (PLAN_CACHE_MAX - 1)
			       : 0;

	loop_assert_thread(cache->loop);
	/* A plan may read a file for each host: the few that fit. */
	for (size_t i = first; i < plan->paths.count; i++)
		cache_keep_known(cache, plan->known[i].file, plan->paths.texts[i]);
	cache_keep_config(cache, plan->config, &plan->request);
	cache_fit(cache);
	cache_arm(cache);
}

void plan_cache_clean(struct plan_cache *cache, uint64_t now_ns)
{
	struct plan_lent *all = &cache->kept;

	while (all->count && all->at[all->count - 1].used_ns + PLAN_CACHE_KEEP_NS <= now_ns)
		cache_remove(cache, all->count - 1);
}

size_t plan_cache_count(const struct plan_cache *cache)
{
	return cache->kept.count;
}

struct ssh_config *plan_lent_config(const struct plan_lent *lent, const char *path,
				    const char *home)
{
	for (size_t i = 0; i < lent->count; i++) {
		struct ssh_config *c = lent->at[i].config;

		if (c && ssh_config_is_of(c, path, home) && ssh_config_is_current(c)) {
			ssh_config_hold(c);
			return c;
		}
	}
	return NULL;
}

struct known_hosts *plan_lent_known(const struct plan_lent *lent, const char *path)
{
	for (size_t i = 0; i < lent->count; i++) {
		struct known_hosts *kh = lent->at[i].known;

		if (kh && strcmp(known_hosts_path(kh), path) == 0 && known_hosts_is_current(kh)) {
			known_hosts_hold(kh);
			return kh;
		}
	}
	return NULL;
}
