#include "interrupts.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

#include "alloc.h"
#include "clock.h"

/* A second interrupt within this time stops the job. */
#define INTERRUPTS_AGAIN_NS UINT64_C(1000000000)

static void interrupts_on_interrupt(evutil_socket_t sig, short what, void *arg)
{
	struct interrupts *i = arg;
	uint64_t now = clock_mono_ns();
	bool again = i->last_ns && now - i->last_ns < INTERRUPTS_AGAIN_NS;

	(void)sig;
	(void)what;
	i->last_ns = now;
	i->events->interrupt(i->arg, again);
}

static void interrupts_on_terminate(evutil_socket_t sig, short what, void *arg)
{
	struct interrupts *i = arg;

	(void)sig;
	(void)what;
	i->events->terminate(i->arg);
}

static void interrupts_on_resize(evutil_socket_t sig, short what, void *arg)
{
	struct interrupts *i = arg;

	(void)sig;
	(void)what;
	i->events->resize(i->arg);
}

void interrupts_watch(struct interrupts *interrupts, struct loop *loop,
		      const struct interrupts_events *events, void *arg)
{
	static const struct {
		int sig;
		event_callback_fn fn;
	} rows[] = {{SIGINT, interrupts_on_interrupt},
		    {SIGTERM, interrupts_on_terminate},
		    {SIGHUP, interrupts_on_terminate},
		    {SIGWINCH, interrupts_on_resize}};

	interrupts->events = events;
	interrupts->arg = arg;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		interrupts->signals[i] =
			evsignal_new(loop_base(loop), rows[i].sig, rows[i].fn, interrupts);
		if (!interrupts->signals[i] || event_add(interrupts->signals[i], NULL) != 0)
			abort();
	}
}

void interrupts_unwatch(struct interrupts *interrupts)
{
	for (size_t i = 0; i < ARRAY_LEN(interrupts->signals); i++)
		event_free(interrupts->signals[i]);
}
