#include "simfleet_relay.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"

#define SIM_RELAY_PIECE 4096
#define SIM_TICK_MS	50u

/* One direction. */
struct sim_flow {
	struct sim_relay *relay;
	int from, to;
	struct event *readable, *writable;
	uint8_t piece[SIM_RELAY_PIECE];
	size_t begin, end; /* of what waits in piece */
};

struct sim_relay {
	int client, session;
	struct sim_flow in, out; /* out: towards the client */
	uint64_t rate;		 /* bytes a second of out; 0: any */
	uint64_t left;		 /* of out in all; UINT64_MAX: any */
	uint64_t allowed;	 /* of out until the next tick */
	uint64_t owed;		 /* parts of a byte: the rest of rate * SIM_TICK_MS / 1000 */
	struct event *tick;
};

static size_t sim_flow_may(const struct sim_flow *f)
{
	const struct sim_relay *r = f->relay;
	size_t n = f->end - f->begin;

	if (f != &r->out)
		return n;
	if (n > r->left)
		n = (size_t)r->left;
	if (r->rate && n > r->allowed)
		n = (size_t)r->allowed;
	return n;
}

/* Either end has gone, or enough was said: so goes the other. */
static void sim_relay_cut(struct sim_relay *r)
{
	(void)event_del(r->in.readable);
	(void)event_del(r->in.writable);
	(void)event_del(r->out.readable);
	(void)event_del(r->out.writable);
	(void)event_del(r->tick);
	(void)shutdown(r->client, SHUT_RDWR);
	(void)shutdown(r->session, SHUT_RDWR);
}

static void sim_flow_send(struct sim_flow *f)
{
	struct sim_relay *r = f->relay;
	size_t may = sim_flow_may(f);
	ssize_t n = may ? send(f->to, f->piece + f->begin, may, MSG_NOSIGNAL) : 0;

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		sim_relay_cut(r);
		return;
	}
	if (n > 0) {
		f->begin += (size_t)n;
		if (f == &r->out) {
			r->left -= r->left == UINT64_MAX ? 0 : (uint64_t)n;
			r->allowed -= r->rate ? (uint64_t)n : 0;
		}
	}
	if (!r->left)
		sim_relay_cut(r);
	else if (f->begin == f->end)
		(void)event_add(f->readable, NULL);
	else if (sim_flow_may(f))
		(void)event_add(f->writable, NULL);
	/* Otherwise the next tick goes on. */
}

static void sim_flow_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct sim_flow *f = arg;
	ssize_t n = recv(fd, f->piece, sizeof f->piece, 0);

	(void)what;
	if (n > 0) {
		f->begin = 0;
		f->end = (size_t)n;
		sim_flow_send(f);
	} else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		(void)event_add(f->readable, NULL);
	} else {
		sim_relay_cut(f->relay);
	}
}

static void sim_flow_on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	sim_flow_send(arg);
}

static void sim_relay_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct sim_relay *r = arg;
	uint64_t thousandths = r->rate * SIM_TICK_MS + r->owed;

	(void)fd;
	(void)what;
	r->allowed = thousandths / 1000;
	r->owed = thousandths % 1000;
	if (r->out.begin < r->out.end)
		sim_flow_send(&r->out);
}

static void sim_flow_init(struct sim_flow *f, struct sim_relay *r, struct event_base *base,
			  int from, int to)
{
	f->relay = r;
	f->from = from;
	f->to = to;
	f->readable = event_new(base, from, EV_READ, sim_flow_on_readable, f);
	f->writable = event_new(base, to, EV_WRITE, sim_flow_on_writable, f);
	if (!f->readable || !f->writable || event_add(f->readable, NULL) != 0)
		abort();
}

struct sim_relay *sim_relay_new(struct event_base *base, const struct sim_manner *manner, int *fd)
{
	struct timeval tick = {.tv_usec = SIM_TICK_MS * 1000};
	struct sim_relay *r;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		return NULL;
	r = xcalloc(1, sizeof *r);
	r->client = *fd;
	r->session = pair[0];
	*fd = pair[1];
	r->rate = manner->trickle;
	r->left = manner->drop_after ? manner->drop_after : UINT64_MAX;
	sim_flow_init(&r->in, r, base, r->client, r->session);
	sim_flow_init(&r->out, r, base, r->session, r->client);
	r->tick = event_new(base, -1, EV_PERSIST, sim_relay_on_tick, r);
	if (!r->tick || (r->rate && event_add(r->tick, &tick) != 0))
		abort();
	return r;
}

void sim_relay_free(struct sim_relay *r)
{
	if (!r)
		return;
	event_free(r->in.readable);
	event_free(r->in.writable);
	event_free(r->out.readable);
	event_free(r->out.writable);
	event_free(r->tick);
	(void)close(r->client);
	(void)close(r->session);
	free(r);
}
