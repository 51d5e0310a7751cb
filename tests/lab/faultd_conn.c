/* One connection of faultd: plays a script, or forwards to a real server until it is to fail. */
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "faultd.h"

#define CHUNKS	   64
#define CHUNK_SIZE 4096
/* How long a server that has closed still reads, so that the client sees an end and no reset. */
#define DRAIN_MS 2000
/* How long the client may take to fetch what comes before a reset. */
#define DROP_MS 1000

struct chunk {
	uint64_t due;
	size_t start, end;
	unsigned char data[CHUNK_SIZE];
};

/* One direction of a proxy. */
struct flow {
	struct chunk chunk[CHUNKS];
	size_t first, used;
	bool eof, shut;
};

enum state { STATE_SCRIPT, STATE_DRAIN, STATE_DIAL, STATE_FORWARD, STATE_DROP, STATE_STALL };

struct conn {
	const struct listener *from;
	enum state state;
	int client, server; /* server is -1 but in a proxy */
	uint64_t wake;
	size_t sent;		/* by the script */
	uint64_t passed;	/* by the proxy, towards the client */
	struct flow *down, *up; /* to the client, to the server */
};

static void close_fd(int fd, bool reset)
{
	struct linger now = {.l_onoff = 1};

	if (fd < 0)
		return;
	if (reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

void conn_free(struct conn *c)
{
	if (!c)
		return;
	close_fd(c->client, c->state == STATE_DROP);
	close_fd(c->server, c->state == STATE_DROP);
	free(c->down);
	free(c->up);
	free(c);
}

/* Begins the connection to the real server. */
static bool conn_dial(struct conn *c)
{
	const struct listener *l = c->from;
	int one = 1;

	c->server = socket(l->target.at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	c->down = calloc(1, sizeof(*c->down));
	c->up = calloc(1, sizeof(*c->up));
	if (c->server < 0 || !c->down || !c->up)
		return false;
	setsockopt(c->server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(c->client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return connect(c->server, (const struct sockaddr *)&l->target.at, l->target.size) == 0 ||
	       errno == EINPROGRESS;
}

struct conn *conn_new(int fd, const struct listener *from)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return NULL;
	}
	*c = (struct conn){.from = from, .client = fd, .server = -1, .wake = NEVER};
	c->state = from->script.name ? STATE_SCRIPT : STATE_DIAL;
	if ((from->script.closes && from->script.size == 0) ||
	    (!from->script.name && !conn_dial(c))) {
		conn_free(c);
		return NULL;
	}
	return c;
}

/* Reads and forgets. Returns false at the end of the connection. */
static bool discard(int fd)
{
	char data[CHUNK_SIZE];
	ssize_t n = recv(fd, data, sizeof(data), 0);

	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void script_arm(struct conn *c, struct pollfd *poll, uint64_t now)
{
	bool due = c->wake == NEVER || now >= c->wake;
	bool writes = c->state == STATE_SCRIPT && c->sent < c->from->script.size && due;

	*poll = (struct pollfd){.fd = c->client, .events = POLLIN};
	if (writes)
		poll->events = POLLIN | POLLOUT;
}

static bool script_write(struct conn *c, uint64_t now)
{
	const struct script *s = &c->from->script;
	size_t n = s->step_ms ? 1 : s->size - c->sent;
	ssize_t done = send(c->client, s->text + c->sent, n, MSG_NOSIGNAL);

	if (done < 0)
		return errno == EAGAIN || errno == EINTR;
	c->sent += (size_t)done;
	if (s->repeats && c->sent == s->size)
		c->sent = 0;
	if (s->step_ms)
		c->wake = c->sent < s->size ? now + s->step_ms : NEVER;
	if (s->closes && c->sent == s->size) {
		shutdown(c->client, SHUT_WR);
		c->state = STATE_DRAIN;
		c->wake = now + DRAIN_MS;
	}
	return true;
}

static bool script_run(struct conn *c, short seen, uint64_t now)
{
	if (c->state == STATE_DRAIN && now >= c->wake)
		return false;
	if ((seen & (POLLIN | POLLHUP | POLLERR)) && !discard(c->client))
		return false;
	return !(seen & POLLOUT) || script_write(c, now);
}

static bool flow_has_room(const struct flow *w)
{
	return w->used < CHUNKS && !w->eof;
}

static bool flow_is_due(const struct flow *w, uint64_t now)
{
	return w->used && w->chunk[w->first].due <= now;
}

static bool flow_read(struct flow *w, int fd, uint64_t due)
{
	struct chunk *k = &w->chunk[(w->first + w->used) % CHUNKS];
	ssize_t n = recv(fd, k->data, sizeof(k->data), 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0) {
		w->eof = true;
		return true;
	}
	k->due = due;
	k->start = 0;
	k->end = (size_t)n;
	w->used++;
	return true;
}

/* Writes at most max bytes of the first chunk and adds what went to *passed. */
static bool flow_write(struct flow *w, int fd, uint64_t max, uint64_t *passed)
{
	struct chunk *k = &w->chunk[w->first];
	size_t n = k->end - k->start;
	ssize_t done = send(fd, k->data + k->start, n < max ? n : (size_t)max, MSG_NOSIGNAL);

	if (done < 0)
		return errno == EAGAIN || errno == EINTR;
	k->start += (size_t)done;
	*passed += (uint64_t)done;
	if (k->start == k->end) {
		w->first = (w->first + 1) % CHUNKS;
		w->used--;
	}
	return true;
}

/* Hands the end of the data on. */
static void flow_finish(struct flow *w, int fd)
{
	if (w->eof && !w->used && !w->shut) {
		shutdown(fd, SHUT_WR);
		w->shut = true;
	}
}

static void flow_arm(const struct flow *w, struct pollfd *in, struct pollfd *out, uint64_t now,
		     uint64_t *wake)
{
	if (flow_has_room(w))
		in->events |= POLLIN;
	if (flow_is_due(w, now))
		out->events |= POLLOUT;
	else if (w->used && w->chunk[w->first].due < *wake)
		*wake = w->chunk[w->first].due;
}

static uint64_t proxy_arm(struct conn *c, struct pollfd *client, struct pollfd *server,
			  uint64_t now)
{
	uint64_t wake = NEVER;

	*client = *server = (struct pollfd){.fd = -1};
	if (c->state == STATE_DROP)
		wake = now + 1;
	else if (c->state == STATE_STALL)
		client->events = POLLRDHUP;
	else if (c->state == STATE_DIAL)
		server->events = POLLOUT;
	if (c->state == STATE_FORWARD) {
		flow_arm(c->up, client, server, now, &wake);
		flow_arm(c->down, server, client, now, &wake);
	}
	/* A descriptor that nothing is wanted of would report POLLHUP for ever. */
	if (client->events)
		client->fd = c->client;
	if (server->events)
		server->fd = c->server;
	return wake;
}

static bool proxy_dialled(struct conn *c, short seen)
{
	int problem = 0;
	socklen_t size = sizeof(problem);

	if (!seen)
		return true;
	if (getsockopt(c->server, SOL_SOCKET, SO_ERROR, &problem, &size) != 0 || problem)
		return false;
	c->state = STATE_FORWARD;
	return true;
}

/* Waits until the client's kernel has all that it was to get. */
static bool proxy_drop(const struct conn *c, uint64_t now)
{
	int left = 0;

	return now < c->wake && ioctl(c->client, SIOCOUTQ, &left) == 0 && left > 0;
}

/* Changes the state once the client has got what the limit allows. */
static void proxy_check_limit(struct conn *c, uint64_t now)
{
	const struct listener *l = c->from;

	if ((l->limit != LIMIT_DROP && l->limit != LIMIT_STALL) || c->passed < l->value)
		return;
	c->state = l->limit == LIMIT_DROP ? STATE_DROP : STATE_STALL;
	c->wake = now + DROP_MS;
}

static bool proxy_forward(struct conn *c, short client, short server, uint64_t now)
{
	const struct listener *l = c->from;
	const short in = POLLIN | POLLHUP | POLLERR;
	uint64_t due = now + (l->limit == LIMIT_DELAY ? l->value : 0);
	bool bounded = l->limit == LIMIT_DROP || l->limit == LIMIT_STALL;
	uint64_t sent = 0;

	if ((client & in) && flow_has_room(c->up) && !flow_read(c->up, c->client, due))
		return false;
	if ((server & in) && flow_has_room(c->down) && !flow_read(c->down, c->server, due))
		return false;
	if (flow_is_due(c->up, now) && !flow_write(c->up, c->server, NEVER, &sent))
		return false;
	if (flow_is_due(c->down, now) &&
	    !flow_write(c->down, c->client, bounded ? l->value - c->passed : NEVER, &c->passed))
		return false;
	flow_finish(c->up, c->server);
	flow_finish(c->down, c->client);
	proxy_check_limit(c, now);
	return !(c->up->shut && c->down->shut);
}

uint64_t conn_arm(struct conn *c, struct pollfd *polls, uint64_t now)
{
	if (!c->from->script.name)
		return proxy_arm(c, &polls[0], &polls[1], now);
	polls[1] = (struct pollfd){.fd = -1};
	script_arm(c, &polls[0], now);
	/* A script that is late waits for room in the socket, not for the time. */
	return c->state == STATE_DRAIN || c->wake > now ? c->wake : NEVER;
}

bool conn_run(struct conn *c, const struct pollfd *polls, uint64_t now)
{
	switch (c->state) {
	case STATE_SCRIPT:
	case STATE_DRAIN:
		return script_run(c, polls[0].revents, now);
	case STATE_DIAL:
		proxy_check_limit(c, now);
		return c->state != STATE_DIAL || proxy_dialled(c, polls[1].revents);
	case STATE_FORWARD:
		return proxy_forward(c, polls[0].revents, polls[1].revents, now);
	case STATE_DROP:
		return proxy_drop(c, now);
	case STATE_STALL:
		return !polls[0].revents;
	}
	return false;
}
