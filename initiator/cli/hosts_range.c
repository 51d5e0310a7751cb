#include "hosts_range.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "hosts_view.h"

#define HOSTS_NUMBER_MAX 1000000000000L
#define HOSTS_STEP_MIN	 2 /* numbers that make a step */
#define HOSTS_STEP_AUTO	 3 /* as clush and nodeset have it for auto */

/* FIRST, FIRST-LAST or FIRST-LAST/STEP. */
struct hosts_range {
	long first, last, step;
};

static bool hosts_number(const char **p, bool negative, long *ret)
{
	char *end;

	if (!(**p >= '0' && **p <= '9') &&
	    !(negative && **p == '-' && (*p)[1] >= '0' && (*p)[1] <= '9'))
		return false;
	errno = 0;
	*ret = strtol(*p, &end, 10);
	if (errno || *ret > HOSTS_NUMBER_MAX || *ret < -HOSTS_NUMBER_MAX)
		return false;
	*p = end;
	return true;
}

/* Reads one range, and the ',' behind it. */
static int hosts_range_next(const char **p, const char *option, bool negative,
			    struct hosts_range *ret, struct errmsg *msg)
{
	const char *start = *p;
	bool ok = hosts_number(p, negative, &ret->first);

	ret->last = ret->first;
	ret->step = 1;
	if (ok && **p == '-') {
		++*p;
		ok = hosts_number(p, false, &ret->last);
		if (ok && **p == '/') {
			++*p;
			ok = hosts_number(p, false, &ret->step);
		}
	}
	if (!ok || (**p && (**p != ',' || !(*p)[1])))
		return err_set(msg, ERR_SYNTAX,
			       "%s: '%s' is no range of numbers; write it as in 0-4/2,9", option,
			       start);
	if (ret->last < ret->first)
		return err_set(msg, ERR_RANGE, "%s: the range %ld-%ld runs downwards", option,
			       ret->first, ret->last);
	if (ret->step < 1)
		return err_set(msg, ERR_RANGE, "%s: a step of 0 never ends; write 1 or more",
			       option);
	*p += **p == ',';
	return 0;
}

int hosts_slice(const char **names, size_t *count, const char *text, struct errmsg *msg)
{
	bool *wanted = xcalloc(*count + 1, sizeof *wanted);
	size_t kept = 0;
	int rc = 0;

	do {
		struct hosts_range range;

		rc = hosts_range_next(&text, "--slice", false, &range, msg);
		for (long i = range.first; !rc && i <= range.last && (size_t)i < *count;
		     i += range.step)
			wanted[i] = true;
	} while (!rc && *text);
	for (size_t i = 0; !rc && i < *count; i++)
		if (wanted[i])
			names[kept++] = names[i];
	if (!rc)
		*count = kept;
	free(wanted);
	return rc;
}

int hosts_view_axes(struct hosts_view *view, const char *text, struct errmsg *msg)
{
	do {
		struct hosts_range range;
		int rc = hosts_range_next(&text, "--axis", true, &range, msg);

		if (rc)
			return rc;
		for (long i = range.first; i <= range.last; i += range.step) {
			if (view->axis_count == HOSTS_AXES_MAX)
				return err_set(msg, ERR_LIMIT,
					       "--axis: more than %u numbers; a name has fewer",
					       HOSTS_AXES_MAX);
			view->axes[view->axis_count++] = i;
		}
	} while (*text);
	return 0;
}

int hosts_view_autostep(struct hosts_view *view, const char *text, struct errmsg *msg)
{
	const char *p = text;
	long number;

	if (strcmp(text, "auto") == 0) {
		view->autostep = -1;
		view->autostep_min = HOSTS_STEP_AUTO;
		return 0;
	}
	if (!hosts_number(&p, false, &number) || (*p && strcmp(p, "%") != 0))
		return err_set(
			msg, ERR_SYNTAX,
			"--autostep: '%s' is neither a number, as 3, nor a share of all names,"
			" as 50%%, nor 'auto'",
			text);
	if (*p ? number < 1 || number > 100 : number < 2)
		return err_set(
			msg, ERR_RANGE,
			"--autostep: '%s': at least 2 numbers make a step; a share is from 1%% "
			"to 100%%",
			text);
	view->autostep = *p ? (double)-number / 100 : (double)number;
	view->autostep_min = HOSTS_STEP_MIN;
	return 0;
}
