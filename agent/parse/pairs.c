#include "pairs.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cell.h"
#include "give.h"
#include "value.h"
#include "wire.h"

#define PAIRS_FIRST_SIZE 32u
#define PAIRS_HEAD	 9u /* what a value takes besides its text, at most; a number in all */

/* FNV-1a: it only saves comparisons. */
static uint32_t pairs_hash(const uint8_t *data, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ data[i]) * 16777619u;
	return h;
}

static struct pairs_key *pairs_find(struct pairs *s, uint32_t hash, const uint8_t *key, size_t len)
{
	for (uint32_t i = 0; i < s->key_count; i++)
		if (s->keys[i].hash == hash && s->keys[i].len == len &&
		    !memcmp(s->text.data + s->keys[i].at, key, len))
			return &s->keys[i];
	return NULL;
}

static struct pairs_key *pairs_new_key(struct pairs *s, uint32_t hash, const uint8_t *key,
				       size_t len)
{
	struct pairs_key *found = &s->keys[s->key_count++];

	*found =
		(struct pairs_key){.hash = hash, .at = (uint32_t)s->text.len, .len = (uint32_t)len};
	buf_add(&s->text, key, len);
	/* Twice: the value may become an array. */
	s->size += len + 2 * PAIRS_HEAD;
	return found;
}

bool pairs_add(struct pairs *s, const uint8_t *key, size_t key_len, const uint8_t *value,
	       size_t len, bool is_string)
{
	uint32_t hash = pairs_hash(key, key_len);
	struct pairs_key *found = pairs_find(s, hash, key, key_len);
	struct pairs_value *v;

	if (s->size + key_len + len + 4 * PAIRS_HEAD > LIMIT_TYPED_VALUE ||
	    s->value_count == PAIRS_VALUES_MAX || (!found && s->key_count == LIMIT_MAP_KEYS))
		return false;
	if (!found)
		found = pairs_new_key(s, hash, key, key_len);
	if (s->value_count == s->value_size) {
		s->value_size = s->value_size ? s->value_size * 2 : PAIRS_FIRST_SIZE;
		s->values = xrealloc(s->values, s->value_size, sizeof *s->values);
	}
	v = &s->values[s->value_count++];
	*v = (struct pairs_value){
		.at = (uint32_t)s->text.len, .len = (uint32_t)len, .is_string = is_string};
	buf_add(&s->text, value, len);
	s->size += len + PAIRS_HEAD;
	if (found->count++)
		s->values[found->last - 1].next = s->value_count;
	else
		found->first = s->value_count;
	found->last = s->value_count;
	return true;
}

bool pairs_continue(struct pairs *s, const uint8_t *line, size_t len)
{
	struct pairs_value *v;

	if (!s->value_count || s->size + len + 1 + PAIRS_HEAD > LIMIT_TYPED_VALUE)
		return false;
	/* Its text is the last in the buffer. */
	v = &s->values[s->value_count - 1];
	v->is_string = true;
	v->len += (uint32_t)len + 1;
	buf_add_char(&s->text, '\n');
	buf_add(&s->text, line, len);
	s->size += len + 1;
	return true;
}

static void pairs_put(const struct pairs *s, struct buf *out, const struct pairs_value *v)
{
	const uint8_t *text = s->text.data + v->at;

	if (v->is_string)
		wire_put_text(out, text, v->len);
	else
		cell_put(out, text, v->len);
}

void pairs_give(struct pairs *s, struct parse *p)
{
	uint32_t nodes = 1;

	if (!s->key_count)
		return;
	buf_clear(&p->value);
	value_put_map(&p->value, s->key_count);
	for (uint32_t i = 0; i < s->key_count; i++) {
		const struct pairs_key *key = &s->keys[i];

		wire_put_text(&p->value, s->text.data + key->at, key->len);
		if (key->count > 1)
			wire_put_array(&p->value, key->count);
		for (uint32_t v = key->first; v; v = s->values[v - 1].next)
			pairs_put(s, &p->value, &s->values[v - 1]);
		nodes += 1 + key->count + (key->count > 1);
	}
	give_typed(p, &p->value, nodes, 0);
	s->key_count = 0;
	s->value_count = 0;
	s->size = 0;
	buf_clear(&s->text);
}

void pairs_done(struct pairs *s)
{
	buf_done(&s->text);
	free(s->values);
	s->values = NULL;
}
