#include "fanout.h"

void fanout_init(struct fanout *f, size_t count, size_t limit)
{
	*f = (struct fanout){.count = count, .limit = limit};
}

void fanout_set_limit(struct fanout *f, size_t limit)
{
	f->limit = limit;
}

bool fanout_next(struct fanout *f, size_t *ret_index)
{
	if (f->used >= f->limit || f->next >= f->count)
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
