/* muster wait, stop, remove, suspend, resume, set: one request, six words for it. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "ask.h"
#include "cmd.h"
#include "control_msg.h"
#include "exit.h"
#include "filter.h"
#include "job_rows.h"

struct do_values {
	struct cmd_globals globals;
	struct filter_values filter;
	const char *until;
	struct option_wait timeout;
	uint64_t throttle;
	bool any;
	bool force;
	bool pass_thru;
};

struct doing_answer {
	struct doing_msg m;
	struct job_rows *rows; /* NULL: not shown */
	bool complete;	       /* the answer came to its end */
	bool verdict;	       /* the ends of the jobs are our exit status */
};

static void do_send(void *arg, struct control *control)
{
	struct doing_answer *answer = arg;
	struct buf body = {0};

	doing_put(&body, &answer->m);
	control_send(control, MSG_DO, &body);
}

static int do_on_message(void *arg, uint8_t type, const void *body, size_t len, int *status,
			 struct errmsg *msg)
{
	struct doing_answer *answer = arg;
	struct get_end_msg end;
	struct get_row_msg row;
	int rc;

	if (type == MSG_GET_ROW) {
		rc = get_row_get(&row, body, len, msg);
		if (rc)
			return rc;
		if (answer->rows)
			job_rows_add(answer->rows, &row);
		if (answer->verdict)
			*status = exit_worse(*status, (int)row.exit_status);
		get_row_done(&row);
		return ASK_MORE;
	}
	if (type != MSG_GET_END)
		return err_set(msg, ERR_PROTO, "message %u is not expected here", type);
	rc = get_end_get(&end, body, len, msg);
	if (rc)
		return rc;
	answer->complete = true;
	if (end.timed_out)
		*status = exit_worse(*status, EXIT_STOPPED);
	return ASK_DONE;
}

static int do_run(const struct cmd *cmd, const struct do_values *v, int argc, char **argv,
		  enum do_verb verb)
{
	bool show = verb == DO_WAIT || v->pass_thru;
	struct doing_answer answer = {.m = {.verb = verb,
					    .force = v->force,
					    .any = v->any,
					    .until = (char *)(uintptr_t)v->until,
					    .timeout_ms = v->timeout.ms,
					    .once = v->timeout.given && !v->timeout.ms,
					    .throttle = v->throttle},
				      .verdict = verb == DO_WAIT};
	struct errmsg msg;
	int status;

	if (show && job_rows_new(&answer.rows, v->globals.output, &msg) != 0)
		return cmd_usage(cmd, "%s", msg.text);
	if (filter_fill(&answer.m.filter, &v->filter, argc, argv, &msg) != 0) {
		job_rows_free(answer.rows);
		return cmd_usage(cmd, "%s", msg.text);
	}
	status = filter_is_empty(&answer.m.filter)
			 ? cmd_usage(cmd, "which jobs? (ID, NAME, wildcard; '*' for all)")
			 : ask(cmd, &v->globals, CONTROL_START, do_send, do_on_message, &answer);
	if (answer.rows && answer.complete)
		status = exit_worse(status, job_rows_print(answer.rows));
	job_rows_free(answer.rows);
	free(answer.m.filter.selectors);
	return status;
}

static int do_cmd_wait(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	return do_run(cmd, arg, argc, argv, DO_WAIT);
}

static int do_cmd_stop(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	return do_run(cmd, arg, argc, argv, DO_STOP);
}

static int do_cmd_remove(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	return do_run(cmd, arg, argc, argv, DO_REMOVE);
}

static int do_cmd_suspend(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	return do_run(cmd, arg, argc, argv, DO_SUSPEND);
}

static int do_cmd_resume(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	return do_run(cmd, arg, argc, argv, DO_RESUME);
}

static int do_cmd_set(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	const struct do_values *v = arg;

	if (!v->throttle)
		return cmd_usage(cmd, "nothing to set: --throttle-limit N");
	return do_run(cmd, v, argc, argv, DO_SET);
}

#define VALUE(field) offsetof(struct do_values, field)
#define SELECT_ROWS  FILTER_ROWS(VALUE(filter))
#define PASS_THRU_ROW                                                \
	{                                                            \
		"pass-thru", 0, OPTION_FLAG, VALUE(pass_thru), NULL, \
			"show what it acted on, as get does"         \
	}

static const struct option_row wait_rows[] = {
	SELECT_ROWS,
	{"any", 0, OPTION_FLAG, VALUE(any), NULL, "until one of them has ended, and show that one"},
	{"timeout", 't', OPTION_WAIT, VALUE(timeout), "TIME",
	 "at most so long (30, 90s, 5m; 0 looks once): then show\nwhat has ended, exit status 3"},
	{"until", 0, OPTION_TEXT, VALUE(until), "STATE", "for this state, or the end"},
	{"force", 0, OPTION_FLAG, VALUE(force), NULL,
	 "do not take Suspended or Disconnected for an end"},
};

static const struct option_row stop_rows[] = {SELECT_ROWS, PASS_THRU_ROW};

static const struct option_row remove_rows[] = {
	SELECT_ROWS,
	{"force", 0, OPTION_FLAG, VALUE(force), NULL, "stop unfinished ones first"},
};

static const struct option_row set_rows[] = {
	SELECT_ROWS,
	{"throttle-limit", 'f', OPTION_COUNT, VALUE(throttle), "N",
	 "so many hosts at once from now on"},
	PASS_THRU_ROW,
};

#define DO_CMD(word, what, more, row_list)                                                      \
	{                                                                                       \
		.name = #word, .synopsis = "[OPTION...] JOB...", .summary = what, .text = more, \
		.options = row_list, .option_count = ARRAY_LEN(row_list),                       \
		.values_size = sizeof(struct do_values), .run = do_cmd_##word,                  \
	}
#define DO_JOBS "JOB: an id, a name, an instance id, or a wildcard such as 'web*'.\n"

const struct cmd cmd_wait = DO_CMD(
	wait, "Wait until jobs have ended",
	DO_JOBS "The exit status tells how they ended, as invoke's does.\n--output: " ROWS_NAMES
		"\n",
	wait_rows);
const struct cmd cmd_stop = DO_CMD(
	stop, "Stop jobs: end what they run, keep what they have brought", DO_JOBS, stop_rows);
const struct cmd cmd_remove =
	DO_CMD(remove, "Remove finished jobs with their results", DO_JOBS, remove_rows);
const struct cmd cmd_suspend =
	DO_CMD(suspend, "Halt the processes of running jobs", DO_JOBS, stop_rows);
const struct cmd cmd_resume = DO_CMD(resume, "Let suspended jobs go on", DO_JOBS, stop_rows);
const struct cmd cmd_set = DO_CMD(
	set, "Change the throttle limit of jobs that run",
	DO_JOBS "More hosts begin at once if it is raised; if it is lowered, nothing ends.\n",
	set_rows);
