/*
 * Ending what a command has started. A closed channel ends nothing on the target (sshd sends no
 * signal without a terminal), and sshd passes SSH's own signal request on to the first process
 * group only, and not for root. So a second channel looks for the marker of the run (command.h).
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "command.h"
#include "conn_private.h"

#define CONN_GRACE_MS	   10000u
#define CONN_KILL_AGAIN_MS 100u
/* Beyond the grace: the KILL rounds and the channel itself. */
#define CONN_KILL_EXTRA_MS 15000u

static uint64_t conn_grace_ms(const struct conn *c)
{
	return c->spec.stop_grace_ms ? c->spec.stop_grace_ms : CONN_GRACE_MS;
}

static int conn_kill_on_data(ssh_session session, ssh_channel channel, void *data, uint32_t len,
			     int is_stderr, void *arg)
{
	(void)session;
	(void)channel;
	(void)data;
	(void)is_stderr;
	(void)arg;
	return (int)len;
}

static void conn_kill_on_exit(ssh_session session, ssh_channel channel, int status, void *arg)
{
	struct conn *c = arg;

	(void)session;
	(void)channel;
	c->kill_status = status;
}

static void conn_kill_on_close(ssh_session session, ssh_channel channel, void *arg)
{
	struct conn *c = arg;

	(void)session;
	(void)channel;
	c->kill_closed = true;
}

static void conn_kill_open(struct conn *c)
{
	c->kill_status = -1;
	c->kill_closed = false;
	c->kill_channel = ssh_channel_new(c->session);
	if (!c->kill_channel) {
		c->kill_state = CONN_KILL_DONE;
		return;
	}
	c->kill_callbacks.userdata = c;
	c->kill_callbacks.channel_data_function = conn_kill_on_data;
	c->kill_callbacks.channel_exit_status_function = conn_kill_on_exit;
	c->kill_callbacks.channel_close_function = conn_kill_on_close;
	ssh_callbacks_init(&c->kill_callbacks);
	(void)ssh_set_channel_callbacks(c->kill_channel, &c->kill_callbacks);
	c->kill_state = CONN_KILL_OPEN;
}

void conn_kill_begin(struct conn *c)
{
	struct buf text = {0};

	command_kill(&text, c->spec.run_id, (unsigned)((conn_grace_ms(c) + 999) / 1000));
	c->kill_command = buf_take_str(&text);
	c->kill_again_ms = CONN_KILL_AGAIN_MS;
	conn_set_deadline(c, conn_grace_ms(c) + CONN_KILL_EXTRA_MS);
	conn_kill_open(c);
}

/*
 * The search found nobody, and yet the command's channel is open: sshd says that the command runs
 * before its process bears the marker. So look again, ever more rarely, up to the deadline.
 */
static void conn_kill_put_off(struct conn *c)
{
	c->kill_state = CONN_KILL_AGAIN;
	c->kill_again_ns = clock_mono_ns() + c->kill_again_ms * UINT64_C(1000000);
	conn_kick(c, c->kill_again_ms + 1);
	c->kill_again_ms *= 2;
}

static void conn_kill_again(struct conn *c)
{
	(void)ssh_remove_channel_callbacks(c->kill_channel, &c->kill_callbacks);
	ssh_channel_free(c->kill_channel);
	conn_kill_open(c);
}

/* No second channel: what SSH itself offers reaches the first process group at least. */
static void conn_kill_refused(struct conn *c)
{
	(void)ssh_channel_request_send_signal(c->channel, "TERM");
	c->kill_state = CONN_KILL_DONE;
}

static void conn_kill_judge(struct conn *c)
{
	c->kill_state = CONN_KILL_DONE;
	if (c->kill_status == 0 && !c->closed)
		conn_kill_put_off(c);
	else if (c->kill_status > 0)
		(void)snprintf(c->result.text, sizeof c->result.text,
			       c->kill_status == 1 ? "some of its processes survived KILL"
						   : "its processes could not be looked for");
}

void conn_kill_advance(struct conn *c)
{
	int rc = SSH_OK;

	if (c->kill_state == CONN_KILL_AGAIN && !c->closed && clock_mono_ns() >= c->kill_again_ns)
		conn_kill_again(c);
	if (c->kill_state == CONN_KILL_OPEN) {
		rc = ssh_channel_open_session(c->kill_channel);
		if (rc == SSH_OK)
			c->kill_state = CONN_KILL_EXEC;
	}
	if (c->kill_state == CONN_KILL_EXEC) {
		rc = ssh_channel_request_exec(c->kill_channel, c->kill_command);
		if (rc == SSH_OK)
			c->kill_state = CONN_KILL_WAIT;
	}
	if (rc == SSH_ERROR && c->kill_state != CONN_KILL_DONE) {
		conn_kill_refused(c);
		return;
	}
	if (c->kill_state == CONN_KILL_WAIT && c->kill_closed)
		conn_kill_judge(c);
}

bool conn_kill_is_over(const struct conn *c)
{
	return c->kill_state == CONN_KILL_NONE || c->kill_state == CONN_KILL_DONE ||
	       (c->kill_state == CONN_KILL_AGAIN && c->closed);
}

void conn_kill_expire(struct conn *c)
{
	(void)snprintf(c->result.text, sizeof c->result.text,
		       "it could not be made sure that its processes are gone");
}
