/* From names to groups: which numbers a name has, and which names have the same around them. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "fold_private.h"
#include "hostlist_private.h"

#define FOLD_NONE SIZE_MAX

/* A name in pieces. */
struct fold_name {
	const char *text;
	size_t first; /* its numbers, in the array of all */
	size_t dims;
	size_t group;
};

/* One splitting. */
struct fold_splitter {
	struct fold *fold;
	struct fold_name *names;
	struct fold_num *nums;
	size_t num_count, num_size;
	size_t *slots; /* of a hash table: group + 1; 0: free */
	size_t slot_count;
	size_t group_size;
};

static bool fold_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int fold_num_order(const void *a, const void *b)
{
	const struct fold_num *x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return (x->value > y->value) - (x->value < y->value);
}

void fold_span(const char *text, size_t *ret_from, size_t *ret_to)
{
	const char *at = strrchr(text, '@'), *host = at ? at + 1 : text;
	const char *colon = strchr(host, ':');
	size_t n = colon ? (size_t)(colon - host) : strlen(host);

	*ret_from = *ret_to = (size_t)(host - text);
	if (colon && strchr(colon + 1, ':'))
		return;
	if (n <= LIMIT_HOST_NAME && name_bad_at(host, n) == n && !memchr(host, '%', n))
		*ret_to = *ret_from + n;
}

static struct fold_num *fold_num_room(struct fold_splitter *s)
{
	if (s->num_count == s->num_size) {
		s->num_size = s->num_size ? s->num_size * 2 : 64;
		s->nums = xrealloc(s->nums, s->num_size, sizeof *s->nums);
	}
	return &s->nums[s->num_count];
}

/* Adds the numbers of a name that brackets can hold; of many, the last ones. */
static void fold_scan(struct fold_splitter *s, struct fold_name *name)
{
	size_t at, to;

	name->first = s->num_count;
	fold_span(name->text, &at, &to);
	while (at < to) {
		struct fold_num num = {.digits = name->text + at, .offset = (uint32_t)at};

		if (!fold_is_digit(name->text[at])) {
			at++;
			continue;
		}
		for (; at < to && fold_is_digit(name->text[at]); at++)
			if (num.value <= RANGE_NUMBER_MAX)
				num.value = num.value * 10 + (uint64_t)(name->text[at] - '0');
		num.len = (uint32_t)(at - num.offset);
		if (num.value > RANGE_NUMBER_MAX)
			continue;
		*fold_num_room(s) = num;
		s->num_count++;
	}
	name->dims = s->num_count - name->first;
	if (name->dims > FOLD_DIMS_MAX) {
		name->first += name->dims - FOLD_DIMS_MAX;
		name->dims = FOLD_DIMS_MAX;
	}
}

/* Calls for each piece of a name that is no number of its. */
struct fold_piece {
	const char *at;
	size_t len;
};

static struct fold_piece fold_piece(const char *text, const struct fold_num *nums, size_t dims,
				    size_t i)
{
	size_t from = i ? nums[i - 1].offset + nums[i - 1].len : 0;
	size_t to = i < dims ? nums[i].offset : from + strlen(text + from);

	return (struct fold_piece){text + from, to - from};
}

static bool fold_same_frame(const struct fold_group *group, const struct fold_name *name,
			    const struct fold_num *nums)
{
	if (group->dims != name->dims)
		return false;
	for (size_t i = 0; i <= name->dims; i++) {
		struct fold_piece a = fold_piece(group->frame, group->frame_nums, name->dims, i);
		struct fold_piece b = fold_piece(name->text, nums, name->dims, i);

		if (a.len != b.len || memcmp(a.at, b.at, a.len) != 0)
			return false;
	}
	return true;
}

/* FNV-1a. Names that collide cost time, not correctness. */
static size_t fold_frame_hash(const struct fold_name *name, const struct fold_num *nums)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i <= name->dims; i++) {
		struct fold_piece piece = fold_piece(name->text, nums, name->dims, i);

		for (size_t k = 0; k < piece.len; k++)
			hash = (hash ^ (uint8_t)piece.at[k]) * UINT64_C(0x100000001b3);
		hash = (hash ^ 0x100) * UINT64_C(0x100000001b3);
	}
	return (size_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 20);
}

