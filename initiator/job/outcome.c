#include "outcome.h"

#include <string.h>

#include "alloc.h"

struct cause_row {
	const char *text;
	int status;
};

static const struct cause_row cause_rows[] = {
#define CAUSE_ROW(name, text, status) [CAUSE_##name] = {text, status},
#include "cause.def"
#undef CAUSE_ROW
};

_Static_assert(ARRAY_LEN(cause_rows) == CAUSE_COUNT, "a row for each cause");

const char *cause_name(enum cause cause)
{
	return (unsigned)cause < CAUSE_COUNT ? cause_rows[cause].text : "?";
}

bool cause_find(const char *name, enum cause *ret)
{
	for (unsigned i = 0; i < CAUSE_COUNT; i++)
		if (strcmp(cause_rows[i].text, name) == 0) {
			*ret = (enum cause)i;
			return true;
		}
	return false;
}

bool outcome_is_success(const struct outcome *o)
{
	return o->cause == CAUSE_EXITED && o->exit_code == 0;
}

int outcome_exit_status(const struct outcome *o)
{
	if (outcome_is_success(o))
		return 0;
	/* Time that ran out before the command ran says that the computer was not reached. */
	if (o->cause == CAUSE_TIMEOUT && !o->began)
		return 4;
	return (unsigned)o->cause < CAUSE_COUNT ? cause_rows[o->cause].status : 1;
}
