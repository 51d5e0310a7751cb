#include "results_chunk.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "limits.h"

/* A child with one short record should not take much; it grows by doubling. */
#define CHUNK_FIRST_SIZE 48u
#define CHUNK_MARK_ROWS	 32u
#define CHUNK_MARK_FIRST 4u
/* What malloc(3) adds to each piece, about. */
#define CHUNK_MALLOC_COST 16u
/* Of a message: what it has but for its rows, and a row but for its typed value. */
#define CHUNK_BODY_NODES 4u
#define CHUNK_ROW_NODES	 5u

_Static_assert(RECORDS_MAX <= UINT16_MAX, "a chunk counts its rows");

static size_t chunk_cost(size_t size)
{
	return size ? size + CHUNK_MALLOC_COST : 0;
}

void *chunk_resize(struct chunk_meter *m, void *old, size_t old_size, size_t size)
{
	m->used += chunk_cost(size) - chunk_cost(old_size);
	*m->all += chunk_cost(size) - chunk_cost(old_size);
	if (size)
		return xrealloc(old, size, 1);
	free(old);
	return NULL;
}

/* --- marks ---------------------------------------------------------------------------------- */

/* The bytes of the array in which count marks stand. */
static size_t marks_size(size_t count)
{
	size_t size = CHUNK_MARK_FIRST;

	if (count <= 1)
		return 0;
	while (size < count)
		size *= 2;
	return size * sizeof(struct chunk_mark);
}

static struct chunk_mark rows_mark(const struct chunk_rows *rows, size_t i)
{
	return i ? rows->marks[i] : (struct chunk_mark){.stream = rows->stream};
}

static void rows_add_mark(struct chunk_rows *rows, struct chunk_meter *m, struct chunk_mark mark)
{
	size_t count = rows->mark_count, old = marks_size(count), size = marks_size(count + 1);

	if (old != size)
		rows->marks = chunk_resize(m, rows->marks, old, size);
	rows->marks[count] = mark;
	rows->mark_count++;
}

/* A row of this stream begins at the end of what there is. */
static inline void rows_begin(struct chunk_rows *rows, struct chunk_meter *m, size_t row,
			      size_t stream)
{
	if (row % CHUNK_MARK_ROWS && rows->last_stream == stream)
		return;
	rows->last_stream = (uint8_t)stream;
	if (row) {
		rows_add_mark(rows, m,
			      (struct chunk_mark){rows->len, (uint16_t)row, (uint8_t)stream});
	} else {
		rows->stream = (uint8_t)stream;
		rows->mark_count = 1;
	}
}

/* The last mark that is not behind the row. There is one at least every CHUNK_MARK_ROWS. */
static size_t rows_locate(struct chunk_rows *rows, size_t row)
{
	size_t lo = row / CHUNK_MARK_ROWS, hi = rows->mark_count, near = rows->mark_near;

	if (near > lo && rows->marks[near].row <= row) {
		lo = near;
		hi = near + 2 < hi && rows->marks[near + 2].row > row ? near + 2 : hi;
	}
	if (lo + 1 < hi && rows->marks[lo + 1].row > row)
		hi = lo + 1;
	while (lo + 1 < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (rows->marks[mid].row <= row)
			lo = mid;
		else
			hi = mid;
	}
	rows->mark_near = (uint16_t)lo;
	return lo;
}

/* --- making --------------------------------------------------------------------------------- */

static size_t rows_size(size_t size)
{
	return sizeof(struct chunk_rows) + size;
}

static struct chunk_rows *rows_new(struct chunk_meter *m, size_t size)
{
	struct chunk_rows *rows = chunk_resize(m, NULL, 0, rows_size(size));

	*rows = (struct chunk_rows){.size = (uint32_t)size};
	return rows;
}

static void chunk_grow(struct chunk *c, struct chunk_meter *m, size_t more)
{
	size_t size = c->rows ? c->rows->size * 2u : CHUNK_FIRST_SIZE;
	size_t len = c->rows ? c->rows->len : 0;

	if (size > LIMIT_RECORDS_BATCH)
		size = LIMIT_RECORDS_BATCH;
	/* Above the size of most chunks it still grows by steps. */
	if (size < len + more)
		size = len + more + (len ? len / 4 : 0);
	if (!c->rows) {
		c->rows = rows_new(m, size);
		return;
	}
	c->rows = chunk_resize(m, c->rows, rows_size(c->rows->size), rows_size(size));
	c->rows->size = (uint32_t)size;
}

/* Where there is hardly room: finds out first how long it is, and grows. */
static void chunk_make_room(struct chunk *c, struct chunk_meter *m, const struct record *record)
{
	uint8_t head[RECORD_HEAD_MAX], tail[RECORD_TAIL_MAX];
	size_t len = record_row_head(head, record) + record->len + record_row_tail(tail, record);

	if (!c->rows || c->rows->size - c->rows->len < len)
		chunk_grow(c, m, len);
}

