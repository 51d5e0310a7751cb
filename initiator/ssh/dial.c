#include "dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"

#define DIAL_RETRY_MS 100u
/* A dead peer is found within 45 s: 15 + 3 * 10. */
#define DIAL_KEEPIDLE_S	     15
#define DIAL_KEEPINTVL_S     10
#define DIAL_KEEPCNT	     3
#define DIAL_USER_TIMEOUT_MS 45000

struct dial {
	struct ssh_engine *engine;
	struct resolve_result to;
	size_t next; /* address to try */
	uint64_t share_ms;
	int fd;
	int error;
	struct event *event;
	dial_fn *fn;
	void *arg;
};

static void dial_next(struct dial *dial);

static void dial_free(struct dial *dial)
{
	if (dial->event)
		event_free(dial->event);
	fd_close(&dial->fd);
	free(dial);
}

static void dial_finish(struct dial *dial, int error)
{
	dial_fn *fn = dial->fn;
	void *arg = dial->arg;
	int fd = error ? -1 : dial->fd;

	if (fd >= 0)
		dial->fd = -1;
	dial_free(dial);
	fn(arg, fd, error);
}

static void dial_set_int(int fd, int level, int option, int value)
{
	/* Each is a refinement: a kernel that lacks one still connects. */
	(void)setsockopt(fd, level, option, &value, sizeof value);
}

void dial_quickack(int fd)
{
	dial_set_int(fd, IPPROTO_TCP, TCP_QUICKACK, 1);
}

static int dial_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	dial_set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	dial_set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, DIAL_USER_TIMEOUT_MS);
	dial_set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	dial_set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, DIAL_KEEPIDLE_S);
	dial_set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, DIAL_KEEPINTVL_S);
	dial_set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, DIAL_KEEPCNT);
	return fd;
}

static void dial_on_event(evutil_socket_t fd, short what, void *arg)
{
	struct dial *dial = arg;
	socklen_t len = sizeof dial->error;

	if (what & EV_WRITE) {
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &dial->error, &len) < 0)
			dial->error = errno;
	} else {
		dial->error = ETIMEDOUT;
	}
	if (!dial->error)
		dial_finish(dial, 0);
	else
		dial_next(dial);
}

static void dial_on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	dial_next(arg);
}

static void dial_wait(struct dial *dial, int fd, short what, event_callback_fn fn, uint64_t ms)
{
	struct timeval tv = loop_ms(ms);

	if (dial->event)
		event_free(dial->event);
	dial->event = event_new(loop_base(ssh_engine_loop(dial->engine)), fd, what, fn, dial);
	if (!dial->event || event_add(dial->event, &tv) != 0)
		abort();
}

/* Tries the next address; after the last one, reports. */
static void dial_next(struct dial *dial)
{
	if (dial->event)
		event_free(dial->event);
	dial->event = NULL;
	for (;;) {
		size_t i = dial->next;

		fd_close(&dial->fd);
		if (i == dial->to.count) {
			dial_finish(dial, dial->error ? dial->error : EHOSTUNREACH);
			return;
		}
		dial->fd = dial_socket(dial->to.at[i].addr.ss_family);
		if (dial->fd < 0 && (errno == EMFILE || errno == ENFILE)) {
			/* Other connections will end: the step's deadline bounds the wait. */
			dial_wait(dial, -1, EV_TIMEOUT, dial_on_retry, DIAL_RETRY_MS);
			return;
		}
		dial->next++;
		if (dial->fd >= 0 &&
		    (connect(dial->fd, (const struct sockaddr *)&dial->to.at[i].addr,
			     dial->to.at[i].len) == 0 ||
		     errno == EINPROGRESS)) {
			dial_wait(dial, dial->fd, EV_WRITE, dial_on_event, dial->share_ms);
			return;
		}
		dial->error = errno;
	}
}

struct dial *dial_start(struct ssh_engine *engine, const struct resolve_result *to,
			uint64_t timeout_ms, dial_fn *fn, void *arg)
{
	struct dial *dial = xcalloc(1, sizeof *dial);

	dial->engine = engine;
	dial->to = *to;
	dial->share_ms = timeout_ms / (to->count ? to->count : 1) + 1;
	dial->fd = -1;
	dial->fn = fn;
	dial->arg = arg;
	/* A fresh stack, so that fn is never called before the caller has the handle. */
	dial_wait(dial, -1, EV_TIMEOUT, dial_on_retry, 0);
	return dial;
}

void dial_cancel(struct dial *dial)
{
	if (dial)
		dial_free(dial);
}
