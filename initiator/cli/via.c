#include "via.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"
#include "limits.h"
#include "targets.h"

/* Of the message, for what submit_send adds. */
#define VIA_ROOM (16u << 10)

static void via_set(struct job_open_msg *open, struct via_made *made)
{
	const struct routes_plan *plan = &made->plan;

	made->routes = xcalloc(plan->count + 1, sizeof *made->routes);
	for (size_t i = 0; i < plan->count; i++)
		made->routes[i] = (struct job_route){.gateways = plan->parts[i].gateways,
						     .gateway_count = plan->parts[i].gateway_count,
						     .targets = plan->parts[i].targets,
						     .target_count = plan->parts[i].target_count};
	open->routes = made->routes;
	open->route_count = plan->count;
	/* A gateway whose part needs no other one need not know its place. */
	if (plan->hops > 1)
		open->topology = (char *)(uintptr_t)buf_cstr(&made->topology);
}

static int via_gateways(struct via_made *made, const struct via_values *v,
			const struct cmd_globals *globals, const char *const *names, size_t count,
			struct errmsg *msg)
{
	static const struct option_texts nothing;
	struct errmsg why = {""};
	struct hostlist *gateways;
	int rc = targets_find(&gateways, globals, &v->gateways, &nothing, true, true, &why);

	if (rc)
		return err_set(msg, rc, "--via: %s", why.text);
	rc = hostlist_count(gateways)
		     ? routes_via(&made->plan, gateways, names, count, msg)
		     : err_set(msg, ERR_SYNTAX, "--via: no gateway; name one or leave it out");
	hostlist_free(gateways);
	return rc;
}

/* The file: of the option, else of muster.conf. NULL: none. The caller frees it. */
static char *via_path(const struct via_values *v, const struct config *config)
{
	const char *set = config_topology(config), *home = getenv("HOME");

	if (v->topology || !set)
		return v->topology && strcmp(v->topology, "none") != 0 ? xstrdup(v->topology)
								       : NULL;
	if (strcmp(set, "none") == 0)
		return NULL;
	return *set == '~' ? xasprintf("%s%s", home ? home : "", set + 1) : xstrdup(set);
}

static int via_read(struct routes **ret, const char *path, struct errmsg *msg)
{
	struct buf text = {0};
	int rc = fd_read_file(&text, path, LIMIT_TOPOLOGY);

	if (rc == ERR_SYS)
		rc = err_set(msg, rc, "cannot read the topology %s: %s", path, strerror(errno));
	else if (rc)
		rc = err_set(msg, rc,
			     "the topology %s has more than %u bytes; write ranges, such as "
			     "web[1-500]",
			     path, LIMIT_TOPOLOGY);
	else
		rc = routes_parse(ret, buf_cstr(&text), text.len, path, msg);
	buf_done(&text);
	return rc;
}

static int via_topology(struct via_made *made, const char *path, const char *const *names,
			size_t count, struct errmsg *msg)
{
	char hostname[LIMIT_HOST_NAME + 1] = "";
	struct routes *routes;
	int rc = via_read(&routes, path, msg);

	if (rc)
		return rc;
	(void)gethostname(hostname, sizeof hostname - 1);
	rc = routes_find(&made->plan, routes, hostname, names, count, msg);
	if (rc == 0)
		routes_text(routes, NULL, &made->topology);
	routes_free(routes);
	return rc;
}

int via_fill(struct job_open_msg *open, struct via_made *made, const struct via_values *v,
	     const struct cmd_globals *globals, const struct hostlist *hosts, struct errmsg *msg)
{
	size_t count = hosts ? hostlist_count(hosts) : 0;
	const char **names;
	char *path = NULL;
	int rc = 0;

	*made = (struct via_made){0};
	if (v->gateways.count && v->topology && strcmp(v->topology, "none") != 0)
		return err_set(msg, ERR_SYNTAX, "--via and --topology: one of them");
	if (!v->gateways.count)
		path = via_path(v, globals->config);
	if (!count || (!v->gateways.count && !path)) {
		free(path);
		return 0;
	}
	names = xcalloc(count, sizeof *names);
	for (size_t i = 0; i < count; i++)
		names[i] = hostlist_at(hosts, i)->name;
	rc = path ? via_topology(made, path, names, count, msg)
		  : via_gateways(made, v, globals, names, count, msg);
	if (rc == 0)
		via_set(open, made);
	free(names);
	free(path);
	return rc;
}

void via_made_done(struct via_made *made)
{
	routes_plan_done(&made->plan);
	free(made->routes);
	buf_done(&made->topology);
	*made = (struct via_made){0};
}

const char *via_given(const struct via_values *v)
{
	if (v->gateways.count)
		return "--via";
	return v->topology && strcmp(v->topology, "none") != 0 ? "--topology" : NULL;
}

int via_check_size(const struct job_open_msg *open, struct errmsg *msg)
{
	struct buf body = {0};
	size_t len;

	if (!open->route_count)
		return 0;
	job_open_put(&body, open);
	len = body.len;
	buf_done(&body);
	if (len > LIMIT_FRAME_BODY - VIA_ROOM)
		return err_set(msg, ERR_LIMIT,
			       "the command and the ways to its hosts are %zu bytes together, more "
			       "than one message holds; name the hosts of a gateway one behind the "
			       "other, or fewer of them (--shard)",
			       len);
	return 0;
}
