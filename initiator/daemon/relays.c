#include "relays.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "escape.h"
#include "hostlist.h"
#include "link_private.h"
#include "plan_settings.h"
#include "relay.h"
#include "relay_pull.h"
#include "uuid.h"

/* Of the connection to a gateway while it is sent files. */
#define RELAYS_LOSSES 3u

struct gateway {
	struct plan_host host; /* its name, and what that says */
	struct relay **relays; /* on their way or at work */
	size_t relay_count;
	bool failed;		  /* it is not tried again for this job */
	unsigned lost;		  /* how often, while it was sent files */
	char key[UUID_TEXT_SIZE]; /* of these; "": none so far */
	char why[LIMIT_OUTCOME_TEXT];
};

struct route {
	size_t *gateways; /* the preferred one first */
	size_t count;
};

struct relays {
	struct run *run;
	struct gateway *gateways;
	size_t gateway_count;
	struct route *routes;
	size_t route_count;
	uint32_t *route_of;	 /* of each child 1 + its route; 0: none */
	bool *relayed;		 /* the same as yes and no */
	struct plan_host *hosts; /* of those that have a route; the others are empty */
	size_t count;
	struct plan_work *planning;
	struct plan *plan; /* of the gateways */
	char *no_plan;	   /* why there is none; NULL: there may be one */
	struct relay_member *waiting;
	struct event *wake;
	bool warned; /* of a background job: that this does not outlive us */
};

/* --- their life
 * ----------------------------------------------------------------------------------- */

static void relays_copy_host(struct plan_host *ret, const char *label, const char *name,
			     const char *user, uint16_t port)
{
	*ret = (struct plan_host){.host = xstrdup(label),
				  .hostname = xstrdup(name),
				  .user = user ? xstrdup(user) : NULL,
				  .port = port};
}

static size_t relays_gateway(struct relays *relays, const char *name)
{
	struct hostlist *list = NULL;
	struct gateway *g;
	const struct host *h;
	size_t i = 0;

	while (i < relays->gateway_count && strcmp(relays->gateways[i].host.host, name) != 0)
		i++;
	if (i < relays->gateway_count)
		return i;
	if (hostlist_parse(&list, name, NULL, NULL) != 0 || hostlist_count(list) != 1)
		abort(); /* relays_check was content */
	h = hostlist_at(list, 0);
	relays->gateways =
		xrealloc(relays->gateways, relays->gateway_count + 1, sizeof *relays->gateways);
	g = &relays->gateways[relays->gateway_count++];
	*g = (struct gateway){0};
	relays_copy_host(&g->host, name, h->name, h->user, h->port);
	hostlist_free(list);
	return i;
}

static void relays_add_route(struct relays *relays, const struct job_route *from,
			     const struct plan_host *hosts)
{
	struct route *route = &relays->routes[relays->route_count++];

	route->gateways = xcalloc(from->gateway_count, sizeof *route->gateways);
	for (size_t i = 0; i < from->gateway_count; i++)
		route->gateways[route->count++] = relays_gateway(relays, from->gateways[i]);
	for (size_t i = 0; i < from->target_count; i++) {
		size_t at = (size_t)from->targets[i];
		const struct plan_host *h = &hosts[at];

		relays->route_of[at] = (uint32_t)relays->route_count;
		relays->relayed[at] = true;
		relays_copy_host(&relays->hosts[at], h->host, h->hostname, h->user, h->port);
	}
}

struct relays *relays_new(const struct job_open_msg *open, const struct plan_host *hosts,
			  size_t count)
{
	struct relays *relays;

	if (!open->route_count)
		return NULL;
	relays = xcalloc(1, sizeof *relays);
	relays->count = count;
	relays->routes = xcalloc(open->route_count, sizeof *relays->routes);
	relays->route_of = xcalloc(count, sizeof *relays->route_of);
	relays->relayed = xcalloc(count, sizeof *relays->relayed);
	relays->hosts = xcalloc(count, sizeof *relays->hosts);
	for (size_t i = 0; i < open->route_count; i++)
		relays_add_route(relays, &open->routes[i], hosts);
	return relays;
}

static void relays_on_wake(evutil_socket_t fd, short what, void *arg);

void relays_attach(struct relays *relays, struct run *run)
{
	if (!relays)
		return;
	relays->run = run;
	relays->wake = evtimer_new(loop_base(run_daemon(run)->loop), relays_on_wake, relays);
	if (!relays->wake)
		abort();
}

static void relays_free_host(struct plan_host *h)
{
	free(h->host);
	free(h->hostname);
	free(h->user);
}

