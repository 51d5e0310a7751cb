/* A command that no host can tell to have run before: plain exec, and what ends with its
 * connection. If the daemon is killed the next one must not begin it again, so that it is begun is
 * in the store before it is. */
#include <event2/event.h>
#include <stdlib.h>

#include "alloc.h"
#include "link_private.h"

static void link_once_end(struct link *link)
{
	struct outcome outcome = {.cause = CAUSE_STOPPED, .exit_code = -1};

	if (!link->live->stopping)
		outcome = (struct outcome){.cause = CAUSE_REFUSED,
					   .exit_code = -1,
					   .text = "the store has failed: that it ran cannot be "
						   "kept"};
	link_end(link, &outcome);
}

static void link_once_on_event(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	link_once_end(arg);
}

/* Nobody is told from inside of what is asked of us. */
void link_end_soon(struct link *link)
{
	struct timeval now = {0};

	if (link->live->refused)
		event_free(link->live->refused); /* it is that what asks */
	link->live->refused =
		evtimer_new(loop_base(run_daemon(link->run)->loop), link_once_on_event, link);
	if (!link->live->refused || event_add(link->live->refused, &now) != 0)
		abort();
}

static void link_once_on_noted(void *arg, bool durable)
{
	struct link *link = arg;

	if (!durable) {
		link_once_end(link);
		return;
	}
	link_go(link);
	if (link->live && link->live->handle && link->live->suspend_asked)
		link->live->transport->suspend(link, true);
}

void link_once_begin(struct link *link)
{
	struct daemon *daemon = run_daemon(link->run);
	struct results_wait *noted = &link->live->noted;

	run_keep_once(link->run, link->child);
	noted->fn = link_once_on_noted;
	noted->arg = link;
	if (!results_wait(&daemon->budget.waits, run_store(link->run), noted))
		link_end_soon(link);
}

void link_once_stop(struct link *link)
{
	if (!link->live->noted.ticket)
		return;
	link_once_leave(link);
	link_end_soon(link);
}

void link_once_leave(struct link *link)
{
	results_unwait(&run_daemon(link->run)->budget.waits, &link->live->noted);
}