static char *fold_pattern(const struct fold_name *name, const struct fold_num *nums)
{
	struct buf out = {0};

	for (size_t i = 0; i <= name->dims; i++) {
		struct fold_piece piece = fold_piece(name->text, nums, name->dims, i);

		if (i)
			buf_add_str(&out, "%s");
		buf_add(&out, piece.at, piece.len);
	}
	return buf_take_str(&out);
}

static size_t fold_group_new(struct fold_splitter *s, const struct fold_name *name,
			     struct fold_num *nums)
{
	struct fold *fold = s->fold;

	if (fold->group_count == s->group_size) {
		s->group_size = s->group_size ? s->group_size * 2 : 16;
		fold->groups = xrealloc(fold->groups, s->group_size, sizeof *fold->groups);
	}
	fold->groups[fold->group_count] = (struct fold_group){
		.frame = name->text,
		.frame_nums = nums,
		.pattern = fold_pattern(name, nums),
		.dims = name->dims,
	};
	return fold->group_count++;
}

/* The group of a name; hint: that of the one before, which it often is. */
static size_t fold_group_find(struct fold_splitter *s, const struct fold_name *name, size_t hint)
{
	struct fold_num *nums = name->dims ? s->nums + name->first : NULL;
	size_t mask = s->slot_count - 1;

	if (hint != FOLD_NONE && fold_same_frame(&s->fold->groups[hint], name, nums))
		return hint;
	for (size_t i = fold_frame_hash(name, nums) & mask;; i = (i + 1) & mask) {
		if (!s->slots[i]) {
			size_t group = fold_group_new(s, name, nums);

			s->slots[i] = group + 1;
			return group;
		}
		if (fold_same_frame(&s->fold->groups[s->slots[i] - 1], name, nums))
			return s->slots[i] - 1;
	}
}

/* Puts the numbers of each group side by side. */
static void fold_rows(struct fold_splitter *s, size_t n)
{
	struct fold *fold = s->fold;
	struct fold_num *next = xcalloc(s->num_count + 1, sizeof *next);

	fold->nums = next;
	for (size_t i = 0; i < n; i++)
		fold->groups[s->names[i].group].count++;
	for (size_t i = 0; i < fold->group_count; i++) {
		struct fold_group *group = &fold->groups[i];

		group->nums = next;
		next += group->count * group->dims;
		group->count = 0;
	}
	for (size_t i = 0; i < n; i++) {
		const struct fold_name *name = &s->names[i];
		struct fold_group *group = &fold->groups[name->group];

		if (name->dims)
			memcpy(group->nums + group->count * group->dims, s->nums + name->first,
			       name->dims * sizeof *next);
		group->count++;
	}
}

void fold_split(struct fold *fold, const char *const *names, size_t n)
{
	struct fold_splitter s = {.fold = fold, .names = xcalloc(n + 1, sizeof *s.names)};
	size_t hint = FOLD_NONE;

	for (s.slot_count = 16; s.slot_count < n * 2;)
		s.slot_count *= 2;
	s.slots = xcalloc(s.slot_count, sizeof *s.slots);
	for (size_t i = 0; i < n; i++) {
		s.names[i].text = names[i];
		fold_scan(&s, &s.names[i]);
	}
	for (size_t i = 0; i < n; i++)
		hint = s.names[i].group = fold_group_find(&s, &s.names[i], hint);
	fold_rows(&s, n);
	/* What lends the frame of a group lives on in a row of it, moved or not. */
	for (size_t i = 0; i < fold->group_count; i++) {
		struct fold_group *group = &fold->groups[i];
		struct fold_num *own = xcalloc(group->dims + 1, sizeof *own);

		if (group->dims)
			memcpy(own, group->frame_nums, group->dims * sizeof *own);
		group->frame_nums = own;
	}
	free(s.slots);
	free(s.names);
	free(s.nums);
}
