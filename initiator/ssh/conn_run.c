/* The step "run": output until the channel is closed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "conn_private.h"
#include "escape.h"

/* Reads of one wake-up, 4 KiB each in libssh: enough to be cheap, few enough to be fair. */
#define CONN_READS_PER_WAKE 32
/* Who has said less in one read has said all there was, most likely. */
#define CONN_LITTLE 2048u
/* What a command leaves behind may hold the pipes open after it has ended. */
#define CONN_LINGER_MS 2000u
/* More than window and pipe can hold of what was written before the exit. */
#define CONN_TAIL_MAX (4u << 20)
/* What a stream may have on its way. libssh's own 1.25 MiB are too few for a distant host. It costs
 * nothing here: what nobody reads stays in the kernel's buffers. */
#define CONN_WINDOW (8u << 20)
/* The window is opened again after so many bytes: sessions that say little keep libssh's. */
#define CONN_WINDOW_STEP (512u << 10)

void conn_note_began(struct conn *c)
{
	if (c->result.began)
		return;
	c->result.began = true;
	c->events->running(c->arg);
}

static int conn_on_data(ssh_session session, ssh_channel channel, void *data, uint32_t len,
			int is_stderr, void *arg)
{
	struct conn *c = arg;

	(void)session;
	(void)channel;
	c->got_data = true;
	c->bytes_in_window += len;
	c->turn_bytes += len;
	if (c->exited)
		c->bytes_after_exit += len;
	if (len && !(c->held && c->stopping)) {
		conn_note_began(c);
		c->events->data(c->arg, is_stderr != 0, data, len);
	}
	return (int)len;
}

static void conn_on_exit_status(ssh_session session, ssh_channel channel, int status, void *arg)
{
	struct conn *c = arg;

	(void)session;
	(void)channel;
	c->exited = true;
	c->result.end = CONN_END_EXITED;
	c->result.exit_code = status;
}

static void conn_on_exit_signal(ssh_session session, ssh_channel channel, const char *signal,
				int core, const char *message, const char *lang, void *arg)
{
	struct conn *c = arg;

	(void)session;
	(void)channel;
	(void)core;
	(void)message;
	(void)lang;
	c->exited = true;
	c->result.end = CONN_END_SIGNALLED;
	c->result.exit_code = -1;
	(void)escape_str(c->result.signal, sizeof c->result.signal, signal ? signal : "?");
}

static void conn_on_close(ssh_session session, ssh_channel channel, void *arg)
{
	struct conn *c = arg;

	(void)session;
	(void)channel;
	c->closed = true;
}

void conn_run_prepare(struct conn *c)
{
	c->callbacks.userdata = c;
	c->callbacks.channel_data_function = conn_on_data;
	c->callbacks.channel_exit_status_function = conn_on_exit_status;
	c->callbacks.channel_exit_signal_function = conn_on_exit_signal;
	c->callbacks.channel_close_function = conn_on_close;
	ssh_callbacks_init(&c->callbacks);
	(void)ssh_set_channel_callbacks(c->channel, &c->callbacks);
}

static enum conn_verdict conn_run_end(struct conn *c)
{
	if (c->timed_out)
		return conn_fail(c, CONN_END_TIMEOUT, "run%s%s", c->result.text[0] ? "; " : "",
				 c->result.text);
	if (c->stopping) {
		/* A success before the signal came is one; the rest is what the stop brought. */
		if (c->closed && c->exited && c->result.end == CONN_END_EXITED &&
		    c->result.exit_code == 0)
			return CONN_NEXT;
		return conn_fail(c, CONN_END_STOPPED, "%s", c->result.text);
	}
	if (c->exited)
		return CONN_NEXT;
	return conn_fail(c, CONN_END_LOST, "the server closed the channel without an exit status");
}

static void conn_run_enter(struct conn *c)
{
	c->poll = ssh_event_new();
	(void)ssh_event_add_session(c->poll, c->session);
	/* Nobody writes to the command: without this, one that reads would never end. */
	if (!c->spec.stream && !c->spec.input)
		c->finishing = true;
	if (c->spec.stream)
		c->spec.run_timeout_ms = 0;
	conn_set_deadline(c, c->spec.run_timeout_ms);
	if (c->spec.run_timeout_ms)
		c->run_deadline_ns = clock_mono_ns() + c->spec.run_timeout_ms * UINT64_C(1000000);
}

/* What comes after the exit is no longer on its way: something left behind goes on writing. Then
 * the run timeout holds for it, too. */