void chunk_add(struct chunk *c, struct chunk_meter *m, const struct record *record)
{
	size_t most = RECORD_HEAD_MAX + record->len + RECORD_TAIL_MAX;
	struct chunk_rows *rows = c->rows;
	uint8_t *at;

	if (!rows || rows->size - rows->len < most) {
		chunk_make_room(c, m, record);
		rows = c->rows;
	}
	rows_begin(rows, m, c->count, (size_t)record->stream);
	at = rows->data + rows->len;
	at += record_row_head(at, record);
	if (record->len)
		memcpy(at, record->value, record->len);
	at += record->len;
	if (record->schema)
		at += record_row_tail(at, record);
	rows->len = (uint32_t)(at - rows->data);
	c->count++;
	c->unread++;
	c->streams[record->stream]++;
}

bool chunk_is_full(const struct chunk *c, size_t nodes)
{
	size_t all;

	/* Without them RECORDS_MAX is what counts. */
	if (!nodes)
		return c->count == RECORDS_MAX;
	all = CHUNK_BODY_NODES + CHUNK_ROW_NODES * (c->count + 1u) + nodes;
	return c->count == RECORDS_MAX || nodes >= LIMIT_BATCH_NODES ||
	       all > LIMIT_MSG_NODES - LIMIT_TYPED_NODES;
}

void chunk_trim(struct chunk *c, struct chunk_meter *m)
{
	struct chunk_rows *rows = c->rows;

	if (!rows || rows->size - rows->len < CHUNK_FIRST_SIZE)
		return;
	c->rows = chunk_resize(m, rows, rows_size(rows->size), rows_size(rows->len));
	c->rows->size = c->rows->len;
}

void chunk_drop(struct chunk *c, struct chunk_meter *m)
{
	if (!c->rows)
		return;
	(void)chunk_resize(m, c->rows->marks, marks_size(c->rows->mark_count), 0);
	(void)chunk_resize(m, c->rows, rows_size(c->rows->size), 0);
	c->rows = NULL;
}

/* Finds the marks of bytes that came from elsewhere. */
static bool chunk_walk(struct chunk *c, struct chunk_meter *m, size_t len)
{
	struct chunk_rows *rows = c->rows;
	uint16_t streams[STREAM_COUNT] = {0};
	struct record record;
	size_t row = 0;

	while (row < c->count && rows->len < len) {
		size_t n = record_row_get(rows->data + rows->len, len - rows->len, &record);

		if (!n || record.stream >= STREAM_COUNT)
			return false;
		rows_begin(rows, m, row++, (size_t)record.stream);
		rows->len += (uint32_t)n;
		streams[record.stream]++;
	}
	return row == c->count && rows->len == len &&
	       memcmp(streams, c->streams, sizeof streams) == 0;
}

bool chunk_load(struct chunk *c, struct chunk_meter *m, const void *rows, size_t len)
{
	if (!len || len > LIMIT_FRAME_BODY)
		return false;
	c->rows = rows_new(m, len);
	memcpy(c->rows->data, rows, len);
	if (chunk_walk(c, m, len))
		return true;
	chunk_drop(c, m);
	return false;
}

/* --- asking --------------------------------------------------------------------------------- */

bool chunk_is_gone(const struct chunk *c)
{
	static const uint16_t none[STREAM_COUNT];

	return memcmp(c->streams, none, sizeof none) == 0;
}

static inline bool chunk_is_plain(const struct chunk *c)
{
	return c->streams[c->rows->stream] == c->count;
}

bool chunk_may_have(const struct chunk *c, const uint64_t from[STREAM_COUNT])
{
	uint64_t last = chunk_last(c);

	for (size_t s = 0; s < STREAM_COUNT; s++)
		if (c->streams[s] && from[s] <= last)
			return true;
	return false;
}

static size_t chunk_row_of(const struct chunk *c, uint64_t seq)
{
	return seq > c->first ? (size_t)(seq - c->first) : 0;
}

static size_t rows_at(const struct chunk_rows *rows, size_t mark, size_t row)
{
	struct chunk_mark m = rows_mark(rows, mark);

	return m.at + record_rows_skip(rows->data + m.at, rows->len - m.at, row - m.row);
}

/* The row after the last one of this mark. */
static size_t chunk_mark_end(const struct chunk *c, size_t mark)
{
	return mark + 1u < c->rows->mark_count ? c->rows->marks[mark + 1].row : c->count;
}

