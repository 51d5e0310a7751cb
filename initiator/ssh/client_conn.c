#include "client_conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "alloc.h"
#include "client_private.h"
#include "command.h"
#include "fd.h"
#include "log.h"
#include "pacer.h"
#include "patience.h"

/* Where neither the job nor ssh_config says any: resolving, connecting and the banner. */
#define CLIENT_CONNECT_MS 25000u

uint64_t client_connect_ms(const struct client_conn *c)
{
	if (c->spec.connect_timeout_ms)
		return c->spec.connect_timeout_ms;
	return c->spec.target->connect_timeout_ms ? c->spec.target->connect_timeout_ms
						  : CLIENT_CONNECT_MS;
}

void client_set_deadline(struct client_conn *c, uint64_t ms)
{
	struct timeval tv = loop_ms(ms);

	(void)event_del(c->deadline);
	if (ms)
		(void)event_add(c->deadline, &tv);
}

static void client_kick(struct client_conn *c)
{
	struct timeval now = {0};

	(void)event_add(c->kick, &now);
}

static void client_be_patient(struct client_conn *c, bool patient)
{
	if (c->patient == patient)
		return;
	c->patient = patient;
	if (patient)
		patience_hold(ssh_engine_patience(c->engine));
	else
		patience_release(ssh_engine_patience(c->engine));
}

/* --- its end -------------------------------------------------------------------------------- */

static void client_destroy(struct client_conn *c)
{
	client_be_patient(c, false);
	client_io_done(c);
	client_side_end(&c->kill, c->engine);
	client_side_end(&c->signal, c->engine);
	client_proc_done(&c->proc, c->engine);
	event_free(c->kick);
	event_free(c->deadline);
	conn_queue_done(&c->input);
	buf_done(&c->early);
	buf_done(&c->early_errors);
	free(c->program);
	free(c);
}

void client_conclude(struct client_conn *c)
{
	c->state = CLIENT_OVER;
	c->events->end(c->arg, &c->result);
	client_destroy(c);
}

static void client_fail_local(struct client_conn *c, int error)
{
	char text[128];

	client_words_end(&c->result, CONN_END_UNREACHABLE, "cannot start the OpenSSH client: %s",
			 strerror_r(error, text, sizeof text));
	if (pacer_end_of_errno(error) == PACER_LOCAL)
		c->result.trouble = PACER_LOCAL;
	client_conclude(c);
}

/* --- what its status means -------------------------------------------------------------------- */

static void client_judge_signal(struct client_conn *c, int signal)
{
	client_words_end(&c->result, c->result.began ? CONN_END_LOST : CONN_END_UNREACHABLE,
			 "the OpenSSH client was ended by signal %d", signal);
}

/* ssh closes all that it inherits: there is no way that leaves no trace (docs/transports.md). */
static void client_add_no_password(struct conn_result *result)
{
	char text[sizeof result->text];

	memcpy(text, result->text, sizeof text);
	(void)snprintf(result->text, sizeof result->text,
		       "%.*s; the OpenSSH client is not given the password", (int)sizeof text / 2,
		       text);
}

static void client_judge_exit(struct client_conn *c, int code)
{
	const struct plan_target *t = c->spec.target;

	if (code == 255 && !c->result.began) {
		client_words_failure(c->said, t, &c->result);
		if (c->result.end == CONN_END_AUTH && secret_login_has_password(c->spec.login))
			client_add_no_password(&c->result);
		return;
	}
	if (code == 255 && client_words_lost(c->said, &c->result))
		return;
	/* A login shell that cannot even say the mark, or does not want to. */
	if (!c->result.began)
		client_io_without_mark(c);
	c->result.end = CONN_END_EXITED;
	c->result.exit_code = code;
}

static void client_judge(struct client_conn *c)
{
	if (WIFSIGNALED(c->status))
		client_judge_signal(c, WTERMSIG(c->status));
	else
		client_judge_exit(c, WEXITSTATUS(c->status));
}

