#include "results_queue.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "limits.h"

/* A child with one short record should not take much; it grows by doubling. */
#define CHUNK_FIRST_SIZE 64u
/* Every so many rows a mark tells where one begins, so that no row is far from a mark. */
#define CHUNK_MARK_ROWS	 32u
#define CHUNK_MARK_FIRST 8u
#define QUEUE_SHRINK_MIN 16u /* a smaller array is not worth it */
/* What malloc(3) adds to each piece, about. */
#define QUEUE_MALLOC_COST 16u

_Static_assert(LIMIT_RECORDS_BATCH <= UINT16_MAX + 1, "a mark holds where a row begins");
_Static_assert(RECORDS_MAX <= UINT16_MAX, "a chunk counts its rows");

static size_t queue_cost(size_t size)
{
	return size ? size + QUEUE_MALLOC_COST : 0;
}

/* realloc(3), and free(3) for a new size of 0. */
static void *queue_resize(struct queue_meter *m, void *old, size_t old_size, size_t size)
{
	m->used += queue_cost(size) - queue_cost(old_size);
	*m->all += queue_cost(size) - queue_cost(old_size);
	if (size)
		return xrealloc(old, size, 1);
	free(old);
	return NULL;
}

/* --- chunks --------------------------------------------------------------------------------- */

static uint64_t chunk_last(const struct chunk *c)
{
	return c->first + c->rows - 1;
}

static size_t chunk_marks(const struct chunk *c)
{
	return c->rows ? (c->rows - 1u) / CHUNK_MARK_ROWS : 0;
}

/* The bytes of the array in which count marks stand. */
static size_t chunk_marks_size(size_t count)
{
	size_t size = CHUNK_MARK_FIRST;

	if (!count)
		return 0;
	while (size < count)
		size *= 2;
	return size * sizeof(uint16_t);
}

/* The next row begins at the end of what there is. */
static void chunk_mark(struct chunk *c, struct queue_meter *m)
{
	size_t at = c->rows / CHUNK_MARK_ROWS - 1;

	if (chunk_marks_size(at) != chunk_marks_size(at + 1))
		c->marks =
			queue_resize(m, c->marks, chunk_marks_size(at), chunk_marks_size(at + 1));
	c->marks[at] = (uint16_t)c->len;
}

static void chunk_grow(struct chunk *c, struct queue_meter *m, size_t more)
{
	size_t size = c->size ? c->size * 2u : CHUNK_FIRST_SIZE;

	if (size > LIMIT_RECORDS_BATCH)
		size = LIMIT_RECORDS_BATCH;
	if (size < c->len + more)
		size = c->len + more;
	c->data = queue_resize(m, c->data, c->size, size);
	c->size = (uint32_t)size;
}

/* No more is added to it: gives back what it has in hand, if that is much. */
static void chunk_trim(struct chunk *c, struct queue_meter *m)
{
	if (c->size - c->len < CHUNK_FIRST_SIZE)
		return;
	c->data = queue_resize(m, c->data, c->size, c->len);
	c->size = c->len;
}

static void chunk_done(struct chunk *c, struct queue_meter *m)
{
	(void)queue_resize(m, c->data, c->size, 0);
	(void)queue_resize(m, c->marks, chunk_marks_size(chunk_marks(c)), 0);
}

size_t chunk_row_at(const struct chunk *c, size_t row)
{
	size_t mark = row / CHUNK_MARK_ROWS;
	size_t at = mark ? c->marks[mark - 1] : 0;

	return at + record_rows_skip(c->data + at, c->len - at, row % CHUNK_MARK_ROWS);
}

/* --- queues --------------------------------------------------------------------------------- */

static struct chunk *queue_first(const struct queue *q)
{
	return &q->chunks[q->head];
}

static struct chunk *queue_last(const struct queue *q)
{
	return &q->chunks[q->head + q->count - 1];
}

struct queue *queue_new(struct queue_meter *m)
{
	struct queue *q = queue_resize(m, NULL, 0, sizeof *q);

	*q = (struct queue){0};
	return q;
}

void queue_free(struct queue *q, struct queue_meter *m)
{
	for (size_t i = 0; i < q->count; i++)
		chunk_done(&q->chunks[q->head + i], m);
	(void)queue_resize(m, q->chunks, q->size * sizeof *q->chunks, 0);
	(void)queue_resize(m, q, sizeof *q, 0);
}

