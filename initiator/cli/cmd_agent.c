/* muster agent: the agents that hosts keep for the next start. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent_rows.h"
#include "alloc.h"
#include "ask.h"
#include "board.h"
#include "cmd.h"
#include "connect.h"
#include "escape.h"
#include "exit.h"
#include "fold.h"
#include "login.h"
#include "secret.h"
#include "submit_job.h"
#include "targets.h"

struct agent_values {
	struct cmd_globals globals;
	struct option_texts hosts;
	struct option_texts exclude;
	uint64_t throttle;
	uint64_t connect_timeout_ms;
	bool allow_empty;
	struct login_values login;
	struct connect_values connect;
};

static const struct {
	const char *name;
	enum job_builtin builtin;
	const char *display;
} agent_verbs[] = {
	{"get", JOB_AGENT_LIST, "muster agent get"},
	{"push", JOB_AGENT_PUSH, "muster agent push"},
	{"remove", JOB_AGENT_REMOVE, "muster agent remove"},
};

struct agent_run {
	struct submit submit;
	const char **labels;
	bool *completed;
	size_t count;
	uint64_t job;
	uint64_t first_child;
	struct board *board;
	struct agent_rows *rows;
	struct errmsg *msg; /* of the message under way */
	bool ended;
};

static void agent_by_control(void *arg, enum message_type type, struct buf *body)
{
	control_send(arg, type, body);
}

static void agent_send(void *arg, struct control *control)
{
	struct agent_run *run = arg;

	submit_send(&run->submit, agent_by_control, control);
	submit_run(agent_by_control, control);
}

static int agent_on_accepted(struct agent_run *run, const void *body, size_t len,
			     struct errmsg *msg)
{
	struct job_accepted_msg m;
	int rc = job_accepted_get(&m, body, len, msg);

	if (rc)
		return rc;
	run->job = m.job;
	run->first_child = m.first_child;
	job_accepted_done(&m);
	return ASK_MORE;
}

static int agent_on_child(struct agent_run *run, const void *body, size_t len, struct errmsg *msg)
{
	struct child_state_msg m;
	int rc = child_state_get(&m, body, len, msg);
	size_t i;

	if (rc)
		return rc;
	i = (size_t)(m.child - run->first_child);
	if (m.child < run->first_child || i >= run->count) {
		rc = err_set(msg, ERR_PROTO, "state of an unknown child");
	} else {
		board_child(run->board, i, &m);
		run->completed[i] = m.finished && !m.exit_status;
		rc = ASK_MORE;
	}
	child_state_done(&m);
	return rc;
}

static int agent_on_record(void *arg, uint64_t child, uint64_t seq, const struct record *record)
{
	struct agent_run *run = arg;
	struct format_record r = {.job = run->job,
				  .child = child,
				  .stream = record_stream_name(record->stream),
				  .seq = seq,
				  .time_ns = record->time_ns};
	size_t i = (size_t)(child - run->first_child);

	if (child < run->first_child || i >= run->count)
		return err_set(run->msg, ERR_PROTO, "records of an unknown child");
	r.host = run->labels[i];
	if (record->is_typed)
		return 0;
	if (record->stream == STREAM_OUTPUT)
		agent_rows_add(run->rows, r, (const char *)record->value, record->len);
	else
		(void)cmd_error(0, "%s: %.*s", r.host, (int)record->len,
				(const char *)record->value);
	return 0;
}

static int agent_on_message(void *arg, uint8_t type, const void *body, size_t len, int *status,
			    struct errmsg *msg)
{
	struct agent_run *run = arg;
	int rc;

	(void)status;
	switch (type) {
	case MSG_JOB_ACCEPTED:
		return agent_on_accepted(run, body, len, msg);
	case MSG_CHILD_STATE:
		return agent_on_child(run, body, len, msg);
	case MSG_RECORDS:
		run->msg = msg;
		rc = records_get(body, len, agent_on_record, run, msg);
		return rc < 0 ? rc : ASK_MORE;
	case MSG_JOB_END:
		run->ended = true;
		return ASK_DONE;
	default:
		return err_set(msg, ERR_PROTO, "message %u is not expected here", type);
	}
}

/* "web[1-3]: the agent is there": of hosts that said nothing else. */
static int agent_print_pushed(const struct agent_run *run)
{
	const char **names = xcalloc(run->count, sizeof(char *));
	struct buf text = {0};
	size_t n = 0;
	char *folded;

	for (size_t i = 0; i < run->count; i++)
		if (run->completed[i])
			names[n++] = run->labels[i];
	folded = fold_names(names, n);
	if (n) {
		escape_display(&text, folded, strlen(folded));
		buf_add_str(&text, ": the agent is there\n");
	}
	free(folded);
	free(names);
	return cmd_print(&text);
}

