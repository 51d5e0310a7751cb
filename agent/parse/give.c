#include "give.h"

#include "limits.h"
#include "utf8.h"
#include "value.h"
#include "wire.h"

#define GIVE_UNPARSED_NODES 5u /* the map, its two keys and their values */

size_t give_cut(const uint8_t *data, size_t max)
{
	uint32_t cp;

	for (size_t back = 1; back <= 3 && back < max; back++) {
		if ((data[max - back] & 0xc0) == 0x80)
			continue;
		return utf8_decode(data + max - back, back, &cp) < 0 ? max - back : max;
	}
	return max;
}

void give_piece(struct parse *p, uint64_t flags, const uint8_t *data, size_t len)
{
	struct record record = {.flags = flags, .value = data, .len = len};

	p->events.record(p->arg, &record);
}

void give_text(struct parse *p, uint64_t flags, const uint8_t *data, size_t len)
{
	while (len > LIMIT_RECORD_VALUE) {
		size_t n = give_cut(data, LIMIT_RECORD_VALUE);

		give_piece(p, flags | RECORD_CONTINUES, data, n);
		data += n;
		len -= n;
	}
	give_piece(p, flags, data, len);
}

void give_typed(struct parse *p, const struct buf *value, uint32_t nodes, uint64_t schema)
{
	struct record record = {.value = value->data,
				.len = value->len,
				.is_typed = true,
				.nodes = nodes,
				.schema = schema};

	p->events.record(p->arg, &record);
}

void give_unparsed(struct parse *p, const char *why, const uint8_t *raw, size_t len)
{
	struct record record = {
		.flags = RECORD_UNPARSED, .is_typed = true, .nodes = GIVE_UNPARSED_NODES};

	if (len > LIMIT_RECORD_VALUE) {
		give_text(p, RECORD_UNPARSED, raw, len);
		return;
	}
	buf_clear(&p->scratch);
	value_put_map(&p->scratch, 2);
	wire_put_str(&p->scratch, "$error");
	wire_put_str(&p->scratch, why);
	wire_put_str(&p->scratch, "$raw");
	wire_put_text(&p->scratch, raw, len);
	record.value = p->scratch.data;
	record.len = p->scratch.len;
	p->events.record(p->arg, &record);
}

void pieces_add(struct pieces *s, struct parse *p, uint64_t flags, const uint8_t *data, size_t len)
{
	flags |= RECORD_CONTINUES;
	while (s->rest.len && len > LIMIT_RECORD_VALUE - s->rest.len) {
		size_t took = LIMIT_RECORD_VALUE - s->rest.len;
		size_t n, left;

		buf_add(&s->rest, data, took);
		n = give_cut(s->rest.data, LIMIT_RECORD_VALUE);
		give_piece(p, flags, s->rest.data, n);
		left = LIMIT_RECORD_VALUE - n;
		/* What is left of a cut character is taken from the input again, if it is there:
		 * a long line is then not copied. */
		if (left <= took) {
			buf_clear(&s->rest);
			took -= left;
		} else {
			buf_consume(&s->rest, n);
		}
		data += took;
		len -= took;
	}
	while (len > LIMIT_RECORD_VALUE) {
		size_t n = give_cut(data, LIMIT_RECORD_VALUE);

		give_piece(p, flags, data, n);
		data += n;
		len -= n;
	}
	buf_add(&s->rest, data, len);
}

void pieces_end(struct pieces *s, struct parse *p, uint64_t flags)
{
	give_piece(p, flags, s->rest.data, s->rest.len);
	buf_clear(&s->rest);
}

void pieces_done(struct pieces *s)
{
	buf_done(&s->rest);
}
