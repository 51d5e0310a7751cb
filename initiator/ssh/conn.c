#include "conn.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "conn_private.h"
#include "escape.h"
#include "fd.h"
#include "log.h"
#include "pacer.h"

/* A thread may never come back. */
#define CONN_EXTENDED_MAX 3u

enum conn_verdict conn_fail(struct conn *c, enum conn_end end, const char *fmt, ...)
{
	char text[1024] = "";
	va_list ap;

	if (fmt) {
		va_start(ap, fmt);
		(void)vsnprintf(text, sizeof text, fmt, ap);
		va_end(ap);
	}
	c->result.end = end;
	/* How the command ended was our doing, or is not known for sure. */
	c->result.exit_code = -1;
	c->result.signal[0] = '\0';
	for (size_t len = strlen(text); len && text[len - 1] == ' '; len--)
		text[len - 1] = '\0';
	(void)escape_str(c->result.text, sizeof c->result.text, text);
	return CONN_FAIL;
}

const char *conn_why(const struct conn *c)
{
	const char *why = ssh_get_error(c->session);

	/* With numbers that are random: the texts of many hosts are to be the same. */
	return strstr(why, "Packet len too high") ? "what the server sends is no SSH" : why;
}

void conn_set_deadline(struct conn *c, uint64_t ms)
{
	struct timeval tv = loop_ms(ms);

	(void)event_del(c->deadline);
	if (ms)
		(void)event_add(c->deadline, &tv);
}

void conn_kick(struct conn *c, uint64_t ms)
{
	struct timeval tv = loop_ms(ms);

	(void)event_add(c->kick, &tv);
}

bool conn_is_broken(const struct conn *c)
{
	return ssh_get_fd(c->session) < 0 ||
	       (ssh_get_status(c->session) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0;
}

bool conn_is_held(const struct conn *c)
{
	return c->held && c->poll && !c->stopping;
}

void conn_unwatch(struct conn *c)
{
	if (c->io)
		event_free(c->io);
	c->io = NULL;
	c->io_mask = 0;
}

static void conn_on_io(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	conn_advance(arg);
}

void conn_watch(struct conn *c)
{
	short mask = EV_READ;
	int fd = -1;

	/* While others work for it, or a person thinks, the step reads nothing, and what has come
	 * would wake it for ever. */
	if (c->session && !c->signing && !c->host_key && !c->auth.prompt)
		fd = ssh_get_fd(c->session);
	if (fd < 0) {
		conn_unwatch(c);
		return;
	}
	if (ssh_get_poll_flags(c->session) & SSH_WRITE_PENDING)
		mask |= EV_WRITE;
	/* Writing waits as well, as nothing would look at it and the loop would spin, but for the
	 * program's input: what ends it must reach it. */
	if (conn_is_held(c))
		mask = c->input_flushing ? EV_WRITE : 0;
	if (c->io && c->io_fd == fd && c->io_mask == mask)
		return;
	conn_unwatch(c);
	if (!mask)
		return;
	c->io_fd = fd;
	c->io_mask = mask;
	c->io = event_new(loop_base(ssh_engine_loop(c->engine)), fd, mask | EV_PERSIST, conn_on_io,
			  c);
	if (!c->io || event_add(c->io, NULL) != 0)
		abort();
}

uint64_t conn_ms_until(uint64_t deadline_ns)
{
	uint64_t now = clock_mono_ns();

	return now < deadline_ns ? (deadline_ns - now) / 1000000 + 1 : 1;
}

uint64_t conn_step_deadline_ms(const struct conn *c)
{
	const struct conn_step *step = &conn_steps[c->step];

	if (step->by_connect_timeout && c->connect_deadline_ns)
		return patience_ms_until(ssh_engine_patience(c->engine), c->connect_deadline_ns);
	return step->deadline_ms;
}

static void conn_be_patient(struct conn *c, bool patient)
{
	if (c->patient == patient)
		return;
	c->patient = patient;
	if (patient)
		patience_hold(ssh_engine_patience(c->engine));
	else
		patience_release(ssh_engine_patience(c->engine));
}

static void conn_enter(struct conn *c, size_t step)
{
	uint64_t ms;

	c->step = step;
	if (step == conn_step_count)
		return;
	log_debug("%s: %s", c->spec.target->host, conn_steps[step].name);
	ms = conn_step_deadline_ms(c);
	c->step_deadline_ns =
		ms ? patience_ns(ssh_engine_patience(c->engine)) + ms * UINT64_C(1000000) : 0;
	conn_be_patient(c, step <= conn_step_exec_index);
	conn_set_deadline(c, ms);
}

/* Gives the end event. The connection lives on only while a helper thread has its session. */
static void conn_conclude(struct conn *c)
{
	conn_unwatch(c);
	conn_be_patient(c, false);
	conn_set_deadline(c, 0);
	(void)event_del(c->kick);
	ssh_slot_release(c->engine, &c->slot);
	c->ended = true;
	conn_way_explain(c);
	c->events->end(c->arg, &c->result);
	conn_destroy(c);
}

static enum conn_verdict conn_one_step(struct conn *c)
{
	if (c->stopping && (c->spec.stream || c->step < conn_step_exec_index))
		return conn_fail(c, CONN_END_STOPPED, NULL);
	return conn_steps[c->step].run(c);
}

void conn_advance(struct conn *c)
{
	enum conn_verdict verdict;

	if (c->ended)
		return;
	if (c->in_advance) {
		c->again = true;
		return;
	}
	c->in_advance = true;
	do {
		c->again = false;
		verdict = conn_one_step(c);
		if (verdict == CONN_NEXT)
			conn_enter(c, c->step + 1);
	} while (c->step < conn_step_count &&
		 (verdict == CONN_NEXT || (verdict == CONN_WAIT && c->again)));
	c->in_advance = false;
	if (verdict == CONN_WAIT)
		conn_watch(c);
	else
		conn_conclude(c);
}

/*
 * No helper thread has begun with this step, as all are busy with others, that have slow name
 * servers, or an agent that signs one after the other. Those have deadlines; this one begins anew.
 */
static bool conn_extend(struct conn *c, uint64_t now)
{
	uint64_t ms = conn_steps[c->step].deadline_ms;

	if (c->extended == CONN_EXTENDED_MAX ||
	    !(resolve_is_queued(c->resolve) || host_key_is_queued(c->host_key) ||
	      work_is_queued(c->signing)))
		return false;
	c->extended++;
	if (conn_steps[c->step].by_connect_timeout && c->connect_deadline_ns) {
		ms = c->spec.connect_timeout_ms;
		c->connect_deadline_ns = now + ms * UINT64_C(1000000);
	}
	c->step_deadline_ns = now + ms * UINT64_C(1000000);
	return true;
}

/* The host has more time, as some of it was lost here. */
static bool conn_is_early(struct conn *c)
{
	uint64_t now = patience_ns(ssh_engine_patience(c->engine));

	if (!c->patient || c->stopping || !c->step_deadline_ns)
		return false;
	return now < c->step_deadline_ns || conn_extend(c, now);
}

static void conn_on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	if (conn_is_early(c)) {
		conn_set_deadline(
			c, patience_ms_until(ssh_engine_patience(c->engine), c->step_deadline_ns));
		return;
	}
	if (conn_steps[c->step].run == conn_step_run) {
		if (!conn_run_on_deadline(c)) {
			conn_advance(c);
			return;
		}
	} else if (c->stopping) {
		(void)conn_fail(c, CONN_END_STOPPED, NULL);
	} else {
		if (conn_steps[c->step].by_connect_timeout)
			c->result.trouble = PACER_UNREACHABLE;
		(void)conn_fail(c, CONN_END_TIMEOUT, "%s", conn_steps[c->step].name);
	}
	conn_conclude(c);
}

