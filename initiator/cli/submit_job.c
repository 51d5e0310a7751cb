#include "submit_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "ask.h"
#include "exit.h"
#include "job_rows.h"

static void submit_send_targets(const struct hostlist *hosts, submit_fn *send, void *arg)
{
	struct job_target targets[CONTROL_TARGETS_BATCH];
	size_t done = 0;

	while (done < hostlist_count(hosts)) {
		struct job_targets_msg m = {.targets = targets};
		struct buf body = {0};

		for (; m.count < CONTROL_TARGETS_BATCH && done < hostlist_count(hosts);
		     m.count++, done++) {
			const struct host *h = hostlist_at(hosts, done);

			targets[m.count] = (struct job_target){.host = h->label,
							       .hostname = h->name,
							       .user = h->user,
							       .port = h->port};
		}
		job_targets_put(&body, &m);
		send(arg, MSG_JOB_TARGETS, &body);
	}
}

void submit_send(const struct job_open_msg *open, const struct hostlist *hosts, submit_fn *send,
		 void *arg)
{
	struct job_open_msg m = *open;
	struct buf body = {0};

	m.agent_socket = getenv("SSH_AUTH_SOCK");
	m.home = getenv("HOME");
	job_open_put(&body, &m);
	send(arg, MSG_JOB_OPEN, &body);
	if (hosts)
		submit_send_targets(hosts, send, arg);
	send(arg, MSG_JOB_RUN, &body);
}

struct submit_answer {
	const struct job_open_msg *open;
	const struct hostlist *hosts;
	struct job_rows *rows;
	bool quiet;
};

static void submit_by_control(void *arg, enum message_type type, struct buf *body)
{
	control_send(arg, type, body);
}

static void submit_on_open(void *arg, struct control *control)
{
	struct submit_answer *answer = arg;

	submit_send(answer->open, answer->hosts, submit_by_control, control);
}

static int submit_on_message(void *arg, uint8_t type, const void *body, size_t len, int *status,
			     struct errmsg *msg)
{
	struct submit_answer *answer = arg;
	struct get_row_msg row;
	int rc;

	if (type == MSG_JOB_ACCEPTED)
		return ASK_MORE;
	if (type != MSG_GET_ROW)
		return err_set(msg, ERR_PROTO, "message %u is not expected here", type);
	rc = get_row_get(&row, body, len, msg);
	if (rc)
		return rc;
	if (answer->quiet) {
		printf("%llu\n", (unsigned long long)row.id);
	} else {
		job_rows_add(answer->rows, &row);
		*status = job_rows_print(answer->rows);
	}
	get_row_done(&row);
	return ASK_DONE;
}

int submit_job(const struct cmd *cmd, const struct cmd_globals *globals,
	       const struct job_open_msg *open, const struct hostlist *hosts)
{
	struct submit_answer answer = {.open = open, .hosts = hosts, .quiet = globals->quiet};
	struct errmsg msg;
	int status;

	if (job_rows_new(&answer.rows, globals->output, &msg) != 0)
		return cmd_usage(cmd, "%s", msg.text);
	status = ask(cmd, globals, CONTROL_START, submit_on_open, submit_on_message, &answer);
	job_rows_free(answer.rows);
	return status;
}

/* What is no ASCII means nothing to a shell. */
static bool submit_is_plain(const char *word, bool first)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789%+,-./:@_";

	if (!*word)
		return false;
	for (; *word; word++)
		/* VAR=value in front would be no command. */
		if ((unsigned char)*word < 0x80 && !strchr(plain, *word) && (*word != '=' || first))
			return false;
	return true;
}

char *submit_display(const char *const *argv, size_t argc, bool shell)
{
	struct buf text = {0};

	for (size_t i = 0; i < argc; i++) {
		if (i)
			buf_add_char(&text, ' ');
		if (shell || submit_is_plain(argv[i], i == 0)) {
			buf_add_str(&text, argv[i]);
			continue;
		}
		buf_add_char(&text, '\'');
		for (const char *c = argv[i]; *c; c++)
			if (*c == '\'')
				buf_add_str(&text, "'\\''");
			else
				buf_add_char(&text, *c);
		buf_add_char(&text, '\'');
	}
	return buf_take_str(&text);
}
