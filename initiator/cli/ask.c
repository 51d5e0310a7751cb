#include "ask.h"

#include "control_msg.h"
#include "exit.h"
#include "login.h"

struct ask {
	struct loop *loop;
	struct control *control;
	ask_fn *fn;
	void *arg;
	bool leaving;
	bool ended;
	int status;
};

static void ask_end(struct ask *ask, int status)
{
	ask->ended = true;
	ask->status = status;
	loop_stop(ask->loop);
}

static void ask_on_problem(struct ask *ask, const void *body, size_t len)
{
	struct problem_msg m;
	struct errmsg msg;

	if (problem_get(&m, body, len, &msg) != 0) {
		ask_end(ask, cmd_error(EXIT_NO_DAEMON, "%s", msg.text));
		return;
	}
	(void)cmd_error(0, "%s%s", m.exit_status ? "" : "warning: ", m.text ? m.text : "?");
	ask->status = exit_worse(ask->status, (int)m.exit_status);
	problem_done(&m);
}

static void ask_on_error(struct ask *ask, const void *body, size_t len)
{
	struct error_msg m;
	struct errmsg msg;

	if (error_get(&m, body, len, &msg) != 0) {
		ask_end(ask, cmd_error(EXIT_NO_DAEMON, "%s", msg.text));
		return;
	}
	ask_end(ask, cmd_error(m.code == ERR_PROTO ? EXIT_NO_DAEMON : EXIT_USAGE, "%s",
			       m.text ? m.text : "refused"));
	error_done(&m);
}

static void ask_on_warning(struct ask *ask, const void *body, size_t len)
{
	struct warning_msg m;
	struct errmsg msg;

	if (warning_get(&m, body, len, &msg) != 0) {
		ask_end(ask, cmd_error(EXIT_NO_DAEMON, "%s", msg.text));
		return;
	}
	(void)cmd_error(0, "warning: %s", m.text ? m.text : "?");
	warning_done(&m);
}

/* The daemon wants something of the user. */
static void ask_on_ask(struct ask *ask, const void *body, size_t len)
{
	struct errmsg msg;
	int rc = login_on_ask(ask->control, body, len, &msg);

	if (rc)
		ask_end(ask, cmd_error(rc == ERR_CLOSED ? EXIT_INTERRUPTED : EXIT_NO_DAEMON, "%s",
				       msg.text));
}

static void ask_on_message(void *arg, uint8_t type, const void *body, size_t len)
{
	struct ask *ask = arg;
	struct errmsg msg = {{0}};
	int rc;

	/* After a refusal come complaints about what had been sent behind it. */
	if (ask->ended)
		return;
	if (type == MSG_PROBLEM) {
		ask_on_problem(ask, body, len);
		return;
	}
	if (type == MSG_ERROR) {
		ask_on_error(ask, body, len);
		return;
	}
	if (type == MSG_WARNING) {
		ask_on_warning(ask, body, len);
		return;
	}
	if (type == MSG_JOB_ASK) {
		ask_on_ask(ask, body, len);
		return;
	}
	rc = ask->fn(ask->arg, type, body, len, &ask->status, &msg);
	if (rc < 0)
		ask_end(ask, cmd_error(EXIT_NO_DAEMON, "%s", msg.text));
	else if (rc == ASK_DONE)
		loop_stop(ask->loop);
	ask->leaving = rc == ASK_LEAVE;
}

static void ask_on_closed(void *arg, const char *why)
{
	struct ask *ask = arg;

	if (ask->ended)
		return;
	ask_end(ask, ask->leaving ? ask->status : cmd_error(EXIT_NO_DAEMON, "%s", why));
}

int ask_with(const struct cmd *cmd, const struct cmd_globals *globals, enum control_mode mode,
	     const struct ask_calls *calls, void *arg)
{
	static const struct control_events events = {.message = ask_on_message,
						     .closed = ask_on_closed};
	struct ask ask = {.fn = calls->message, .arg = arg};
	struct control *control = NULL;
	struct paths paths;
	struct errmsg msg;
	int rc;

	if (paths_find(&paths, cmd_daemon_name(globals), &msg) != 0)
		return cmd_usage(cmd, "%s", msg.text);
	ask.loop = loop_new();
	rc = control_open(&control, ask.loop, &paths, mode, &events, &ask, &msg);
	paths_done(&paths);
	if (rc == ERR_NOTFOUND && mode == CONTROL_IF_RUNNING) {
		ask.status = EXIT_OK;
	} else if (rc) {
		ask.status = cmd_control_error(rc, msg.text);
	} else {
		ask.control = control;
		calls->open(arg, ask.loop, control);
		loop_run(ask.loop);
		calls->close(arg);
	}
	control_free(control);
	loop_free(ask.loop);
	return ask.status;
}

/* A request that is complete when it is sent. */
struct ask_once {
	ask_send_fn *send;
	ask_fn *fn;
	void *arg;
};

static void ask_once_open(void *arg, struct loop *loop, struct control *control)
{
	struct ask_once *once = arg;

	(void)loop;
	once->send(once->arg, control);
}

static int ask_once_message(void *arg, uint8_t type, const void *body, size_t len, int *status,
			    struct errmsg *msg)
{
	struct ask_once *once = arg;

	return once->fn(once->arg, type, body, len, status, msg);
}

static void ask_once_close(void *arg)
{
	(void)arg;
}

int ask(const struct cmd *cmd, const struct cmd_globals *globals, enum control_mode mode,
	ask_send_fn *send, ask_fn *fn, void *arg)
{
	static const struct ask_calls calls = {ask_once_open, ask_once_message, ask_once_close};
	struct ask_once once = {send, fn, arg};

	return ask_with(cmd, globals, mode, &calls, &once);
}
