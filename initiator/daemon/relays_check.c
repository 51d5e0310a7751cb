/* What the routes of a job must be, before there is one. */
#include <stdlib.h>

#include "alloc.h"
#include "hostlist.h"
#include "limits.h"
#include "relays.h"

static int relays_check_kind(const struct job_open_msg *open, struct errmsg *msg)
{
	if (open->local || open->session_count || open->builtin == JOB_SESSION)
		return err_set(msg, ERR_SYNTAX, "gateways do not go with %s",
			       open->local ? "local jobs" : "sessions");
	if (open->durable == JOB_DURABLE_ALWAYS || open->detached)
		return err_set(msg, ERR_SYNTAX,
			       "what runs by a gateway ends with the link to it: that cannot be "
			       "durable, or be disconnected");
	if (open->hops >= LIMIT_HOPS)
		return err_set(msg, ERR_RANGE,
			       "the job has come through %u gateways, and is to go by another: "
			       "is there a loop in the topology?",
			       LIMIT_HOPS);
	return 0;
}

static int relays_check_gateway(const char *name, struct errmsg *msg)
{
	struct hostlist *list;
	struct errmsg own;
	size_t count;

	if (hostlist_parse(&list, name, NULL, &own) != 0)
		return err_set(msg, ERR_SYNTAX, "gateway '%s': %s", name, own.text);
	count = hostlist_count(list);
	hostlist_free(list);
	if (count != 1)
		return err_set(msg, ERR_SYNTAX, "gateway '%s' is not one host", name);
	return 0;
}

static int relays_check_route(const struct job_route *route, bool *taken, size_t count,
			      struct errmsg *msg)
{
	int rc = 0;

	if (!route->gateway_count || !route->target_count)
		return err_set(msg, ERR_SYNTAX, "a route without a gateway, or without a target");
	for (size_t i = 0; rc == 0 && i < route->gateway_count; i++)
		rc = relays_check_gateway(route->gateways[i], msg);
	for (size_t i = 0; rc == 0 && i < route->target_count; i++) {
		uint64_t at = route->targets[i];

		if (at >= count || taken[at])
			rc = err_set(msg, ERR_RANGE, "a route for target %llu, which %s",
				     (unsigned long long)at,
				     at >= count ? "there is not" : "has one");
		else
			taken[at] = true;
	}
	return rc;
}

int relays_check(const struct job_open_msg *open, size_t count, struct errmsg *msg)
{
	bool *taken;
	int rc;

	if (!open->route_count)
		return 0;
	rc = relays_check_kind(open, msg);
	if (rc)
		return rc;
	taken = xcalloc(count ? count : 1, sizeof *taken);
	for (size_t i = 0; rc == 0 && i < open->route_count; i++)
		rc = relays_check_route(&open->routes[i], taken, count, msg);
	free(taken);
	return rc;
}
