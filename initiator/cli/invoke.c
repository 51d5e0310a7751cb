#include "invoke.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "answering.h"
#include "board.h"
#include "cmd.h"
#include "control.h"
#include "control_msg.h"
#include "exit.h"
#include "interrupts.h"
#include "out.h"
#include "submit_job.h"
#include "view.h"

/* After an interrupt, for what is written last. */
#define INVOKE_LEAVE_MS 1000u

struct invoke {
	const struct invoke_options *options;
	struct loop *loop;
	struct control *control;
	struct out *out;
	struct board *board;
	struct view *view;
	struct input *input; /* --stdin; NULL: none */
	struct answering answering;
	const char **labels;
	size_t count;
	struct interrupts interrupts;
	uint64_t job; /* 0: not accepted so far */
	uint64_t first_child;
	bool stopping;
	bool interrupted;
	bool ended;
	bool out_failed;
	int status; /* what is not the children's: EXIT_OK so far */
};

/* A line of muster's own on stderr. */
static void invoke_say(struct invoke *iv, struct buf *text)
{
	struct buf line = {0};

	buf_add_str(&line, "muster: ");
	buf_add(&line, text->data, text->len);
	buf_add_char(&line, '\n');
	buf_done(text);
	view_flush(iv->view);
	board_hide(iv->board);
	out_add(iv->out, STDERR_FILENO, &line);
}

static void invoke_fail(struct invoke *iv, int status, const char *text)
{
	struct buf say = {0};

	buf_add_str(&say, text);
	invoke_say(iv, &say);
	iv->status = exit_worse(iv->status, status);
	if (status == EXIT_NO_DAEMON || status == EXIT_USAGE)
		iv->status = status;
	iv->ended = true;
	loop_stop(iv->loop);
}

static void invoke_stop_job(struct invoke *iv)
{
	struct job_stop_msg m = {.job = iv->job};
	struct buf body = {0};

	if (iv->stopping)
		return;
	iv->stopping = true;
	if (!iv->job) {
		/* Nothing runs yet; when we leave, the daemon forgets it. */
		iv->ended = true;
		loop_stop(iv->loop);
		return;
	}
	job_stop_put(&body, &m);
	control_send(iv->control, MSG_JOB_STOP, &body);
}

/* --- messages ------------------------------------------------------------------------------ */

static int invoke_on_accepted(struct invoke *iv, const void *body, size_t len, struct errmsg *msg)
{
	struct job_accepted_msg m;
	int rc = job_accepted_get(&m, body, len, msg);

	if (rc)
		return rc;
	iv->job = m.job;
	iv->first_child = m.first_child;
	for (size_t i = 0; i < iv->count; i++)
		view_add_source(iv->view, m.first_child + i, m.job, iv->labels[i]);
	job_accepted_done(&m);
	return 0;
}

static int invoke_on_child(struct invoke *iv, const void *body, size_t len, struct errmsg *msg)
{
	struct child_state_msg m;
	int rc = child_state_get(&m, body, len, msg);

	if (rc)
		return rc;
	if (m.child < iv->first_child || m.child - iv->first_child >= iv->count)
		rc = err_set(msg, ERR_PROTO, "state of an unknown child");
	else
		board_child(iv->board, (size_t)(m.child - iv->first_child), &m);
	child_state_done(&m);
	return rc;
}

static int invoke_on_error(struct invoke *iv, const void *body, size_t len, struct errmsg *msg)
{
	struct error_msg m;
	int rc = error_get(&m, body, len, msg), status;

	if (rc)
		return rc;
	if (m.code == ERR_CLOSED)
		status = EXIT_NO_DAEMON; /* it was told to end meanwhile */
	else
		status = iv->job ? EXIT_INTERNAL : EXIT_USAGE;
	invoke_fail(iv, status, m.text ? m.text : "refused");
	error_done(&m);
	return 0;
}

static int invoke_on_warning(struct invoke *iv, const void *body, size_t len, struct errmsg *msg)
{
	struct warning_msg m;
	struct buf text = {0};
	int rc = warning_get(&m, body, len, msg);

	if (rc)
		return rc;
	buf_addf(&text, "warning: %s", m.text);
	invoke_say(iv, &text);
	warning_done(&m);
	return 0;
}

static void invoke_on_unanswered(void *arg, int rc, const struct errmsg *msg)
{
	struct invoke *iv = arg;

	if (rc != ERR_CLOSED) {
		invoke_fail(iv, EXIT_NO_DAEMON, msg->text);
		return;
	}
	iv->interrupted = true;
	invoke_stop_job(iv);
}

/* The daemon wants something of the user. */
static int invoke_on_ask(struct invoke *iv, const void *body, size_t len, struct errmsg *msg)
{
	if (iv->interrupted)
		return 0;
	view_flush(iv->view);
	board_hide(iv->board);
	return answering_begin(&iv->answering, body, len, msg);
}

static int invoke_on_end(struct invoke *iv, const void *body, size_t len, struct errmsg *msg)
{
	(void)body;
	(void)len;
	(void)msg;
	iv->ended = true;
	loop_stop(iv->loop);
	return 0;
}

