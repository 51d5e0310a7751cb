#include "simfleet_conn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "simfleet_channel.h"
#include "simfleet_relay.h"

#define SIM_GARBAGE_SIZE 65536
#define SIM_SESSIONS_MAX 10    /* as sshd's MaxSessions */
#define SIM_LOOK_MS	 1000u /* whether the client of a deaf connection is still there */

static void sim_conn_on_io(evutil_socket_t fd, short what, void *arg);

/* --- the end --------------------------------------------------------------------------------- */

static void sim_conn_not_starting(struct sim_conn *c)
{
	if (!c->starting)
		return;
	c->starting = false;
	c->fleet->counts.starting--;
	c->fleet->hosts[c->number - 1].starting--;
}

static void sim_conn_unwatch(struct sim_conn *c)
{
	if (c->io_mask)
		(void)event_del(&c->io);
	c->io_mask = 0;
}

static void sim_conn_free(struct sim_conn *c)
{
	sim_conn_unwatch(c);
	sim_conn_not_starting(c);
	if (c->timer)
		event_free(c->timer);
	*c->prev = c->next;
	if (c->next)
		c->next->prev = c->prev;
	while (c->channels)
		sim_channel_free(c->channels);
	if (c->poll) {
		(void)ssh_event_remove_session(c->poll, c->session);
		ssh_event_free(c->poll);
	}
	if (c->session)
		ssh_free(c->session); /* closes the descriptor */
	else
		(void)close(c->fd);
	sim_relay_free(c->relay);
	c->fleet->counts.now--;
	free(c);
}

void sim_conn_free_all(struct sim_fleet *fleet)
{
	while (fleet->conns)
		sim_conn_free(fleet->conns);
}

static bool sim_conn_is_broken(const struct sim_conn *c)
{
	return ssh_get_fd(c->session) < 0 ||
	       (ssh_get_status(c->session) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0;
}

/* --- misbehaving ----------------------------------------------------------------------------- */

/* Noise without a newline, the same each time. */
static void sim_conn_garbage(const struct sim_conn *c)
{
	static uint8_t noise[SIM_GARBAGE_SIZE];
	uint32_t x = 0x9e3779b9u;

	for (size_t i = 0; i < sizeof noise && !noise[sizeof noise - 1]; i++) {
		x = x * 1664525u + 1013904223u;
		noise[i] = (uint8_t)(x >> 24 | 0x80);
	}
	(void)!write(c->fd, noise, sizeof noise);
}

static void sim_conn_do(struct sim_conn *c, enum sim_deed deed)
{
	c->state = SIM_SINKING;
	if (deed == SIM_GARBAGE)
		sim_conn_garbage(c);
	else if (deed == SIM_DROP)
		(void)shutdown(c->fd, SHUT_WR); /* the client then closes, and so do we */
}

static void sim_conn_misbehave(struct sim_conn *c)
{
	const struct sim_manner *m = c->manner;

	if (c->state != SIM_SERVING)
		return;
	/* First what was said before must be out. */
	if (ssh_get_status(c->session) & SSH_WRITE_PENDING)
		return;
	if (m->deed != SIM_ANSWER && c->reached >= m->stage)
		sim_conn_do(c, m->deed);
	else if (m->stop_reading && c->started)
		c->state = SIM_DEAF;
}

void sim_conn_reach(struct sim_conn *c, enum sim_stage stage)
{
	if (stage > c->reached)
		c->reached = stage;
}

static void sim_conn_sink(struct sim_conn *c)
{
	char bin[4096];
	ssize_t n;

	do {
		n = recv(c->fd, bin, sizeof bin, 0);
	} while (n > 0);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		c->state = SIM_GONE;
}

static void sim_conn_look(struct sim_conn *c)
{
	struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};

	if (poll(&p, 1, 0) > 0)
		c->state = SIM_GONE;
}

/* --- logging in ------------------------------------------------------------------------------ */

