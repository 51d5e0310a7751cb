/* What all lines share. */
#include <event2/event.h>
#include <stdlib.h>

#include "alloc.h"
#include "bastion.h"
#include "clock.h"
#include "line_private.h"
#include "pacer.h"
#include "proxy_command.h"

/* Descriptors of an I/O thread: epoll and eventfd. */
#define LINES_FD_PER_THREAD 2u
/* With so few of them one thread has to do. */
#define LINES_FD_FEW 1024u
/* With so many of them, logins that hang may have half. */
#define LINES_HANGING_FROM 1024u
/* Who hangs in a login is looked for so often, while others wait. */
#define LINES_LOOK_MS 250u

static struct pacer *lines_new_pacer(size_t slots)
{
	struct pacer_limits limits = pacer_limits_default;
	size_t max = slots < ENGINE_LOGINS_MAX ? slots : ENGINE_LOGINS_MAX;

	if (limits.max > max)
		limits.max = max;
	if (limits.start > max)
		limits.start = max;
	if (limits.min > max)
		limits.min = max;
	/* Each needs a descriptor, and few are for what a login needs besides. */
	limits.hanging = slots >= LINES_HANGING_FROM ? slots / 2 : 0;
	return pacer_new(&limits);
}

static void lines_on_look(evutil_socket_t fd, short what, void *arg)
{
	struct lines *lines = arg;

	(void)fd;
	(void)what;
	pacer_look(lines->pacer, clock_mono_ns());
	lines_look(lines);
}

void lines_look(struct lines *lines)
{
	struct timeval tv = loop_ms(LINES_LOOK_MS);

	if (pacer_waiting(lines->pacer) && !evtimer_pending(lines->look, NULL) &&
	    evtimer_add(lines->look, &tv) != 0)
		abort();
}

struct lines *lines_new(struct loop *loop, unsigned threads, size_t fd_limit)
{
	struct lines *lines = xcalloc(1, sizeof *lines);

	if (fd_limit < LINES_FD_FEW)
		threads = 1;
	lines->loop = loop;
	lines->shards = shards_new(loop, threads);
	lines->engine = ssh_engine_new(loop, fd_limit - threads * LINES_FD_PER_THREAD);
	lines->pacer = lines_new_pacer(lines_slots(lines));
	lines->proxies = proxies_new(loop);
	lines->bastions = bastions_new(loop, lines->shards, lines->engine,
				       &(struct bastions_options){.proxies = lines->proxies});
	lines->look = evtimer_new(loop_base(loop), lines_on_look, lines);
	if (!lines->look)
		abort();
	return lines;
}

void lines_free(struct lines *lines)
{
	if (!lines)
		return;
	/* Who is to be freed by the loop still wants to leave. */
	loop_flush(lines->loop);
	bastions_close(lines->bastions);
	shards_free(lines->shards);
	bastions_free(lines->bastions);
	proxies_free(lines->proxies);
	event_free(lines->look);
	pacer_free(lines->pacer);
	ssh_engine_free(lines->engine);
	free(lines);
}

size_t lines_in_use(const struct lines *lines)
{
	return ssh_engine_in_use(lines->engine);
}

size_t lines_slots(const struct lines *lines)
{
	return ssh_engine_slots(lines->engine);
}

struct bastions *lines_bastions(struct lines *lines)
{
	return lines->bastions;
}

unsigned lines_threads(const struct lines *lines)
{
	return shards_running(lines->shards);
}
