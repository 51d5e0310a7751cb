#include "retain.h"

#include <event2/event.h>
#include <stdlib.h>

#include "alloc.h"
#include "clock.h"
#include "daemon_private.h"
#include "registry.h"

#define RETAIN_MS 60000u
/* One was too many: how much there is then is known when its segments have gone. */
#define RETAIN_AGAIN_MS 1000u

struct retain {
	struct daemon *daemon;
	struct event *timer;
};

void retain_look(struct retain *retain)
{
	struct daemon *d = retain->daemon;
	uint64_t size = d->options.retain_size;
	bool large = d->store && size && store_size(d->store) > size;
	bool went = registry_retain(d->registry, clock_wall_ns(), d->options.retain_age_ms,
				    d->options.retain_count, large);
	struct timeval tv = loop_ms(large && went ? RETAIN_AGAIN_MS : RETAIN_MS);

	(void)event_add(retain->timer, &tv);
}

static void retain_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	retain_look(arg);
}

struct retain *retain_new(struct daemon *daemon)
{
	struct retain *retain = xcalloc(1, sizeof *retain);
	struct timeval tv = loop_ms(RETAIN_MS);

	retain->daemon = daemon;
	retain->timer = evtimer_new(loop_base(daemon->loop), retain_on_timer, retain);
	if (!retain->timer || event_add(retain->timer, &tv) != 0)
		abort();
	return retain;
}

void retain_free(struct retain *retain)
{
	if (!retain)
		return;
	event_free(retain->timer);
	free(retain);
}