void relays_free(struct relays *relays)
{
	if (!relays)
		return;
	for (size_t i = 0; i < relays->gateway_count; i++) {
		struct gateway *g = &relays->gateways[i];

		while (g->relay_count)
			relay_free(g->relays[--g->relay_count]);
		free(g->relays);
		relays_free_host(&g->host);
	}
	for (size_t i = 0; i < relays->route_count; i++)
		free(relays->routes[i].gateways);
	plan_cancel(relays->planning);
	plan_free(relays->plan);
	if (relays->wake)
		event_free(relays->wake);
	for (size_t i = 0; i < relays->count; i++)
		relays_free_host(&relays->hosts[i]);
	free(relays->hosts);
	free(relays->no_plan);
	free(relays->gateways);
	free(relays->routes);
	free(relays->route_of);
	free(relays->relayed);
	free(relays);
}

bool relays_has(const struct relays *relays, size_t index)
{
	return relays && relays->relayed[index];
}

const bool *relays_unslotted(const struct relays *relays)
{
	return relays ? relays->relayed : NULL;
}

struct run *relays_run(const struct relays *relays)
{
	return relays->run;
}

const struct plan_host *relays_host(const struct relays *relays, size_t index)
{
	return &relays->hosts[index];
}

/* --- where a member goes
 * -------------------------------------------------------------------------- */

static const struct route *relays_route(const struct relay_member *m)
{
	const struct relays *relays = m->relays;

	return &relays->routes[relays->route_of[child_index(m->link->child)] - 1];
}

/* The first gateway of its route that may be tried; NULL: none is left. */
static struct gateway *relays_choose(const struct relay_member *m)
{
	const struct route *route = relays_route(m);

	for (size_t i = 0; i < route->count; i++)
		if (!m->relays->gateways[route->gateways[i]].failed)
			return &m->relays->gateways[route->gateways[i]];
	return NULL;
}

/* One that still takes members, or a new one. */
static struct relay *relays_relay(struct relays *relays, struct gateway *g)
{
	size_t index = (size_t)(g - relays->gateways);

	for (size_t i = 0; i < g->relay_count; i++)
		if (relay_takes(g->relays[i]))
			return g->relays[i];
	g->relays = xrealloc(g->relays, g->relay_count + 1, sizeof *g->relays);
	g->relays[g->relay_count] =
		relay_new(relays, index, &g->host, plan_target(relays->plan, index));
	return g->relays[g->relay_count++];
}

/* Not from inside of what the job asks. */
static void relays_end_member(struct relay_member *m, enum cause cause, const char *text)
{
	struct outcome outcome = {.cause = cause, .exit_code = -1, .began = m->began};

	/* Cuts between characters. */
	(void)escape_str(outcome.text, sizeof outcome.text, text);
	link_relay_end(m, &outcome);
}

/* The words of the gateway that was the last to fail, which may have been before this child came.
 */
static void relays_end_without(struct relay_member *m)
{
	const struct route *route = relays_route(m);
	const struct gateway *g = &m->relays->gateways[route->gateways[route->count - 1]];
	char *text = xasprintf("%s: %s", g->host.host, g->why);

	relays_end_member(m, CAUSE_GATEWAY, text);
	free(text);
}

static void relays_place(struct relay_member *m)
{
	struct gateway *g = relays_choose(m);

	if (m->stop)
		relays_end_member(m, CAUSE_STOPPED, "");
	else if (m->relays->no_plan)
		relays_end_member(m, CAUSE_GATEWAY, m->relays->no_plan);
	else if (g)
		relay_add(relays_relay(m->relays, g), m);
	else
		relays_end_without(m);
}

static void relays_on_plan(void *arg, struct plan *plan, const struct errmsg *msg)
{
	struct relays *relays = arg;

	relays->planning = NULL;
	relays->plan = plan;
	if (!plan)
		relays->no_plan = xstrdup(msg->text);
	relays_on_wake(-1, 0, relays);
}

static void relays_make_plan(struct relays *relays)
{
	const struct job_open_msg *open = run_open(relays->run);
	struct plan_request request = {
		.hosts = xcalloc(relays->gateway_count, sizeof *request.hosts),
		.count = relays->gateway_count};

	plan_settings_take(&request, open);
	for (size_t i = 0; i < relays->gateway_count; i++) {
		const struct plan_host *h = &relays->gateways[i].host;

		relays_copy_host(&request.hosts[i], h->host, h->hostname, h->user, h->port);
	}
	relays->planning =
		plan_start(run_daemon(relays->run)->engine, &request, relays_on_plan, relays);
}

