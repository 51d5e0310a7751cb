/* Which known_hosts files a target is judged by. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "plan_private.h"

/* The index of a path among the loaded files. */
static size_t plan_known_get(struct plan *plan, const char *path)
{
	size_t n = plan->known_count, stop = n > PLAN_LOOKBACK ? n - PLAN_LOOKBACK : 0;
	struct errmsg msg = {{0}};

	for (size_t i = n; i > stop; i--)
		if (strcmp(plan->known_paths[i - 1], path) == 0)
			return i - 1;
	plan->known = xrealloc(plan->known, n + 1, sizeof(struct known_hosts *));
	plan->known_paths = xrealloc(plan->known_paths, n + 1, sizeof(char *));
	plan->known_faults = xrealloc(plan->known_faults, n + 1, sizeof(char *));
	plan->known[n] = NULL;
	plan->known_faults[n] = NULL;
	plan->known_paths[n] = xstrdup(path);
	if (known_hosts_load(&plan->known[n], path, &msg) != 0)
		plan->known_faults[n] = xstrdup(msg.text);
	plan->known_count++;
	return n;
}

static char *plan_trust_name(const struct ssh_options *options)
{
	struct buf name = {0};

	for (size_t i = 0; i < options->user_known_hosts_count; i++)
		buf_addf(&name, "u%s\n", options->user_known_hosts[i]);
	for (size_t i = 0; i < options->global_known_hosts_count; i++)
		buf_addf(&name, "g%s\n", options->global_known_hosts[i]);
	return buf_take_str(&name);
}

static void plan_trust_add(struct plan *plan, struct plan_trust *trust, const char *path,
			   char **fault)
{
	size_t i = plan_known_get(plan, path);

	/* An @revoked line in a file that cannot be read must not be missed: it is a fault. */
	if (plan->known[i])
		trust->files[trust->count++] = plan->known[i];
	else if (!*fault)
		*fault = xstrdup(plan->known_faults[i]);
}

const struct plan_trust *plan_trust_get(struct plan *plan, const struct ssh_options *options,
					const char **ret_fault)
{
	size_t n = plan->trust_count, stop = n > PLAN_LOOKBACK ? n - PLAN_LOOKBACK : 0;
	char *name = plan_trust_name(options), *fault = NULL;
	struct plan_trust *trust;

	for (size_t i = n; i > stop; i--)
		if (strcmp(plan->trust_names[i - 1], name) == 0) {
			free(name);
			*ret_fault = plan->trust_faults[i - 1];
			return plan->trusts[i - 1];
		}
	trust = xcalloc(1, sizeof *trust);
	trust->files = xcalloc(options->user_known_hosts_count + options->global_known_hosts_count,
			       sizeof(struct known_hosts *));
	for (size_t i = 0; i < options->user_known_hosts_count; i++)
		plan_trust_add(plan, trust, options->user_known_hosts[i], &fault);
	for (size_t i = 0; i < options->global_known_hosts_count; i++)
		plan_trust_add(plan, trust, options->global_known_hosts[i], &fault);
	if (options->user_known_hosts_count)
		trust->append_to =
			plan->known_paths[plan_known_get(plan, options->user_known_hosts[0])];
	plan->trusts = xrealloc(plan->trusts, n + 1, sizeof(struct plan_trust *));
	plan->trust_names = xrealloc(plan->trust_names, n + 1, sizeof(char *));
	plan->trust_faults = xrealloc(plan->trust_faults, n + 1, sizeof(char *));
	plan->trusts[n] = trust;
	plan->trust_names[n] = name;
	plan->trust_faults[n] = fault;
	plan->trust_count++;
	*ret_fault = fault;
	return trust;
}

void plan_trust_free_all(struct plan *plan)
{
	for (size_t i = 0; i < plan->trust_count; i++) {
		free(plan->trusts[i]->files);
		free(plan->trusts[i]);
		free(plan->trust_names[i]);
		free(plan->trust_faults[i]);
	}
	for (size_t i = 0; i < plan->known_count; i++) {
		known_hosts_free(plan->known[i]);
		free(plan->known_paths[i]);
		free(plan->known_faults[i]);
	}
	free(plan->trusts);
	free(plan->trust_names);
	free(plan->trust_faults);
	free(plan->known);
	free(plan->known_paths);
	free(plan->known_faults);
}
