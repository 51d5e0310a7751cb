#include "targets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "exit.h"
#include "fd.h"
#include "format.h"
#include "groups.h"
#include "inventory_options.h"
#include "job_set.h"
#include "limits.h"

#define TARGETS_CHUNK (64u << 10)

struct targets {
	const struct cmd_globals *globals; /* may be NULL */
	struct inventory_options options;
	struct groups *groups;
	struct hostlist_env env;
	bool stdin_used;
};

static int targets_read_stdin(struct buf *out, struct errmsg *msg)
{
	size_t begin = out->len;

	for (;;) {
		ssize_t n = read(STDIN_FILENO, buf_room(out, TARGETS_CHUNK), TARGETS_CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(msg, ERR_SYS, "hosts from standard input: %s",
				       strerror(errno));
		if (n == 0)
			return 0;
		out->len += (size_t)n;
		if (out->len - begin > LIMIT_HOST_FILE)
			return err_set(msg, ERR_LIMIT,
				       "hosts from standard input: more than %u bytes",
				       LIMIT_HOST_FILE);
	}
}

static int targets_read(void *ctx, const char *path, struct buf *out, struct errmsg *msg)
{
	bool *used_stdin = ctx;
	int rc;

	if (!path) {
		if (*used_stdin)
			return err_set(msg, ERR_SYNTAX,
				       "'-' stands twice: standard input can be read once");
		*used_stdin = true;
		return targets_read_stdin(out, msg);
	}
	rc = fd_read_file(out, path, LIMIT_HOST_FILE);
	if (rc == ERR_SYS)
		return err_set(msg, rc, "cannot read hosts from %s: %s", path, strerror(errno));
	if (rc)
		return err_set(msg, rc, "cannot read hosts from %s: more than %u bytes", path,
			       LIMIT_HOST_FILE);
	return 0;
}

static int targets_group(void *ctx, enum hostlist_ask ask, const char *source, const char *name,
			 struct buf *out, struct errmsg *msg)
{
	struct targets *targets = ctx;

	switch (ask) {
	case HOSTLIST_GROUP:
		return groups_members(targets->groups, source, name, out, msg);
	case HOSTLIST_ALL:
		return groups_all(targets->groups, source, out, msg);
	case HOSTLIST_GROUPS:
		return groups_list(targets->groups, source, out, msg);
	case HOSTLIST_JOB:
		return job_set_find(out, name, targets->globals, msg);
	}
	return err_set(msg, ERR_UNSUPPORTED, "there is no such question");
}

struct targets *targets_open(const struct hostlist_env **ret_env, const struct cmd_globals *globals,
			     bool stdin_taken)
{
	struct targets *targets = xcalloc(1, sizeof *targets);

	targets->globals = globals;
	targets->stdin_used = stdin_taken;
	inventory_options_fill(&targets->options, globals);
	targets->groups = groups_new(&targets->options.groups);
	targets->env = (struct hostlist_env){.read = targets_read,
					     .read_ctx = &targets->stdin_used,
					     .group = targets_group,
					     .group_ctx = targets};
	*ret_env = &targets->env;
	return targets;
}

void targets_close(struct targets *targets)
{
	if (!targets)
		return;
	groups_free(targets->groups);
	inventory_options_done(&targets->options);
	free(targets);
}

static void targets_remove(struct hostlist *all, struct hostlist *list)
{
	hostlist_remove_all(all, list);
}

static int targets_each(struct hostlist *all, const struct option_texts *texts,
			const struct hostlist_env *env,
			void (*join)(struct hostlist *, struct hostlist *), struct errmsg *msg)
{
	for (size_t i = 0; i < texts->count; i++) {
		struct hostlist *list;
		int rc = hostlist_parse(&list, texts->at[i], env, msg);

		if (rc)
			return rc;
		join(all, list);
		hostlist_free(list);
	}
	return 0;
}

/* After all sets are made: in these a host is what the user has called it. */
static int targets_login(struct targets *targets, struct hostlist *all, struct errmsg *msg)
{
	int rc = groups_load(targets->groups, msg);

	for (size_t i = 0; rc == 0 && i < hostlist_count(all); i++) {
		struct groups_vars vars;

		rc = groups_vars(targets->groups, hostlist_at(all, i)->name, &vars, msg);
		if (rc == 0 && (vars.address || vars.user || vars.port))
			hostlist_login(all, i, vars.address, vars.user, vars.port);
	}
	return rc;
}

int targets_find(struct hostlist **ret, const struct cmd_globals *globals,
		 const struct option_texts *targets, const struct option_texts *exclude,
		 bool allow_empty, bool stdin_taken, struct errmsg *msg)
{
	struct hostlist *all = hostlist_new();
	const struct hostlist_env *env;
	struct targets *from = targets_open(&env, globals, stdin_taken);
	int rc = targets_each(all, targets, env, hostlist_move_all, msg);

	if (rc == 0)
		rc = targets_each(all, exclude, env, targets_remove, msg);
	if (rc == 0 && !hostlist_count(all) && !allow_empty)
		rc = err_set(msg, ERR_NOTFOUND,
			     "no host is left to run on (--allow-empty: that is fine)");
	if (rc == 0)
		rc = targets_login(from, all, msg);
	targets_close(from);
	if (rc)
		hostlist_free(all);
	else
		*ret = all;
	return rc;
}

int targets_begin(struct hostlist **ret, const struct cmd *cmd, const struct cmd_globals *globals,
		  const struct option_texts *targets, const struct option_texts *exclude,
		  bool allow_empty, const struct login_values *login)
{
	struct errmsg msg;
	bool taken = false;

	if (!targets->count)
		return cmd_usage(cmd, "no hosts: -H EXPR");
	if (globals->output && !format_find(globals->output))
		return cmd_usage(cmd, "--output: '%s' is none of " FORMAT_NAMES, globals->output);
	if (login_check(login, &taken, &msg) != 0 ||
	    targets_find(ret, globals, targets, exclude, allow_empty, taken, &msg) != 0)
		return cmd_usage(cmd, "%s", msg.text);
	return EXIT_OK;
}
