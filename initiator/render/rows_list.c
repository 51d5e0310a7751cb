/* A job with every property, one a line. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "escape.h"
#include "rows_private.h"

#define ROWS_LIST_NAME "%-11s :" /* HasMoreData is the longest */

static void rows_list_text(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, ROWS_LIST_NAME, name);
	if (text && *text) {
		buf_add_char(out, ' ');
		escape_display(out, text, strlen(text));
	}
	buf_add_char(out, '\n');
}

static void rows_list_number(struct buf *out, const char *name, uint64_t v, bool present)
{
	buf_addf(out, ROWS_LIST_NAME, name);
	if (present)
		buf_addf(out, " %" PRIu64, v);
	buf_add_char(out, '\n');
}

static void rows_list_time(struct buf *out, const char *name, uint64_t wall_ns)
{
	char text[CLOCK_RFC3339_SIZE];

	rows_list_text(out, name, wall_ns ? clock_rfc3339(text, wall_ns) : NULL);
}

/* Milliseconds, and the larger units from the first on that is not zero: "2m03.250s". */
static void rows_list_duration(struct buf *out, uint64_t begin_ns, uint64_t end_ns)
{
	/* The wall clock may have been set back in between. */
	uint64_t ms = end_ns > begin_ns ? (end_ns - begin_ns) / 1000000 : 0;
	uint64_t s = ms / 1000, m = s / 60, h = m / 60;

	buf_addf(out, ROWS_LIST_NAME, "Duration");
	ms %= 1000;
	if (!begin_ns || !end_ns)
		; /* nothing to tell */
	else if (h)
		buf_addf(out, " %" PRIu64 "h%02um%02u.%03us", h, (unsigned)(m % 60),
			 (unsigned)(s % 60), (unsigned)ms);
	else if (m)
		buf_addf(out, " %um%02u.%03us", (unsigned)m, (unsigned)(s % 60), (unsigned)ms);
	else
		buf_addf(out, " %u.%03us", (unsigned)s, (unsigned)ms);
	buf_add_char(out, '\n');
}

static void rows_list_children(struct buf *out, const uint64_t *ids, size_t count)
{
	buf_addf(out, ROWS_LIST_NAME, "ChildJobs");
	for (size_t i = 0, n; i < count; i += n) {
		for (n = 1; i + n < count && ids[i + n] && ids[i + n] - 1 == ids[i + n - 1];)
			n++;
		buf_addf(out, "%s%" PRIu64, i ? "," : " ", ids[i]);
		if (n > 1)
			buf_addf(out, "-%" PRIu64, ids[i + n - 1]);
	}
	buf_add_char(out, '\n');
}

void rows_put_list(struct buf *out, const struct row_view *row)
{
	char *cause = rows_cause(row);

	rows_list_number(out, "Id", row->id, true);
	rows_list_number(out, "ParentId", row->parent_id, row->parent_id != 0);
	rows_list_text(out, "Name", row->name);
	rows_list_text(out, "Type", row->type);
	rows_list_text(out, "State", row->state);
	rows_list_text(out, "Progress", row->progress);
	rows_list_text(out, "HasMoreData", row->has_more_data ? "True" : "False");
	rows_list_text(out, "Location", row->location);
	rows_list_text(out, "Command", row->command);
	rows_list_children(out, row->children, row->child_count);
	rows_list_text(out, "Cause", cause);
	rows_list_number(out, "ExitCode", (uint64_t)row->exit_code, row->exit_code >= 0);
	rows_list_text(out, "Signal", row->signal);
	rows_list_time(out, "Begin", row->begin_ns);
	rows_list_time(out, "End", row->end_ns);
	rows_list_duration(out, row->begin_ns, row->end_ns);
	rows_list_text(out, "InstanceId", row->instance_id);
	free(cause);
}
