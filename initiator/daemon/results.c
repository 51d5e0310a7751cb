#include "results.h"

#include <stdlib.h>

#include "alloc.h"
#include "limits.h"
#include "results_queue.h"

struct results {
	struct results_budget *budget;
	results_hold_fn *hold;
	void *arg;
	const void *reader;		    /* who has the lease */
	struct queue *queues[STREAM_COUNT]; /* NULL: empty */
	uint64_t last_seq;
	uint64_t unread;
	struct queue_meter meter;
	struct results *next_caught;
	struct results *prev_caught;
	uint8_t last_stream; /* of the record last_seq */
	bool over;	     /* its share */
	bool caught;	     /* adding while the budget was used up: stands in its list */
	bool held;	     /* what hold was told */
	bool closed;
};

/* --- holding back --------------------------------------------------------------------------- */

static void results_tell(struct results *r)
{
	bool hold = r->over || r->caught;

	if (hold == r->held || r->closed)
		return;
	r->held = hold;
	r->hold(r->arg, hold);
}

static void results_catch(struct results *r)
{
	struct results_budget *b = r->budget;

	if (r->caught)
		return;
	r->caught = true;
	r->next_caught = NULL;
	r->prev_caught = b->last_caught;
	if (b->last_caught)
		b->last_caught->next_caught = r;
	else
		b->first_caught = r;
	b->last_caught = r;
}

static void results_uncatch(struct results *r)
{
	struct results_budget *b = r->budget;

	if (!r->caught)
		return;
	r->caught = false;
	if (r->prev_caught)
		r->prev_caught->next_caught = r->next_caught;
	else
		b->first_caught = r->next_caught;
	if (r->next_caught)
		r->next_caught->prev_caught = r->prev_caught;
	else
		b->last_caught = r->prev_caught;
}

/* Less is used. All that were caught go on together: who of them has anything to add is not known
 * here, and one that has nothing must not stand in the way of others. */
static void results_look_for_room(struct results_budget *b)
{
	if (b->full && b->used < b->limit - b->limit / 8)
		b->full = false;
	while (!b->full && b->first_caught) {
		struct results *r = b->first_caught;

		results_uncatch(r);
		results_tell(r);
	}
}

/* --- adding --------------------------------------------------------------------------------- */

struct results *results_new(struct results_budget *budget, results_hold_fn *hold, void *arg)
{
	struct results *r = xcalloc(1, sizeof *r);

	r->budget = budget;
	r->meter.all = &budget->used;
	r->hold = hold;
	r->arg = arg;
	return r;
}

void results_free(struct results *r)
{
	struct results_budget *b;

	if (!r)
		return;
	b = r->budget;
	r->closed = true;
	results_uncatch(r);
	for (size_t i = 0; i < STREAM_COUNT; i++)
		if (r->queues[i])
			queue_free(r->queues[i], &r->meter);
	free(r);
	results_look_for_room(b);
}

static void results_trim(struct results *r)
{
	if (r->queues[r->last_stream])
		queue_trim(r->queues[r->last_stream], &r->meter);
}

void results_add(struct results *r, const struct record *record)
{
	struct results_budget *b = r->budget;

	if (r->closed || record->stream >= STREAM_COUNT ||
	    record->len > (record->is_typed ? LIMIT_TYPED_VALUE : LIMIT_RECORD_VALUE))
		abort();
	if (record->stream != r->last_stream)
		results_trim(r);
	r->last_stream = (uint8_t)record->stream;
	if (!r->queues[r->last_stream])
		r->queues[r->last_stream] = queue_new(&r->meter);
	queue_add(r->queues[r->last_stream], &r->meter, ++r->last_seq, record);
	r->unread++;

	r->over = r->over || r->meter.used > b->share;
	b->full = b->full || b->used >= b->limit;
	if (b->full)
		results_catch(r);
	results_tell(r);
}

void results_close(struct results *r)
{
	r->closed = true;
	results_uncatch(r);
	results_trim(r);
}

/* --- reading -------------------------------------------------------------------------------- */

uint64_t results_unread(const struct results *r)
{
	return r->unread;
}

size_t results_used(const struct results *r)
{
	return r->meter.used;
}

uint64_t results_last_seq(const struct results *r)
{
	return r->last_seq;
}

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

/* The chunk with the first unread record of these streams from from on, and the record's row. */
static const struct chunk *results_find(const struct results *r, uint32_t streams, uint64_t from,
					size_t *ret_row)
{
	const struct chunk *best = NULL;
	uint64_t best_seq = UINT64_MAX;

	for (size_t i = 0; i < STREAM_COUNT; i++) {
		const struct chunk *c;
		size_t row;

		if (!(streams >> i & 1) || !r->queues[i])
			continue;
		c = queue_find(r->queues[i], from, &row);
		if (c && c->first + row < best_seq) {
			best = c;
			best_seq = c->first + row;
			*ret_row = row;
		}
	}
	return best;
}

size_t results_peek(const struct results *r, uint32_t streams, uint64_t from,
		    struct results_rows *ret_rows, uint64_t *ret_first)
{
	size_t row = 0, at;
	const struct chunk *c = results_find(r, streams, from, &row);

	if (!c)
		return 0;
	at = chunk_row_at(c, row);
	ret_rows->data = c->data + at;
	ret_rows->len = c->len - at;
	*ret_first = c->first + row;
	return c->rows - row;
}

uint64_t results_open_seq(const struct results *r, uint32_t streams)
{
	uint64_t open = UINT64_MAX;

	for (size_t i = 0; i < STREAM_COUNT; i++)
		if ((streams >> i & 1) && r->queues[i] && r->queues[i]->open &&
		    r->queues[i]->open < open)
			open = r->queues[i]->open;
	return open;
}

uint64_t results_peek_time(const struct results *r, uint32_t streams, uint64_t from)
{
	struct record record = {0};
	size_t row = 0, at;
	const struct chunk *c = results_find(r, streams, from, &row);

	if (!c)
		return 0;
	at = chunk_row_at(c, row);
	(void)record_row_get(c->data + at, c->len - at, &record);
	return record.time_ns ? record.time_ns : 1;
}

void results_ack(struct results *r, uint32_t streams, uint64_t seq)
{
	struct results_budget *b = r->budget;

	for (size_t i = 0; i < STREAM_COUNT; i++) {
		bool empty;

		if (!(streams >> i & 1) || !r->queues[i])
			continue;
		r->unread -= queue_take(r->queues[i], &r->meter, seq, &empty);
		if (empty) {
			queue_free(r->queues[i], &r->meter);
			r->queues[i] = NULL;
		}
	}
	if (!r->unread) {
		r->over = false;
		results_uncatch(r);
	} else if (r->meter.used < b->share / 2) {
		r->over = false;
	}
	results_tell(r);
	results_look_for_room(b);
}
