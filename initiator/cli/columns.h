/* The columns that the daemon has told of (SCHEMA): what rows among the records are made of. */
#ifndef MUSTER_COLUMNS_H
#define MUSTER_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

#include "control_msg.h"

struct columns;

struct columns *columns_new(void);
void columns_free(struct columns *columns); /* NULL is fine */

/* Takes the body of a SCHEMA message; of one that is known already the first holds. Returns 0 or a
 * negative ERR_* with msg. */
int columns_add(struct columns *columns, const void *body, size_t len, struct errmsg *msg);

/* The schema of that number, or NULL. Borrowed. */
const struct schema_msg *columns_find(const struct columns *columns, uint64_t schema);

#endif
