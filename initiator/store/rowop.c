#include "rowop.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

static struct rowop *rowop_new(enum rowop_kind kind)
{
	struct rowop *op = xcalloc(1, sizeof *op);

	op->kind = kind;
	op->bytes = sizeof *op;
	return op;
}

static void rowop_data(struct rowop *op, const void *data, size_t len)
{
	op->len = len;
	op->bytes += len;
	if (!len)
		return;
	op->data = xmalloc(len);
	memcpy(op->data, data, len);
}

static void rowop_children(struct rowop *op, const struct store_child *children, size_t count)
{
	op->children = xcalloc(count ? count : 1, sizeof *children);
	op->bytes += count * sizeof *children;
	for (size_t i = 0; i < count; i++) {
		struct store_child *to = &op->children[i];

		*to = children[i];
		to->signal = to->signal ? xstrdup(to->signal) : NULL;
		to->text = to->text ? xstrdup(to->text) : NULL;
	}
}

struct rowop *rowop_put_job(const struct store_job *job, const struct store_child *children)
{
	struct rowop *op = rowop_new(ROWOP_PUT_JOB);

	rowop_data(op, job->spec, job->spec_len);
	op->job = *job;
	op->job.spec = op->data;
	rowop_children(op, children, job->child_count);
	return op;
}

struct rowop *rowop_job(const struct store_job *job)
{
	struct rowop *op = rowop_new(ROWOP_JOB);

	op->job = *job;
	op->job.spec = NULL;
	op->job.spec_len = 0;
	op->job.child_count = 0;
	return op;
}

struct rowop *rowop_child(const struct store_child *child)
{
	struct rowop *op = rowop_new(ROWOP_CHILD);

	rowop_children(op, child, 1);
	op->job.child_count = 1;
	return op;
}

struct rowop *rowop_remove(uint64_t id)
{
	struct rowop *op = rowop_new(ROWOP_REMOVE);

	op->id = id;
	return op;
}

struct rowop *rowop_value(const char *name, const void *data, size_t len)
{
	struct rowop *op = rowop_new(ROWOP_VALUE);

	op->name = xstrdup(name);
	rowop_data(op, data, len);
	return op;
}

struct rowop *rowop_ids(uint64_t last_id)
{
	struct rowop *op = rowop_new(ROWOP_IDS);

	op->id = last_id;
	return op;
}

void rowop_free(struct rowop *op)
{
	if (!op)
		return;
	for (uint64_t i = 0; op->children && i < op->job.child_count; i++) {
		/* Ours since rowop_children. */
		free((void *)(uintptr_t)op->children[i].signal);
		free((void *)(uintptr_t)op->children[i].text);
	}
	free(op->children);
	free(op->name);
	free(op->data);
	free(op);
}
