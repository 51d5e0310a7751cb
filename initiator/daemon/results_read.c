/* What readers ask, and what they say. */
#include "results_private.h"

bool results_lease(struct results *r, const void *reader)
{
	if (r->reader && r->reader != reader)
		return false;
	r->reader = reader;
	return true;
}

void results_release(struct results *r, const void *reader)
{
	if (r->reader == reader)
		r->reader = NULL;
}

/* --- looking -------------------------------------------------------------------------------- */

/* What is looked for: of each stream, the numbers from here on. */
struct results_wants {
	uint64_t from[STREAM_COUNT]; /* UINT64_MAX: none */
	uint64_t first;		     /* the least of them */
	uint64_t last;		     /* nothing is behind this */
};

static bool wants_make(const struct results *r, uint32_t streams, uint64_t from,
		       struct results_wants *ret)
{
	ret->first = UINT64_MAX;
	ret->last = 0;
	for (size_t s = 0; s < STREAM_COUNT; s++)
		ret->from[s] = UINT64_MAX;
	for (size_t k = 0; k < r->stream_count; k++) {
		const struct results_stream *st = &r->streams[k];
		uint64_t least = from > st->read ? from : st->read + 1;

		if (!(streams >> r->ids[k] & 1) || least > st->last)
			continue;
		ret->from[r->ids[k]] = least;
		ret->first = least < ret->first ? least : ret->first;
		ret->last = st->last > ret->last ? st->last : ret->last;
	}
	return ret->last;
}

/* The index of the chunk with the first unread record of these streams from from on, and where that
 * stands; r->count: there is none. *from moves past chunks that have none. *ret_here false: the
 * chunk is not in memory. */
static size_t results_find(const struct results *r, uint32_t streams, uint64_t *from,
			   struct chunk_run *ret, bool *ret_here)
{
	struct results_wants wants;

	*ret_here = true;
	if (!wants_make(r, streams, *from, &wants))
		return r->count;
	for (size_t i = results_index(r, wants.first); i < r->count; i++) {
		const struct chunk *c = results_chunk(r, i);

		if (c->first > wants.last)
			break;
		if (c->rows && chunk_find(c, wants.from, ret))
			return i;
		if (!c->rows && chunk_may_have(c, wants.from)) {
			*ret_here = false;
			return i;
		}
		*from = chunk_last(c) + 1;
	}
	return r->count;
}

bool results_is_ready(struct results *r, uint32_t streams, uint64_t *from)
{
	struct chunk_run run;
	bool here;
	size_t i;

	if (!r->disk)
		return true;
	i = results_find(r, streams, from, &run, &here);
	if (!here)
		results_load(r, streams, results_chunk(r, i));
	return here;
}

/* The chunk, or NULL. */
static const struct chunk *results_look(struct results *r, uint32_t streams, uint64_t from,
					struct chunk_run *ret)
{
	bool here;
	size_t i = results_find(r, streams, &from, ret, &here);

	if (i == r->count || !here)
		return NULL;
	if (r->disk) {
		results_touch(r);
		results_load_ahead(r, streams, i);
	}
	return results_chunk(r, i);
}

size_t results_peek(struct results *r, uint32_t streams, uint64_t from,
		    struct results_rows *ret_rows, uint64_t *ret_first)
{
	struct chunk_run run;
	const struct chunk *c = results_look(r, streams, from, &run);

	if (!c)
		return 0;
	ret_rows->data = c->rows->data + run.at;
	*ret_first = c->first + run.row;
	return chunk_run_count(c, &run, &ret_rows->len);
}

uint64_t results_peek_time(struct results *r, uint32_t streams, uint64_t from)
{
	struct record record = {0};
	struct chunk_run run;
	const struct chunk *c = results_look(r, streams, from, &run);

	if (!c)
		return 0;
	(void)record_row_get(c->rows->data + run.at, c->rows->len - run.at, &record);
	return record.time_ns ? record.time_ns : 1;
}

uint64_t results_open_seq(const struct results *r, uint32_t streams)
{
	uint64_t open = UINT64_MAX;

	/* Of a child that has ended no more comes. */
	for (size_t k = 0; k < r->stream_count && !r->closed; k++) {
		const struct results_stream *st = &r->streams[k];

		if ((streams >> r->ids[k] & 1) && st->open && st->last > st->read &&
		    st->open < open)
			open = st->open;
	}
	return open;
}

