/* The jobs, made again from what the segments tell. */
#include <stdlib.h>
#include <string.h>

#include "store_private.h"

#include "alloc.h"
#include "frame.h"
#include "log.h"
#include "message.h"
#include "seglog.h"

#define REBUILD_MAX (512u << 20) /* bytes of one job */

struct rebuild {
	struct store *store;
	struct buf blob;
	struct buf part; /* one entry */
	struct errmsg *msg;
	size_t jobs;
};

static int rebuild_by_owner(const void *a, const void *b)
{
	const struct segscan_entry *x = a, *y = b;

	if (x->owner != y->owner)
		return x->owner > y->owner ? 1 : -1;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* Adds one part to the blob. False: it does not fit, the job is not whole. */
static bool rebuild_part(struct rebuild *rebuild, const struct segscan_entry *entry,
			 uint64_t *ret_total)
{
	struct entry_job part;
	struct frame frame;

	buf_clear(&rebuild->part);
	if (seglog_read(rebuild->store->disk, entry->segment, entry->at, entry->len,
			&rebuild->part) < 0 ||
	    frame_parse(rebuild->part.data, rebuild->part.len, &frame, NULL) <= 0 ||
	    frame.type != MSG_STORE_JOB || !entry_is(frame.type, frame.len))
		return false;
	entry_get_job(&part, frame.body, frame.len);
	if (part.total > REBUILD_MAX || part.offset != rebuild->blob.len ||
	    part.len > part.total - part.offset)
		return false;
	buf_add(&rebuild->blob, part.data, part.len);
	*ret_total = part.total;
	return true;
}

static int rebuild_put(struct rebuild *rebuild, const struct entry_blob *blob)
{
	struct store *store = rebuild->store;
	size_t count = (size_t)blob->job.child_count;
	struct store_child *children = xcalloc(count ? count : 1, sizeof *children);
	struct rowop *op;
	int r;

	for (size_t i = 0; i < count; i++) {
		children[i].id = blob->job.id + i + 1;
		memcpy(children[i].uuid, blob->uuids + 16 * i, 16);
	}
	op = rowop_put_job(&blob->job, children);
	free(children);
	r = db_apply(store->db, op, rebuild->msg);
	rowop_free(op);
	if (blob->job.id + count > store->last_id)
		store->last_id = blob->job.id + count;
	rebuild->jobs++;
	return r;
}

/* The entries of one job. */
static int rebuild_job(struct rebuild *rebuild, const struct segscan_entry *list, size_t count)
{
	struct entry_blob blob;
	uint64_t total = 0;
	bool whole = true;

	buf_clear(&rebuild->blob);
	for (size_t i = 0; i < count; i++) {
		if (list[i].type == MSG_STORE_GONE)
			return 0;
		whole = whole && rebuild_part(rebuild, &list[i], &total);
	}
	if (!whole || rebuild->blob.len != total ||
	    entry_get_blob(&blob, rebuild->blob.data, rebuild->blob.len) < 0 ||
	    blob.job.id != list->owner) {
		log_warn("job %llu cannot be made again: not all of it is in the segments",
			 (unsigned long long)list->owner);
		return 0;
	}
	return rebuild_put(rebuild, &blob);
}

/* Leaves those that tell of jobs, in order of these. */
static size_t rebuild_entries(const struct recover *found, struct segscan_entry **ret)
{
	size_t count = recover_entries(found, ret), kept = 0;
	struct segscan_entry *list = *ret;

	for (size_t i = 0; i < count; i++)
		if (list[i].type == MSG_STORE_JOB || list[i].type == MSG_STORE_GONE)
			list[kept++] = list[i];
	if (kept)
		qsort(list, kept, sizeof *list, rebuild_by_owner);
	return kept;
}

int store_rebuild(struct store *store, size_t *ret_jobs, struct errmsg *msg)
{
	struct rebuild rebuild = {.store = store, .msg = msg};
	struct segscan_entry *list;
	size_t count = rebuild_entries(&store->found, &list), next;
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i = next) {
		for (next = i + 1; next < count && list[next].owner == list[i].owner;)
			next++;
		r = rebuild_job(&rebuild, list + i, next - i);
	}
	free(list);
	buf_done(&rebuild.blob);
	buf_done(&rebuild.part);
	*ret_jobs = rebuild.jobs;
	return r;
}
