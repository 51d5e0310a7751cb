#include "fanout.h"

void fanout_init(struct fanout *f, size_t count, size_t limit)
{
	*f = (struct fanout){.end = count, .limit = limit};
}

void fanout_set_limit(struct fanout *f, size_t limit)
{
	f->limit = limit;
}

void fanout_set_end(struct fanout *f, size_t end)
{
	f->end = end;
}

bool fanout_is_free(const struct fanout *f)
{
	return f->used < f->limit;
}

bool fanout_next(struct fanout *f, size_t *ret_index)
{
	if (!fanout_is_free(f) || f->next >= f->end)
		return false;
	*ret_index = f->next++;
	return true;
}

void fanout_take(struct fanout *f)
{
	f->used++;
}

void fanout_release(struct fanout *f)
{
	f->used--;
}
