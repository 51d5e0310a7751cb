/* All jobs of the daemon, by id. Ids are never reused. */
#ifndef MUSTER_REGISTRY_H
#define MUSTER_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

struct daemon;
struct job;
struct registry;
struct run;

struct registry *registry_new(struct daemon *daemon);
void registry_free(struct registry *registry); /* with every run. NULL is fine. */

/* Takes count + 1 consecutive ids: for a parent and its children. */
uint64_t registry_take_ids(struct registry *registry, size_t count);

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

/* Unfinished jobs. */
size_t registry_live(const struct registry *registry);

/* Stops every unfinished job. */
void registry_stop_all(struct registry *registry);

#endif
