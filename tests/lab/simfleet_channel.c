#include "simfleet_channel.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "simfleet_agent.h"
#include "simfleet_boot.h"
#include "simfleet_plain.h"
#include "simfleet_real.h"

/* Of what a client asks for and does not read. */
#define SIM_QUEUE_MAX (256u << 20)

/* --- what comes ------------------------------------------------------------------------------ */

static int sim_channel_request(struct sim_channel *ch, const char *command, bool subsystem)
{
	/* 1 is a refusal. A channel executes once. */
	if (ch->conn->manner->no_exec || ch->command || ch->role)
		return 1;
	if (subsystem && strcmp(command, "muster") != 0)
		return 1;
	ch->command = xstrdup(command);
	ch->subsystem = subsystem;
	return 0;
}

static int sim_channel_on_exec(ssh_session session, ssh_channel channel, const char *command,
			       void *arg)
{
	(void)session;
	(void)channel;
	return sim_channel_request(arg, command, false);
}

static int sim_channel_on_subsystem(ssh_session session, ssh_channel channel, const char *name,
				    void *arg)
{
	(void)session;
	(void)channel;
	return sim_channel_request(arg, name, true);
}

static int sim_channel_on_shell(ssh_session session, ssh_channel channel, void *arg)
{
	(void)session;
	(void)channel;
	return sim_channel_request(arg, "", false);
}

static int sim_channel_on_pty(ssh_session session, ssh_channel channel, const char *term, int width,
			      int height, int pixels_x, int pixels_y, void *arg)
{
	(void)session;
	(void)channel;
	(void)term;
	(void)width;
	(void)height;
	(void)pixels_x;
	(void)pixels_y;
	(void)arg;
	return 0;
}

/* As sshd without AcceptEnv. */
static int sim_channel_on_env(ssh_session session, ssh_channel channel, const char *name,
			      const char *value, void *arg)
{
	(void)session;
	(void)channel;
	(void)name;
	(void)value;
	(void)arg;
	return 1;
}

static int sim_channel_on_data(ssh_session session, ssh_channel channel, void *data, uint32_t len,
			       int is_stderr, void *arg)
{
	struct sim_channel *ch = arg;

	(void)session;
	(void)channel;
	if (ch->role && ch->role->feed && !is_stderr && !ch->finishing)
		ch->role->feed(ch, data, len);
	return (int)len;
}

static void sim_channel_on_eof(ssh_session session, ssh_channel channel, void *arg)
{
	struct sim_channel *ch = arg;

	(void)session;
	(void)channel;
	ch->ended = true;
}

static void sim_channel_on_close(ssh_session session, ssh_channel channel, void *arg)
{
	struct sim_channel *ch = arg;

	(void)session;
	(void)channel;
	ch->ended = true;
	ch->closed = true;
}

static void sim_channel_on_signal(ssh_session session, ssh_channel channel, const char *name,
				  void *arg)
{
	struct sim_channel *ch = arg;

	(void)session;
	(void)channel;
	if (ch->role && ch->role->signal)
		ch->role->signal(ch, name);
}

/* --- begin and end --------------------------------------------------------------------------- */

ssh_channel sim_channel_new(struct sim_conn *conn)
{
	struct sim_channel *ch;
	ssh_channel channel = ssh_channel_new(conn->session);

	if (!channel)
		return NULL;
	ch = xcalloc(1, sizeof *ch);
	ch->conn = conn;
	ch->channel = channel;
	ch->callbacks.userdata = ch;
	ch->callbacks.channel_data_function = sim_channel_on_data;
	ch->callbacks.channel_eof_function = sim_channel_on_eof;
	ch->callbacks.channel_close_function = sim_channel_on_close;
	ch->callbacks.channel_signal_function = sim_channel_on_signal;
	ch->callbacks.channel_exec_request_function = sim_channel_on_exec;
	ch->callbacks.channel_subsystem_request_function = sim_channel_on_subsystem;
	ch->callbacks.channel_shell_request_function = sim_channel_on_shell;
	ch->callbacks.channel_pty_request_function = sim_channel_on_pty;
	ch->callbacks.channel_env_request_function = sim_channel_on_env;
	ssh_callbacks_init(&ch->callbacks);
	(void)ssh_set_channel_callbacks(channel, &ch->callbacks);
	ch->next = conn->channels;
	ch->prev = &conn->channels;
	if (ch->next)
		ch->next->prev = &ch->next;
	conn->channels = ch;
	conn->fleet->counts.channels++;
	return channel;
}

