#include "receive.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "control.h"
#include "escape.h"
#include "exit.h"
#include "job_rows.h"
#include "out.h"
#include "view.h"

struct receive {
	const struct receive_options *options;
	struct loop *loop;
	struct control *control;
	struct out *out;
	struct view *view;
	struct event *signals[3];
	bool ended;
	int status;
};

static void receive_end(struct receive *rc, int status)
{
	rc->ended = true;
	rc->status = status;
	loop_stop(rc->loop);
}

/* A line of muster's own on stderr, in its place among the results. */
static void receive_say(struct receive *rc, const char *text)
{
	struct buf line = {0};

	buf_add_str(&line, "muster: ");
	escape_display(&line, text, strlen(text));
	buf_add_char(&line, '\n');
	out_add(rc->out, STDERR_FILENO, &line);
}

static void receive_on_written(void *arg, uint64_t child, uint64_t seq)
{
	struct receive *rc = arg;
	struct received_msg m = {.child = child, .seq = seq};
	struct buf body = {0};

	if (rc->options->request->keep)
		return;
	received_put(&body, &m);
	control_send(rc->control, MSG_RECEIVED, &body);
}

/* --- messages -------------------------------------------------------------------------------- */

static int receive_on_source(struct receive *rc, const void *body, size_t len, struct errmsg *msg)
{
	struct source_msg m;
	int code = source_get(&m, body, len, msg);

	if (code)
		return code;
	view_add_source(rc->view, m.child, m.job, m.host);
	source_done(&m);
	return 0;
}

static int receive_on_records(struct receive *rc, const void *body, size_t len, struct errmsg *msg)
{
	return view_records(rc->view, body, len, msg);
}

static int receive_on_schema(struct receive *rc, const void *body, size_t len, struct errmsg *msg)
{
	return view_schema(rc->view, body, len, msg);
}

/* "h3 (job 7): exited 2": the record of a failure, which no receive takes away. */
static int receive_on_child(struct receive *rc, const void *body, size_t len, struct errmsg *msg)
{
	struct buf text = {0};
	struct child_state_msg m;
	const char *host;
	int code = child_state_get(&m, body, len, msg);

	if (code)
		return code;
	host = view_label(rc->view, m.child);
	rc->status = exit_worse(rc->status, (int)m.exit_status);
	buf_addf(&text, "%s (job %llu): %s", host ? host : "?", (unsigned long long)m.child,
		 m.state);
	if (m.cause)
		buf_addf(&text, ": %s", m.cause);
	if (m.exit_code >= 0)
		buf_addf(&text, " %lld", (long long)m.exit_code);
	if (m.signal)
		buf_addf(&text, " %s", m.signal);
	if (m.text)
		buf_addf(&text, ": %s", m.text);
	receive_say(rc, buf_cstr(&text));
	buf_done(&text);
	child_state_done(&m);
	return 0;
}

static int receive_on_row(struct receive *rc, const void *body, size_t len, struct errmsg *msg)
{
	struct get_row_msg m;
	struct row_view view;
	int code = get_row_get(&m, body, len, msg);

	if (code)
		return code;
	job_rows_view(&view, &m);
	view_row(rc->view, &view);
	get_row_done(&m);
	return 0;
}

static int receive_on_problem(struct receive *rc, const void *body, size_t len, struct errmsg *msg)
{
	struct problem_msg m;
	char *text;
	int code = problem_get(&m, body, len, msg);

	if (code)
		return code;
	text = xasprintf("%s%s", m.exit_status ? "" : "warning: ", m.text ? m.text : "?");
	receive_say(rc, text);
	free(text);
	rc->status = exit_worse(rc->status, (int)m.exit_status);
	problem_done(&m);
	return 0;
}

static int receive_on_error(struct receive *rc, const void *body, size_t len, struct errmsg *msg)
{
	struct error_msg m;
	int code = error_get(&m, body, len, msg);

	if (code)
		return code;
	receive_say(rc, m.text ? m.text : "refused");
	error_done(&m);
	receive_end(rc, EXIT_USAGE);
	return 0;
}

static int receive_on_end(struct receive *rc, const void *body, size_t len, struct errmsg *msg)
{
	struct receive_end_msg m;
	int code = receive_end_get(&m, body, len, msg);

	if (code)
		return code;
	receive_end(rc, m.timed_out ? exit_worse(rc->status, EXIT_STOPPED) : rc->status);
	return 0;
}

