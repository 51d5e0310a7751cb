#include "script.h"

#include <string.h>

#include "value.h"
#include "wire.h"

static uint64_t script_hash(const struct script *s, uint64_t n, uint64_t what)
{
	return mix(s->seed ^ mix(n * 4 + what));
}

/* Small things mostly: it is the number of histories that finds faults. */
void script_draw(struct script *s, struct world *w)
{
	static const uint64_t counts[] = {0, 1, 5, 20, 60, 150};
	static const uint64_t sizes[] = {8, 40, 200, 1000, 6000};
	static const uint64_t pauses[] = {1 * MS, 20 * MS, 300 * MS, 2 * SEC, 8 * SEC};

	*s = (struct script){
		.seed = mix(w->chance),
		.records = world_roll(w, counts[world_roll(w, 6)] + 1),
		.batch = 1 + world_roll(w, 8),
		.bytes = sizes[world_roll(w, 5)],
		.pause_us = pauses[world_roll(w, 5)],
		.schemas = world_chance(w, 30) ? 1 + world_roll(w, SCRIPT_SCHEMAS) : 0,
		.input = world_chance(w, 20) ? 1 + world_roll(w, 30000) : 0,
		.exit_code = (int64_t)world_roll(w, 256),
		.signalled = world_chance(w, 10),
		.window = 512u << world_roll(w, 8),
		.drop = world_chance(w, 25),
		.detached = world_chance(w, 10),
		.reconnect_ms = world_chance(w, 5) ? 30000 : 0,
		.run_timeout_ms = world_chance(w, 10) ? 1000 + world_roll(w, 300000) : 0,
	};
	if (world_chance(w, 10))
		s->input *= 15;
	s->limits.segment = 512u << world_roll(w, 6);
	s->limits.cap = s->limits.segment * world_between(w, 2, 6);
	s->limits.drop = s->drop;
}

uint64_t script_schema(const struct script *s, uint64_t n)
{
	return s->schemas && n % 3 == 0 ? 1 + n / 40 % s->schemas : 0;
}

uint8_t script_input(const struct script *s, uint64_t at)
{
	return (uint8_t)(s->seed + at * 31 + (at >> 8));
}

static void script_text(const struct script *s, uint64_t n, struct buf *out)
{
	uint64_t h = script_hash(s, n, 1);
	size_t fill = (size_t)(script_hash(s, n, 0) % s->bytes);

	buf_addf(out, "%llu:%llx:", (unsigned long long)n, (unsigned long long)h);
	memset(buf_room(out, fill), 'a' + (int)(h % 26), fill);
	out->len += fill;
}

void script_record(const struct script *s, uint64_t n, struct buf *room, struct record *ret)
{
	struct buf text = {0};

	buf_clear(room);
	*ret = (struct record){.stream = n % 7 == 0 ? STREAM_ERROR : STREAM_OUTPUT,
			       .schema = script_schema(s, n)};
	if (ret->schema) {
		script_text(s, n, &text);
		wire_put_array(room, 2);
		wire_put_u64(room, n);
		wire_put_text(room, text.data, text.len);
		buf_done(&text);
		ret->stream = STREAM_OUTPUT;
		ret->is_typed = true;
		ret->nodes = 3;
	} else {
		script_text(s, n, room);
		ret->is_text = true;
	}
	ret->value = room->data;
	ret->len = room->len;
}

static uint64_t script_number(const struct record *record)
{
	struct value_in in = value_in(record->value, record->len);
	struct value v;
	uint64_t n = 0;

	if (record->is_typed)
		return value_next(&in, &v) && v.kind == VALUE_ARRAY && value_next(&in, &v) &&
				       v.kind == VALUE_UINT
			       ? v.u
			       : 0;
	for (size_t i = 0;
	     i < record->len && i < 18 && record->value[i] >= '0' && record->value[i] <= '9'; i++)
		n = n * 10 + (uint64_t)(record->value[i] - '0');
	return n;
}

uint64_t script_find(const struct script *s, const struct record *record)
{
	uint64_t n = script_number(record);
	struct buf room = {0};
	struct record own;
	bool same;

	if (!n || n > s->records)
		return 0;
	script_record(s, n, &room, &own);
	same = own.len == record->len && memcmp(own.value, record->value, own.len) == 0 &&
	       own.stream == record->stream && own.is_typed == record->is_typed;
	buf_done(&room);
	return same ? n : 0;
}