/* A success before the signal came is one; the rest is what the stop brought. */
static void client_judge_stopped(struct client_conn *c)
{
	char text[sizeof c->result.text];
	bool success = c->ended && WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0;

	if (success && !c->timed_out) {
		c->result.end = CONN_END_EXITED;
		c->result.exit_code = 0;
		return;
	}
	memcpy(text, c->result.text, sizeof text);
	if (c->timed_out)
		client_words_end(&c->result, CONN_END_TIMEOUT, "run%s%s", text[0] ? "; " : "",
				 text);
	else
		client_words_end(&c->result, CONN_END_STOPPED, "%s", text);
}

/* --- the states ------------------------------------------------------------------------------- */

void client_begin(struct client_conn *c)
{
	if (c->result.began)
		return;
	c->result.began = true;
	if (c->state == CLIENT_LOGIN)
		c->state = CLIENT_RUNNING;
	client_be_patient(c, false);
	client_set_deadline(c, c->spec.stream ? 0 : c->spec.run_timeout_ms);
	/* What the login has said is no reason for what happens from now on. */
	c->said_len = 0;
	c->said[0] = '\0';
	client_io_watch(c);
	c->events->running(c->arg);
}

/* ssh counts whole seconds. */
static unsigned client_connect_s(const struct client_conn *c)
{
	uint64_t s = (client_connect_ms(c) + 999) / 1000;

	return s > 86400 ? 86400 : (unsigned)s;
}

int client_spawn_ssh(struct client_conn *c, struct client_proc *proc, const char *command,
		     const char *mark)
{
	struct client_argv args;
	int error;

	client_argv_make(&args, c->program, &c->spec, command, mark, client_connect_s(c));
	error = client_proc_start(proc, args.argv, args.envp);
	client_argv_done(&args);
	return error;
}

static void client_start(struct client_conn *c)
{
	uint64_t ms = client_connect_ms(c) + CLIENT_LOGIN_MS;
	int error;

	if (c->spec.target->fault) {
		client_words_end(&c->result, CONN_END_UNREACHABLE, "%s", c->spec.target->fault);
		client_conclude(c);
		return;
	}
	c->program = client_proc_find();
	if (!c->program) {
		client_words_end(&c->result, CONN_END_UNREACHABLE,
				 "the OpenSSH client is needed, and there is no ssh in the "
				 "daemon's PATH: install openssh-client");
		client_conclude(c);
		return;
	}
	log_debug("%s: by %s", c->spec.target->host, c->program);
	client_mark(c->mark);
	error = client_spawn_ssh(c, &c->proc, c->spec.command, c->mark);
	if (error) {
		client_fail_local(c, error);
		return;
	}
	c->state = CLIENT_LOGIN;
	c->login_deadline_ns = patience_ns(ssh_engine_patience(c->engine)) + ms * UINT64_C(1000000);
	client_set_deadline(c, ms);
	client_io_start(c);
}

static void client_look_ended(struct client_conn *c)
{
	if (!c->ended || !client_io_drain(c))
		return;
	client_judge(c);
	client_conclude(c);
}

static void client_look_login(struct client_conn *c)
{
	if (c->stopping) {
		client_words_end(&c->result, CONN_END_STOPPED, "%s", "");
		client_conclude(c);
	} else if (!c->ended && c->noise > LIMIT_BOOT_NOISE) {
		client_words_end(&c->result, CONN_END_UNREACHABLE,
				 "the OpenSSH client says more than %u bytes before the command",
				 LIMIT_BOOT_NOISE);
		client_conclude(c);
	} else {
		client_look_ended(c);
	}
}

static void client_look_running(struct client_conn *c)
{
	if (c->stopping && c->spec.stream) {
		client_words_end(&c->result, CONN_END_STOPPED, "%s", "");
		client_conclude(c);
	} else if (c->stopping && !c->ended) {
		c->state = CLIENT_KILLING;
		client_kill_begin(c);
	} else {
		client_signal_advance(c);
		client_look_ended(c);
	}
}

