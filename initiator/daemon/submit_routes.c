#include "submit_routes.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "limits.h"
#include "routes.h"

/* The parts become those of the job, which owns them then. */
static void submit_take_parts(struct job_open_msg *open, struct routes_plan *plan)
{
	open->routes = xcalloc(plan->count ? plan->count : 1, sizeof *open->routes);
	open->route_count = plan->count;
	for (size_t i = 0; i < plan->count; i++) {
		struct routes_part *part = &plan->parts[i];

		open->routes[i] = (struct job_route){.gateways = part->gateways,
						     .gateway_count = part->gateway_count,
						     .targets = part->targets,
						     .target_count = part->target_count};
		*part = (struct routes_part){0};
	}
}

int submit_find_routes(struct job_open_msg *open, const struct plan_request *request,
		       struct errmsg *msg)
{
	char hostname[LIMIT_HOST_NAME + 1] = "";
	struct routes_plan plan = {0};
	struct routes *routes;
	const char **names;
	int rc;

	if (!open->hops || !open->topology || open->route_count)
		return 0;
	rc = routes_parse(&routes, open->topology, strlen(open->topology), "the topology", msg);
	if (rc)
		return rc;
	(void)gethostname(hostname, sizeof hostname - 1);
	names = xcalloc(request->count, sizeof *names);
	for (size_t i = 0; i < request->count; i++)
		names[i] = request->hosts[i].hostname;
	rc = routes_find(&plan, routes, hostname, names, request->count, msg);
	if (rc == 0)
		submit_take_parts(open, &plan);
	free(names);
	routes_plan_done(&plan);
	routes_free(routes);
	return rc;
}
