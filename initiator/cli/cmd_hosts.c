/* muster hosts: what a host expression names. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd.h"
#include "exit.h"
#include "hostlist.h"
#include "hosts_groups.h"
#include "hosts_view.h"
#include "targets.h"

struct hosts_values {
	struct cmd_globals globals;
	bool expand, fold, count, regroup, contiguous;
	uint64_t split, pick;
	const char *separator, *format, *slice, *autostep, *axis;
	struct option_texts exclude;
	const char *source;
	struct option_maybe groups;
};

/* The options that are not simply a value, and those that do not go together. */
static int hosts_fill(struct hosts_view *view, const struct hosts_values *v, struct errmsg *msg)
{
	int rc = 0;

	if (v->expand + v->fold + v->count + v->regroup > 1)
		return err_set(msg, ERR_SYNTAX,
			       "--expand, --fold, --count and --regroup: only one can be given");
	if (v->groups.text && strcmp(v->groups.text, "members") != 0)
		return err_set(msg, ERR_SYNTAX, "--groups: '%s' is not 'members'", v->groups.text);
	if (v->contiguous && v->split)
		return err_set(msg, ERR_SYNTAX, "--contiguous and --split: only one can be given");
	if (v->axis && !v->fold)
		return err_set(msg, ERR_SYNTAX, "--axis says how to fold, and needs --fold");
	/* A part is a line, unless lines of names were asked for. */
	view->mode = v->count						      ? HOSTS_COUNT
		     : v->regroup					      ? HOSTS_REGROUP
		     : v->fold || (!v->expand && (v->split || v->contiguous)) ? HOSTS_FOLD
									      : HOSTS_EXPAND;
	view->contiguous = v->contiguous;
	view->split = v->split;
	view->pick = v->pick;
	view->slice = v->slice;
	if (v->autostep)
		rc = hosts_view_autostep(view, v->autostep, msg);
	if (!rc && v->axis)
		rc = hosts_view_axes(view, v->axis, msg);
	if (!rc && v->format)
		rc = hosts_view_format(view, v->format, msg);
	return rc;
}

static int hosts_print(struct buf *out, const struct hostlist *list, const struct hosts_view *view,
		       struct errmsg *msg)
{
	size_t n = hostlist_count(list);
	const char **names = xcalloc(n + 1, sizeof *names);
	int rc;

	for (size_t i = 0; i < n; i++)
		names[i] = hostlist_at(list, i)->label;
	rc = hosts_view_print(out, names, n, view, msg);
	free(names);
	return rc;
}

/* The union of the expressions without those that are excluded. */
static int hosts_parse(struct hostlist *all, char **exprs, size_t count,
		       const struct option_texts *exclude, const struct hostlist_env *env,
		       struct errmsg *msg)
{
	struct hostlist *list;
	int rc = 0;

	for (size_t i = 0; !rc && i < count + exclude->count; i++) {
		rc = hostlist_parse(&list, i < count ? exprs[i] : exclude->at[i - count], env, msg);
		if (rc)
			break;
		if (i < count)
			hostlist_move_all(all, list);
		else
			hostlist_remove_all(all, list);
		hostlist_free(list);
	}
	return rc;
}

/* What is shown, once all options are understood. */
static int hosts_show(struct buf *out, const struct hosts_values *v, struct hosts_view *view,
		      int argc, char **argv, struct errmsg *msg)
{
	const struct hostlist_env *env;
	struct targets *targets = targets_open(&env, &v->globals, false);
	struct hostlist *all = hostlist_new();
	struct hosts_groups groups;
	int rc;

	hosts_groups_fill(&groups, env, v->source);
	view->regroup = hosts_groups_fold;
	view->regroup_arg = &groups;
	rc = hosts_parse(all, argv, (size_t)argc, &v->exclude, &groups.env, msg);
	if (!rc && v->groups.given)
		rc = hosts_groups_list(&groups, argc ? all : NULL, v->groups.text, out, msg);
	else if (!rc)
		rc = hosts_print(out, all, view, msg);
	hostlist_free(all);
	targets_close(targets);
	return rc;
}

static int hosts_cmd_run(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	struct hosts_values *v = arg;
	struct hosts_view view = {0};
	struct buf separator = {0}, out = {0};
	struct errmsg msg = {""};
	int rc, status;

	hosts_view_separator(&separator, v->separator ? v->separator : "\n");
	view.separator = buf_cstr(&separator);
	view.separator_len = separator.len;
	rc = hosts_fill(&view, v, &msg);
	if (!rc && argc <= 0 && !v->groups.given)
		rc = err_set(&msg, ERR_SYNTAX,
			     "an expression is missing; '-' reads it from standard input");
	if (rc) {
		status = cmd_usage(cmd, "%s", msg.text);
	} else {
		rc = hosts_show(&out, v, &view, argc, argv, &msg);
		status = rc ? cmd_error(EXIT_USAGE, "%s", msg.text) : cmd_print(&out);
	}
	buf_done(&out);
	buf_done(&separator);
	return status;
}

#define VALUE(field) offsetof(struct hosts_values, field)
static const struct option_row hosts_rows[] = {
	{"expand", 'e', OPTION_FLAG, VALUE(expand), NULL,
	 "one a line, which is what is done anyway"},
	{"fold", 'f', OPTION_FLAG, VALUE(fold), NULL,
	 "as an expression that is as short as can be"},
	{"count", 'c', OPTION_FLAG, VALUE(count), NULL, "how many they are"},
	{"regroup", 'r', OPTION_FLAG, VALUE(regroup), NULL, "folded into groups and hosts"},
	{"groups", 0, OPTION_MAYBE, VALUE(groups), "members",
	 "the groups there are, or those that have one of the hosts; =members: and which"},
	{"source", 's', OPTION_TEXT, VALUE(source), "SOURCE",
	 "where groups without a source come from"},
	{"exclude", 'x', OPTION_TEXTS, VALUE(exclude), "EXPR", "without these"},
	{"split", 0, OPTION_COUNT, VALUE(split), "N", "in so many parts, each folded on a line"},
	{"contiguous", 0, OPTION_FLAG, VALUE(contiguous), NULL,
	 "in parts whose numbers follow one another, each on a line"},
	{"slice", 'I', OPTION_TEXT, VALUE(slice), "R",
	 "those with these indices, as 0-9 or 0-99/10"},
	{"pick", 0, OPTION_COUNT, VALUE(pick), "N", "so many at random"},
	{"separator", 'S', OPTION_TEXT, VALUE(separator), "S",
	 "between names, instead of a new line (\\n, \\t, \\0)"},
	{"output-format", 'O', OPTION_TEXT, VALUE(format), "FORMAT", "each name as in '%s-ipmi'"},
	{"autostep", 0, OPTION_TEXT, VALUE(autostep), "N|N%|auto",
	 "fold N numbers (or N% of all names) with one step, as 1-9/2"},
	{"axis", 0, OPTION_TEXT, VALUE(axis), "R",
	 "of several numbers in a name, fold these: 1 is the first, -1 the last"},
};

const struct cmd cmd_hosts = {
	.name = "hosts",
	.synopsis = "[OPTION...] EXPR...",
	.summary = "Show what host expressions name",
	.text = "EXPR: a host expression (docs/hosts.md); '-' reads standard input. Of several, "
		"all "
		"hosts\nare taken together. Nothing is connected to, and no daemon is started.\n",
	.options = hosts_rows,
	.option_count = ARRAY_LEN(hosts_rows),
	.values_size = sizeof(struct hosts_values),
	.run = hosts_cmd_run,
};