static bool conn_is_left_behind(const struct conn *c)
{
	return c->run_deadline_ns && c->bytes_after_exit > CONN_TAIL_MAX;
}

/* After the exit: waits for the end of the output, as long as there is some. */
static void conn_linger(struct conn *c)
{
	uint64_t ms = CONN_LINGER_MS;

	c->lingering = true;
	if (conn_is_left_behind(c) && conn_ms_until(c->run_deadline_ns) < ms)
		ms = conn_ms_until(c->run_deadline_ns);
	conn_set_deadline(c, ms);
}

/*
 * libssh takes the count of a read for the window that is wanted: its only way to one that is
 * larger than its own. Not from inside of its callbacks. Nothing is read by it, as conn_on_data
 * takes all; memory that is not touched costs no page.
 */
static void conn_run_open_window(struct conn *c)
{
	void *space;

	if (!c->spec.stream || c->closed || c->exited || c->bytes_in_window < CONN_WINDOW_STEP)
		return;
	c->bytes_in_window = 0;
	space = xmalloc(CONN_WINDOW);
	(void)ssh_channel_read(c->channel, space, CONN_WINDOW, 0);
	free(space);
}

/*
 * One look at the connection, and what that makes possible. True if there may be more to do. libssh
 * cannot flush without reading: one that is held reads a little for each piece of input.
 */
static bool conn_run_turn(struct conn *c)
{
	int seen = SSH_AGAIN; /* nothing was there */
	bool wrote;

	c->got_data = false;
	c->turn_bytes = 0;
	if (!conn_is_held(c)) {
		seen = ssh_event_dopoll(c->poll, 0);
		if (seen == SSH_ERROR)
			return false;
		conn_run_open_window(c);
	}
	wrote = conn_input_pump(c);
	/* A packet takes several reads: that no data came does not mean that there is none. */
	return wrote || (seen != SSH_AGAIN && !conn_is_held(c));
}

/*
 * After a short message another look would find nothing, and is a system call for each of thousands
 * of commands; what does come wakes us again. But libssh has to see for itself that all is written.
 */
static bool conn_run_is_quiet(struct conn *c, bool *little)
{
	*little = c->got_data ? c->turn_bytes < CONN_LITTLE : *little;
	return *little && !c->input.len && !(ssh_get_poll_flags(c->session) & SSH_WRITE_PENDING);
}

static void conn_run_transfer(struct conn *c)
{
	bool any, more = true, little = false;

	(void)conn_input_pump(c);
	/* Output can have come before, along with the server's answer or when something was sent.
	 */
	any = c->got_data;
	for (int i = 0; more && i < CONN_READS_PER_WAKE && !conn_is_broken(c); i++) {
		more = conn_run_turn(c) && !conn_run_is_quiet(c, &little);
		any = any || c->got_data;
	}
	c->got_data = false;
	if (any)
		c->events->burst_end(c->arg);
	if (c->exited && !c->closed && !c->stopping && (!c->lingering || any))
		conn_linger(c);
}

/* What was written from inside the events. Flushing it reads as well, and nothing else would wake
 * us for the end of the burst that this makes. */
static void conn_run_settle(struct conn *c)
{
	(void)conn_input_pump(c);
	conn_input_tell(c);
	(void)conn_input_pump(c);
	if (c->got_data && !c->stopping)
		conn_kick(c, 0);
}

enum conn_verdict conn_step_run(struct conn *c)
{
	if (!c->poll)
		conn_run_enter(c);
	if (c->stopping && !c->kill_begun && !c->closed)
		conn_kill_begin(c);
	conn_run_transfer(c);
	if (c->kill_begun)
		conn_kill_advance(c);
	conn_signal_advance(c);
	conn_run_settle(c);
	if (conn_is_broken(c) && !c->closed) {
		if (c->stopping || c->timed_out)
			return conn_run_end(c);
		return conn_fail(c, CONN_END_LOST, "%s", conn_why(c));
	}
	if (!c->closed || !conn_kill_is_over(c))
		return CONN_WAIT;
	return conn_run_end(c);
}

bool conn_run_on_deadline(struct conn *c)
{
	if (c->kill_begun) {
		conn_kill_expire(c);
		(void)conn_run_end(c);
		return true;
	}
	if (c->exited) {
		if (c->held && !conn_is_left_behind(c)) {
			/* It is we who do not read. */
			conn_set_deadline(c, CONN_LINGER_MS);
			return false;
		}
		(void)snprintf(c->result.text, sizeof c->result.text,
			       "it left processes behind that hold its output open");
		return true;
	}
	c->timed_out = true;
	c->stopping = true;
	return false;
}
