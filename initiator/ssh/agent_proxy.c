#include "agent_proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"
#include "limits.h"
#include "log.h"

#define AGENT_FAILURE		 5
#define AGENT_REQUEST_IDENTITIES 11
#define AGENT_IDENTITIES_ANSWER	 12
#define AGENT_SIGN_REQUEST	 13

struct agent_proxy {
	struct loop *loop;
	const struct plan_login *login;
	int near_fd; /* our end of the pair */
	struct event *near_event;
	struct buf near_in;
	int far_fd; /* the real agent; -1: not asked yet */
	struct event *far_event;
	struct buf far_in;
	struct buf far_out;
};

static void agent_put_u32(struct buf *out, size_t v)
{
	uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	buf_add(out, b, sizeof b);
}

/* The length of the whole message at the front, 0 if it is not whole, -1 if it is too long. */
static int64_t agent_whole(const struct buf *in)
{
	size_t len;

	if (in->len < 4)
		return 0;
	len = (size_t)in->data[0] << 24 | (size_t)in->data[1] << 16 | (size_t)in->data[2] << 8 |
	      in->data[3];
	if (len == 0 || len > LIMIT_AGENT_MESSAGE)
		return -1;
	return in->len >= 4 + len ? (int64_t)(4 + len) : 0;
}

/* The answers are small and libssh's end is being read: a local socket takes them whole. */
static void agent_reply(struct agent_proxy *proxy, const void *data, size_t len)
{
	if (send(proxy->near_fd, data, len, MSG_NOSIGNAL) != (ssize_t)len)
		(void)shutdown(proxy->near_fd, SHUT_RDWR);
}

static void agent_reply_failure(struct agent_proxy *proxy)
{
	static const uint8_t failure[] = {0, 0, 0, 1, AGENT_FAILURE};

	agent_reply(proxy, failure, sizeof failure);
}

static void agent_reply_identities(struct agent_proxy *proxy)
{
	const struct plan_login *login = proxy->login;
	struct buf body = {0}, out = {0};

	buf_add_char(&body, AGENT_IDENTITIES_ANSWER);
	agent_put_u32(&body, login->agent_count);
	for (size_t i = 0; i < login->agent_count; i++) {
		agent_put_u32(&body, login->agent[i]->len);
		buf_add(&body, login->agent[i]->blob, login->agent[i]->len);
		agent_put_u32(&body, 0); /* no comment */
	}
	agent_put_u32(&out, body.len);
	buf_add(&out, body.data, body.len);
	agent_reply(proxy, out.data, out.len);
	buf_done(&body);
	buf_done(&out);
}

static void agent_far_close(struct agent_proxy *proxy)
{
	if (proxy->far_event)
		event_free(proxy->far_event);
	proxy->far_event = NULL;
	fd_close(&proxy->far_fd);
	buf_clear(&proxy->far_in);
	buf_clear(&proxy->far_out);
}

static void agent_far_failed(struct agent_proxy *proxy, const char *why)
{
	log_debug("ssh-agent at %s: %s", proxy->login->agent_path, why);
	agent_far_close(proxy);
	agent_reply_failure(proxy);
}

static void agent_on_far(evutil_socket_t fd, short what, void *arg)
{
	struct agent_proxy *proxy = arg;
	ssize_t n;
	int64_t whole;

	(void)what;
	if (proxy->far_out.len) {
		n = send(fd, proxy->far_out.data, proxy->far_out.len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN) {
			agent_far_failed(proxy, "it does not take requests");
			return;
		}
		buf_consume(&proxy->far_out, n > 0 ? (size_t)n : 0);
	}
	n = recv(fd, buf_room(&proxy->far_in, 4096), 4096, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		agent_far_failed(proxy, "it closed the connection");
		return;
	}
	proxy->far_in.len += n > 0 ? (size_t)n : 0;
	whole = agent_whole(&proxy->far_in);
	if (whole < 0) {
		agent_far_failed(proxy, "its answer is too long");
	} else if (whole > 0) {
		agent_reply(proxy, proxy->far_in.data, (size_t)whole);
		agent_far_close(proxy);
	}
}

