/* All jobs of the daemon, by id. Ids are never reused. */
#ifndef MUSTER_REGISTRY_H
#define MUSTER_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control_msg.h"
#include "select.h"

struct daemon;
struct job;
struct registry;
struct run;

struct registry *registry_new(struct daemon *daemon);
void registry_free(struct registry *registry); /* with every run. NULL is fine. */

/* Takes count + 1 consecutive ids: for a parent and its children. */
uint64_t registry_take_ids(struct registry *registry, size_t count);

/* Tells the store which ids were given: with each job that it keeps, and at the end. That those of
 * synchronous ones since then come again if the daemon is killed hurts nobody: these are gone. */
void registry_keep_ids(const struct registry *registry);

/* Ids up to this one were taken by a daemon before us. */
void registry_had_ids(struct registry *registry, uint64_t last_id);

/* Adds a run; its job's id is the largest so far. The registry owns it. */
void registry_add(struct registry *registry, struct run *run);

/* A run has finished: finished synchronous ones above LIMIT_HISTORY_JOBS are let go, oldest
 * first. Not from inside the run. */
void registry_finished(struct registry *registry);

/* Runs in order of id. */
size_t registry_count(const struct registry *registry);
struct run *registry_at(const struct registry *registry, size_t index);

/* The run whose job, or one of whose children, has this id; NULL: none. */
struct run *registry_find(const struct registry *registry, uint64_t id);

/* select_jobs over every job. *ret is freed by select_done. */
int registry_select(const struct registry *registry, const struct filter_msg *filter,
		    struct select_result *ret, struct errmsg *msg);

/* Frees a finished run. Not from inside of its own calls. */
void registry_remove(struct registry *registry, struct run *run);

/* Unfinished jobs. */
size_t registry_live(const struct registry *registry);

/* True if a job is unfinished, or somebody may still come for its results: no time to be idle. */
bool registry_is_wanted(const struct registry *registry);

/* The daemon leaves: stops what would end with it, and lets go of the rest (run_park). */
void registry_park_all(struct registry *registry);
/* Jobs that would end with the daemon. */
size_t registry_bound(const struct registry *registry);
/* Jobs that cannot be left alone yet. */
size_t registry_waited(const struct registry *registry);

/* Removes finished jobs that are older than so long or, oldest first, more than so many (0: any
 * age, any number); and one more, the oldest, if asked to. Returns whether any went. */
bool registry_retain(struct registry *registry, uint64_t now_ns, uint64_t age_ms, uint64_t count,
		     bool one_more);

#endif
