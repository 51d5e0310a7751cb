/* Names that are in order already: what the most common expressions make, as web[1-50000]. */
#include <string.h>

#include "fold_private.h"
#include "hostlist_private.h"

/* The one number of a name, and what stands around it. */
struct fold_frame {
	size_t at;
	size_t room; /* for digits, so that the name is not too long to be folded */
	const char *behind;
	struct fold_num num; /* of the last one that was seen */
};

/* Reads a number of max digits at most. False: there is none, or it is too large to be folded. */
static bool fold_frame_number(struct fold_num *num, const char *at, size_t max)
{
	*num = (struct fold_num){.digits = at};
	while (num->len < max && at[num->len] >= '0' && at[num->len] <= '9') {
		num->value = num->value * 10 + (uint64_t)(at[num->len++] - '0');
		if (num->value > RANGE_NUMBER_MAX)
			return false;
	}
	return num->len > 0;
}

/* False: there is not just one number that may be folded. */
static bool fold_frame_find(struct fold_frame *frame, const char *name)
{
	static const char digits[] = "0123456789";
	size_t from, to;

	fold_span(name, &from, &to);
	frame->at = from + strcspn(name + from, digits);
	if (frame->at >= to || !fold_frame_number(&frame->num, name + frame->at, to - frame->at))
		return false;
	frame->room = LIMIT_HOST_NAME - (to - from - frame->num.len);
	frame->behind = name + frame->at + frame->num.len;
	return frame->behind + strcspn(frame->behind, digits) >= name + to;
}

bool fold_is_sorted(const char *const *names, size_t n)
{
	struct fold_frame frame;

	if (n < 2)
		return true;
	if (!fold_frame_find(&frame, names[0]))
		return false;
	for (size_t i = 1; i < n; i++) {
		struct fold_num num;

		if (strncmp(names[i], names[0], frame.at) != 0 ||
		    !fold_frame_number(&num, names[i] + frame.at, frame.room) ||
		    strcmp(num.digits + num.len, frame.behind) != 0 ||
		    fold_num_order(&frame.num, &num) >= 0)
			return false;
		frame.num = num;
	}
	return true;
}
