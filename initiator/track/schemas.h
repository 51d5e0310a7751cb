/* The columns of the rows that the children of one job send: each different set once, under a
 * number that is unique in this daemon. Many hosts give the same answer. Pure. */
#ifndef MUSTER_SCHEMAS_H
#define MUSTER_SCHEMAS_H

#include <stddef.h>
#include <stdint.h>

struct schemas;

struct schema {
	uint64_t id;
	char *name; /* NULL: none */
	char **columns;
	size_t column_count;
};

/* next_id: the daemon's counter, the last number that was given. Borrowed. */
struct schemas *schemas_new(uint64_t *next_id);
void schemas_free(struct schemas *schemas); /* NULL is fine */

/* The number of these columns. Copied if they are new. */
uint64_t schemas_intern(struct schemas *schemas, const char *name, char *const *columns,
			size_t count);

/* The same under a number that they had before a restart. */
void schemas_restore(struct schemas *schemas, uint64_t id, const char *name, char *const *columns,
		     size_t count);

/* In the order of their numbers. Borrowed until the next intern. */
size_t schemas_count(const struct schemas *schemas);
const struct schema *schemas_at(const struct schemas *schemas, size_t index);

#endif
