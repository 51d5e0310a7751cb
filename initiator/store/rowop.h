/* A change of the database that waits for its turn: a copy of what it needs. Any thread, one at a
 * time. */
#ifndef MUSTER_STORE_ROWOP_H
#define MUSTER_STORE_ROWOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

enum rowop_kind { ROWOP_PUT_JOB, ROWOP_JOB, ROWOP_CHILD, ROWOP_REMOVE, ROWOP_VALUE, ROWOP_IDS };

struct rowop {
	struct rowop *next;
	enum rowop_kind kind;
	bool early;   /* what may go before its turn has gone (writer.c) */
	size_t bytes; /* of memory */
	struct store_job job;
	struct store_child *children; /* PUT_JOB: job.child_count; CHILD: 1. Strings are owned */
	uint64_t id;		      /* REMOVE; IDS */
	char *name;		      /* VALUE */
	void *data;		      /* VALUE; spec of PUT_JOB */
	size_t len;
};

struct rowop *rowop_put_job(const struct store_job *job, const struct store_child *children);
struct rowop *rowop_job(const struct store_job *job);
struct rowop *rowop_child(const struct store_child *child);
struct rowop *rowop_remove(uint64_t id);
struct rowop *rowop_value(const char *name, const void *data, size_t len);
struct rowop *rowop_ids(uint64_t last_id);
void rowop_free(struct rowop *op); /* this one; NULL is fine */

#endif
