#include "simfleet_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "simfleet_conn.h"
#include "simfleet_files.h"

/*
 * A queue holds net.core.somaxconn connections, usually 4096, and drops the begin of others, which
 * then come a second later. Several sockets on the same port have a queue each.
 */
#define SIM_LISTENERS	   4
#define SIM_BACKLOG	   65535
#define SIM_ACCEPTS	   64 /* in one wake-up */
#define SIM_STARTUPS_SORRY "Exceeded MaxStartups\r\n"

struct sim_listen {
	struct sim_fleet *fleet;
	struct event *events[SIM_LISTENERS];
	struct event *pause; /* no descriptor is free: again a little later */
	int fds[SIM_LISTENERS];
	int refusing;
};

/* --- who may come in ------------------------------------------------------------------------- */

static bool sim_is_loopback(uint32_t address)
{
	return address >> 24 == 127;
}

/* The number of the host that was dialled; 0: none, or the client is not on this computer. */
static size_t sim_dialled(const struct sim_fleet *fleet, int fd, const struct sockaddr_in *peer)
{
	struct sockaddr_in local = {0};
	socklen_t len = sizeof local;
	uint32_t address;

	if (getsockname(fd, (struct sockaddr *)&local, &len) != 0)
		return 0;
	address = ntohl(local.sin_addr.s_addr);
	if (!sim_is_loopback(address) || !sim_is_loopback(ntohl(peer->sin_addr.s_addr)))
		return 0;
	if (address < sim_address(1) || address > sim_address(fleet->scenario.hosts))
		return 0;
	return address - sim_address(0);
}

/* As sshd does: none is dropped below begin, all from full on, in between ever more. */
static bool sim_is_dropped(const struct sim_startups *s, uint32_t starting)
{
	double share;

	if (!s->full || starting < s->begin)
		return false;
	if (starting >= s->full)
		return true;
	share = (100.0 - s->rate) * (starting - s->begin) / (s->full - s->begin) + s->rate;
	return drand48() * 100.0 < share;
}

static bool sim_is_let_in(struct sim_fleet *fleet, size_t number, int fd)
{
	const struct sim_manner *m = sim_scenario_manner(&fleet->scenario, number);
	struct sim_host *host = &fleet->hosts[number - 1];

	if (host->shut < m->down_first) {
		host->shut++;
		return false;
	}
	if (!sim_is_dropped(&m->startups, host->starting))
		return true;
	(void)!write(fd, SIM_STARTUPS_SORRY, sizeof SIM_STARTUPS_SORRY - 1);
	return false;
}

static void sim_take(struct sim_fleet *fleet, int fd, const struct sockaddr_in *peer)
{
	size_t number = sim_dialled(fleet, fd, peer);

	if (!number) {
		fleet->counts.strangers++;
		(void)close(fd);
		return;
	}
	fleet->counts.connections++;
	if (!sim_is_let_in(fleet, number, fd)) {
		fleet->counts.shut++;
		(void)close(fd);
		return;
	}
	sim_conn_new(fleet, number, fd);
}

static void sim_on_connection(evutil_socket_t fd, short what, void *arg)
{
	struct sim_listen *l = arg;
	struct timeval soon = {.tv_usec = 20000};

	(void)what;
	for (int i = 0; i < SIM_ACCEPTS; i++) {
		struct sockaddr_in peer = {0};
		socklen_t len = sizeof peer;
		int got = accept4(fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (got >= 0) {
			sim_take(l->fleet, got, &peer);
		} else if (errno == EMFILE || errno == ENFILE) {
			for (size_t n = 0; n < SIM_LISTENERS; n++)
				(void)event_del(l->events[n]);
			(void)event_add(l->pause, &soon);
			return;
		} else if (errno != ECONNABORTED && errno != EINTR) {
			return;
		}
	}
}

static void sim_on_pause(evutil_socket_t fd, short what, void *arg)
{
	struct sim_listen *l = arg;

	(void)fd;
	(void)what;
	for (size_t n = 0; n < SIM_LISTENERS; n++)
		(void)event_add(l->events[n], NULL);
}

/* --- sockets --------------------------------------------------------------------------------- */

/*
 * On the interface lo alone, which no other computer reaches; sim_dialled looks at the addresses,
 * too. What is set here holds for the connections that are accepted.
 */
static int sim_socket(uint16_t *port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
	socklen_t len = sizeof address;
	int on = 1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof "lo");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
		(void)close(fd);
		return -1;
	}
	*port = ntohs(address.sin_port);
	return fd;
}

static int sim_open_all(struct sim_listen *l, uint16_t *port, uint16_t *refusing)
{
	for (size_t i = 0; i < SIM_LISTENERS; i++) {
		l->fds[i] = sim_socket(port);
		if (l->fds[i] < 0 || listen(l->fds[i], SIM_BACKLOG) != 0)
			return -1;
	}
	l->refusing = sim_socket(refusing);
	return l->refusing;
}

int sim_listen_new(struct sim_listen **ret, struct sim_fleet *fleet, uint16_t *port,
		   uint16_t *ret_refusing, struct errmsg *msg)
{
	struct sim_listen *l = xcalloc(1, sizeof *l);

	l->fleet = fleet;
	l->refusing = -1;
	for (size_t i = 0; i < SIM_LISTENERS; i++)
		l->fds[i] = -1;
	*ret_refusing = 0;
	if (sim_open_all(l, port, ret_refusing) < 0) {
		int saved = errno;

		sim_listen_free(l);
		return err_set(msg, ERR_SYS, "cannot listen on port %u of 127.0.0.0/8: %s", *port,
			       strerror(saved));
	}
	l->pause = evtimer_new(fleet->base, sim_on_pause, l);
	for (size_t i = 0; i < SIM_LISTENERS; i++) {
		l->events[i] = event_new(fleet->base, l->fds[i], EV_READ | EV_PERSIST,
					 sim_on_connection, l);
		/* Who waits there is dropped when the queue is full; who is in can wait. */
		if (!l->events[i] || event_priority_set(l->events[i], 0) != 0 ||
		    event_add(l->events[i], NULL) != 0)
			abort();
	}
	*ret = l;
	return 0;
}

void sim_listen_free(struct sim_listen *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < SIM_LISTENERS; i++) {
		if (l->events[i])
			event_free(l->events[i]);
		if (l->fds[i] >= 0)
			(void)close(l->fds[i]);
	}
	if (l->pause)
		event_free(l->pause);
	if (l->refusing >= 0)
		(void)close(l->refusing);
	free(l);
}
