#include "verdict.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "escape.h"

struct verdict_row {
	const struct verdict_item *item;
	size_t index; /* of first mention; sorts equal reasons by it */
};

/* Rows of one reason: count of them from first on. */
struct verdict_group {
	const struct verdict_row *first;
	size_t count;
};

static int verdict_order(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int verdict_by_reason(const void *va, const void *vb)
{
	const struct verdict_row *a = va, *b = vb;
	int rc = strcmp(a->item->why, b->item->why);

	return rc ? rc : verdict_order(a->index, b->index);
}

static int verdict_by_size(const void *va, const void *vb)
{
	const struct verdict_group *a = va, *b = vb;
	int rc = verdict_order(b->count, a->count);

	return rc ? rc : verdict_order(a->first->index, b->first->index);
}

/* Sorts the rows and finds the groups among them. Returns how many there are. */
static size_t verdict_group(struct verdict_row *rows, size_t count, struct verdict_group *groups)
{
	size_t n = 0;

	qsort(rows, count, sizeof *rows, verdict_by_reason);
	for (size_t i = 0; i < count; i++) {
		if (n && strcmp(groups[n - 1].first->item->why, rows[i].item->why) == 0)
			groups[n - 1].count++;
		else
			groups[n++] = (struct verdict_group){.first = &rows[i], .count = 1};
	}
	qsort(groups, n, sizeof *groups, verdict_by_size);
	return n;
}

static void verdict_group_line(struct buf *out, const struct verdict_group *group,
			       const char **names, verdict_fold_fn *fold)
{
	const char *why = group->first->item->why;
	char *folded;

	for (size_t i = 0; i < group->count; i++)
		names[i] = group->first[i].item->host;
	folded = fold(names, group->count);
	escape_display(out, folded, strlen(folded));
	free(folded);
	buf_add_str(out, " (");
	escape_display(out, why, strlen(why));
	buf_add_char(out, ')');
}

void verdict_line(struct buf *out, const struct verdict_item *items, size_t count, size_t total,
		  verdict_fold_fn *fold)
{
	struct verdict_row *rows;
	struct verdict_group *groups;
	const char **names;
	size_t n;

	if (!count)
		return;
	rows = xcalloc(count, sizeof *rows);
	groups = xcalloc(count, sizeof *groups);
	names = xcalloc(count, sizeof *names);
	for (size_t i = 0; i < count; i++)
		rows[i] = (struct verdict_row){.item = &items[i], .index = i};
	n = verdict_group(rows, count, groups);
	buf_addf(out, "%zu/%zu failed: ", count, total);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_add_str(out, ", ");
		verdict_group_line(out, &groups[i], names, fold);
	}
	free(rows);
	free(groups);
	free(names);
}