static int receive_take(struct receive *rc, uint8_t type, const void *body, size_t len,
			struct errmsg *msg)
{
	static const struct {
		enum message_type type;
		int (*fn)(struct receive *rc, const void *body, size_t len, struct errmsg *msg);
	} rows[] = {
		{MSG_RECORDS, receive_on_records}, {MSG_SOURCE, receive_on_source},
		{MSG_SCHEMA, receive_on_schema},   {MSG_CHILD_STATE, receive_on_child},
		{MSG_GET_ROW, receive_on_row},	   {MSG_PROBLEM, receive_on_problem},
		{MSG_ERROR, receive_on_error},	   {MSG_RECEIVE_END, receive_on_end},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].type == type)
			return rows[i].fn(rc, body, len, msg);
	return err_set(msg, ERR_PROTO, "message %u is not expected here", type);
}

/* Our own reader is slow, or a long line is on its way out: take no more for now. */
static void receive_pace(struct receive *rc)
{
	control_hold(rc->control, view_is_busy(rc->view) || out_is_full(rc->out));
}

static void receive_on_message(void *arg, uint8_t type, const void *body, size_t len)
{
	struct receive *rc = arg;
	struct errmsg msg = {{0}};
	int code;

	if (rc->ended)
		return;
	code = receive_take(rc, type, body, len, &msg);
	if (code) {
		receive_say(rc, msg.text);
		receive_end(rc, code == ERR_PROTO ? EXIT_NO_DAEMON : EXIT_INTERNAL);
	} else {
		receive_pace(rc);
	}
}

static void receive_on_closed(void *arg, const char *why)
{
	struct receive *rc = arg;

	if (rc->ended)
		return;
	receive_say(rc, why);
	receive_end(rc, EXIT_NO_DAEMON);
}

static void receive_on_room(void *arg)
{
	struct receive *rc = arg;
	struct errmsg msg = {{0}};

	if (rc->ended)
		return;
	if (view_go_on(rc->view, &msg) == 0) {
		receive_pace(rc);
		return;
	}
	receive_say(rc, msg.text);
	receive_end(rc, EXIT_INTERNAL);
}

static void receive_on_out_failed(void *arg, int error)
{
	struct receive *rc = arg;
	char *text;

	if (error == EPIPE) {
		/* `| head -1` has what it wants; the rest stays to be received. */
		receive_end(rc, rc->status);
		return;
	}
	text = xasprintf("cannot write to standard output: %s", strerror(error));
	receive_say(rc, text);
	free(text);
	receive_end(rc, EXIT_INTERNAL);
}

static void receive_on_signal(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	/* The jobs go on; what was not written stays to be received. */
	receive_end(arg, EXIT_INTERRUPTED);
}

/* --- the run --------------------------------------------------------------------------------- */

static void receive_watch_signals(struct receive *rc)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		rc->signals[i] =
			evsignal_new(loop_base(rc->loop), signals[i], receive_on_signal, rc);
		if (!rc->signals[i] || event_add(rc->signals[i], NULL) != 0)
			abort();
	}
}

static void receive_open(struct receive *rc)
{
	static const struct out_events out_events = {receive_on_room, receive_on_out_failed};
	const struct receive_options *o = rc->options;
	struct view_options view;

	view_options_init(&view, &o->look);
	view.written = receive_on_written;
	view.written_arg = rc;
	/* Rows that came together are to stand in columns. */
	view.one_by_one = !o->request->keep && !view.tty_out && !o->look.format->flush;
	rc->out = out_new(rc->loop, &out_events, rc);
	if (!o->request->keep)
		out_await_reader(rc->out);
	rc->view = view_new(&view, rc->out, NULL);
	receive_watch_signals(rc);
}

static void receive_close(struct receive *rc)
{
	view_close(rc->view);
	for (size_t i = 0; i < ARRAY_LEN(rc->signals); i++)
		event_free(rc->signals[i]);
	/* What was written until now is still acknowledged. */
	(void)out_close(rc->out);
	loop_flush(rc->loop);
	control_flush(rc->control);
	control_free(rc->control);
	out_free(rc->out);
	loop_free(rc->loop);
	view_free(rc->view);
}

int receive_run(const struct cmd *cmd, const struct cmd_globals *globals,
		const struct receive_options *options)
{
	static const struct control_events events = {.message = receive_on_message,
						     .closed = receive_on_closed};
	struct receive rc = {.options = options};
	struct buf body = {0};
	struct paths paths;
	struct errmsg msg;
	int code;

	if (paths_find(&paths, cmd_daemon_name(globals), &msg) != 0)
		return cmd_usage(cmd, "%s", msg.text);
	rc.loop = loop_new();
	code = control_open(&rc.control, rc.loop, &paths, CONTROL_START, &events, &rc, &msg);
	paths_done(&paths);
	if (code) {
		loop_free(rc.loop);
		return cmd_control_error(code, msg.text);
	}
	receive_open(&rc);
	receive_put(&body, options->request);
	control_send(rc.control, MSG_RECEIVE, &body);
	loop_run(rc.loop);
	receive_close(&rc);
	return rc.status;
}
