/* What goes to the OpenSSH client and comes from it. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client_private.h"
#include "fd.h"

#define CLIENT_READ (64u << 10)
/* Reads of one wake-up: enough to be cheap, few enough to be fair. */
#define CLIENT_READS_PER_WAKE 8
/* What is left of one that has ended is in buffers of the kernel; more comes from somebody else who
 * has its stdout. */
#define CLIENT_REST_MAX (4u << 20)

/* --- what it says ---------------------------------------------------------------------------- */

static void client_give(struct client_conn *c, bool is_error, const void *data, size_t len)
{
	if (!len || (c->held && c->stopping))
		return;
	c->got_data = true;
	c->events->data(c->arg, is_error, data, len);
}

/* The last of it, for the words of a failure. NUL would end it. */
static void client_note_said(struct client_conn *c, const char *data, size_t len)
{
	size_t most = sizeof c->said - 1;

	if (len > most) {
		data += len - most;
		len = most;
	}
	if (c->said_len + len > most) {
		size_t gone = c->said_len + len - most;

		memmove(c->said, c->said + gone, c->said_len - gone);
		c->said_len -= gone;
	}
	for (size_t i = 0; i < len; i++)
		c->said[c->said_len++] = data[i] ? data[i] : '?';
	c->said[c->said_len] = '\0';
}

/* Where the mark begins in text, to which so many bytes were just added; NULL: it has not come. */
static char *client_find_mark(const struct client_conn *c, const struct buf *text, size_t added)
{
	size_t back = added + strlen(c->mark) - 1;
	size_t at = text->len > back ? text->len - back : 0;

	return memmem(text->data + at, text->len - at, c->mark, strlen(c->mark));
}

/* Gives what is in text but the mark, and forgets it. */
static void client_give_around(struct client_conn *c, bool is_error, struct buf *text,
			       const char *mark, bool give_before)
{
	size_t before = mark ? (size_t)(mark - (const char *)text->data) : text->len;
	size_t behind = mark ? before + strlen(c->mark) : text->len;

	if (give_before)
		client_give(c, is_error, text->data, before);
	if (is_error)
		client_note_said(c, (const char *)text->data + behind, text->len - behind);
	client_give(c, is_error, text->data + behind, text->len - behind);
	buf_done(text);
}

static void client_end_burst(struct client_conn *c)
{
	if (!c->got_data)
		return;
	c->got_data = false;
	c->events->burst_end(c->arg);
}

void client_io_without_mark(struct client_conn *c)
{
	client_begin(c);
	c->errors_marked = true;
	client_give_around(c, false, &c->early, NULL, true);
	client_give_around(c, true, &c->early_errors, NULL, true);
	client_end_burst(c);
}

static void client_on_output(struct client_conn *c, const char *data, size_t len)
{
	char *mark;

	if (c->result.began) {
		client_give(c, false, data, len);
		return;
	}
	buf_add(&c->early, data, len);
	mark = client_find_mark(c, &c->early, len);
	if (mark) {
		client_begin(c);
		/* What a login shell says is given, too, as over libssh. */
		client_give_around(c, false, &c->early, mark, true);
	} else if (!c->spec.command || c->early.len > LIMIT_BOOT_NOISE) {
		client_io_without_mark(c);
	}
}

/* Before the mark it is ssh that speaks, and the server's banner. */
static void client_on_errors(struct client_conn *c, const char *data, size_t len)
{
	char *mark;

	if (c->errors_marked) {
		client_note_said(c, data, len);
		client_give(c, true, data, len);
		return;
	}
	client_note_said(c, data, len);
	c->noise += len;
	if (c->noise > LIMIT_BOOT_NOISE)
		return;
	buf_add(&c->early_errors, data, len);
	mark = client_find_mark(c, &c->early_errors, len);
	if (!mark)
		return;
	client_begin(c);
	c->errors_marked = true;
	c->said_len = 0;
	client_give_around(c, true, &c->early_errors, mark, false);
}

/* One read. False: nothing is there now, or will ever be; then *ret_end. */
static bool client_read(struct client_conn *c, int fd, bool *ret_end)
{
	char data[CLIENT_READ];
	ssize_t n = read(fd, data, sizeof data);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		*ret_end = true;
		return false;
	}
	if (fd == c->proc.io)
		client_on_output(c, data, (size_t)n);
	else
		client_on_errors(c, data, (size_t)n);
	return true;
}

