/* muster get: the jobs that the daemon holds. */
#include <stdlib.h>

#include "alloc.h"
#include "ask.h"
#include "cmd.h"
#include "control_msg.h"
#include "exit.h"
#include "filter.h"
#include "job_rows.h"

struct get_values {
	struct cmd_globals globals;
	struct filter_values filter;
};

struct get_answer {
	struct get_msg m;
	struct job_rows *rows;
	bool complete;
};

static void get_send(void *arg, struct control *control)
{
	struct get_answer *answer = arg;
	struct buf body = {0};

	get_put(&body, &answer->m);
	control_send(control, MSG_GET, &body);
}

static int get_on_message(void *arg, uint8_t type, const void *body, size_t len, int *status,
			  struct errmsg *msg)
{
	struct get_answer *answer = arg;
	struct get_row_msg row;
	int rc;

	(void)status;
	if (type == MSG_GET_END) {
		answer->complete = true;
		return ASK_DONE;
	}
	if (type != MSG_GET_ROW)
		return err_set(msg, ERR_PROTO, "message %u is not expected here", type);
	rc = get_row_get(&row, body, len, msg);
	if (rc)
		return rc;
	job_rows_add(answer->rows, &row);
	get_row_done(&row);
	return ASK_MORE;
}

static int get_cmd_run(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	struct get_values *v = arg;
	struct get_answer answer = {0};
	struct errmsg msg;
	int status;

	if (job_rows_new(&answer.rows, v->globals.output, &msg) != 0 ||
	    filter_fill(&answer.m.filter, &v->filter, argc, argv, &msg) != 0) {
		job_rows_free(answer.rows);
		return cmd_usage(cmd, "%s", msg.text);
	}
	status = ask(cmd, &v->globals, CONTROL_START, get_send, get_on_message, &answer);
	if (answer.complete)
		status = exit_worse(status, job_rows_print(answer.rows));
	job_rows_free(answer.rows);
	free(answer.m.filter.selectors);
	return status;
}

#define VALUE(field) offsetof(struct get_values, field)
static const struct option_row get_rows[] = {
	FILTER_ROWS(VALUE(filter)),
	{"has-more-data", 0, OPTION_TEXT, VALUE(filter.more), "true|false",
	 "with results that have not been received, or without"},
	{"before", 0, OPTION_TEXT, VALUE(filter.before), "TIME",
	 "ended before: 2026-03-01T12:00:00, 12:00, 5m (ago)"},
	{"after", 0, OPTION_TEXT, VALUE(filter.after), "TIME", "ended after"},
	{"newest", 0, OPTION_COUNT, VALUE(filter.newest), "N", "only those N that ended last"},
	{"include-child-jobs", 'c', OPTION_FLAG, VALUE(filter.children), NULL,
	 "the child jobs, one for each host, beside their parents"},
	{"child-job-state", 0, OPTION_TEXT, VALUE(filter.child_state), "STATE",
	 "the child jobs in this state beside their parents"},
	{"all", 'a', OPTION_FLAG, VALUE(filter.all), NULL,
	 "synchronous invokes too, of which the last 100 are kept"},
};

const struct cmd cmd_get = {
	.name = "get",
	.synopsis = "[OPTION...] [JOB...]",
	.summary = "List jobs",
	.text = "JOB: an id, a name, an instance id, or a wildcard such as 'web*'; without one, "
		"all.\n"
		"--output: " ROWS_NAMES "\n",
	.options = get_rows,
	.option_count = ARRAY_LEN(get_rows),
	.values_size = sizeof(struct get_values),
	.run = get_cmd_run,
};
