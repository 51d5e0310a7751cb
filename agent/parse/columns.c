#include "columns.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "give.h"
#include "utf8.h"
#include "wire.h"

static bool columns_has(const struct columns *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++)
		if (!strcmp(c->names[i], name))
			return true;
	return false;
}

/* At most max bytes, and no character cut. */
static size_t columns_cut(const uint8_t *name, size_t len, size_t max)
{
	return len > max ? give_cut(name, max) : len;
}

/* A name that is not taken, made of the text and a number. */
static char *columns_unique(const struct columns *c, const uint8_t *name, size_t len)
{
	/* Room for "_256". */
	int n = (int)columns_cut(name, len, LIMIT_COLUMN_NAME - 4);

	for (size_t i = 2;; i++) {
		char *unique = xasprintf("%.*s_%zu", n, (const char *)name, i);

		if (!columns_has(c, unique))
			return unique;
		free(unique);
	}
}

bool columns_add(struct columns *c, const uint8_t *name, size_t len)
{
	char number[32];
	char *text;

	if (c->count == LIMIT_COLUMNS)
		return false;
	if (!len || memchr(name, '\0', len) || !utf8_valid(name, len)) {
		struct buf b = {0};

		buf_addf(&b, "column%zu", c->count + 1);
		len = b.len;
		memcpy(number, b.data, len);
		name = (const uint8_t *)number;
		buf_done(&b);
	}
	text = xstrndup((const char *)name, columns_cut(name, len, LIMIT_COLUMN_NAME));
	if (columns_has(c, text)) {
		free(text);
		text = columns_unique(c, name, len);
	}
	c->names[c->count++] = text;
	return true;
}

void columns_done(struct columns *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->names[i]);
	c->count = 0;
}

void columns_announce(struct columns *c, struct parse *p)
{
	const char *names[LIMIT_COLUMNS];

	if (c->announced)
		return;
	c->announced = true;
	for (size_t i = 0; i < c->count; i++)
		names[i] = c->names[i];
	p->events.schema(p->arg, COLUMNS_SCHEMA, names, c->count);
}

void columns_row_begin(struct columns *c, struct parse *p)
{
	buf_clear(&p->value);
	wire_put_array(&p->value, c->count);
}

void columns_row_give(struct columns *c, struct parse *p, const uint8_t *raw, size_t len)
{
	if (p->value.len > LIMIT_TYPED_VALUE) {
		give_unparsed(p, "the row is too big for a record", raw, len);
		return;
	}
	columns_announce(c, p);
	give_typed(p, &p->value, (uint32_t)c->count + 1, COLUMNS_SCHEMA);
}