/* --- acknowledging -------------------------------------------------------------------------- */

/* An acknowledgement: how far each stream was read and is read now. */
struct results_taking {
	uint64_t before[STREAM_COUNT];
	uint64_t now[STREAM_COUNT];
	uint64_t first; /* what lies before it is the same as it was */
	uint64_t last;
	bool is_even; /* all are now read up to last, and none further; before and now are not set
		       */
};

static bool taking_make(const struct results *r, uint32_t streams, uint64_t seq,
			struct results_taking *ret)
{
	ret->first = UINT64_MAX;
	ret->last = seq < r->last_seq ? seq : r->last_seq;
	ret->is_even = true;
	for (size_t k = 0; k < r->stream_count; k++) {
		const struct results_stream *st = &r->streams[k];

		if (!(streams >> r->ids[k] & 1) || st->read > ret->last)
			ret->is_even = false;
		else if (st->last > st->read && st->read + 1 < ret->first)
			ret->first = st->read + 1;
	}
	return ret->first <= ret->last;
}

static void taking_make_marks(const struct results *r, uint32_t streams, struct results_taking *t)
{
	results_marks(r, t->before);
	results_marks(r, t->now);
	for (size_t k = 0; k < r->stream_count; k++)
		if ((streams >> r->ids[k] & 1) && r->streams[k].read < t->last)
			t->now[r->ids[k]] = t->last;
}

/* How many of a chunk are still unread. */
static size_t taking_left(const struct results_taking *t, const struct chunk *c)
{
	size_t left, taken = 0;

	if (t->is_even)
		return chunk_last(c) > t->last ? (size_t)(chunk_last(c) - t->last) : 0;
	if (!c->rows) {
		left = chunk_unread_most(c, t->now);
		return left < c->unread ? left : c->unread;
	}
	for (size_t s = 0; s < STREAM_COUNT; s++)
		if (t->now[s] > t->before[s])
			taken += chunk_count(c, s, t->before[s], t->now[s]);
	return c->unread - taken;
}

/* A frame that the store has not been given yet must not go without it: the agent would be asked
 * for it again. */
static bool results_may_go(const struct results *r, const struct chunk *c)
{
	return !c->unread && !chunk_is_gone(c) && (!r->disk || chunk_is_stored(c));
}

static void results_take(struct results *r, const struct results_taking *t)
{
	size_t begin = results_index(r, t->first), i, gone = 0;

	for (i = begin; i < r->count && results_chunk(r, i)->first <= t->last; i++) {
		struct chunk *c = results_chunk(r, i);
		size_t left = c->unread ? taking_left(t, c) : 0;

		r->unread -= c->unread - left;
		gone += c->unread && !left;
		c->unread = (uint16_t)left;
	}
	for (size_t k = 0; k < r->stream_count; k++)
		r->streams[k].read = t->is_even ? t->last : t->now[r->ids[k]];
	if (r->disk)
		r->disk->dirty = true;
	if (!gone)
		return;
	results_mark(r);
	for (size_t k = begin; k < i; k++)
		if (results_may_go(r, results_chunk(r, k)))
			results_chunk_gone(r, results_chunk(r, k));
	results_tidy(r);
}

void results_mark(struct results *r)
{
	if (!r->disk || !r->disk->dirty)
		return;
	r->disk->dirty = false;
	if (r->disk->marked)
		r->disk->marked(r->arg);
}

void results_ack(struct results *r, uint32_t streams, uint64_t seq)
{
	struct results_budget *b = r->budget;
	struct results_taking taking;

	if (taking_make(r, streams, seq, &taking)) {
		if (!taking.is_even)
			taking_make_marks(r, streams, &taking);
		results_take(r, &taking);
	}
	if (r->disk) {
		r->over = r->over && r->disk->bytes >= b->stored_share / 2;
	} else if (!r->unread) {
		r->over = false;
		results_uncatch(r);
	} else if (r->meter.used < b->share / 2) {
		r->over = false;
	}
	results_tell(r);
	results_look_for_room(b);
}

void results_read(const struct results *r, uint64_t ret[STREAM_COUNT])
{
	results_marks(r, ret);
}
