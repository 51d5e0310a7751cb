/*
 * Folding in several numbers: rows of single numbers are merged, two that differ in one place into
 * one, until no two do. First only neighbours are tried, in an order in which most meet; then all.
 * The order of the rows, and which of several partners is taken, are those of nodeset.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "alloc.h"
#include "fold_private.h"

#define MERGE_NONE SIZE_MAX
/* What all passes over one group may cost: then rows stay as they are, which is right, but long. */
#define MERGE_WORK_MAX (UINT64_C(1) << 29)

/* A set that grows: a chain of cells. */
struct merge_set {
	size_t head, tail;
	size_t len;
	const struct fold_num *min, *max;
	uint64_t hash; /* the sum of those of its numbers */
};

struct merge_cell {
	const struct fold_num *num;
	size_t next;
};

struct merge_row {
	struct merge_set *sets; /* dims */
	size_t size;		/* names: the product */
	size_t order;		/* before the last sorting, so that this is stable */
	uint64_t hash;		/* of all sets */
	bool gone;
	size_t dims;
};

/* The rows by what they have in all places but one. */
struct merge_key {
	uint64_t hash;
	size_t row;
};

struct merge {
	size_t dims;
	struct merge_row *rows;
	size_t count;
	struct merge_cell *cells; /* one a number of a row */
	struct merge_set *sets;
	struct merge_key *keys; /* dims times count, sorted each; of a full pass */
	size_t *alive;		/* of each key: itself, or a later one to look at instead */
	uint64_t seed;
	uint64_t work;
};