static bool invoke_is_full(const struct invoke *iv)
{
	return view_is_busy(iv->view) || out_is_full(iv->out);
}

static int invoke_on_records(struct invoke *iv, const void *body, size_t len, struct errmsg *msg)
{
	/* After an interrupt a reader who does not read must not keep us from the end. */
	if (iv->interrupted && invoke_is_full(iv))
		return 0;
	return view_records(iv->view, body, len, msg);
}

static int invoke_on_schema(struct invoke *iv, const void *body, size_t len, struct errmsg *msg)
{
	return view_schema(iv->view, body, len, msg);
}

static int invoke_take(struct invoke *iv, uint8_t type, const void *body, size_t len,
		       struct errmsg *msg)
{
	static const struct {
		enum message_type type;
		int (*fn)(struct invoke *iv, const void *body, size_t len, struct errmsg *msg);
	} rows[] = {
		{MSG_RECORDS, invoke_on_records},	{MSG_CHILD_STATE, invoke_on_child},
		{MSG_JOB_ACCEPTED, invoke_on_accepted}, {MSG_WARNING, invoke_on_warning},
		{MSG_ERROR, invoke_on_error},		{MSG_JOB_END, invoke_on_end},
		{MSG_SCHEMA, invoke_on_schema},		{MSG_JOB_ASK, invoke_on_ask},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].type == type)
			return rows[i].fn(iv, body, len, msg);
	return err_set(msg, ERR_PROTO, "message %u is not expected here", type);
}

/* Our own reader is slow, or a long line is on its way out: take no more for now. */
static void invoke_pace(struct invoke *iv)
{
	control_hold(iv->control, !iv->interrupted && invoke_is_full(iv));
}

static void invoke_on_message(void *arg, uint8_t type, const void *body, size_t len)
{
	struct invoke *iv = arg;
	struct errmsg msg = {{0}};
	int rc;

	/* After a refusal come complaints about what had been sent behind it. */
	if (iv->ended)
		return;
	rc = invoke_take(iv, type, body, len, &msg);
	if (rc)
		invoke_fail(iv, rc == ERR_PROTO ? EXIT_NO_DAEMON : EXIT_INTERNAL, msg.text);
	else
		invoke_pace(iv);
}

static void invoke_on_pause(void *arg)
{
	view_flush(((struct invoke *)arg)->view);
}

static void invoke_on_closed(void *arg, const char *why)
{
	struct invoke *iv = arg;
	struct buf text = {0};

	if (iv->ended)
		return;
	buf_addf(&text, "%s (pid %llu) before the job was done; ", why,
		 (unsigned long long)control_daemon_pid(iv->control));
	board_pending(iv->board, &text);
	invoke_fail(iv, EXIT_NO_DAEMON, buf_cstr(&text));
	buf_done(&text);
}

static void invoke_on_room(void *arg)
{
	struct invoke *iv = arg;
	struct errmsg msg = {{0}};

	if (iv->ended)
		return;
	if (view_go_on(iv->view, &msg) != 0)
		invoke_fail(iv, EXIT_INTERNAL, msg.text);
	else
		invoke_pace(iv);
}

static void invoke_on_out_failed(void *arg, int error)
{
	struct invoke *iv = arg;
	struct buf text = {0};

	iv->out_failed = true;
	/* `| head -1` has what it wants: no reason for words. */
	if (error != EPIPE) {
		buf_addf(&text, "cannot write to standard output: %s", strerror(error));
		invoke_say(iv, &text);
		iv->status = EXIT_INTERNAL;
	}
	invoke_stop_job(iv);
}

/* --- signals ------------------------------------------------------------------------------- */

static void invoke_interrupt_job(struct invoke *iv)
{
	iv->interrupted = true;
	invoke_pace(iv);
	invoke_stop_job(iv);
}

static void invoke_leave(struct invoke *iv)
{
	invoke_fail(iv, EXIT_INTERRUPTED,
		    "interrupted while the job was being stopped; the daemon goes on with that");
	iv->status = EXIT_INTERRUPTED;
	iv->interrupted = true;
}

static void invoke_on_interrupt(void *arg, bool again)
{
	struct invoke *iv = arg;
	struct buf text = {0};

	if (iv->stopping) {
		invoke_leave(iv);
		return;
	}
	board_pending(iv->board, &text);
	buf_add_str(&text, again ? "; stopping (interrupt again to leave at once)"
				 : " (interrupt again within 1 s to stop the job)");
	invoke_say(iv, &text);
	if (again)
		invoke_interrupt_job(iv);
}

static void invoke_on_terminate(void *arg)
{
	struct invoke *iv = arg;

	if (iv->stopping)
		invoke_leave(iv);
	else
		invoke_interrupt_job(iv);
}

/* The next tick of the progress line asks for the new width. */
static void invoke_on_resize(void *arg)
{
	board_hide(((struct invoke *)arg)->board);
}

/* --- submitting ---------------------------------------------------------------------------- */

