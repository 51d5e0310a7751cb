#include "filter.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "alloc.h"
#include "clock.h"
#include "duration.h"

#define FILTER_NS UINT64_C(1000000000)

static const char *const filter_time_forms[] = {
	"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
	"%Y-%m-%d",	     "%H:%M:%S",	  "%H:%M",
};

/* What may stand behind the seconds: a fraction, and Z for UTC. */
static bool filter_tail(const char *text, uint64_t *ret_ns, bool *ret_utc)
{
	uint64_t unit = FILTER_NS / 10;

	*ret_ns = 0;
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
			*ret_ns += (uint64_t)(*text - '0') * unit;
	*ret_utc = *text == 'Z';
	return text[*ret_utc] == '\0';
}

static bool filter_time_form(const char *text, const char *form, uint64_t *ret_ns)
{
	time_t now = (time_t)(clock_wall_ns() / FILTER_NS);
	struct tm tm;
	const char *end;
	uint64_t ns;
	bool utc;

	/* What a form leaves out is that of today, at midnight. */
	(void)localtime_r(&now, &tm);
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	end = strptime(text, form, &tm);
	if (!end || !filter_tail(end, &ns, &utc))
		return false;
	tm.tm_isdst = -1;
	now = utc ? timegm(&tm) : mktime(&tm);
	if (now < 0)
		return false;
	*ret_ns = (uint64_t)now * FILTER_NS + ns;
	return true;
}

int filter_time(uint64_t *ret_ns, const char *text, const char *what, struct errmsg *msg)
{
	uint64_t v;

	for (size_t i = 0; i < ARRAY_LEN(filter_time_forms); i++)
		if (filter_time_form(text, filter_time_forms[i], ret_ns))
			return 0;
	if (*text == '@' && count_parse(&v, text + 1, 1, INT64_MAX / FILTER_NS, what, NULL) == 0) {
		*ret_ns = v * FILTER_NS;
		return 0;
	}
	if (duration_parse(&v, text, what, NULL) == 0) {
		*ret_ns = clock_wall_ns() - v * (FILTER_NS / 1000);
		return 0;
	}
	return err_set(msg, ERR_SYNTAX,
		       "%s: '%s' is no time (2026-03-01T12:00:00, 12:00, 5m for 5 minutes ago)",
		       what, text);
}

static int filter_fill_more(struct filter_msg *ret, const char *text, struct errmsg *msg)
{
	if (!text)
		return 0;
	if (strcasecmp(text, "true") == 0)
		ret->more = FILTER_MORE_YES;
	else if (strcasecmp(text, "false") == 0)
		ret->more = FILTER_MORE_NO;
	else
		return err_set(msg, ERR_SYNTAX, "--has-more-data: '%s' is neither true nor false",
			       text);
	return 0;
}

int filter_fill(struct filter_msg *ret, const struct filter_values *values, int argc, char **argv,
		struct errmsg *msg)
{
	size_t words = argc > 0 ? (size_t)argc : 0, bytes = 0;
	int rc = filter_fill_more(ret, values->more, msg);

	if (rc == 0 && values->before)
		rc = filter_time(&ret->before_ns, values->before, "--before", msg);
	if (rc == 0 && values->after)
		rc = filter_time(&ret->after_ns, values->after, "--after", msg);
	if (rc == 0 && words + values->selectors.count > CONTROL_IDS_MAX)
		rc = err_set(msg, ERR_LIMIT, "more than %u jobs are named", CONTROL_IDS_MAX);
	if (rc)
		return rc;
	ret->selectors = xcalloc(words + values->selectors.count, sizeof(char *));
	for (size_t i = 0; i < values->selectors.count; i++)
		ret->selectors[ret->selector_count++] =
			(char *)(uintptr_t)values->selectors.at[i]; /* only read */
	for (size_t i = 0; i < words; i++)
		ret->selectors[ret->selector_count++] = argv[i];
	for (size_t i = 0; i < ret->selector_count; i++)
		bytes += strlen(ret->selectors[i]) + 1;
	if (bytes > CONTROL_IDS_BYTES) {
		free(ret->selectors);
		ret->selectors = NULL;
		return err_set(msg, ERR_LIMIT, "the names of jobs are more than %u bytes in all",
			       CONTROL_IDS_BYTES);
	}
	ret->state = (char *)(uintptr_t)values->state;
	ret->command = (char *)(uintptr_t)values->command;
	ret->newest = values->newest;
	ret->all = values->all;
	ret->children = values->children;
	ret->child_state = (char *)(uintptr_t)values->child_state;
	return 0;
}

bool filter_is_empty(const struct filter_msg *filter)
{
	return !filter->selector_count && !filter->state && !filter->command && !filter->more &&
	       !filter->before_ns && !filter->after_ns && !filter->newest;
}
