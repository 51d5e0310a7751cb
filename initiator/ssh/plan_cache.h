/*
 * What plans have read and the next can take over while the files are the same: ssh_config and
 * known_hosts. No keys: they are secrets, and live as long as their plan.
 *
 * The cache belongs to a loop. A plan is made on a helper thread, which looks at files: it is lent
 * all there is, takes what is current, reads the rest anew, and its loop then keeps that.
 */
#ifndef MUSTER_PLAN_CACHE_H
#define MUSTER_PLAN_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "known_hosts.h"
#include "loop.h"

struct plan;
struct plan_cache;

#define PLAN_CACHE_MAX	   8u		 /* of what can be kept, the last used ones are */
#define PLAN_CACHE_SIZE	   (64u << 20)	 /* bytes, together */
#define PLAN_CACHE_KEEP_NS 300000000000u /* so long after it was last used */

/* One of the two. */
struct plan_kept {
	struct ssh_config *config;
	struct known_hosts *known;
	uint64_t used_ns;
};

struct plan_lent {
	struct plan_kept at[PLAN_CACHE_MAX];
	size_t count;
};

struct plan_cache *plan_cache_new(struct loop *loop);
/* NULL is fine. What is lent stays valid. */
void plan_cache_free(struct plan_cache *cache);

/* Fills *ret; freed by plan_lent_done, on any thread. */
void plan_cache_lend(const struct plan_cache *cache, struct plan_lent *ret);
void plan_lent_done(struct plan_lent *lent);

/* Keeps what a plan was made from, and lets go of what that replaces. */
void plan_cache_keep(struct plan_cache *cache, const struct plan *plan);

/* Lets go of what was not used for PLAN_CACHE_KEEP_NS; by itself every minute. */
void plan_cache_clean(struct plan_cache *cache, uint64_t now_ns);

size_t plan_cache_count(const struct plan_cache *cache);

/* What is lent and current, for the caller to free; NULL: to be read. Looks at files: off the event
 * loop. */
struct ssh_config *plan_lent_config(const struct plan_lent *lent, const char *path,
				    const char *home);
struct known_hosts *plan_lent_known(const struct plan_lent *lent, const char *path);

#endif