void sim_channel_free(struct sim_channel *ch)
{
	*ch->prev = ch->next;
	if (ch->next)
		ch->next->prev = ch->prev;
	if (ch->role && ch->role->free)
		ch->role->free(ch);
	(void)ssh_remove_channel_callbacks(ch->channel, &ch->callbacks);
	ssh_channel_free(ch->channel);
	buf_done(&ch->queue[0].buf);
	buf_done(&ch->queue[1].buf);
	free(ch->command);
	free(ch);
}

/* The request has been answered. */
static void sim_channel_begin(struct sim_channel *ch)
{
	char *command = ch->command;
	const struct sim_manner *m = ch->conn->manner;

	ch->command = NULL;
	ch->conn->started = true;
	if (!ch->subsystem && !sim_boot_is(command)) {
		sim_plain_begin(ch, command);
	} else if (!ch->subsystem && (m->no_agent || m->uncached)) {
		sim_boot_begin(ch, command);
	} else {
		if (!ch->subsystem)
			sim_boot_answer(ch, command);
		if (m->real)
			sim_real_begin(ch);
		else
			sim_agent_begin(ch);
	}
	free(command);
}

/* --- what goes out --------------------------------------------------------------------------- */

struct buf *sim_channel_out(struct sim_channel *ch, bool is_error)
{
	return &ch->queue[is_error].buf;
}

void sim_channel_finish(struct sim_channel *ch, int status, const char *signal)
{
	if (ch->finishing)
		return;
	ch->finishing = true;
	ch->status = status;
	ch->signal = signal;
}

static bool sim_channel_is_drained(const struct sim_channel *ch)
{
	return !ch->queue[0].buf.len && !ch->queue[1].buf.len;
}

static void sim_channel_send(struct sim_channel *ch, bool is_error)
{
	struct sim_queue *q = &ch->queue[is_error];
	size_t left = q->buf.len - q->sent;
	uint32_t n = left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
	const uint8_t *from = q->buf.data + q->sent;
	int rc;

	if (!left || ssh_get_status(ch->conn->session) & SSH_WRITE_PENDING)
		return;
	rc = is_error ? ssh_channel_write_stderr(ch->channel, from, n)
		      : ssh_channel_write(ch->channel, from, n);
	if (rc <= 0)
		return;
	q->sent += (size_t)rc;
	if (q->sent < q->buf.len)
		return;
	/* One of thousands, and most say nothing more for a while. */
	buf_done(&q->buf);
	q->sent = 0;
}

static void sim_channel_close(struct sim_channel *ch)
{
	ch->finished = true;
	if (ch->signal)
		(void)ssh_channel_request_send_exit_signal(ch->channel, ch->signal, 0, "", "");
	else
		(void)ssh_channel_request_send_exit_status(ch->channel, ch->status);
	(void)ssh_channel_send_eof(ch->channel);
	(void)ssh_channel_close(ch->channel);
}

void sim_channel_advance(struct sim_channel *ch)
{
	if (ch->command && !ch->closed)
		sim_channel_begin(ch);
	if (ch->ended && ch->role && ch->role->end && !ch->finishing)
		ch->role->end(ch);
	if (ch->closed) {
		sim_channel_free(ch);
		return;
	}
	if (ch->finished)
		return;
	if (sim_channel_is_drained(ch) && !ch->finishing && ch->role && ch->role->pump)
		ch->role->pump(ch);
	sim_channel_send(ch, false);
	sim_channel_send(ch, true);
	if (ch->queue[0].buf.len > SIM_QUEUE_MAX)
		ch->conn->state = SIM_GONE;
	else if (ch->finishing && sim_channel_is_drained(ch))
		sim_channel_close(ch);
}

bool sim_channel_wants_write(const struct sim_channel *ch)
{
	if (ch->finished || !ssh_channel_window_size(ch->channel))
		return false;
	if (!sim_channel_is_drained(ch))
		return true;
	return !ch->finishing && ch->role && ch->role->has_more && ch->role->has_more(ch);
}
