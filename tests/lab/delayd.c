/*
 * A distant host: delayd [--with-parent] MS ADDR:PORT=HOST:PORT ...
 * Forwards, and each direction later by MS milliseconds; otherwise as fast as it can. docs/lab.md.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "delayd_flow.h"
#include "tcp.h"

#define LISTENERS_MAX 128
#define CONNS_MAX     400
#define DELAY_MAX     60000

struct listener {
	int fd;
	struct tcp_address target;
};

struct conn {
	int client, server;
	bool dialled;
	struct flow up, down; /* to the server, to the client */
};

struct delayd {
	struct listener listener[LISTENERS_MAX];
	size_t listeners;
	struct conn *conn[CONNS_MAX];
	size_t conns;
	struct pollfd poll[2 + LISTENERS_MAX + 2 * CONNS_MAX];
	int signals;
	bool with_parent;
	uint64_t delay; /* nanoseconds, as all times here */
};

static void die(const char *input, const char *problem)
{
	fprintf(stderr, "delayd: '%s': %s\n", input, problem);
	exit(2);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void conn_free(struct conn *c)
{
	if (c->client >= 0)
		close(c->client);
	if (c->server >= 0)
		close(c->server);
	flow_free(&c->up);
	flow_free(&c->down);
	free(c);
}

/* Takes over fd. Returns NULL if the server cannot be dialled. */
static struct conn *conn_new(int fd, const struct tcp_address *target)
{
	struct conn *c = calloc(1, sizeof(*c));
	int one = 1;

	if (!c) {
		close(fd);
		return NULL;
	}
	c->client = fd;
	c->server = socket(target->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->server < 0 ||
	    (connect(c->server, (const struct sockaddr *)&target->at, target->size) != 0 &&
	     errno != EINPROGRESS)) {
		conn_free(c);
		return NULL;
	}
	setsockopt(c->server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(c->client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return c;
}

static uint64_t conn_arm(struct conn *c, struct pollfd *client, struct pollfd *server, uint64_t now)
{
	uint64_t up, down;

	*client = *server = (struct pollfd){.fd = -1};
	if (!c->dialled) {
		*server = (struct pollfd){.fd = c->server, .events = POLLOUT};
		return NEVER;
	}
	up = flow_arm(&c->up, client, server, now);
	down = flow_arm(&c->down, server, client, now);
	/* A descriptor that nothing is wanted of would report POLLHUP for ever. */
	if (client->events)
		client->fd = c->client;
	if (server->events)
		server->fd = c->server;
	return up < down ? up : down;
}

static bool conn_dialled(struct conn *c, short seen)
{
	int problem = 0;
	socklen_t size = sizeof(problem);

	if (!seen)
		return true;
	c->dialled = true;
	return getsockopt(c->server, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 && !problem;
}

/* Returns false when the connection is over. */
static bool conn_run(struct conn *c, short client, short server, uint64_t now, uint64_t delay)
{
	const short in = POLLIN | POLLHUP | POLLERR;

	if (!c->dialled)
		return conn_dialled(c, server);
	if ((client & in) && !flow_read(&c->up, c->client, now, delay))
		return false;
	if ((server & in) && !flow_read(&c->down, c->server, now, delay))
		return false;
	return flow_write(&c->up, c->server, now) && flow_write(&c->down, c->client, now) &&
	       !(c->up.shut && c->down.shut);
}

static void add_listener(struct delayd *d, char *argument)
{
	struct listener *l = &d->listener[d->listeners];
	char *target = strchr(argument, '=');
	struct tcp_address address;
	const char *problem;
	char name[128];

	if (!target)
		die(argument, "want ADDR:PORT=HOST:PORT");
	if (d->listeners == LISTENERS_MAX)
		die(argument, "too many servers: at most 128");
	*target++ = '\0';
	problem = tcp_parse(target, &l->target);
	if (problem)
		die(target, problem);
	problem = tcp_parse(argument, &address);
	if (problem)
		die(argument, problem);
	l->fd = tcp_listen(&address);
	if (l->fd < 0 || !tcp_name(l->fd, name, sizeof(name)))
		die(argument, strerror(errno));
	if (strcmp(strrchr(argument, ':'), ":0") == 0)
		printf("%s %s\n", name, target);
	d->listeners++;
}

static void accept_all(struct delayd *d, const struct listener *l)
{
	while (d->conns < CONNS_MAX) {
		int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			/* Out of descriptors: the listener stays readable, so do not spin. */
			if (errno == EMFILE || errno == ENFILE)
				poll(NULL, 0, 10);
			return;
		}
		d->conn[d->conns] = conn_new(fd, &l->target);
		if (d->conn[d->conns])
			d->conns++;
	}
}

/* Fills d->poll: signals, stdin, listeners, two of each connection. Returns when to wake. */
static uint64_t arm(struct delayd *d, uint64_t now)
{
	uint64_t wake = NEVER;

	d->poll[0] = (struct pollfd){.fd = d->signals, .events = POLLIN};
	d->poll[1] = (struct pollfd){.fd = d->with_parent ? 0 : -1, .events = POLLIN};
	for (size_t i = 0; i < d->listeners; i++)
		d->poll[2 + i] = (struct pollfd){
			.fd = d->conns < CONNS_MAX ? d->listener[i].fd : -1, .events = POLLIN};
	for (size_t i = 0; i < d->conns; i++) {
		struct pollfd *p = &d->poll[2 + d->listeners + 2 * i];
		uint64_t t = conn_arm(d->conn[i], &p[0], &p[1], now);

		wake = t < wake ? t : wake;
	}
	return wake;
}

static void run(struct delayd *d, uint64_t now)
{
	const struct pollfd *p = &d->poll[2 + d->listeners];
	size_t kept = 0;

	for (size_t i = 0; i < d->conns; i++, p += 2) {
		if (conn_run(d->conn[i], p[0].revents, p[1].revents, now, d->delay))
			d->conn[kept++] = d->conn[i];
		else
			conn_free(d->conn[i]);
	}
	d->conns = kept;
	for (size_t i = 0; i < d->listeners; i++)
		if (d->poll[2 + i].revents & POLLIN)
			accept_all(d, &d->listener[i]);
}

/* Is the other end of stdin, and so our parent, still there? */
static bool has_parent(const struct delayd *d)
{
	char data[256];

	return !d->poll[1].revents || read(0, data, sizeof(data)) > 0;
}

static void serve(struct delayd *d)
{
	for (;;) {
		uint64_t now = now_ns(), wake = arm(d, now), left = wake - now;
		struct timespec wait = {.tv_sec = (time_t)(left / 1000000000),
					.tv_nsec = (long)(left % 1000000000)};

		if (ppoll(d->poll, 2 + d->listeners + 2 * d->conns, wake == NEVER ? NULL : &wait,
			  NULL) < 0) {
			if (errno == EINTR)
				continue;
			die("poll", strerror(errno));
		}
		if (!has_parent(d) || d->poll[0].revents)
			return;
		run(d, now_ns());
	}
}

static uint64_t parse_delay(const char *text)
{
	unsigned long ms;
	char *end;

	errno = 0;
	ms = strtoul(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || ms > DELAY_MAX)
		die(text, "want milliseconds, at most 60000");
	return (uint64_t)ms * 1000000;
}

int main(int argc, char **argv)
{
	struct delayd *d = calloc(1, sizeof(*d));
	int first = 1;

	if (!d)
		die("memory", strerror(errno));
	if (argc > 1 && strcmp(argv[1], "--with-parent") == 0) {
		d->with_parent = true;
		first = 2;
	}
	if (first + 1 >= argc) {
		fprintf(stderr, "usage: delayd [--with-parent] MS ADDR:PORT=HOST:PORT ...\n");
		exit(2);
	}
	d->delay = parse_delay(argv[first]);
	d->signals = tcp_signals();
	if (d->signals < 0)
		die("signalfd", strerror(errno));
	for (int i = first + 1; i < argc; i++)
		add_listener(d, argv[i]);
	printf("ready\n");
	fflush(stdout);
	serve(d);
	for (size_t i = 0; i < d->conns; i++)
		conn_free(d->conn[i]);
	for (size_t i = 0; i < d->listeners; i++)
		close(d->listener[i].fd);
	close(d->signals);
	free(d);
	return 0;
}
