#include "schemas.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

struct schemas {
	uint64_t *next_id;
	struct schema *all;
	size_t count;
	size_t size;
	size_t last; /* the one that was found last: the next host asks for the same */
};

struct schemas *schemas_new(uint64_t *next_id)
{
	struct schemas *schemas = xcalloc(1, sizeof *schemas);

	schemas->next_id = next_id;
	return schemas;
}

void schemas_free(struct schemas *schemas)
{
	if (!schemas)
		return;
	for (size_t i = 0; i < schemas->count; i++) {
		for (size_t k = 0; k < schemas->all[i].column_count; k++)
			free(schemas->all[i].columns[k]);
		free(schemas->all[i].columns);
		free(schemas->all[i].name);
	}
	free(schemas->all);
	free(schemas);
}

static bool schema_is(const struct schema *s, const char *name, char *const *columns, size_t count)
{
	if (s->column_count != count || !s->name != !name || (name && strcmp(s->name, name) != 0))
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(s->columns[i], columns[i]) != 0)
			return false;
	return true;
}

static void schemas_add(struct schemas *schemas, uint64_t id, const char *name,
			char *const *columns, size_t count)
{
	struct schema *s;

	if (schemas->count == schemas->size) {
		schemas->size = schemas->size ? schemas->size * 2 : 4;
		schemas->all = xrealloc(schemas->all, schemas->size, sizeof *schemas->all);
	}
	schemas->last = schemas->count++;
	s = &schemas->all[schemas->last];
	*s = (struct schema){.id = id, .name = name ? xstrdup(name) : NULL};
	s->columns = xcalloc(count, sizeof(char *));
	s->column_count = count;
	for (size_t i = 0; i < count; i++)
		s->columns[i] = xstrdup(columns[i]);
}

uint64_t schemas_intern(struct schemas *schemas, const char *name, char *const *columns,
			size_t count)
{
	if (schemas->last < schemas->count &&
	    schema_is(&schemas->all[schemas->last], name, columns, count))
		return schemas->all[schemas->last].id;
	for (size_t i = 0; i < schemas->count; i++) {
		if (!schema_is(&schemas->all[i], name, columns, count))
			continue;
		schemas->last = i;
		return schemas->all[i].id;
	}
	schemas_add(schemas, ++*schemas->next_id, name, columns, count);
	return schemas->all[schemas->last].id;
}

void schemas_restore(struct schemas *schemas, uint64_t id, const char *name, char *const *columns,
		     size_t count)
{
	for (size_t i = 0; i < schemas->count; i++)
		if (schemas->all[i].id == id)
			return;
	schemas_add(schemas, id, name, columns, count);
	if (*schemas->next_id < id)
		*schemas->next_id = id;
}

size_t schemas_count(const struct schemas *schemas)
{
	return schemas->count;
}

const struct schema *schemas_at(const struct schemas *schemas, size_t index)
{
	return &schemas->all[index];
}
