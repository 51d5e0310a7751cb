#include "fold.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "fold_private.h"

static int fold_group_order(const void *a, const void *b)
{
	const struct fold_group *x = a, *y = b;

	return strcmp(x->pattern, y->pattern);
}

/* The rows of one number each are one set; those without a number are one name. */
static void fold_one_set(struct fold_group *group)
{
	struct fold_num *nums = group->nums;
	size_t kept = 0;
	bool sorted = true;

	group->vec_count = 1;
	group->sets = xcalloc(1, sizeof *group->sets);
	if (!group->dims) {
		group->count = 1;
		return;
	}
	for (size_t i = 1; sorted && i < group->count; i++)
		sorted = fold_num_order(&nums[i - 1], &nums[i]) <= 0;
	if (!sorted)
		qsort(nums, group->count, sizeof *nums, fold_num_order);
	for (size_t i = 0; i < group->count; i++)
		if (!kept || fold_num_order(&nums[kept - 1], &nums[i]) != 0)
			nums[kept++] = nums[i];
	group->count = kept;
	*group->sets = (struct fold_set){nums, kept};
}

struct fold *fold_new(const char *const *names, size_t n)
{
	struct fold *fold = xcalloc(1, sizeof *fold);

	fold_split(fold, names, n);
	if (fold->group_count)
		qsort(fold->groups, fold->group_count, sizeof *fold->groups, fold_group_order);
	for (size_t i = 0; i < fold->group_count; i++) {
		if (fold->groups[i].dims > 1)
			fold_merge(&fold->groups[i]);
		else
			fold_one_set(&fold->groups[i]);
		fold->count += fold->groups[i].count;
	}
	return fold;
}

void fold_free(struct fold *fold)
{
	if (!fold)
		return;
	for (size_t i = 0; i < fold->group_count; i++) {
		free(fold->groups[i].pattern);
		free(fold->groups[i].frame_nums);
		free(fold->groups[i].sets);
	}
	free(fold->groups);
	free(fold->nums);
	free(fold);
}

size_t fold_count(const struct fold *fold)
{
	return fold->count;
}

/* Appends what stands before number i; for i = dims, what stands behind the last. */
static void fold_add_frame(const struct fold_group *group, size_t i, struct buf *out)
{
	const struct fold_num *nums = group->frame_nums;
	size_t from = i ? nums[i - 1].offset + nums[i - 1].len : 0;

	if (i < group->dims)
		buf_add(out, group->frame + from, nums[i].offset - from);
	else
		buf_add_str(out, group->frame + from);
}

/* A set, and the part of it that a walk stands at. */
struct fold_part {
	struct fold_set at;
	struct fold_run run;
};

/* Moves to the next part, or to the first one after the last, and is then false. */
typedef bool fold_turn_fn(const struct fold_set *set, struct fold_part *part);

static void fold_first_number(const struct fold_set *set, struct fold_part *part)
{
	part->at = (struct fold_set){set->nums, 1};
}

static bool fold_turn_number(const struct fold_set *set, struct fold_part *part)
{
	if (++part->at.nums < set->nums + set->len)
		return true;
	fold_first_number(set, part);
	return false;
}

static bool fold_turn_run(const struct fold_set *set, struct fold_part *part)
{
	bool more = part->run.set && fold_run_next(&part->run);

	if (!more) {
		part->run = (struct fold_run){.set = set};
		(void)fold_run_next(&part->run);
	}
	part->at = (struct fold_set){set->nums + part->run.from, part->run.to - part->run.from};
	return more;
}

/* Appends one name, or one folded text, of a row of sets. */
static void fold_add_row(const struct fold_group *group, const struct fold_part *parts,
			 double autostep, struct buf *out)
{
	for (size_t i = 0; i < group->dims; i++) {
		fold_add_frame(group, i, out);
		fold_set_print(&parts[i].at, autostep, out);
	}
	fold_add_frame(group, group->dims, out);
}

static bool fold_is_axis(const struct fold_how *how, size_t dim, size_t dims)
{
	for (size_t i = 0; i < how->axis_count; i++) {
		long axis = how->axes[i];

		if (axis > 0 ? (size_t)axis == dim + 1 : axis < 0 && dim == dims - (size_t)-axis)
			return true;
	}
	return !how->axis_count;
}

