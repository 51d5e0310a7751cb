/* Ways to a target that are not TCP: through a bastion, or by what a ProxyCommand carries. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bastion.h"
#include "conn_private.h"
#include "fd.h"
#include "pacer.h"
#include "proxy_command.h"

/* No descriptor is free: others will be, and the step has a deadline. */
#define CONN_WAY_RETRY_MS 100u

static void conn_way_on_io(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	conn_advance(arg);
}

static void conn_way_unwatch(struct conn *c)
{
	if (c->transport_io)
		event_free(c->transport_io);
	c->transport_io = NULL;
}

/* The next byte of the bastion. */
static enum conn_verdict conn_way_expect(struct conn *c, char expected)
{
	struct conn_result why = {0};
	char byte = 0;
	ssize_t n = recv(c->fd, &byte, 1, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return CONN_WAIT;
	conn_way_unwatch(c);
	if (n == 1 && byte == expected)
		return CONN_NEXT;
	if (bastion_tie_end(c->transport.tie, &why)) {
		c->result.trouble = why.trouble;
		return conn_fail(c, why.end, "%s", why.text);
	}
	return conn_fail(c, CONN_END_UNREACHABLE, "the bastion %s gave the connection up",
			 c->spec.target->jump->host);
}

static void conn_way_watch(struct conn *c)
{
	if (c->transport_io)
		return;
	c->transport_io = event_new(loop_base(ssh_engine_loop(c->engine)), c->fd,
				    EV_READ | EV_PERSIST, conn_way_on_io, c);
	if (!c->transport_io || event_add(c->transport_io, NULL) != 0)
		abort();
}

static enum conn_verdict conn_way_await(struct conn *c, char expected)
{
	enum conn_verdict verdict = conn_way_expect(c, expected);

	if (verdict == CONN_WAIT)
		conn_way_watch(c);
	return verdict;
}

static enum conn_verdict conn_way_no_descriptor(struct conn *c, const char *what)
{
	int error = errno;

	if (error == EMFILE || error == ENFILE) {
		conn_kick(c, CONN_WAY_RETRY_MS);
		return CONN_WAIT;
	}
	c->result.trouble = (uint8_t)pacer_end_of_errno(error);
	return conn_fail(c, CONN_END_UNREACHABLE, "%s: %s", what, strerror(error));
}

enum conn_verdict conn_way_prepare(struct conn *c)
{
	const struct plan_target *t = c->spec.target;

	if (t->way != PLAN_JUMP)
		return CONN_NEXT;
	if (!t->jump || !c->spec.bastions)
		return conn_fail(c, CONN_END_UNREACHABLE, "no bastion is known");
	if (!c->transport.tie) {
		c->transport.tie = bastion_ask(c->spec.bastions, t, c->spec.login,
					       c->spec.connect_timeout_ms, &c->fd);
		if (!c->transport.tie)
			return conn_way_no_descriptor(c, "socketpair");
	}
	return conn_way_await(c, BASTION_READY);
}

enum conn_verdict conn_way_dial(struct conn *c)
{
	const struct plan_target *t = c->spec.target;

	if (t->way == PLAN_JUMP)
		return conn_way_await(c, BASTION_OPEN);
	c->transport.proxy = proxy_command_start(ssh_engine_loop(c->engine), c->spec.proxies,
						 t->proxy_command, t->host, &c->fd);
	if (!c->transport.proxy)
		return conn_way_no_descriptor(c, "ProxyCommand");
	return CONN_NEXT;
}

void conn_way_explain(struct conn *c)
{
	struct conn_result why = {0};
	bool running = c->result.began;

	if (c->result.end != CONN_END_UNREACHABLE && c->result.end != CONN_END_LOST &&
	    c->result.end != CONN_END_REFUSED && c->result.end != CONN_END_AUTH)
		return;
	if (c->session && !conn_is_broken(c))
		return;
	if (!conn_transport_why(&c->transport, &why))
		return;
	memcpy(c->result.text, why.text, sizeof c->result.text);
	c->result.end = running ? CONN_END_LOST : why.end;
	if (!running && why.end == CONN_END_LOST)
		c->result.end = CONN_END_UNREACHABLE;
	c->result.trouble = why.trouble;
}

bool conn_transport_why(const struct conn_transport *transport, struct conn_result *ret)
{
	if (transport->tie)
		return bastion_tie_end(transport->tie, ret);
	if (!transport->proxy || !proxy_command_why(transport->proxy, ret->text, sizeof ret->text))
		return false;
	ret->end = CONN_END_UNREACHABLE;
	ret->trouble = PACER_FINAL;
	return true;
}

void conn_transport_done(struct conn_transport *transport)
{
	bastion_tie_free(transport->tie);
	proxy_command_free(transport->proxy);
	*transport = (struct conn_transport){0};
}

ssh_session conn_take(struct conn *c, struct conn_transport *ret)
{
	ssh_session session = c->session;

	conn_unwatch(c);
	c->session = NULL;
	*ret = c->transport;
	c->transport = (struct conn_transport){0};
	return session;
}
