/*
 * Ending, halting and going on with what a command has started. A closed channel ends nothing on
 * the target (sshd sends no signal without a terminal), and sshd passes SSH's own signal request on
 * to the first process group only, and not for root. So a second channel looks for the marker of
 * the run (command.h).
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "command.h"
#include "conn_private.h"

#define CONN_GRACE_MS	   10000u
#define CONN_KILL_AGAIN_MS 100u
/* For the channel itself: a connection that is stalled ends no later. */
#define CONN_KILL_OPEN_MS 5000u
/* Beyond the grace: the KILL rounds. */
#define CONN_KILL_EXTRA_MS 10000u

static uint64_t conn_grace_ms(const struct conn *c)
{
	return c->spec.stop_grace_ms ? c->spec.stop_grace_ms : CONN_GRACE_MS;
}

void conn_kill_begin(struct conn *c)
{
	struct buf text = {0};

	command_kill(&text, c->spec.run_id, (unsigned)((conn_grace_ms(c) + 999) / 1000));
	c->kill_begun = true;
	c->kill_again_ms = CONN_KILL_AGAIN_MS;
	conn_set_deadline(c, CONN_KILL_OPEN_MS);
	conn_side_begin(&c->kill, c->session, buf_take_str(&text));
}

/*
 * The search found nobody, and yet the command's channel is open: sshd says that the command runs
 * before its process bears the marker. So look again, ever more rarely, up to the deadline.
 */
static void conn_kill_put_off(struct conn *c)
{
	c->kill.state = CONN_SIDE_NONE;
	c->kill_again_ns = clock_mono_ns() + c->kill_again_ms * UINT64_C(1000000);
	conn_kick(c, c->kill_again_ms + 1);
	c->kill_again_ms *= 2;
}

static void conn_kill_judge(struct conn *c)
{
	if (c->kill.status == 0 && !c->closed)
		conn_kill_put_off(c);
	else if (c->kill.status > 0)
		(void)snprintf(c->result.text, sizeof c->result.text,
			       c->kill.status == 1 ? "some of its processes survived KILL"
						   : "its processes could not be looked for");
}

void conn_kill_advance(struct conn *c)
{
	bool busy = conn_side_is_busy(&c->kill), opening = busy && c->kill.state != CONN_SIDE_WAIT;

	if (c->kill.state == CONN_SIDE_NONE) {
		if (c->closed || clock_mono_ns() < c->kill_again_ns)
			return;
		conn_side_again(&c->kill, c->session);
		busy = true;
	}
	switch (conn_side_advance(&c->kill)) {
	case CONN_SIDE_DONE:
		if (busy)
			conn_kill_judge(c);
		break;
	case CONN_SIDE_REFUSED:
		/* What SSH itself offers reaches the first process group at least. */
		if (busy)
			(void)ssh_channel_request_send_signal(c->channel, "TERM");
		break;
	case CONN_SIDE_WAIT:
		if (opening)
			conn_set_deadline(c, conn_grace_ms(c) + CONN_KILL_EXTRA_MS);
		break;
	case CONN_SIDE_NONE:
	case CONN_SIDE_OPEN:
	case CONN_SIDE_EXEC:
		break;
	}
}

bool conn_kill_is_over(const struct conn *c)
{
	if (!c->kill_begun || (c->kill.state == CONN_SIDE_NONE && c->closed))
		return true;
	return c->kill.state == CONN_SIDE_DONE || c->kill.state == CONN_SIDE_REFUSED;
}

void conn_kill_expire(struct conn *c)
{
	(void)snprintf(c->result.text, sizeof c->result.text,
		       "it could not be made sure that its processes are gone");
}

/* --- suspending ------------------------------------------------------------------------------ */

static void conn_signal_settle(struct conn *c)
{
	c->suspend_asked = false;
	c->events->suspended(c->arg, c->suspended);
}

/* Only the newest request is answered, when nothing is on its way any more. */
void conn_signal_advance(struct conn *c)
{
	struct buf text = {0};

	if (!c->suspend_asked || c->stopping)
		return;
	if (conn_side_is_busy(&c->signal)) {
		if (conn_side_advance(&c->signal) == CONN_SIDE_DONE && c->signal.status == 0)
			c->suspended = c->signalling;
		else if (!conn_side_is_busy(&c->signal) && c->suspend == c->signalling)
			c->suspend = c->suspended; /* the target did not do it */
	}
	if (conn_side_is_busy(&c->signal))
		return;
	if (c->suspend == c->suspended) {
		conn_signal_settle(c);
		return;
	}
	command_signal(&text, c->spec.run_id, c->suspend ? "STOP" : "CONT");
	c->signalling = c->suspend;
	conn_side_begin(&c->signal, c->session, buf_take_str(&text));
	(void)conn_side_advance(&c->signal);
}

void conn_suspend(struct conn *c, bool suspend)
{
	assert(!c->spec.stream);
	c->suspend = suspend;
	c->suspend_asked = true;
	/* The kick is then for looking again, and nothing is halted any more. */
	if (!c->stopping)
		conn_kick(c, 0);
}
