#include "submit_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "ask.h"
#include "exit.h"
#include "job_rows.h"

static void submit_send_targets(const struct submit *submit, submit_fn *send, void *arg)
{
	const struct hostlist *hosts = submit->hosts;
	struct job_target targets[CONTROL_TARGETS_BATCH];
	size_t done = 0;

	while (done < hostlist_count(hosts)) {
		struct job_targets_msg m = {.targets = targets};
		struct buf body = {0};

		for (; m.count < CONTROL_TARGETS_BATCH && done < hostlist_count(hosts); done++) {
			const struct host *h = hostlist_at(hosts, done);

			if (submit->pick && !submit->pick[done])
				continue;
			targets[m.count++] = (struct job_target){
				.host = h->label,
				.hostname = h->address ? h->address : h->name,
				.user = h->user ? h->user : (char *)(uintptr_t)submit->user,
				.port = h->port};
		}
		if (!m.count)
			return;
		job_targets_put(&body, &m);
		send(arg, MSG_JOB_TARGETS, &body);
	}
}

static void submit_send_secret(const struct submit *submit, submit_fn *send, void *arg)
{
	struct job_secret_msg m = {.password = (char *)(uintptr_t)submit->password,
				   .login = (char *)(uintptr_t)submit->login}; /* only read */
	struct buf body = {0};

	(void)buf_room(&body, 3 * CONTROL_PASSWORD_MAX); /* must not move: no copies */
	job_secret_put(&body, &m);
	send(arg, MSG_JOB_SECRET, &body);
}

void submit_send(const struct submit *submit, submit_fn *send, void *arg)
{
	struct job_open_msg m = *submit->open;
	struct buf body = {0};

	m.agent_socket = getenv("SSH_AUTH_SOCK");
	m.home = getenv("HOME");
	job_open_put(&body, &m);
	send(arg, MSG_JOB_OPEN, &body);
	if (submit->password || submit->login)
		submit_send_secret(submit, send, arg);
	if (submit->hosts)
		submit_send_targets(submit, send, arg);
}

const char **submit_labels(const struct submit *submit, size_t *ret_count)
{
	size_t count = submit->hosts ? hostlist_count(submit->hosts) : submit->label_count;
	const char **labels = xcalloc(count, sizeof(char *));

	for (size_t i = 0; i < count; i++)
		labels[i] =
			submit->hosts ? hostlist_at(submit->hosts, i)->label : submit->labels[i];
	*ret_count = count;
	return labels;
}

void submit_run(submit_fn *send, void *arg)
{
	struct buf body = {0};

	send(arg, MSG_JOB_RUN, &body);
}

void submit_piece(struct control *control, const void *data, size_t len, bool end)
{
	struct job_stdin_msg m = {.data = (uint8_t *)(uintptr_t)data, .len = len, .end = end};
	struct buf body = {0};

	job_stdin_put(&body, &m);
	control_send(control, MSG_JOB_STDIN, &body);
}

struct submit_answer {
	const struct submit *submit;
	struct control *control;
	struct input *input;
	struct job_rows *rows;
	bool input_failed;
	bool quiet;
};

static void submit_by_control(void *arg, enum message_type type, struct buf *body)
{
	control_send(arg, type, body);
}

/* --- input: all of it before JOB_RUN, as we do not stay ------------------------------------- */

static void submit_on_piece(void *arg, const void *data, size_t len, bool end)
{
	struct submit_answer *answer = arg;

	submit_piece(answer->control, data, len, end);
	if (end)
		submit_run(submit_by_control, answer->control);
}

static bool submit_is_full(void *arg)
{
	return control_is_full(((struct submit_answer *)arg)->control);
}

static void submit_on_input_failed(void *arg, const char *text)
{
	struct submit_answer *answer = arg;

	answer->input_failed = true;
	/* Without JOB_RUN the daemon forgets the job. */
	control_drop(answer->control, text);
}

static void submit_on_room(void *arg)
{
	input_room(((struct submit_answer *)arg)->input);
}

static void submit_on_open(void *arg, struct loop *loop, struct control *control)
{
	static const struct input_events events = {submit_on_piece, submit_is_full,
						   submit_on_input_failed};
	struct submit_answer *answer = arg;
	const struct submit *submit = answer->submit;

	answer->control = control;
	submit_send(submit, submit_by_control, control);
	if (!submit->open->stdin_follows) {
		submit_run(submit_by_control, control);
		return;
	}
	answer->input = input_new(loop, submit->stdin_fd, submit->stdin_name, &events, answer);
	control_on_room(control, submit_on_room, answer);
}

static void submit_on_close(void *arg)
{
	input_free(((struct submit_answer *)arg)->input);
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
	       const struct submit *submit)
{
	static const struct ask_calls calls = {submit_on_open, submit_on_message, submit_on_close};
	struct submit_answer answer = {.submit = submit, .quiet = globals->quiet};
	struct errmsg msg;
	int status;

	if (job_rows_new(&answer.rows, globals->output, &msg) != 0)
		return cmd_usage(cmd, "%s", msg.text);
	status = ask_with(cmd, globals, CONTROL_START, &calls, &answer);
	if (answer.input_failed)
		status = EXIT_USAGE;
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

static void submit_display_word(struct buf *text, const char *word, bool as_it_is)
{
	if (text->len)
		buf_add_char(text, ' ');
	if (as_it_is || submit_is_plain(word, text->len == 0)) {
		buf_add_str(text, word);
		return;
	}
	buf_add_char(text, '\'');
	for (const char *c = word; *c; c++)
		if (*c == '\'')
			buf_add_str(text, "'\\''");
		else
			buf_add_char(text, *c);
	buf_add_char(text, '\'');
}

char *submit_display(const char *const *argv, size_t argc, bool shell)
{
	struct buf text = {0};

	for (size_t i = 0; i < argc; i++)
		submit_display_word(&text, argv[i], shell);
	return buf_take_str(&text);
}