/* A background job is durable where it can be. */
static void relays_warn(struct relays *relays, struct link *link)
{
	const struct job_open_msg *open = run_open(relays->run);

	if (relays->warned || !link_wants_durable(open))
		return;
	relays->warned = true;
	link_warn(link, "hosts that are reached by a gateway are not durable: what runs there ends "
			"with the link to it");
}

static void relays_on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct relays *relays = arg;
	struct relay_member *m, **next = &relays->waiting;
	bool ready = relays->plan || relays->no_plan;

	(void)fd;
	(void)what;
	if (relays->waiting && !ready && !relays->planning)
		relays_make_plan(relays);
	while ((m = *next)) {
		if (!ready && !m->stop) {
			next = &m->next;
			continue;
		}
		member_remove(m);
		if (!m->stop)
			relays_warn(relays, m->link);
		relays_place(m);
		next = &relays->waiting; /* an end may have changed the list */
	}
}

static void relays_wait(struct relay_member *m)
{
	struct timeval now = {0};

	member_insert(&m->relays->waiting, m);
	(void)event_add(m->relays->wake, &now);
}

/* --- what relays tell
 * ----------------------------------------------------------------------------- */

void relays_on_over(struct relays *relays, struct relay *relay)
{
	struct gateway *g = &relays->gateways[relay_gateway(relay)];

	for (size_t i = 0; i < g->relay_count; i++)
		if (g->relays[i] == relay) {
			g->relays[i] = g->relays[--g->relay_count];
			break;
		}
}

void relays_on_failed(struct relays *relays, size_t gateway, const char *why)
{
	struct gateway *g = &relays->gateways[gateway];

	g->failed = true;
	(void)escape_str(g->why, sizeof g->why, why);
}

const char *relays_stage_key(struct relays *relays, size_t gateway)
{
	struct gateway *g = &relays->gateways[gateway];
	struct uuid uuid;

	if (!g->key[0]) {
		uuid_make(&uuid, 1);
		(void)uuid_text(g->key, &uuid);
	}
	return g->key;
}

bool relays_may_try_again(struct relays *relays, size_t gateway)
{
	return ++relays->gateways[gateway].lost < RELAYS_LOSSES;
}

bool relays_has_more(const struct relays *relays)
{
	return job_counts(run_job(relays->run))->in_state[JOB_STATE_NOT_STARTED];
}

bool relays_on_lost(struct relay_member *m, const char *why, bool began)
{
	const struct gateway *g = &m->relays->gateways[relay_gateway(m->relay)];
	bool copy = run_open(m->relays->run)->builtin == JOB_COPY;
	char *text;

	relay_remove(m->relay, m);
	relay_pull_pause(m->pull);
	if (m->stop && (!began || copy)) {
		relays_end_member(m, CAUSE_STOPPED, "");
		return false;
	}
	/* A copy finds what there is already. */
	if ((!began || copy) && relays_choose(m)) {
		link_relay_on_away(m);
		relays_wait(m);
		return true;
	}
	text = xasprintf("%s: %s%s", g->host.host,
			 began && !copy ? "lost; the command may have begun: " : "", why);
	relays_end_member(m, CAUSE_GATEWAY, text);
	free(text);
	return false;
}

/* --- what links ask
 * --------------------------------------------------------------------------------- */

struct relay_member *relays_join(struct relays *relays, struct link *link)
{
	struct relay_member *m = xcalloc(1, sizeof *m);

	m->link = link;
	m->relays = relays;
	relays_wait(m);
	return m;
}

void relays_leave(struct relay_member *m)
{
	if (m->relay)
		relay_remove(m->relay, m);
	member_remove(m);
	relay_pull_free(m->pull);
	free(m);
}

void relays_stop(struct relay_member *m)
{
	if (m->stop)
		return;
	if (m->relay && !relay_takes(m->relay)) {
		relay_stop(m->relay, m);
		return;
	}
	if (m->relay) {
		relay_remove(m->relay, m);
		member_insert(&m->relays->waiting, m);
	}
	m->stop = true;
	(void)event_add(m->relays->wake, &(struct timeval){0});
}

void relays_suspend(struct relay_member *m, bool suspend)
{
	m->ask = suspend ? MEMBER_ASK_SUSPEND : MEMBER_ASK_RESUME;
	m->resuming = !suspend;
	if (m->relay)
		relay_ask(m->relay, m);
}

void relays_hold(struct relay_member *m, bool hold)
{
	m->hold = hold;
	if (m->relay)
		relay_ask(m->relay, m);
}

void relays_feed(struct relay_member *m)
{
	if (m->relay)
		relay_feed(m->relay);
}