static void invoke_send(void *arg, enum message_type type, struct buf *body)
{
	struct invoke *iv = arg;

	control_send(iv->control, type, body);
}

static void invoke_on_piece(void *arg, const void *data, size_t len, bool end)
{
	submit_piece(((struct invoke *)arg)->control, data, len, end);
}

static bool invoke_input_is_full(void *arg)
{
	return control_is_full(((struct invoke *)arg)->control);
}

static void invoke_on_input_room(void *arg)
{
	input_room(((struct invoke *)arg)->input);
}

/* Half of an input may be worse than none: nothing goes on with it. */
static void invoke_on_input_failed(void *arg, const char *text)
{
	struct invoke *iv = arg;
	struct buf say = {0};

	buf_add_str(&say, text);
	buf_add_str(&say, "; the job is stopped");
	invoke_say(iv, &say);
	iv->status = EXIT_USAGE;
	invoke_stop_job(iv);
}

static void invoke_submit(struct invoke *iv)
{
	static const struct input_events events = {invoke_on_piece, invoke_input_is_full,
						   invoke_on_input_failed};
	const struct submit *submit = iv->options->submit;

	submit_send(submit, invoke_send, iv);
	submit_run(invoke_send, iv);
	if (!submit->open->stdin_follows)
		return;
	iv->input = input_new(iv->loop, submit->stdin_fd, submit->stdin_name, &events, iv);
	control_on_room(iv->control, invoke_on_input_room, iv);
}

static void invoke_on_progress(void *arg, uint64_t child, const char *text)
{
	struct invoke *iv = arg;

	board_note(iv->board, (size_t)(child - iv->first_child), text);
}

static void invoke_open(struct invoke *iv)
{
	static const struct out_events out_events = {invoke_on_room, invoke_on_out_failed};
	static const struct interrupts_events interrupts_events = {
		invoke_on_interrupt, invoke_on_terminate, invoke_on_resize};
	const struct invoke_options *o = iv->options;
	struct view_options view;

	view_options_init(&view, &o->look);
	view.progress = invoke_on_progress;
	view.progress_arg = iv;
	view.gather = true;
	iv->labels = submit_labels(o->submit, &iv->count);
	iv->out = out_new(iv->loop, &out_events, iv);
	iv->board = board_new(iv->loop, iv->out, iv->labels, iv->count, view.tty_err && !o->quiet,
			      o->look.colour_err);
	iv->view = view_new(&view, iv->out, iv->board);
	iv->answering = (struct answering){.control = iv->control,
					   .out = iv->out,
					   .over = &iv->ended,
					   .failed = invoke_on_unanswered,
					   .arg = iv};
	interrupts_watch(&iv->interrupts, iv->loop, &interrupts_events, iv);
}

static void invoke_close(struct invoke *iv)
{
	input_free(iv->input);
	control_free(iv->control);
	view_free(iv->view);
	board_free(iv->board);
	out_free(iv->out);
	loop_free(iv->loop);
	free(iv->labels);
}

static int invoke_finish(struct invoke *iv)
{
	struct buf verdict = {0};

	board_stop(iv->board);
	view_close(iv->view);
	/* Of hosts that we stopped because nobody reads any more there is nothing to say. */
	if (iv->status == EXIT_INTERNAL || (iv->status == EXIT_OK && !iv->out_failed))
		board_verdict(iv->board, &verdict);
	if (verdict.len && !iv->options->quiet)
		invoke_say(iv, &verdict);
	buf_done(&verdict);
	if (iv->status == EXIT_NO_DAEMON || iv->status == EXIT_USAGE)
		return iv->status;
	if (iv->interrupted)
		return EXIT_INTERRUPTED;
	if (iv->options->largest && iv->status == EXIT_OK)
		return board_largest_exit_code(iv->board);
	return exit_worse(iv->status, board_exit_status(iv->board));
}

int invoke_run(const struct invoke_options *options, const struct paths *paths)
{
	static const struct control_events events = {
		.message = invoke_on_message, .pause = invoke_on_pause, .closed = invoke_on_closed};
	struct invoke iv = {.options = options, .loop = loop_new()};
	struct errmsg msg;
	int rc = control_open(&iv.control, iv.loop, paths,
			      options->ephemeral ? CONTROL_EPHEMERAL : CONTROL_START, &events, &iv,
			      &msg);
	int status, failed;

	if (rc) {
		loop_free(iv.loop);
		return cmd_control_error(rc, msg.text);
	}
	invoke_open(&iv);
	invoke_submit(&iv);
	loop_run(iv.loop);
	/* Whoever reads our output may never read the rest. */
	interrupts_unwatch(&iv.interrupts);
	status = invoke_finish(&iv);
	failed = iv.interrupted ? out_leave(iv.out, INVOKE_LEAVE_MS) : out_close(iv.out);
	/* What failed last of all is known only now. EPIPE: as in invoke_on_out_failed. */
	if (failed && failed != EPIPE && !iv.out_failed)
		status = cmd_error(EXIT_INTERNAL, "cannot write to standard output: %s",
				   strerror(failed));
	invoke_close(&iv);
	return status;
}