static uint64_t merge_mix(uint64_t v)
{
	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

static uint64_t merge_num_hash(const struct merge *m, const struct fold_num *num)
{
	return merge_mix(merge_mix(num->value + m->seed) + num->len);
}

/* What a set in place dim adds to the hash of its row. */
static uint64_t merge_set_hash(const struct merge *m, size_t dim, const struct merge_set *set)
{
	return merge_mix(set->hash + m->seed * (dim + 1));
}

static bool merge_same(const struct merge_set *a, const struct merge_set *b)
{
	return a->hash == b->hash && a->len == b->len && fold_num_order(a->min, b->min) == 0 &&
	       fold_num_order(a->max, b->max) == 0;
}

static int merge_text_order(const struct fold_num *a, const struct fold_num *b)
{
	int order = memcmp(a->digits, b->digits, a->len < b->len ? a->len : b->len);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* Larger rows first, then those with more in an earlier place, then by the text of the numbers. */
static int merge_order(const void *a, const void *b)
{
	const struct merge_row *x = a, *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	for (size_t i = 0; i < x->dims; i++) {
		const struct merge_set *s = &x->sets[i], *t = &y->sets[i];
		int order = (s->len < t->len) - (s->len > t->len);

		if (!order)
			order = merge_text_order(s->min, t->min);
		if (!order)
			order = merge_text_order(s->max, t->max);
		if (order)
			return order;
	}
	return (x->order > y->order) - (x->order < y->order);
}

static void merge_sort(struct merge *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->count; i++)
		if (!m->rows[i].gone)
			m->rows[kept++] = m->rows[i];
	m->count = kept;
	for (size_t i = 0; i < m->count; i++)
		m->rows[i].order = i;
	qsort(m->rows, m->count, sizeof *m->rows, merge_order);
}

/* The only place in which two rows differ, or MERGE_NONE. */
static size_t merge_place(const struct merge *m, const struct merge_row *a,
			  const struct merge_row *b)
{
	size_t place = MERGE_NONE;

	for (size_t i = 0; i < m->dims; i++) {
		if (merge_same(&a->sets[i], &b->sets[i]))
			continue;
		if (place != MERGE_NONE)
			return MERGE_NONE;
		place = i;
	}
	return place;
}

/* Moves what b has in that place to a; b is then gone. */
static void merge_join(struct merge *m, struct merge_row *a, struct merge_row *b, size_t place)
{
	struct merge_set *to = &a->sets[place], *from = &b->sets[place];

	a->hash -= merge_set_hash(m, place, to);
	a->size += b->size;
	m->cells[to->tail].next = from->head;
	to->tail = from->tail;
	to->len += from->len;
	to->hash += from->hash;
	if (fold_num_order(from->min, to->min) < 0)
		to->min = from->min;
	if (fold_num_order(from->max, to->max) > 0)
		to->max = from->max;
	a->hash += merge_set_hash(m, place, to);
	b->gone = true;
}

/* Joins each row with those right behind it. */
static bool merge_neighbours(struct merge *m)
{
	bool changed = false;

	for (size_t i = 0, j; i < m->count; i = j) {
		for (j = i + 1; j < m->count; j++) {
			size_t place = merge_place(m, &m->rows[i], &m->rows[j]);

			if (place == MERGE_NONE)
				break;
			merge_join(m, &m->rows[i], &m->rows[j], place);
			changed = true;
		}
	}
	return changed;
}

static int merge_key_order(const void *a, const void *b)
{
	const struct merge_key *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

static void merge_index(struct merge *m)
{
	for (size_t dim = 0; dim < m->dims; dim++) {
		struct merge_key *keys = m->keys + dim * m->count;

		for (size_t i = 0; i < m->count; i++) {
			const struct merge_row *row = &m->rows[i];
			uint64_t own = merge_set_hash(m, dim, &row->sets[dim]);

			keys[i] = (struct merge_key){row->hash - own, i};
			m->alive[dim * m->count + i] = i;
		}
		qsort(keys, m->count, sizeof *keys, merge_key_order);
	}
}

/* The first key from at on whose row is not gone; m->count: none. Shortens the way for others. */
static size_t merge_alive(struct merge *m, size_t dim, size_t at)
{
	const struct merge_key *keys = m->keys + dim * m->count;
	size_t *alive = m->alive + dim * m->count, end = at;

	while (end < m->count && m->rows[keys[end].row].gone)
		end = alive[end] > end ? alive[end] : end + 1;
	while (at < end) {
		size_t next = alive[at] > at ? alive[at] : at + 1;

		alive[at] = end;
		at = next;
	}
	return end;
}

/* The first row after after that a joins with in that place, or MERGE_NONE. */
static size_t merge_partner(struct merge *m, const struct merge_row *a, size_t dim, size_t after)
{
	const struct merge_key *keys = m->keys + dim * m->count;
	struct merge_key want = {a->hash - merge_set_hash(m, dim, &a->sets[dim]), after + 1};
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (merge_key_order(&keys[middle], &want) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	low = merge_alive(m, dim, low);
	return low < m->count && keys[low].hash == want.hash ? keys[low].row : MERGE_NONE;
}

/* Joins each row with any behind it. */
static bool merge_all(struct merge *m)
{
	bool changed = false;

	merge_index(m);
	for (size_t i = 0; i < m->count; i++) {
		struct merge_row *a = &m->rows[i];
		size_t at = i;

		while (!a->gone) {
			size_t best = MERGE_NONE;

			for (size_t dim = 0; dim < m->dims; dim++) {
				size_t row = merge_partner(m, a, dim, at);

				best = row < best ? row : best;
			}
			if (best == MERGE_NONE)
				break;
			at = best;
			if (merge_place(m, a, &m->rows[at]) == MERGE_NONE)
				continue;
			merge_join(m, a, &m->rows[at], merge_place(m, a, &m->rows[at]));
			changed = true;
		}
	}
	return changed;
}

static bool merge_may_go_on(struct merge *m)
{
	size_t digits = 1;

	for (size_t n = m->count; n; n /= 2)
		digits++;
	m->work += m->count * (uint64_t)(m->dims * digits);
	return m->work < MERGE_WORK_MAX;
}

static void merge_run(struct merge *m)
{
	bool full = false, changed = true;

	while (changed && merge_may_go_on(m)) {
		merge_sort(m);
		changed = full ? merge_all(m) : merge_neighbours(m);
		if (!changed && !full)
			changed = full = true;
	}
	merge_sort(m);
}

static int merge_num_row_order(const struct fold_num *a, const struct fold_num *b, size_t dims)
{
	int order = 0;

	for (size_t i = 0; !order && i < dims; i++)
		order = fold_num_order(&a[i], &b[i]);
	return order;
}

/* A name, by its row of numbers. */
struct merge_name {
	const struct fold_num *nums;
	size_t dims;
};

static int merge_name_order(const void *a, const void *b)
{
	const struct merge_name *x = a, *y = b;

	return merge_num_row_order(x->nums, y->nums, x->dims);
}

/* One row for each name; those that are there twice, once. */
static void merge_start(struct merge *m, const struct fold_group *group, struct merge_name *names)
{
	for (size_t i = 0; i < group->count; i++)
		names[i] = (struct merge_name){group->nums + i * m->dims, m->dims};
	qsort(names, group->count, sizeof *names, merge_name_order);
	for (size_t i = 0; i < group->count; i++) {
		struct merge_row row = {.size = 1, .dims = m->dims};

		if (i && merge_name_order(&names[i - 1], &names[i]) == 0)
			continue;
		row.sets = m->sets + m->count * m->dims;
		for (size_t dim = 0; dim < m->dims; dim++) {
			const struct fold_num *num = names[i].nums + dim;
			size_t cell = m->count * m->dims + dim;

			m->cells[cell] = (struct merge_cell){num, MERGE_NONE};
			row.sets[dim] =
				(struct merge_set){cell, cell, 1, num, num, merge_num_hash(m, num)};
			row.hash += merge_set_hash(m, dim, &row.sets[dim]);
		}
		m->rows[m->count++] = row;
	}
}

/* Hands the rows to the group. */
static void merge_end(const struct merge *m, struct fold_group *group, size_t names)
{
	struct fold_num *nums = xcalloc(names * m->dims, sizeof *nums), *next = nums;

	group->vec_count = m->count;
	group->sets = xcalloc(m->count * m->dims, sizeof *group->sets);
	for (size_t i = 0; i < m->count * m->dims; i++) {
		const struct merge_set *from = &m->rows[i / m->dims].sets[i % m->dims];
		struct fold_set *to = &group->sets[i];

		to->nums = next;
		for (size_t cell = from->head; cell != MERGE_NONE; cell = m->cells[cell].next)
			to->nums[to->len++] = *m->cells[cell].num;
		qsort(to->nums, to->len, sizeof *to->nums, fold_num_order);
		next += to->len;
	}
	memcpy(group->nums, nums, (size_t)(next - nums) * sizeof *nums);
	for (size_t i = 0; i < m->count * m->dims; i++)
		group->sets[i].nums = group->nums + (group->sets[i].nums - nums);
	group->count = names;
	free(nums);
}

void fold_merge(struct fold_group *group)
{
	struct merge m = {.dims = group->dims, .seed = (uint64_t)(uintptr_t)&m};
	struct merge_name *names = xcalloc(group->count, sizeof *names);
	size_t count;

	/* A kernel that has just booted has no random bytes: then the address of the stack does. */
	(void)!getrandom(&m.seed, sizeof m.seed, GRND_NONBLOCK);
	m.rows = xcalloc(group->count, sizeof *m.rows);
	m.sets = xcalloc(group->count * m.dims, sizeof *m.sets);
	m.cells = xcalloc(group->count * m.dims, sizeof *m.cells);
	m.keys = xcalloc(group->count * m.dims, sizeof *m.keys);
	m.alive = xcalloc(group->count * m.dims, sizeof *m.alive);
	merge_start(&m, group, names);
	count = m.count;
	merge_run(&m);
	merge_end(&m, group, count);
	free(m.alive);
	free(m.keys);
	free(m.cells);
	free(m.sets);
	free(m.rows);
	free(names);
}
