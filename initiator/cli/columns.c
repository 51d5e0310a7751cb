#include "columns.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

struct columns {
	struct schema_msg **at; /* by number; their addresses stay */
	size_t count;
	size_t size;
};

struct columns *columns_new(void)
{
	return xcalloc(1, sizeof(struct columns));
}

void columns_free(struct columns *columns)
{
	if (!columns)
		return;
	for (size_t i = 0; i < columns->count; i++) {
		schema_done(columns->at[i]);
		free(columns->at[i]);
	}
	free(columns->at);
	free(columns);
}

/* Where the number is, or would be. */
static size_t columns_place(const struct columns *columns, uint64_t schema)
{
	size_t lo = 0, hi = columns->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (columns->at[mid]->schema < schema)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct schema_msg *columns_find(const struct columns *columns, uint64_t schema)
{
	size_t i = columns_place(columns, schema);

	return i < columns->count && columns->at[i]->schema == schema ? columns->at[i] : NULL;
}

int columns_add(struct columns *columns, const void *body, size_t len, struct errmsg *msg)
{
	struct schema_msg m;
	int rc = schema_get(&m, body, len, msg);
	size_t i;

	if (rc)
		return rc;
	if (columns_find(columns, m.schema)) {
		schema_done(&m);
		return 0;
	}
	if (columns->count == columns->size) {
		columns->size = columns->size ? columns->size * 2 : 16;
		columns->at = xrealloc(columns->at, columns->size, sizeof *columns->at);
	}
	i = columns_place(columns, m.schema);
	memmove(columns->at + i + 1, columns->at + i, (columns->count - i) * sizeof *columns->at);
	columns->at[i] = xmalloc(sizeof m);
	*columns->at[i] = m;
	columns->count++;
	return 0;
}