static void conn_on_kick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	conn_advance(arg);
}

static void conn_on_slot(void *arg)
{
	/* Not at once: it may be granted inside of another connection's end. */
	conn_kick(arg, 0);
}

struct conn *conn_start(struct ssh_engine *engine, const struct conn_spec *spec,
			const struct conn_events *events, void *arg)
{
	struct event_base *base = loop_base(ssh_engine_loop(engine));
	struct conn *c = xcalloc(1, sizeof *c);

	c->engine = engine;
	c->events = events;
	c->arg = arg;
	c->spec = *spec;
	c->fd = -1;
	c->result.exit_code = -1;
	c->result.trouble = PACER_FINAL;
	c->slot.granted = conn_on_slot;
	c->slot.arg = c;
	c->deadline = evtimer_new(base, conn_on_deadline, c);
	c->kick = evtimer_new(base, conn_on_kick, c);
	if (!c->deadline || !c->kick)
		abort();
	if (!c->spec.connect_timeout_ms)
		c->spec.connect_timeout_ms = spec->target->connect_timeout_ms;
	conn_be_patient(c, true);
	conn_kick(c, 0);
	return c;
}

void conn_stop(struct conn *c)
{
	if (c->stopping)
		return;
	c->stopping = true;
	conn_kick(c, 0);
}

void conn_hold(struct conn *c, bool hold)
{
	if (c->held == hold)
		return;
	c->held = hold;
	if (!c->in_advance && !c->ended)
		conn_watch(c);
}

static void conn_free_session(struct conn *c)
{
	if (c->poll) {
		(void)ssh_event_remove_session(c->poll, c->session);
		ssh_event_free(c->poll);
	}
	if (c->channel)
		(void)ssh_remove_channel_callbacks(c->channel, &c->callbacks);
	conn_side_done(&c->kill);
	conn_side_done(&c->signal);
	conn_queue_done(&c->input);
	/* Without ssh_disconnect: it writes, and the peer may not read any more. */
	ssh_free(c->session);
	fd_close(&c->fd);
}

void conn_destroy(struct conn *c)
{
	conn_unwatch(c);
	resolve_cancel(c->resolve);
	c->resolve = NULL;
	dial_cancel(c->dial);
	c->dial = NULL;
	host_key_cancel(c->host_key);
	c->host_key = NULL;
	if (c->transport_io)
		event_free(c->transport_io);
	c->transport_io = NULL;
	agent_proxy_free(c->agent);
	c->agent = NULL;
	conn_auth_done(c);
	if (c->signing)
		return; /* conn_auth.c comes back when the thread has let go */
	conn_free_session(c);
	conn_transport_done(&c->transport);
	free(c->key_blob);
	event_free(c->deadline);
	event_free(c->kick);
	free(c);
}

void conn_free(struct conn *c)
{
	if (!c)
		return;
	c->ended = true;
	conn_be_patient(c, false);
	(void)event_del(c->deadline);
	(void)event_del(c->kick);
	ssh_slot_release(c->engine, &c->slot);
	conn_destroy(c);
}