/* The request that the agent gets: with the key beneath a certificate that is ours. A request is
 * type, blob, data, flags. */
static void agent_put_request(struct agent_proxy *proxy, size_t whole)
{
	const uint8_t *in = proxy->near_in.data;
	const struct plan_login *login = proxy->login;
	size_t len = 0;

	if (whole >= 9)
		len = (size_t)in[5] << 24 | (size_t)in[6] << 16 | (size_t)in[7] << 8 | in[8];
	for (size_t i = 0; i < login->agent_count; i++) {
		const struct agent_identity *id = login->agent[i];

		if (!id->sign || len != id->len || len > whole - 9 ||
		    memcmp(in + 9, id->blob, len) != 0)
			continue;
		agent_put_u32(&proxy->far_out, whole - 4 - len + id->sign_len);
		buf_add(&proxy->far_out, in + 4, 1);
		agent_put_u32(&proxy->far_out, id->sign_len);
		buf_add(&proxy->far_out, id->sign, id->sign_len);
		buf_add(&proxy->far_out, in + 9 + len, whole - 9 - len);
		return;
	}
	buf_add(&proxy->far_out, in, whole);
}

/* A connection for each request: agents serve them one by one anyway, and none stays open. */
static void agent_forward(struct agent_proxy *proxy, size_t whole)
{
	struct event_base *base = loop_base(proxy->loop);

	agent_far_close(proxy);
	proxy->far_fd = agent_connect(proxy->login->agent_path);
	if (proxy->far_fd < 0) {
		agent_far_failed(proxy, "cannot connect");
		return;
	}
	agent_put_request(proxy, whole);
	proxy->far_event =
		event_new(base, proxy->far_fd, EV_READ | EV_PERSIST, agent_on_far, proxy);
	if (!proxy->far_event || event_add(proxy->far_event, NULL) != 0)
		abort();
	/* A request fits into an empty socket buffer: this sends it. */
	agent_on_far(proxy->far_fd, 0, proxy);
}

static void agent_on_near(evutil_socket_t fd, short what, void *arg)
{
	struct agent_proxy *proxy = arg;
	ssize_t n = recv(fd, buf_room(&proxy->near_in, 4096), 4096, 0);
	int64_t whole;

	(void)what;
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			(void)event_del(proxy->near_event);
		return;
	}
	proxy->near_in.len += (size_t)n;
	whole = agent_whole(&proxy->near_in);
	if (whole < 0) {
		(void)shutdown(fd, SHUT_RDWR);
		return;
	}
	if (whole == 0)
		return;
	if (proxy->near_in.data[4] == AGENT_REQUEST_IDENTITIES)
		agent_reply_identities(proxy);
	else if (proxy->near_in.data[4] == AGENT_SIGN_REQUEST)
		agent_forward(proxy, (size_t)whole);
	else
		agent_reply_failure(proxy);
	buf_consume(&proxy->near_in, (size_t)whole);
}

struct agent_proxy *agent_proxy_new(struct loop *loop, const struct plan_login *login, int *ret_fd)
{
	struct agent_proxy *proxy;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return NULL;
	proxy = xcalloc(1, sizeof *proxy);
	proxy->loop = loop;
	proxy->login = login;
	proxy->near_fd = pair[0];
	proxy->far_fd = -1;
	(void)fd_nonblock(pair[0]);
	proxy->near_event =
		event_new(loop_base(loop), pair[0], EV_READ | EV_PERSIST, agent_on_near, proxy);
	if (!proxy->near_event || event_add(proxy->near_event, NULL) != 0)
		abort();
	*ret_fd = pair[1];
	return proxy;
}

void agent_proxy_free(struct agent_proxy *proxy)
{
	if (!proxy)
		return;
	agent_far_close(proxy);
	event_free(proxy->near_event);
	fd_close(&proxy->near_fd);
	buf_done(&proxy->near_in);
	buf_done(&proxy->far_in);
	buf_done(&proxy->far_out);
	free(proxy);
}
