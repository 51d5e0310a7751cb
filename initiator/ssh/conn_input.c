/* The input of the program: our own queue, as libssh would take a whole window into its memory. */
#include <assert.h>

#include "conn_private.h"

static bool conn_has_input(const struct conn *c)
{
	return c->spec.stream || c->spec.input;
}

/*
 * Asks libssh itself: that it wants to write (SSH_WRITE_PENDING) says little, as it forgets to take
 * that back as long as there is something to read.
 */
static bool conn_input_is_unsent(struct conn *c)
{
	if (c->input_flushing)
		c->input_flushing = ssh_blocking_flush(c->session, 0) == SSH_AGAIN;
	return c->input_flushing;
}

/* Nobody takes it any more. */
static void conn_input_drop(struct conn *c)
{
	conn_queue_done(&c->input);
	c->input_ended = true;
}

/* At most what the window has room for: beyond it libssh would wait. */
static bool conn_input_give(struct conn *c)
{
	uint32_t window = ssh_channel_window_size(c->channel);
	size_t len;
	const void *data = conn_queue_front(&c->input, &len);
	int n;

	if (len > window)
		len = window;
	if (!len)
		return false;
	n = ssh_channel_write(c->channel, data, (uint32_t)len);
	if (n < 0) {
		conn_input_drop(c);
		return false;
	}
	/* 0: the keys are being renewed, and the end of that wakes us. */
	conn_queue_take(&c->input, (size_t)n);
	c->input_flushing = n > 0;
	return n > 0;
}

bool conn_input_pump(struct conn *c)
{
	if (c->closed)
		conn_input_drop(c);
	else if (conn_input_is_unsent(c))
		return false; /* the kernel has not taken all of what came before */
	if (c->input_ended || (c->stopping && conn_has_input(c)))
		return false;
	if (c->input.len)
		return conn_input_give(c);
	if (!c->finishing)
		return false;
	c->input_ended = true;
	c->input_flushing = true;
	(void)ssh_channel_send_eof(c->channel);
	return true;
}

void conn_input_tell(struct conn *c)
{
	if (!c->input_above || c->input.len >= CONN_QUEUE_LO || c->closed)
		return;
	c->input_above = false;
	if (c->events->writable)
		c->events->writable(c->arg);
}

/* From inside an event the step "run" sees to it before it waits. While the processes are being
 * ended nothing is given any more, and the kick is for looking again. */
static void conn_input_changed(struct conn *c)
{
	if (c->poll && !c->in_advance && !c->stopping)
		conn_kick(c, 0);
}

void conn_write(struct conn *c, const void *data, size_t len)
{
	assert(conn_has_input(c) && !c->finishing);
	if (c->input_ended || c->stopping || c->ended || !len)
		return;
	conn_queue_add(&c->input, data, len);
	c->input_above = c->input_above || c->input.len > CONN_QUEUE_LO;
	conn_input_changed(c);
}

void conn_ask_writable(struct conn *c)
{
	c->input_above = true;
	conn_input_changed(c);
}

size_t conn_queued(const struct conn *c)
{
	return c->input.len;
}

void conn_finish(struct conn *c)
{
	assert(conn_has_input(c));
	if (c->finishing)
		return;
	c->finishing = true;
	conn_input_changed(c);
}