static int agent_finish(struct agent_run *run, const struct agent_values *v, int status)
{
	struct buf verdict = {0};

	if (run->submit.open->builtin == JOB_AGENT_PUSH && !v->globals.output &&
	    !agent_rows_count(run->rows))
		status = exit_worse(status, agent_print_pushed(run));
	else
		status = exit_worse(status, agent_rows_print(run->rows));
	board_verdict(run->board, &verdict);
	if (verdict.len && !v->globals.quiet)
		(void)cmd_error(0, "%s", buf_cstr(&verdict));
	buf_done(&verdict);
	return exit_worse(status, board_exit_status(run->board));
}

static int agent_run(const struct cmd *cmd, const struct agent_values *v,
		     const struct hostlist *hosts, const struct job_open_msg *open,
		     const char *login)
{
	struct render_style style = {.labels = true,
				     .colour = cmd_colour(&v->globals, STDOUT_FILENO),
				     .escape = isatty(STDOUT_FILENO) == 1};
	struct agent_run run = {.submit = {.open = open,
					   .hosts = hosts,
					   .login = login,
					   .user = v->login.user,
					   .stdin_fd = -1},
				.count = hostlist_count(hosts)};
	int status;

	run.labels = xcalloc(run.count, sizeof(char *));
	run.completed = xcalloc(run.count, sizeof(bool));
	for (size_t i = 0; i < run.count; i++)
		run.labels[i] = hostlist_at(hosts, i)->label;
	run.board = board_new(NULL, NULL, run.labels, run.count, false, false);
	run.rows = agent_rows_new(
		v->globals.output ? format_find(v->globals.output) : &format_table, &style);
	status = ask(cmd, &v->globals, CONTROL_START, agent_send, agent_on_message, &run);
	/* Otherwise there was no daemon, or it refused: that has been said. */
	if (run.ended)
		status = agent_finish(&run, v, status);
	agent_rows_free(run.rows);
	board_free(run.board);
	free(run.completed);
	free(run.labels);
	return status;
}

static int agent_builtin(const struct cmd *cmd, int argc, char **argv, struct job_open_msg *open)
{
	for (size_t i = 0; argc == 1 && i < ARRAY_LEN(agent_verbs); i++)
		if (strcmp(agent_verbs[i].name, argv[0]) == 0) {
			open->builtin = agent_verbs[i].builtin;
			open->display = (char *)(uintptr_t)agent_verbs[i].display;
			return EXIT_OK;
		}
	return cmd_usage(cmd, "one word is needed: get, push or remove");
}

static int agent_cmd_run(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	struct agent_values *v = arg;
	const struct config *config = v->globals.config;
	struct job_open_msg open = {
		.throttle =
			v->throttle ? v->throttle : config_get(config, CONFIG_THROTTLE_LIMIT, 0),
		.connect_timeout_ms = v->connect_timeout_ms
					      ? v->connect_timeout_ms
					      : config_get(config, CONFIG_CONNECT_TIMEOUT, 0),
	};
	struct hostlist *hosts = NULL;
	struct errmsg msg;
	char *login = NULL;
	int status = agent_builtin(cmd, argc, argv, &open);

	if (status == EXIT_OK && connect_fill(&open, &v->connect, config, &msg) != 0)
		status = cmd_usage(cmd, "%s", msg.text);
	if (status == EXIT_OK)
		status = targets_begin(&hosts, cmd, &v->globals, &v->hosts, &v->exclude,
				       v->allow_empty, &v->login);
	if (status == EXIT_OK)
		status = cmd_ssh_config(cmd, v->globals.ssh_config, &open.ssh_config);
	if (status == EXIT_OK && login_password(&login, &v->login, &msg) != 0)
		status = cmd_usage(cmd, "%s", msg.text);
	if (status == EXIT_OK && hostlist_count(hosts))
		status = agent_run(cmd, v, hosts, &open, login);
	secret_free(login);
	free(open.ssh_config);
	connect_done(&open);
	hostlist_free(hosts);
	return status;
}

#define VALUE(field) offsetof(struct agent_values, field)
static const struct option_row agent_options[] = {
	TARGETS_ROWS(hosts, exclude),
	{"throttle-limit", 'f', OPTION_COUNT, VALUE(throttle), "N", "so many hosts at once (64)"},
	{"connect-timeout", 't', OPTION_DURATION, VALUE(connect_timeout_ms), "TIME",
	 "name lookup, connect and key exchange together"},
	CONNECT_SSH_ROWS(connect),
	{"allow-empty", 0, OPTION_FLAG, VALUE(allow_empty), NULL, "no host at all is no error"},
	LOGIN_ROWS(login),
};

const struct cmd cmd_agent = {
	.name = "agent",
	.synopsis = "get|push|remove -H EXPR [OPTION...]",
	.summary = "See, bring and remove the agents that hosts keep",
	.text = "get: the agents that each host keeps, and where. push: bring the agent now, so "
		"that\nthe first job has not to. remove: remove them all. Without push, a host "
		"gets the\nagent with the first job that needs it.\n--output: " FORMAT_NAMES "\n",
	.options = agent_options,
	.option_count = ARRAY_LEN(agent_options),
	.values_size = sizeof(struct agent_values),
	.run = agent_cmd_run,
};
