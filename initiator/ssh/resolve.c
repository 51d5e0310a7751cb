#include "resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

struct resolve {
	char *name;
	uint16_t port;
	resolve_fn *fn;
	void *arg;
	struct work_task *task;
	struct resolve_result result;
};

static void resolve_lookup(const char *name, uint16_t port, int flags, struct resolve_result *ret)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	char service[8];

	hints.ai_flags = flags | AI_NUMERICSERV;
	(void)snprintf(service, sizeof service, "%u", port);
	ret->count = 0;
	ret->error = getaddrinfo(name, service, &hints, &list);
	if (ret->error)
		return;
	for (const struct addrinfo *a = list; a && ret->count < RESOLVE_MAX; a = a->ai_next) {
		if (a->ai_addrlen > sizeof ret->at[0].addr)
			continue;
		memcpy(&ret->at[ret->count].addr, a->ai_addr, a->ai_addrlen);
		ret->at[ret->count++].len = a->ai_addrlen;
	}
	freeaddrinfo(list);
	if (!ret->count)
		ret->error = EAI_NONAME;
}

int resolve_numeric(const char *name, uint16_t port, struct resolve_result *ret)
{
	/* AI_NUMERICHOST never asks anybody, and knows zones such as fe80::1%eth0. */
	resolve_lookup(name, port, AI_NUMERICHOST, ret);
	return ret->error == 0;
}

static void resolve_run(void *arg)
{
	struct resolve *resolve = arg;

	resolve_lookup(resolve->name, resolve->port, 0, &resolve->result);
}

static void resolve_done(void *arg, bool cancelled)
{
	struct resolve *resolve = arg;

	if (!cancelled)
		resolve->fn(resolve->arg, &resolve->result);
	free(resolve->name);
	free(resolve);
}

struct resolve *resolve_start(struct ssh_engine *engine, const char *name, uint16_t port,
			      resolve_fn *fn, void *arg)
{
	struct resolve *resolve = xcalloc(1, sizeof *resolve);

	resolve->name = xstrdup(name);
	resolve->port = port;
	resolve->fn = fn;
	resolve->arg = arg;
	resolve->task =
		work_submit(ssh_engine_resolvers(engine), resolve_run, resolve_done, resolve);
	return resolve;
}

bool resolve_is_queued(const struct resolve *resolve)
{
	return resolve && work_is_queued(resolve->task);
}

void resolve_cancel(struct resolve *resolve)
{
	if (resolve)
		work_cancel(resolve->task);
}

void resolve_keep(struct resolve_result *result, int family)
{
	size_t count = 0;

	if (result->error || family == AF_UNSPEC)
		return;
	for (size_t i = 0; i < result->count; i++)
		if (result->at[i].addr.ss_family == family)
			result->at[count++] = result->at[i];
	result->count = count;
	if (!count)
		result->error = EAI_ADDRFAMILY;
}
