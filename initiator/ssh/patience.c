#include "patience.h"

#include <stdbool.h>
#include <stdlib.h>

#include "alloc.h"
#include "clock.h"

/* A timer that says how late the loop is by how late it comes itself. */
#define PATIENCE_BEAT_MS 100u
/* As timers always are. */
#define PATIENCE_SLACK_NS UINT64_C(5000000)
/* Of the time that a beat is late this part still counts: a computer that is always busy. */
#define PATIENCE_PART 4u
/* And no more than this: one that was stopped for minutes. */
#define PATIENCE_MOST_NS UINT64_C(1000000000)

struct patience {
	struct event *beat;
	size_t holds;
	uint64_t due_ns;  /* the next beat */
	uint64_t lost_ns; /* by so much it is behind the monotonic clock */
};

/* Of a beat that comes now. */
static uint64_t patience_lost(const struct patience *p, uint64_t now)
{
	uint64_t late, counts;

	if (!p->holds || now <= p->due_ns + PATIENCE_SLACK_NS)
		return p->lost_ns;
	late = now - p->due_ns - PATIENCE_SLACK_NS;
	counts = late / PATIENCE_PART < PATIENCE_MOST_NS ? late / PATIENCE_PART : PATIENCE_MOST_NS;
	return p->lost_ns + late - counts;
}

static void patience_next(struct patience *p, uint64_t now)
{
	struct timeval tv = loop_ms(PATIENCE_BEAT_MS);

	p->due_ns = now + PATIENCE_BEAT_MS * UINT64_C(1000000);
	if (event_add(p->beat, &tv) != 0)
		abort();
}

static void patience_on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct patience *p = arg;
	uint64_t now = clock_mono_ns();

	(void)fd;
	(void)what;
	p->lost_ns = patience_lost(p, now);
	patience_next(p, now);
}

struct patience *patience_new(struct loop *loop)
{
	struct patience *p = xcalloc(1, sizeof *p);

	p->beat = evtimer_new(loop_base(loop), patience_on_beat, p);
	if (!p->beat)
		abort();
	return p;
}

void patience_free(struct patience *p)
{
	if (!p)
		return;
	event_free(p->beat);
	free(p);
}

void patience_hold(struct patience *p)
{
	if (!p->holds++)
		patience_next(p, clock_mono_ns());
}

void patience_release(struct patience *p)
{
	if (--p->holds)
		return;
	/* Nobody compares what it says now with what it said before. */
	(void)event_del(p->beat);
}

uint64_t patience_ns(const struct patience *p)
{
	uint64_t now = clock_mono_ns();

	return now - patience_lost(p, now);
}

uint64_t patience_ms_until(const struct patience *p, uint64_t deadline_ns)
{
	uint64_t now = patience_ns(p);

	return now < deadline_ns ? (deadline_ns - now) / 1000000 + 1 : 1;
}
