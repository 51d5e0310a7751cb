/* The copies of one connection. */
#ifndef MUSTER_COPY_SET_H
#define MUSTER_COPY_SET_H

#include <stddef.h>

#include "copy.h"

/* All zero is empty. */
struct copy_set {
	struct copy **copies;
	size_t count;
};

void copy_set_done(struct copy_set *set);
struct copy *copy_set_find(const struct copy_set *set, uint64_t task);
/* copy is taken over. */
void copy_set_add(struct copy_set *set, struct copy *copy);
void copy_set_drop_ended(struct copy_set *set);

/* What they wait for: roles from first on, two for each. */
void copy_set_poll(const struct copy_set *set, struct pollset *polls, int first);
void copy_set_on_ready(const struct copy_set *set, int number);

/* A message of a copy; of one that has ended: no effect. Returns 0 or ERR_* with msg. */
int copy_set_message(const struct copy_set *set, const struct frame *frame, struct errmsg *msg);

#endif
