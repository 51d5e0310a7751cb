#include "conn_side.h"

#include <stdlib.h>

static int conn_side_on_data(ssh_session session, ssh_channel channel, void *data, uint32_t len,
			     int is_stderr, void *arg)
{
	(void)session;
	(void)channel;
	(void)data;
	(void)is_stderr;
	(void)arg;
	return (int)len;
}

static void conn_side_on_exit(ssh_session session, ssh_channel channel, int status, void *arg)
{
	struct conn_side *side = arg;

	(void)session;
	(void)channel;
	side->status = status;
}

static void conn_side_on_close(ssh_session session, ssh_channel channel, void *arg)
{
	struct conn_side *side = arg;

	(void)session;
	(void)channel;
	side->closed = true;
}

static void conn_side_drop_channel(struct conn_side *side)
{
	if (!side->channel)
		return;
	(void)ssh_remove_channel_callbacks(side->channel, &side->callbacks);
	ssh_channel_free(side->channel);
	side->channel = NULL;
}

void conn_side_again(struct conn_side *side, ssh_session session)
{
	conn_side_drop_channel(side);
	side->status = -1;
	side->closed = false;
	side->channel = ssh_channel_new(session);
	if (!side->channel) {
		side->state = CONN_SIDE_REFUSED;
		return;
	}
	side->callbacks.userdata = side;
	side->callbacks.channel_data_function = conn_side_on_data;
	side->callbacks.channel_exit_status_function = conn_side_on_exit;
	side->callbacks.channel_close_function = conn_side_on_close;
	ssh_callbacks_init(&side->callbacks);
	(void)ssh_set_channel_callbacks(side->channel, &side->callbacks);
	side->state = CONN_SIDE_OPEN;
}

void conn_side_begin(struct conn_side *side, ssh_session session, char *command)
{
	free(side->command);
	side->command = command;
	conn_side_again(side, session);
}

enum conn_side_state conn_side_advance(struct conn_side *side)
{
	int rc = SSH_OK;

	if (side->state == CONN_SIDE_OPEN) {
		rc = ssh_channel_open_session(side->channel);
		if (rc == SSH_OK)
			side->state = CONN_SIDE_EXEC;
	}
	if (side->state == CONN_SIDE_EXEC) {
		rc = ssh_channel_request_exec(side->channel, side->command);
		if (rc == SSH_OK)
			side->state = CONN_SIDE_WAIT;
	}
	if (rc == SSH_ERROR)
		side->state = CONN_SIDE_REFUSED;
	if (side->state == CONN_SIDE_WAIT && side->closed)
		side->state = CONN_SIDE_DONE;
	return side->state;
}

bool conn_side_is_busy(const struct conn_side *side)
{
	return side->state == CONN_SIDE_OPEN || side->state == CONN_SIDE_EXEC ||
	       side->state == CONN_SIDE_WAIT;
}

void conn_side_done(struct conn_side *side)
{
	/* The session frees the channel itself, and calls back no more. */
	if (side->channel)
		(void)ssh_remove_channel_callbacks(side->channel, &side->callbacks);
	side->channel = NULL;
	free(side->command);
	side->command = NULL;
}