static void client_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct client_conn *c = arg;
	bool end = false;
	int n = 0;

	(void)what;
	while (n < CLIENT_READS_PER_WAKE && !client_is_held(c) && client_read(c, fd, &end))
		n++;
	/* Its exit is what ends it; until then there is nothing to wake us for. */
	if (end)
		(void)event_del(fd == c->proc.io ? c->readable : c->errors);
	client_end_burst(c);
	client_advance(c);
}

bool client_io_drain(struct client_conn *c)
{
	const int fds[] = {c->proc.errors, c->proc.io};
	size_t reads = 0;

	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		bool end = false;

		while (!client_is_held(c) && reads < CLIENT_REST_MAX / CLIENT_READ &&
		       client_read(c, fds[i], &end))
			reads++;
	}
	client_end_burst(c);
	return !client_is_held(c);
}

static void client_on_exit(evutil_socket_t fd, short what, void *arg)
{
	struct client_conn *c = arg;

	(void)fd;
	(void)what;
	event_free(c->exit);
	c->exit = NULL;
	c->status = client_proc_reap(&c->proc);
	c->ended = true;
	conn_queue_done(&c->input);
	c->input_ended = true;
	client_advance(c);
}

/* --- what it gets ---------------------------------------------------------------------------- */

static void client_input_drop(struct client_conn *c)
{
	conn_queue_done(&c->input);
	c->input_ended = true;
}

/* What it takes without waiting. */
static void client_input_pump(struct client_conn *c)
{
	const void *data;
	ssize_t n;
	size_t len;

	while (!c->input_ended && (data = conn_queue_front(&c->input, &len))) {
		n = send(c->proc.io, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			client_input_drop(c);
		else
			conn_queue_take(&c->input, (size_t)n);
	}
	if (c->finishing && !c->input_ended) {
		c->input_ended = true;
		(void)shutdown(c->proc.io, SHUT_WR);
	}
}

static void client_input_watch(struct client_conn *c)
{
	bool owed = c->input_above && c->input.len < CONN_QUEUE_LO && !c->ended;

	if (c->writable && (owed || (!c->input_ended && (c->input.len || c->finishing))))
		(void)event_add(c->writable, NULL);
}

static void client_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct client_conn *c = arg;

	(void)fd;
	(void)what;
	client_input_pump(c);
	if (c->input_above && c->input.len < CONN_QUEUE_LO) {
		c->input_above = false;
		if (c->events->writable)
			c->events->writable(c->arg);
	}
	client_input_watch(c);
}

void client_conn_write(struct client_conn *c, const void *data, size_t len)
{
	assert((c->spec.stream || c->spec.input) && !c->finishing);
	if (c->input_ended || c->stopping || c->ended || !len)
		return;
	conn_queue_add(&c->input, data, len);
	c->input_above = c->input_above || c->input.len > CONN_QUEUE_LO;
	client_input_watch(c);
}

size_t client_conn_queued(const struct client_conn *c)
{
	return c->input.len;
}

void client_conn_finish(struct client_conn *c)
{
	c->finishing = true;
	client_input_watch(c);
}

void client_conn_ask_writable(struct client_conn *c)
{
	c->input_above = true;
	client_input_watch(c);
}

/* --- what is watched ------------------------------------------------------------------------- */

static struct event *client_event(struct client_conn *c, int fd, short what,
				  event_callback_fn callback)
{
	struct event *ev = event_new(loop_base(ssh_engine_loop(c->engine)), fd, what, callback, c);

	if (!ev)
		abort();
	return ev;
}

bool client_is_held(const struct client_conn *c)
{
	return c->held && c->result.began && !c->stopping;
}

void client_io_watch(struct client_conn *c)
{
	bool held = client_is_held(c);
	struct event *both[] = {c->readable, c->errors};

	for (size_t i = 0; i < 2; i++) {
		if (both[i] && held)
			(void)event_del(both[i]);
		else if (both[i] && !c->ended)
			(void)event_add(both[i], NULL);
	}
}

void client_io_start(struct client_conn *c)
{
	c->readable = client_event(c, c->proc.io, EV_READ | EV_PERSIST, client_on_readable);
	c->errors = client_event(c, c->proc.errors, EV_READ | EV_PERSIST, client_on_readable);
	c->writable = client_event(c, c->proc.io, EV_WRITE, client_on_writable);
	c->exit = client_event(c, c->proc.exit, EV_READ, client_on_exit);
	(void)event_add(c->exit, NULL);
	client_io_watch(c);
	client_input_watch(c);
}

void client_io_done(struct client_conn *c)
{
	struct event **all[] = {&c->readable, &c->errors, &c->writable, &c->exit};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (*all[i])
			event_free(*all[i]);
		*all[i] = NULL;
	}
}