bool chunk_find(const struct chunk *c, const uint64_t from[STREAM_COUNT], struct chunk_run *ret)
{
	struct chunk_rows *rows = c->rows;
	uint64_t lowest = UINT64_MAX;
	size_t mark;

	if (chunk_is_plain(c)) {
		uint64_t seq = from[rows->stream];
		size_t row = chunk_row_of(c, seq);

		if (seq > chunk_last(c))
			return false;
		mark = row / CHUNK_MARK_ROWS;
		*ret = (struct chunk_run){mark, row, rows_at(rows, mark, row)};
		return true;
	}
	for (size_t s = 0; s < STREAM_COUNT; s++)
		if (c->streams[s] && from[s] < lowest)
			lowest = from[s];
	if (lowest > chunk_last(c))
		return false;
	mark = rows_locate(rows, chunk_row_of(c, lowest));
	for (; mark < rows->mark_count; mark++) {
		struct chunk_mark m = rows_mark(rows, mark);
		size_t row;

		if (from[m.stream] > chunk_last(c))
			continue;
		row = chunk_row_of(c, from[m.stream]);
		row = row > m.row ? row : m.row;
		if (row >= chunk_mark_end(c, mark))
			continue;
		*ret = (struct chunk_run){mark, row, rows_at(rows, mark, row)};
		return true;
	}
	return false;
}

/* Of the rows from run up to the mark end, where those must end that travel together. */
static size_t chunk_cut(const struct chunk *c, const struct chunk_run *run, size_t end,
			size_t *ret_len)
{
	const struct chunk_rows *rows = c->rows;
	size_t lo = run->mark, hi = end, count = 1, len, last, n;

	/* At a mark, if there is one near enough; */
	while (lo + 1 < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (rows->marks[mid].at - run->at <= LIMIT_RECORDS_BATCH)
			lo = mid;
		else
			hi = mid;
	}
	if (lo > run->mark) {
		*ret_len = rows->marks[lo].at - run->at;
		return rows->marks[lo].row - run->row;
	}
	/* or after some of the rows before the next. */
	last = chunk_mark_end(c, run->mark) - run->row;
	len = record_rows_skip(rows->data + run->at, rows->len - run->at, 1);
	for (; count < last; count++, len += n) {
		n = record_rows_skip(rows->data + run->at + len, rows->len - run->at - len, 1);
		if (len + n > LIMIT_RECORDS_BATCH)
			break;
	}
	*ret_len = len;
	return count;
}

size_t chunk_run_count(const struct chunk *c, const struct chunk_run *run, size_t *ret_len)
{
	const struct chunk_rows *rows = c->rows;
	size_t end = rows->mark_count;
	bool last = chunk_is_plain(c);

	if (!last) {
		uint8_t stream = rows_mark(rows, run->mark).stream;

		for (end = run->mark + 1; end < rows->mark_count; end++)
			if (rows->marks[end].stream != stream)
				break;
		last = end == rows->mark_count;
	}
	*ret_len = (last ? rows->len : rows->marks[end].at) - run->at;
	if (*ret_len > LIMIT_RECORDS_BATCH)
		return chunk_cut(c, run, end, ret_len);
	return (last ? c->count : rows->marks[end].row) - run->row;
}

size_t chunk_count(const struct chunk *c, size_t stream, uint64_t after, uint64_t upto)
{
	uint64_t last = chunk_last(c);
	size_t begin, end, count = 0;

	upto = upto < last ? upto : last;
	if (!c->streams[stream] || upto < c->first || after >= upto)
		return 0;
	begin = chunk_row_of(c, after + 1);
	end = (size_t)(upto - c->first + 1);
	if (chunk_is_plain(c))
		return end - begin;
	for (size_t i = rows_locate(c->rows, begin); i < c->rows->mark_count; i++) {
		struct chunk_mark m = rows_mark(c->rows, i);
		size_t from = m.row > begin ? m.row : begin, to = chunk_mark_end(c, i);

		if (m.row >= end)
			break;
		to = to < end ? to : end;
		if (m.stream == stream && to > from)
			count += to - from;
	}
	return count;
}

size_t chunk_unread_most(const struct chunk *c, const uint64_t read[STREAM_COUNT])
{
	uint64_t last = chunk_last(c), least = last;
	size_t sum = 0;

	for (size_t s = 0; s < STREAM_COUNT; s++) {
		uint64_t mark = read[s] > c->first - 1 ? read[s] : c->first - 1;

		if (!c->streams[s] || mark >= last)
			continue;
		least = mark < least ? mark : least;
		sum += last - mark < c->streams[s] ? (size_t)(last - mark) : c->streams[s];
	}
	return last - least < sum ? (size_t)(last - least) : sum;
}

size_t chunk_unread(const struct chunk *c, const uint64_t read[STREAM_COUNT])
{
	size_t sum = 0;

	for (size_t s = 0; s < STREAM_COUNT; s++)
		sum += chunk_count(c, s, read[s], chunk_last(c));
	return sum;
}

void chunk_open_lines(const struct chunk *c, uint64_t ret[STREAM_COUNT])
{
	const struct chunk_rows *rows = c->rows;
	struct record record = {0};
	size_t at = 0;

	memset(ret, 0, STREAM_COUNT * sizeof *ret);
	for (size_t row = 0; row < c->count; row++) {
		at += record_row_get(rows->data + at, rows->len - at, &record);
		if (!(record.flags & RECORD_CONTINUES))
			ret[record.stream] = 0;
		else if (!ret[record.stream])
			ret[record.stream] = c->first + row;
	}
}
