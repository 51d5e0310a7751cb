/* Which known_hosts files a target is judged by. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "plan_private.h"

/* The number of a path among the loaded files. */
static size_t plan_known_get(struct plan *plan, const char *path)
{
	size_t n = plan_index_find(&plan->paths, path);
	struct errmsg msg = {{0}};
	struct plan_known known;

	if (n != PLAN_INDEX_NONE)
		return n;
	known = (struct plan_known){.file = plan->lent ? plan_lent_known(plan->lent, path) : NULL};
	if (!known.file && known_hosts_load(&known.file, path, &msg) != 0)
		known.fault = xstrdup(msg.text);
	n = plan_index_add(&plan->paths, xstrdup(path));
	plan->known = xrealloc(plan->known, n + 1, sizeof *plan->known);
	plan->known[n] = known;
	return n;
}

static const char *plan_trust_name(struct plan *plan, const struct ssh_options *options)
{
	struct buf *name = &plan->name;

	buf_clear(name);
	for (size_t i = 0; i < options->user_known_hosts_count; i++) {
		buf_add_char(name, 'u');
		buf_add_str(name, options->user_known_hosts[i]);
		buf_add_char(name, '\n');
	}
	for (size_t i = 0; i < options->global_known_hosts_count; i++) {
		buf_add_char(name, 'g');
		buf_add_str(name, options->global_known_hosts[i]);
		buf_add_char(name, '\n');
	}
	return buf_cstr(name);
}

static void plan_trust_add(struct plan *plan, struct plan_trusted *t, const char *path)
{
	/* Before the array is looked at, as it may grow. */
	size_t n = plan_known_get(plan, path);
	const struct plan_known *known = &plan->known[n];

	/* An @revoked line in a file that cannot be read must not be missed: it is a fault. */
	if (known->file)
		t->trust.files[t->trust.count++] = known->file;
	else if (!t->fault)
		t->fault = xstrdup(known->fault);
}

static struct plan_trusted *plan_trust_make(struct plan *plan, const struct ssh_options *options)
{
	struct plan_trusted *t = xcalloc(1, sizeof *t);

	t->trust.files =
		xcalloc(options->user_known_hosts_count + options->global_known_hosts_count,
			sizeof(struct known_hosts *));
	for (size_t i = 0; i < options->user_known_hosts_count; i++)
		plan_trust_add(plan, t, options->user_known_hosts[i]);
	for (size_t i = 0; i < options->global_known_hosts_count; i++)
		plan_trust_add(plan, t, options->global_known_hosts[i]);
	if (options->user_known_hosts_count) {
		size_t n = plan_known_get(plan, options->user_known_hosts[0]);

		t->trust.append_to = plan->paths.texts[n];
	}
	return t;
}

const struct plan_trust *plan_trust_get(struct plan *plan, const struct ssh_options *options,
					const char **ret_fault)
{
	size_t n = plan_index_find(&plan->trust_names, plan_trust_name(plan, options));

	if (n == PLAN_INDEX_NONE) {
		n = plan_index_add(&plan->trust_names, xstrdup(buf_cstr(&plan->name)));
		plan->trusts = xrealloc(plan->trusts, n + 1, sizeof(struct plan_trusted *));
		plan->trusts[n] = plan_trust_make(plan, options);
	}
	*ret_fault = plan->trusts[n]->fault;
	return &plan->trusts[n]->trust;
}

void plan_trust_free_all(struct plan *plan)
{
	for (size_t i = 0; i < plan->trust_names.count; i++) {
		free(plan->trusts[i]->trust.files);
		free(plan->trusts[i]->fault);
		free(plan->trusts[i]);
	}
	for (size_t i = 0; i < plan->paths.count; i++) {
		known_hosts_free(plan->known[i].file);
		free(plan->known[i].fault);
	}
	free(plan->trusts);
	free(plan->known);
	plan_index_done(&plan->trust_names);
	plan_index_done(&plan->paths);
}