static int sim_conn_on_key(ssh_session session, const char *user, struct ssh_key_struct *key,
			   char signature, void *arg)
{
	struct sim_conn *c = arg;
	const struct sim_keys *keys = &c->fleet->keys;
	bool known =
		!keys->authorized || ssh_key_cmp(key, keys->authorized, SSH_KEY_CMP_PUBLIC) == 0;

	(void)session;
	(void)user;
	if (c->manner->auth_fail || !known ||
	    (signature != SSH_PUBLICKEY_STATE_VALID && signature != SSH_PUBLICKEY_STATE_NONE)) {
		c->fleet->counts.denied++;
		return SSH_AUTH_DENIED;
	}
	if (signature == SSH_PUBLICKEY_STATE_VALID) {
		c->fleet->counts.logins++;
		sim_conn_not_starting(c);
		sim_conn_reach(c, SIM_OPEN);
	}
	return SSH_AUTH_SUCCESS;
}

static ssh_channel sim_conn_on_open(ssh_session session, void *arg)
{
	struct sim_conn *c = arg;

	size_t count = 0;

	(void)session;
	for (const struct sim_channel *ch = c->channels; ch; ch = ch->next)
		count++;
	if (c->manner->no_open || count >= SIM_SESSIONS_MAX)
		return NULL;
	sim_conn_reach(c, SIM_EXEC);
	return sim_channel_new(c);
}

static int sim_conn_begin_session(struct sim_conn *c)
{
	const struct sim_host_key *key = c->manner->wrong_key
						 ? &c->fleet->keys.wrong
						 : sim_keys_of(&c->fleet->keys, c->number);

	c->session = ssh_new();
	if (!c->session)
		return -1;
	if (ssh_bind_accept_fd(key->bind, c->session, c->fd) != SSH_OK)
		return -1;
	c->callbacks.userdata = c;
	c->callbacks.auth_pubkey_function = sim_conn_on_key;
	c->callbacks.channel_open_request_session_function = sim_conn_on_open;
	ssh_callbacks_init(&c->callbacks);
	(void)ssh_set_server_callbacks(c->session, &c->callbacks);
	ssh_set_auth_methods(c->session, SSH_AUTH_METHOD_PUBLICKEY);
	ssh_set_blocking(c->session, 0);
	return 0;
}

/* --- the loop -------------------------------------------------------------------------------- */

static void sim_conn_exchange(struct sim_conn *c)
{
	int rc = ssh_handle_key_exchange(c->session);

	if (rc == SSH_AGAIN && !sim_conn_is_broken(c))
		return;
	if (rc != SSH_OK) {
		c->state = SIM_GONE;
		return;
	}
	c->fleet->counts.exchanges++;
	c->state = SIM_SERVING;
	sim_conn_reach(c, SIM_AUTH);
	c->poll = ssh_event_new();
	if (!c->poll || ssh_event_add_session(c->poll, c->session) != SSH_OK)
		c->state = SIM_GONE;
}

static void sim_conn_serve(struct sim_conn *c)
{
	if (ssh_event_dopoll(c->poll, 0) == SSH_ERROR || sim_conn_is_broken(c)) {
		c->state = SIM_GONE;
		return;
	}
	for (struct sim_channel *ch = c->channels, *next; ch; ch = next) {
		next = ch->next;
		sim_channel_advance(ch);
	}
	if (sim_conn_is_broken(c))
		c->state = SIM_GONE;
}

static void sim_conn_step(struct sim_conn *c)
{
	switch (c->state) {
	case SIM_EXCHANGING:
		sim_conn_exchange(c);
		break;
	case SIM_SERVING:
		sim_conn_serve(c);
		break;
	case SIM_SINKING:
		sim_conn_sink(c);
		break;
	case SIM_DEAF:
		sim_conn_look(c);
		break;
	case SIM_GONE:
		break;
	}
}