/* Nobody may read any more what it says. */
static void client_look_killing(struct client_conn *c)
{
	/* Nobody was found, and yet the command's client is there. */
	if (!c->ended && !c->kill.proc.pid && c->kill_waits) {
		c->kill_waits = false;
		client_kill_again(c);
	}
	if (!c->ended || c->kill.proc.pid)
		return;
	(void)client_io_drain(c);
	client_judge_stopped(c);
	client_conclude(c);
}

static void client_look_over(struct client_conn *c)
{
	(void)c;
}

static void client_late_login(struct client_conn *c)
{
	struct patience *patience = ssh_engine_patience(c->engine);

	/* Some of the time was lost here. */
	if (patience_ns(patience) < c->login_deadline_ns) {
		client_set_deadline(c, patience_ms_until(patience, c->login_deadline_ns));
		return;
	}
	c->result.trouble = PACER_UNREACHABLE;
	client_words_end(&c->result, CONN_END_TIMEOUT, "login by the OpenSSH client");
	client_conclude(c);
}

static void client_late_running(struct client_conn *c)
{
	/* It has ended, and it is we who do not read. */
	if (c->ended)
		return;
	c->timed_out = true;
	c->stopping = true;
	client_advance(c);
}

static void client_late_killing(struct client_conn *c)
{
	(void)snprintf(c->result.text, sizeof c->result.text,
		       "it could not be made sure that its processes are gone");
	client_judge_stopped(c);
	client_conclude(c);
}

/* look: something has changed. late: the deadline has come. */
static const struct {
	void (*look)(struct client_conn *c);
	void (*late)(struct client_conn *c);
} client_states[CLIENT_STATE_COUNT] = {
	[CLIENT_STARTING] = {client_start, client_look_over},
	[CLIENT_LOGIN] = {client_look_login, client_late_login},
	[CLIENT_RUNNING] = {client_look_running, client_late_running},
	[CLIENT_KILLING] = {client_look_killing, client_late_killing},
	[CLIENT_OVER] = {client_look_over, client_look_over},
};

void client_advance(struct client_conn *c)
{
	if (c->state == CLIENT_STARTING && c->stopping)
		c->state = CLIENT_LOGIN;
	client_states[c->state].look(c);
}

static void client_on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct client_conn *c = arg;

	(void)fd;
	(void)what;
	client_states[c->state].late(c);
}

static void client_on_kick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	client_advance(arg);
}

/* --- as conn.h has it ---------------------------------------------------------------------------
 */

struct client_conn *client_conn_start(struct ssh_engine *engine, const struct conn_spec *spec,
				      const struct conn_events *events, void *arg)
{
	struct event_base *base = loop_base(ssh_engine_loop(engine));
	struct client_conn *c = xcalloc(1, sizeof *c);

	c->engine = engine;
	c->events = events;
	c->arg = arg;
	c->spec = *spec;
	c->proc = c->kill.proc = c->signal.proc = CLIENT_PROC_NONE;
	c->kill.conn = c->signal.conn = c;
	c->result.exit_code = -1;
	c->result.trouble = PACER_FINAL;
	/* Nobody writes to the command: without this, one that reads would never end. */
	c->finishing = !spec->stream && !spec->input;
	c->kick = evtimer_new(base, client_on_kick, c);
	c->deadline = evtimer_new(base, client_on_deadline, c);
	if (!c->kick || !c->deadline)
		abort();
	client_be_patient(c, true);
	client_kick(c);
	return c;
}

void client_conn_stop(struct client_conn *c)
{
	if (c->stopping)
		return;
	c->stopping = true;
	client_kick(c);
}

void client_conn_suspend(struct client_conn *c, bool suspend)
{
	c->suspend = suspend;
	c->suspend_asked = true;
	client_kick(c);
}

void client_conn_hold(struct client_conn *c, bool hold)
{
	if (c->held == hold)
		return;
	c->held = hold;
	client_io_watch(c);
	/* What is left of one that has ended. */
	if (!hold && c->ended)
		client_kick(c);
}

void client_conn_free(struct client_conn *c)
{
	if (c)
		client_destroy(c);
}