/* Folds along some numbers alone: the others are written one by one, the first running fastest. */
static void fold_print_axes(const struct fold_group *group, const struct fold_set *sets,
			    const struct fold_how *how, struct buf *out)
{
	struct fold_part parts[FOLD_DIMS_MAX];
	size_t turning;

	for (size_t i = 0; i < group->dims; i++) {
		parts[i].at = sets[i];
		if (!fold_is_axis(how, i, group->dims))
			fold_first_number(&sets[i], &parts[i]);
	}
	do {
		buf_add_char(out, ',');
		fold_add_row(group, parts, how->autostep, out);
		for (turning = 0; turning < group->dims; turning++) {
			if (fold_is_axis(how, turning, group->dims))
				continue;
			if (fold_turn_number(&sets[turning], &parts[turning]))
				break;
		}
	} while (turning < group->dims);
}

void fold_print(const struct fold *fold, const struct fold_how *how, struct buf *out)
{
	static const struct fold_how plain = {0};
	struct buf text = {0};

	if (!how)
		how = &plain;
	for (size_t i = 0; i < fold->group_count; i++) {
		const struct fold_group *group = &fold->groups[i];

		for (size_t v = 0; v < group->vec_count; v++)
			fold_print_axes(group, group->sets + v * group->dims, how, &text);
	}
	if (text.len) /* a ',' stands before each, the first too */
		buf_add(out, text.data + 1, text.len - 1);
	buf_done(&text);
}

typedef void fold_walk_fn(const struct fold_group *group, const struct fold_set *sets, void *arg);

/* Calls fn for every combination of parts; the last number runs fastest. */
static void fold_walk(const struct fold_group *group, const struct fold_set *sets,
		      fold_turn_fn *turn, fold_walk_fn *fn, void *arg)
{
	struct fold_part parts[FOLD_DIMS_MAX];
	struct fold_set at[FOLD_DIMS_MAX];
	size_t turning;

	for (size_t i = 0; i < group->dims; i++) {
		parts[i] = (struct fold_part){{sets[i].nums + sets[i].len - 1, 1}, {0}};
		(void)turn(&sets[i], &parts[i]);
		at[i] = parts[i].at;
	}
	do {
		fn(group, at, arg);
		for (turning = group->dims; turning; turning--) {
			size_t i = turning - 1;
			bool more = turn(&sets[i], &parts[i]);

			at[i] = parts[i].at;
			if (more)
				break;
		}
	} while (turning);
}

static void fold_add_name(const struct fold_group *group, const struct fold_set *sets, void *arg)
{
	struct buf *out = arg;

	for (size_t i = 0; i < group->dims; i++) {
		fold_add_frame(group, i, out);
		buf_add(out, sets[i].nums->digits, sets[i].nums->len);
	}
	fold_add_frame(group, group->dims, out);
	buf_add_char(out, '\0');
}

void fold_expand(const struct fold *fold, struct buf *out)
{
	for (size_t i = 0; i < fold->group_count; i++) {
		const struct fold_group *group = &fold->groups[i];

		for (size_t v = 0; v < group->vec_count; v++)
			fold_walk(group, group->sets + v * group->dims, fold_turn_number,
				  fold_add_name, out);
	}
}

/* Who wants the parts. */
struct fold_parts {
	fold_part_fn *fn;
	void *arg;
};

static void fold_give_part(const struct fold_group *group, const struct fold_set *runs, void *arg)
{
	const struct fold_parts *to = arg;
	struct buf text = {0};
	size_t n = 1;

	for (size_t i = 0; i < group->dims; i++)
		n *= runs[i].len;
	fold_walk(group, runs, fold_turn_number, fold_add_name, &text);
	to->fn(to->arg, &text, n);
	buf_done(&text);
}

void fold_contiguous(const struct fold *fold, fold_part_fn *fn, void *arg)
{
	struct fold_parts to = {fn, arg};

	for (size_t i = 0; i < fold->group_count; i++) {
		const struct fold_group *group = &fold->groups[i];

		for (size_t v = 0; v < group->vec_count; v++)
			fold_walk(group, group->sets + v * group->dims, fold_turn_run,
				  fold_give_part, &to);
	}
}

char *fold_names(const char *const *names, size_t n)
{
	struct fold *fold = fold_new(names, n);
	struct buf out = {0};

	fold_print(fold, NULL, &out);
	fold_free(fold);
	return buf_take_str(&out);
}
