/*
 * Whether the other side of a connection is still there. It is asked when it has been silent, and
 * given up when it does not answer. What it has said may wait where this daemon is behind: it is
 * given up only when the I/O thread, asked behind it all, has nothing from it either.
 */
#include <stdio.h>

#include "clock.h"
#include "remote_private.h"

/* So many times the keepalive without a byte, and the connection is lost. */
#define REMOTE_SILENCES 3u

static uint64_t remote_now_ms(void)
{
	return clock_mono_ns() / 1000000u;
}

void remote_heard(struct remote *r)
{
	r->heard_ms = remote_now_ms();
	r->pinged = false;
}

static void remote_ping(struct remote *r, uint64_t now_ms)
{
	struct ping_msg m = {.number = r->pings++};
	struct buf body = {0};

	r->pinged = true;
	r->pinged_ms = now_ms;
	ping_put(&body, &m);
	remote_send(r, MSG_PING, &body);
}

static void remote_give_up(struct remote *r, uint64_t now_ms)
{
	char text[64];

	(void)snprintf(text, sizeof text, "nothing was heard for %llu s",
		       (unsigned long long)(now_ms - r->heard_ms) / 1000u);
	remote_close(r, CAUSE_LINK_LOST, text);
}

void remote_on_listened(void *arg, bool silent)
{
	struct remote *r = arg;

	r->listening = false;
	if (silent && r->pinged && r->state == REMOTE_OPEN)
		remote_give_up(r, remote_now_ms());
}

/* ServerAliveCountMax; the first of them passes before anything is asked. */
static uint64_t remote_silences(const struct remote *r)
{
	const struct plan_target *t = r->target;

	if (!t || !t->alive_interval_s)
		return REMOTE_SILENCES;
	return t->alive_count > 2 ? t->alive_count : 2;
}

void remote_check(struct remote *r, uint64_t now_ms, uint64_t keepalive_ms)
{
	uint64_t silence = now_ms - r->heard_ms, silences = remote_silences(r);

	if (r->target && r->target->alive_interval_s)
		keepalive_ms = r->target->alive_interval_s * UINT64_C(1000);
	if (r->state != REMOTE_OPEN || !r->tasks || !(r->can & AGENT_CAN_DURABLE)) {
		r->heard_ms = now_ms;
		return;
	}
	if (!r->pinged) {
		if (silence >= keepalive_ms)
			remote_ping(r, now_ms);
		return;
	}
	/* The ping may have been late itself. */
	if (r->listening || silence < keepalive_ms * silences ||
	    now_ms - r->pinged_ms < keepalive_ms * (silences - 1) / 2)
		return;
	if (!r->line) {
		remote_give_up(r, now_ms);
		return;
	}
	r->listening = true;
	line_listen(r->line);
}
