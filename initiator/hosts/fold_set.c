/* Sets of numbers: runs, steps, and the text of both. */
#include "fold_private.h"

static bool fold_is_padded(const struct fold_num *num)
{
	return num->len > 1 && num->digits[0] == '0';
}

/*
 * True if a run may go on with number i. 9,10 may and 09,10 may, but 99,100 may not where 99 counts
 * as padded: that is what nodeset does, and both texts mean the same.
 */
static bool fold_run_goes_on(const struct fold_run *run, size_t i)
{
	const struct fold_num *last = &run->set->nums[i - 1], *next = &run->set->nums[i];

	return next->len == last->len || (!fold_is_padded(next) && !run->padded);
}

bool fold_run_next(struct fold_run *run)
{
	const struct fold_num *nums = run->set->nums;
	size_t i = run->from = run->to;

	if (i == run->set->len)
		return false;
	if (!i || nums[i].len != nums[i - 1].len)
		run->padded = false;
	run->padded |= fold_is_padded(&nums[i]);
	run->step = run->autostep > 0 && !run->adjacent ? 0 : 1;
	for (i++; i < run->set->len && fold_run_goes_on(run, i); i++) {
		uint64_t distance = nums[i].value - nums[i - 1].value;

		if (run->step && distance != run->step)
			break;
		run->step = distance;
	}
	run->adjacent = false;
	if (i == run->from + 1 || (run->step != 1 && (double)(i - run->from) < run->autostep)) {
		/* Too few for a step: the last one may begin a better run. */
		run->to = i == run->from + 1 || i == run->set->len ? i : i - 1;
		run->step = 0;
		return true;
	}
	if (run->step > 1 && i < run->set->len)
		run->adjacent = nums[i].value - nums[i - 1].value == 1;
	run->padded = false;
	run->to = i;
	return true;
}

static void fold_add_num(const struct fold_num *num, struct buf *out)
{
	buf_add(out, num->digits, num->len);
}

/* Appends the numbers of a run: 1-3, 1-9/2, or 1,5. */
static void fold_run_print(const struct fold_run *run, struct buf *out)
{
	const struct fold_num *nums = run->set->nums;

	fold_add_num(&nums[run->from], out);
	if (run->step) {
		buf_add_char(out, '-');
		fold_add_num(&nums[run->to - 1], out);
	}
	if (run->step > 1)
		buf_addf(out, "/%llu", (unsigned long long)run->step);
	for (size_t i = run->from + 1; !run->step && i < run->to; i++) {
		buf_add_char(out, ',');
		fold_add_num(&nums[i], out);
	}
}

void fold_set_print(const struct fold_set *set, double autostep, struct buf *out)
{
	struct fold_run run = {.set = set, .autostep = autostep};

	if (set->len > 1)
		buf_add_char(out, '[');
	while (fold_run_next(&run)) {
		if (run.from)
			buf_add_char(out, ',');
		fold_run_print(&run, out);
	}
	if (set->len > 1)
		buf_add_char(out, ']');
}
