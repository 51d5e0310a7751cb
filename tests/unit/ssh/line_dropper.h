/* Servers that do not answer yet, or drop the first connections. */
#ifndef MUSTER_TEST_LINE_DROPPER_H
#define MUSTER_TEST_LINE_DROPPER_H

#include "line_rig.h"

/* What asks to connect is let in by the kernel, and answered by nobody. */
static inline void server_sleeps(const struct rig *rig)
{
	int status;

	assert_int_equal(kill(rig->host.acceptor, SIGSTOP), 0);
	assert_int_equal(waitpid(rig->host.acceptor, &status, WUNTRACED), rig->host.acceptor);
}

static inline void server_wakes(const struct rig *rig)
{
	assert_int_equal(kill(rig->host.acceptor, SIGCONT), 0);
}

/* Closes so many connections without a word, and leaves the others to the server. */
struct dropper {
	struct rig *rig;
	struct event *event;
	unsigned left;
	unsigned dropped;
	void (*on_drop)(struct dropper *dropper);
	void *arg;
};

static inline void dropper_end(struct dropper *d)
{
	if (!d->event)
		return;
	event_free(d->event);
	d->event = NULL;
	server_wakes(d->rig);
}

static inline void dropper_on_event(evutil_socket_t fd, short what, void *arg)
{
	struct dropper *d = arg;
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	(void)what;
	assert_true(peer >= 0);
	fd_close(&peer);
	d->dropped++;
	if (!--d->left)
		dropper_end(d);
	if (d->on_drop)
		d->on_drop(d);
}

static inline void dropper_start(struct dropper *d, struct rig *rig)
{
	server_sleeps(rig);
	d->rig = rig;
	d->event = event_new(loop_base(rig->host.loop), rig->host.listener, EV_READ | EV_PERSIST,
			     dropper_on_event, d);
	assert_non_null(d->event);
	assert_int_equal(event_add(d->event, NULL), 0);
}

#endif