static bool sim_conn_wants_write(const struct sim_conn *c)
{
	if (c->state != SIM_EXCHANGING && c->state != SIM_SERVING)
		return false;
	/* Not ssh_get_poll_flags: it asks for a look after each write, though nothing waits. */
	if (ssh_get_status(c->session) & SSH_WRITE_PENDING)
		return true;
	for (const struct sim_channel *ch = c->channels; ch; ch = ch->next)
		if (sim_channel_wants_write(ch))
			return true;
	return false;
}

static void sim_conn_set_timer(struct sim_conn *c, uint64_t ms)
{
	struct timeval tv = {.tv_sec = (time_t)(ms / 1000),
			     .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

	(void)event_add(c->timer, &tv);
}

static void sim_conn_watch(struct sim_conn *c)
{
	short mask = EV_READ;

	if (c->state == SIM_DEAF) {
		sim_conn_unwatch(c);
		sim_conn_set_timer(c, SIM_LOOK_MS);
		return;
	}
	if (sim_conn_wants_write(c))
		mask |= EV_WRITE;
	if (c->io_mask == mask)
		return;
	sim_conn_unwatch(c);
	if (event_assign(&c->io, c->fleet->base, c->fd, (short)(mask | EV_PERSIST), sim_conn_on_io,
			 c) != 0 ||
	    event_add(&c->io, NULL) != 0)
		abort();
	c->io_mask = mask;
}

void sim_conn_advance(struct sim_conn *c)
{
	if (c->busy)
		return;
	c->busy = true;
	sim_conn_step(c);
	sim_conn_misbehave(c);
	c->busy = false;
	if (c->state == SIM_GONE)
		sim_conn_free(c);
	else
		sim_conn_watch(c);
}

static void sim_conn_on_io(evutil_socket_t fd, short what, void *arg)
{
	struct sim_conn *c = arg;

	(void)fd;
	if (c->manner->delay_ms && what & EV_READ && c->state != SIM_SINKING) {
		sim_conn_unwatch(c);
		sim_conn_set_timer(c, c->manner->delay_ms);
		return;
	}
	sim_conn_advance(c);
}

static void sim_conn_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	sim_conn_advance(arg);
}

/* --- the begin ------------------------------------------------------------------------------- */

/* What needs no SSH; true if that is all that happens. */
static bool sim_conn_begin_raw(struct sim_conn *c)
{
	static const char banner[] = "SSH-2.0-simfleet\r\n";
	const struct sim_manner *m = c->manner;

	if (m->deed == SIM_ANSWER || m->stage > SIM_KEX)
		return false;
	if (m->stage == SIM_KEX)
		(void)!write(c->fd, banner, sizeof banner - 1);
	sim_conn_do(c, m->deed);
	return true;
}

static void sim_conn_count(struct sim_fleet *fleet, struct sim_conn *c)
{
	struct sim_counts *n = &fleet->counts;

	if (++n->now > n->peak)
		n->peak = n->now;
	if (++n->starting > n->peak_starting)
		n->peak_starting = n->starting;
	c->starting = true;
	fleet->hosts[c->number - 1].starting++;
}

void sim_conn_new(struct sim_fleet *fleet, size_t number, int fd)
{
	struct sim_conn *c = xcalloc(1, sizeof *c);

	*c = (struct sim_conn){.fleet = fleet,
			       .number = number,
			       .manner = sim_scenario_manner(&fleet->scenario, number),
			       .state = SIM_EXCHANGING,
			       .fd = fd,
			       .next = fleet->conns,
			       .prev = &fleet->conns};
	if (c->next)
		c->next->prev = &c->next;
	fleet->conns = c;
	sim_conn_count(fleet, c);
	if (c->manner->delay_ms || c->manner->stop_reading) {
		c->timer = evtimer_new(fleet->base, sim_conn_on_timer, c);
		if (!c->timer)
			abort();
	}
	if (c->manner->trickle || c->manner->drop_after)
		c->relay = sim_relay_new(fleet->base, c->manner, &c->fd);
	if (!sim_conn_begin_raw(c) && sim_conn_begin_session(c) != 0)
		c->state = SIM_GONE;
	sim_conn_advance(c);
}
