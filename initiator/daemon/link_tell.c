/* A command of a job that came by a gateway: who asked for it is told before it may begin. If we
 * are lost then, it knows of each command that it may have begun, and gives none of these to
 * another gateway. */
#include "link_private.h"

static void link_on_told(void *arg)
{
	struct link *link = arg;

	link_begin(link);
	if (link->live->handle && link->live->suspend_asked)
		link->live->transport->suspend(link, true);
}

void link_tell_begin(struct link *link)
{
	struct client_wait *told = &link->live->told;

	told->fn = link_on_told;
	told->arg = link;
	if (!run_tell_starting(link->run, link->child, told))
		link_begin(link);
}

void link_tell_stop(struct link *link)
{
	if (!link->live->told.client) {
		link_once_stop(link);
		return;
	}
	link_tell_leave(link);
	link_end_soon(link);
}

void link_tell_leave(struct link *link)
{
	client_unwait(&link->live->told);
}
