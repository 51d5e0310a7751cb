#include "copy_set.h"

#include <stdlib.h>

#include "alloc.h"

void copy_set_done(struct copy_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		copy_free(set->copies[i]);
	free(set->copies);
}

struct copy *copy_set_find(const struct copy_set *set, uint64_t task)
{
	for (size_t i = 0; i < set->count; i++)
		if (copy_task(set->copies[i]) == task)
			return set->copies[i];
	return NULL;
}

void copy_set_add(struct copy_set *set, struct copy *copy)
{
	set->copies = xrealloc(set->copies, set->count + 1, sizeof *set->copies);
	set->copies[set->count++] = copy;
}

void copy_set_drop_ended(struct copy_set *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		if (copy_is_over(set->copies[i]))
			copy_free(set->copies[i]);
		else
			set->copies[kept++] = set->copies[i];
	}
	set->count = kept;
}

void copy_set_poll(const struct copy_set *set, struct pollset *polls, int first)
{
	for (size_t i = 0; i < set->count; i++)
		copy_poll(set->copies[i], polls, first + 2 * (int)i);
}

void copy_set_on_ready(const struct copy_set *set, int number)
{
	copy_on_ready(set->copies[number / 2], number % 2);
}

int copy_set_message(const struct copy_set *set, const struct frame *frame, struct errmsg *msg)
{
	struct task_detach_msg m; /* the first field alone, as every message of a task has it */
	struct copy *copy;
	int rc = task_detach_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	copy = copy_set_find(set, m.task);
	return copy ? copy_message(copy, frame, msg) : 0;
}