/* Moves all to the front of an array of another size. */
static void queue_set_size(struct queue *q, struct queue_meter *m, size_t size)
{
	if (q->head)
		memmove(q->chunks, queue_first(q), q->count * sizeof *q->chunks);
	q->head = 0;
	if (size == q->size)
		return;
	q->chunks =
		queue_resize(m, q->chunks, q->size * sizeof *q->chunks, size * sizeof *q->chunks);
	q->size = size;
}

static void queue_shrink(struct queue *q, struct queue_meter *m)
{
	size_t size = q->size;

	while (size >= QUEUE_SHRINK_MIN && q->count < size / 4)
		size /= 2;
	if (size != q->size)
		queue_set_size(q, m, size);
}

/* A chunk at the end, all zero. */
static struct chunk *queue_push(struct queue *q, struct queue_meter *m)
{
	/* Where more than half is behind us, moving the rest is paid for by what was read. */
	if (q->head + q->count == q->size)
		queue_set_size(q, m, q->head > q->count ? q->size : q->size ? q->size * 2 : 1);
	q->count++;
	*queue_last(q) = (struct chunk){0};
	return queue_last(q);
}

/* The last chunk, if a row of len bytes with this seq may go there. */
static struct chunk *queue_open_chunk(struct queue *q, struct queue_meter *m, uint64_t seq,
				      size_t len)
{
	struct chunk *c = q->count ? queue_last(q) : NULL;

	if (!c || chunk_last(c) + 1 != seq)
		return NULL;
	if (c->rows < RECORDS_MAX && c->len + len <= LIMIT_RECORDS_BATCH)
		return c;
	chunk_trim(c, m);
	return NULL;
}

void queue_add(struct queue *q, struct queue_meter *m, uint64_t seq, const struct record *record)
{
	uint8_t head[RECORD_HEAD_MAX], tail[RECORD_TAIL_MAX];
	size_t n = record_row_head(head, record), n_tail = record_row_tail(tail, record);
	size_t len = n + record->len + n_tail;
	struct chunk *c = queue_open_chunk(q, m, seq, len);

	if (!c) {
		c = queue_push(q, m);
		c->first = seq;
	}
	if (c->size - c->len < len)
		chunk_grow(c, m, len);
	if (c->rows && c->rows % CHUNK_MARK_ROWS == 0)
		chunk_mark(c, m);
	memcpy(c->data + c->len, head, n);
	if (record->len)
		memcpy(c->data + c->len + n, record->value, record->len);
	memcpy(c->data + c->len + n + record->len, tail, n_tail);
	c->len += (uint32_t)len;
	c->rows++;
	if (!(record->flags & RECORD_CONTINUES))
		q->open = 0;
	else if (!q->open)
		q->open = seq;
}

void queue_trim(struct queue *q, struct queue_meter *m)
{
	if (q->count)
		chunk_trim(queue_last(q), m);
}

uint64_t queue_take(struct queue *q, struct queue_meter *m, uint64_t seq, bool *ret_empty)
{
	uint64_t taken = 0;

	while (q->count && chunk_last(queue_first(q)) <= seq) {
		struct chunk *c = queue_first(q);

		taken += (uint64_t)(c->rows - c->taken);
		chunk_done(c, m);
		q->head++;
		q->count--;
	}
	*ret_empty = !q->count;
	if (q->count && queue_first(q)->first + queue_first(q)->taken <= seq) {
		struct chunk *c = queue_first(q);
		uint16_t rows = (uint16_t)(seq - c->first + 1);

		taken += (uint64_t)(rows - c->taken);
		c->taken = rows;
	}
	if (q->count)
		queue_shrink(q, m);
	return taken;
}

const struct chunk *queue_find(const struct queue *q, uint64_t from, size_t *ret_row)
{
	const struct chunk *chunks = queue_first(q), *c;
	size_t lo = 0, hi = q->count - 1;

	if (chunk_last(&chunks[hi]) < from)
		return NULL;
	if (chunk_last(&chunks[0]) >= from)
		hi = 0;
	/* lo ends too early, hi does not. */
	while (lo + 1 < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (chunk_last(&chunks[mid]) < from)
			lo = mid;
		else
			hi = mid;
	}
	c = &chunks[hi];
	*ret_row = from > c->first + c->taken ? (size_t)(from - c->first) : c->taken;
	return c;
}
