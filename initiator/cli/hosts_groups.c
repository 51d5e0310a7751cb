#include "hosts_groups.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "fold.h"

/* A group, and who is in it. */
struct hosts_group {
	const char *name;
	struct hostlist *members;
};

/* All of a source. */
struct hosts_table {
	struct hostlist *names;
	struct hosts_group *rows;
	size_t count;
};

static int hosts_groups_ask(void *ctx, enum hostlist_ask ask, const char *source, const char *name,
			    struct buf *out, struct errmsg *msg)
{
	const struct hosts_groups *groups = ctx;

	if (!source && ask != HOSTLIST_JOB)
		source = groups->source;
	return groups->from->group(groups->from->group_ctx, ask, source, name, out, msg);
}

void hosts_groups_fill(struct hosts_groups *ret, const struct hostlist_env *env, const char *source)
{
	*ret = (struct hosts_groups){.env = *env, .from = env, .source = source};
	if (!env->group)
		return;
	ret->env.group = hosts_groups_ask;
	ret->env.group_ctx = ret;
}

static int hosts_group_order(const void *a, const void *b)
{
	const struct hosts_group *x = a, *y = b;
	size_t m = hostlist_count(x->members), n = hostlist_count(y->members);

	return m != n ? (m < n ? 1 : -1) : strcmp(x->name, y->name);
}

static void hosts_table_done(struct hosts_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		hostlist_free(table->rows[i].members);
	free(table->rows);
	hostlist_free(table->names);
}

/* What stands before the name of a group. */
static void hosts_groups_prefix(const struct hosts_groups *groups, struct buf *out)
{
	buf_add_char(out, '@');
	if (!groups->source)
		return;
	buf_add_str(out, groups->source);
	buf_add_char(out, ':');
}

static int hosts_table_fill(struct hosts_table *table, const struct hosts_groups *groups,
			    struct errmsg *msg)
{
	struct buf expr = {0};
	size_t n;
	int rc;

	*table = (struct hosts_table){0};
	rc = hostlist_parse(&table->names, "@@", &groups->env, msg);
	n = rc ? 0 : hostlist_count(table->names);
	table->rows = xcalloc(n + 1, sizeof *table->rows);
	for (size_t i = 0; !rc && i < n; i++) {
		struct hosts_group *row = &table->rows[i];

		row->name = hostlist_at(table->names, i)->label;
		buf_clear(&expr);
		buf_addf(&expr, "@%s", row->name);
		rc = hostlist_parse(&row->members, buf_cstr(&expr), &groups->env, msg);
		table->count += !rc;
	}
	buf_done(&expr);
	if (!rc)
		qsort(table->rows, table->count, sizeof *table->rows, hosts_group_order);
	return rc;
}

/* True if all of members are among hosts. */
static bool hosts_has_all(const struct hostlist *hosts, const struct hostlist *members)
{
	struct hostlist *left;
	bool all;

	if (!hostlist_count(members) || hostlist_count(members) > hostlist_count(hosts))
		return false;
	left = hostlist_new();
	hostlist_add_all(left, members);
	hostlist_remove_all(left, hosts);
	all = !hostlist_count(left);
	hostlist_free(left);
	return all;
}

/* Appends an expression of names with the prefix of groups before each. */
static void hosts_add_groups(const struct hosts_groups *groups, const char *folded, struct buf *out)
{
	bool inside = false;

	hosts_groups_prefix(groups, out);
	for (; *folded; folded++) {
		buf_add_char(out, *folded);
		if (*folded == '[' || *folded == ']')
			inside = *folded == '[';
		else if (*folded == ',' && !inside)
			hosts_groups_prefix(groups, out);
	}
}

static void hosts_add_list(const struct hostlist *list, struct buf *out)
{
	size_t n = hostlist_count(list);
	const char **names = xcalloc(n + 1, sizeof *names);
	char *text;

	for (size_t i = 0; i < n; i++)
		names[i] = hostlist_at(list, i)->label;
	text = fold_names(names, n);
	buf_add_str(out, text);
	free(text);
	free(names);
}

int hosts_groups_fold(void *arg, const char *const *names, size_t n, struct buf *out,
		      struct errmsg *msg)
{
	const struct hosts_groups *groups = arg;
	const char **taken;
	struct hosts_table table;
	struct hostlist *rest = NULL;
	size_t count = 0;
	char *text = fold_names(names, n);
	int rc = hosts_table_fill(&table, groups, msg);

	taken = xcalloc(table.count + 1, sizeof *taken);
	if (!rc)
		rc = hostlist_parse(&rest, text, NULL, msg);
	free(text);
	for (size_t i = 0; !rc && i < table.count; i++) {
		if (!hosts_has_all(rest, table.rows[i].members))
			continue;
		hostlist_remove_all(rest, table.rows[i].members);
		taken[count++] = table.rows[i].name;
	}
	if (!rc && count) {
		text = fold_names(taken, count);
		hosts_add_groups(groups, text, out);
		free(text);
		if (hostlist_count(rest))
			buf_add_char(out, ',');
	}
	if (!rc)
		hosts_add_list(rest, out);
	hostlist_free(rest);
	hosts_table_done(&table);
	free(taken);
	return rc;
}

static int hosts_name_order(const void *a, const void *b)
{
	const struct hosts_group *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int hosts_groups_list(struct hosts_groups *groups, const struct hostlist *hosts, bool members,
		      struct buf *out, struct errmsg *msg)
{
	struct hosts_table table;
	int rc = hosts_table_fill(&table, groups, msg);

	if (!rc)
		qsort(table.rows, table.count, sizeof *table.rows, hosts_name_order);
	for (size_t i = 0; !rc && i < table.count; i++) {
		struct hostlist *shown = hostlist_new(), *out_of = hostlist_new();

		hostlist_add_all(shown, table.rows[i].members);
		if (hosts) {
			hostlist_add_all(out_of, shown);
			hostlist_remove_all(out_of, hosts);
			hostlist_remove_all(shown, out_of);
		}
		if (!hosts || hostlist_count(shown)) {
			hosts_groups_prefix(groups, out);
			buf_add_str(out, table.rows[i].name);
			if (members)
				buf_add_char(out, ' ');
			if (members)
				hosts_add_list(shown, out);
			buf_add_char(out, '\n');
		}
		hostlist_free(out_of);
		hostlist_free(shown);
	}
	hosts_table_done(&table);
	return rc;
}
