/*
 * What a job copies to its hosts: every name below its sources, found once for all of them, and
 * hashes of content, made when the first host needs one. Belongs to the loop; the disk is read by
 * threads.
 */
#ifndef MUSTER_COPY_PLAN_H
#define MUSTER_COPY_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "content.h"
#include "file_entry.h"
#include "work.h"

struct copy_plan;

struct copy_name {
	char *path;	/* here */
	size_t name_at; /* where in it the name begins that hosts are told */
	enum file_kind kind;
	uint32_t mode;
	int64_t mtime_ns;
	uint64_t size;
	char *text; /* of a link, or why it cannot be copied; NULL */
};

enum copy_hash { COPY_HASH_LATER, COPY_HASH_KNOWN, COPY_HASH_NONE };

/* Who waits: called once from the loop, when something has become known. Embedded. */
struct copy_plan_wait {
	struct copy_plan_wait *next;
	struct copy_plan_wait **prev; /* NULL: does not wait */
	void (*fn)(void *arg);
	void *arg;
};

/* Begins to look. sources: absolute paths; copied. */
struct copy_plan *copy_plan_new(struct work_pool *pool, char *const *sources, size_t count,
				bool recurse);
/*
 * The same of names that somebody has told, in place of looking: the last of those that are alike
 * counts, and folders come before what is in them. names and what they have are taken over.
 * release is called once, when nobody reads the files any more.
 */
struct copy_plan *copy_plan_new_told(struct work_pool *pool, struct copy_name *names, size_t count,
				     void (*release)(void *arg), void *arg);
/* Nobody waits any more. NULL is fine. */
void copy_plan_free(struct copy_plan *plan);

bool copy_plan_is_ready(const struct copy_plan *plan);
/* Why it cannot be done at all; NULL: it can. Once it is ready. */
const char *copy_plan_fault(const struct copy_plan *plan);
size_t copy_plan_count(const struct copy_plan *plan);
const struct copy_name *copy_plan_at(const struct copy_plan *plan, size_t index);
/* How much of its path, at the front, was named by the user (walk_open()). */
size_t copy_name_top(const struct copy_name *name);
/* Of plain files. */
uint64_t copy_plan_bytes(const struct copy_plan *plan);
size_t copy_plan_files(const struct copy_plan *plan);

/* The hash of a plain file as it was found. LATER: it is being made, and who waits is told. NONE:
 * it cannot be read, or has changed. */
enum copy_hash copy_plan_hash(struct copy_plan *plan, size_t index, uint8_t ret[CONTENT_SIZE]);
/* It is another one now. */
void copy_plan_changed(struct copy_plan *plan, size_t index, const struct file_entry *now);

void copy_plan_wait(struct copy_plan *plan, struct copy_plan_wait *wait);
void copy_plan_unwait(struct copy_plan_wait *wait); /* again: no effect */

#endif
