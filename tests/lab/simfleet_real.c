#include "simfleet_real.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"

#define SIM_REAL_PIECE	65536
#define SIM_REAL_QUEUED (1u << 20) /* towards the agent; a client sends less at once */

struct sim_real {
	struct sim_channel *ch;
	int fd;
	struct event *read, *write;
	struct buf queue; /* towards the agent */
	bool eof;	  /* no more follows the queue */
	bool has_data;
};

/* The agent ends by itself when its input does. */
static void sim_real_free(struct sim_channel *ch)
{
	struct sim_real *r = ch->arg;

	event_free(r->read);
	event_free(r->write);
	(void)close(r->fd);
	buf_done(&r->queue);
	free(r);
}

static void sim_real_flush(struct sim_real *r)
{
	ssize_t n = r->queue.len ? send(r->fd, r->queue.data, r->queue.len, MSG_NOSIGNAL) : 0;

	if (n > 0)
		buf_consume(&r->queue, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		buf_clear(&r->queue);
	if (r->queue.len)
		(void)event_add(r->write, NULL);
	else if (r->eof)
		(void)shutdown(r->fd, SHUT_WR);
}

static void sim_real_feed(struct sim_channel *ch, const void *data, size_t len)
{
	struct sim_real *r = ch->arg;

	buf_add(&r->queue, data, len);
	if (r->queue.len > SIM_REAL_QUEUED)
		sim_channel_finish(ch, 1, NULL);
	else
		sim_real_flush(r);
}

static void sim_real_end(struct sim_channel *ch)
{
	struct sim_real *r = ch->arg;

	if (r->eof)
		return;
	r->eof = true;
	sim_real_flush(r);
}

/* The queue of the channel is empty. */
static void sim_real_pump(struct sim_channel *ch)
{
	struct sim_real *r = ch->arg;
	struct buf *out = sim_channel_out(ch, false);
	ssize_t n = recv(r->fd, buf_room(out, SIM_REAL_PIECE), SIM_REAL_PIECE, 0);

	r->has_data = false;
	if (n > 0)
		out->len += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		sim_channel_finish(ch, 0, NULL);
	if (!ch->finishing)
		(void)event_add(r->read, NULL);
}

static bool sim_real_has_more(const struct sim_channel *ch)
{
	const struct sim_real *r = ch->arg;

	return r->has_data;
}

static const struct sim_role sim_real_role = {
	.feed = sim_real_feed,
	.end = sim_real_end,
	.pump = sim_real_pump,
	.has_more = sim_real_has_more,
	.free = sim_real_free,
};

static void sim_real_on_read(evutil_socket_t fd, short what, void *arg)
{
	struct sim_real *r = arg;

	(void)fd;
	(void)what;
	r->has_data = true;
	sim_conn_advance(r->ch->conn);
}

static void sim_real_on_write(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	sim_real_flush(arg);
}

/* In the child. */
static _Noreturn void sim_real_exec(const char *agent, int fd)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGCHLD, SIG_DFL);
	if (dup2(fd, 0) == 0 && dup2(fd, 1) == 1)
		(void)execl(agent, "muster-agent", (char *)NULL);
	_exit(127);
}

void sim_real_begin(struct sim_channel *ch)
{
	struct sim_fleet *fleet = ch->conn->fleet;
	struct sim_real *r;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		sim_channel_finish(ch, 1, NULL);
		return;
	}
	(void)evutil_make_socket_nonblocking(pair[0]);
	pid = fork();
	if (pid == 0)
		sim_real_exec(fleet->agent, pair[1]);
	(void)close(pair[1]);
	fleet->counts.agents++;
	r = xcalloc(1, sizeof *r);
	r->ch = ch;
	r->fd = pair[0];
	r->read = event_new(fleet->base, r->fd, EV_READ, sim_real_on_read, r);
	r->write = event_new(fleet->base, r->fd, EV_WRITE, sim_real_on_write, r);
	ch->role = &sim_real_role;
	ch->arg = r;
	if (!r->read || !r->write || event_add(r->read, NULL) != 0)
		abort();
}
