/* Giving what was there to whoever keeps jobs, and finding out which segments are needed. */
#include <stdlib.h>
#include <string.h>

#include "store_private.h"

#include "alloc.h"
#include "frame.h"
#include "log.h"
#include "message.h"
#include "seglog.h"

#define LOAD_WINDOW (64u << 10)

struct load {
	struct store *store;
	const struct store_loader *loader;
	void *arg;
	uint64_t last_id;
	/* A piece of a segment, as most entries are small, and one behind the other. */
	char name[SEGLOG_NAME];
	uint8_t *window;
	uint32_t segment;
	int file;
	uint64_t base;
	size_t len;
	struct buf note;
	/* Entries of jobs that there are not: by job. */
	struct segscan_entry *lost;
	size_t lost_count, lost_room;
};

/* --- rows ----------------------------------------------------------------------------------- */

static void load_job(void *arg, const struct store_job *job, const struct store_child *children)
{
	struct load *load = arg;

	ledger_add_job(load->store->ledger, job->id, job->child_count);
	if (job->id + job->child_count > load->last_id)
		load->last_id = job->id + job->child_count;
	if (load->loader->job)
		load->loader->job(load->arg, job, children);
}

static void load_value(void *arg, const char *name, const void *data, size_t len)
{
	struct load *load = arg;

	if (load->loader->value)
		load->loader->value(load->arg, name, data, len);
}

static int load_rows(struct load *load, struct errmsg *msg)
{
	static const struct store_loader rows = {.job = load_job, .value = load_value};
	struct store *store = load->store;
	struct errmsg why = {""};
	int r;

	writer_hold_db(store->writer);
	r = db_get_number(store->db, DB_LAST_ID, &load->last_id, &why);
	if (r == 0)
		r = db_load(store->db, &rows, load, &why);
	writer_release_db(store->writer);
	if (r < 0)
		return err_set(msg, r, "cannot load the store %s: %s", store->path, why.text);
	return 0;
}

/* --- bytes ---------------------------------------------------------------------------------- */

static bool load_open(struct load *load, uint32_t segment)
{
	const struct disk *disk = load->store->disk;

	if (load->segment == segment)
		return load->file >= 0;
	if (load->file >= 0)
		disk->ops->close(disk->ctx, load->file);
	load->segment = segment;
	load->len = 0;
	load->file = disk->ops->open(disk->ctx, seglog_name(load->name, segment), DISK_READ);
	return load->file >= 0;
}

/* The first len bytes of an entry, at most LOAD_WINDOW; NULL if they cannot be read any more. */
static const uint8_t *load_bytes(struct load *load, const struct segscan_entry *entry, size_t len)
{
	const struct disk *disk = load->store->disk;
	/* What is behind a long one is far away. */
	size_t want = entry->len > LOAD_WINDOW / 16 ? len : LOAD_WINDOW;
	int64_t n;

	if (!load_open(load, entry->segment))
		return NULL;
	if (entry->at >= load->base && entry->at - load->base + len <= load->len)
		return load->window + (entry->at - load->base);
	n = disk->ops->read(disk->ctx, load->file, entry->at, load->window, want);
	load->base = entry->at;
	load->len = n < 0 ? 0 : (size_t)n;
	return load->len < len ? NULL : load->window;
}

static void load_frame(struct load *load, const struct segscan_entry *entry)
{
	size_t prefix = entry_prefix(MSG_STORE_FRAME);
	const uint8_t *bytes = load_bytes(load, entry, prefix);
	struct store *store = load->store;
	struct store_place place = {.segment = entry->segment, .at = entry->at, .len = entry->len};
	struct store_frame frame;
	uint64_t job = ledger_job_of(store->ledger, entry->owner);

	if (!bytes || !job)
		return;
	entry_get_frame(&frame, bytes + FRAME_HEADER_SIZE, entry->len - FRAME_HEADER_SIZE);
	frame.rows = NULL;
	place.job_low = (uint32_t)job;
	place.job_high = (uint32_t)(job >> 32);
	ledger_add_frame(store->ledger, job, place);
	if (load->loader->frame)
		load->loader->frame(load->arg, &frame, place);
}

static void load_item(struct load *load, const struct segscan_entry *entry)
{
	struct store_place place = {.segment = entry->segment,
				    .at = entry->at,
				    .len = entry->len,
				    .job_low = (uint32_t)entry->owner,
				    .job_high = (uint32_t)(entry->owner >> 32)};

	ledger_add_item(load->store->ledger, entry->owner, place);
}

static void load_note(struct load *load, const struct segscan_entry *entry)
{
	struct entry_note note;
	struct frame frame;

	buf_clear(&load->note);
	if (seglog_read(load->store->disk, entry->segment, entry->at, entry->len, &load->note) <
		    0 ||
	    frame_parse(load->note.data, load->note.len, &frame, NULL) <= 0 ||
	    !entry_is(frame.type, frame.len))
		return;
	load_item(load, entry);
	entry_get_note(&note, frame.body, frame.len);
	if (load->loader->note)
		load->loader->note(load->arg, note.job, note.kind, note.child, note.remote_seq,
				   note.data, note.len);
}

/* --- entries -------------------------------------------------------------------------------- */

static void load_lost(struct load *load, const struct segscan_entry *entry)
{
	if (load->lost_count == load->lost_room) {
		load->lost_room = load->lost_room ? load->lost_room * 2 : 64;
		load->lost = xrealloc(load->lost, load->lost_room, sizeof *load->lost);
	}
	load->lost[load->lost_count++] = *entry;
}

static void load_entry(struct load *load, const struct segscan_entry *entry)
{
	bool known = ledger_job_of(load->store->ledger, entry->owner) != 0;

	switch (entry->type) {
	case MSG_STORE_JOB:
		if (known)
			load_item(load, entry);
		else
			load_lost(load, entry);
		break;
	case MSG_STORE_GONE:
		load_lost(load, entry);
		break;
	case MSG_STORE_NOTE:
		if (known)
			load_note(load, entry);
		break;
	case MSG_STORE_FRAME:
		load_frame(load, entry);
		break;
	default:
		break;
	}
}

static int load_by_owner(const void *a, const void *b)
{
	const struct segscan_entry *x = a, *y = b;

	if (x->owner != y->owner)
		return x->owner > y->owner ? 1 : -1;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

/*
 * Jobs that are in the log and not in the database: they were removed, which the log says as long
 * as it has them, or they were never told as durable; then it is to say that from now on. Otherwise
 * they would come back if the database had to be made again.
 */
static void load_goners(struct load *load)
{
	struct store *store = load->store;
	size_t next;

	if (load->lost_count)
		qsort(load->lost, load->lost_count, sizeof *load->lost, load_by_owner);
	for (size_t i = 0; i < load->lost_count; i = next) {
		const struct segscan_entry *gone = NULL;
		uint32_t until = 0;

		for (next = i;
		     next < load->lost_count && load->lost[next].owner == load->lost[i].owner;
		     next++) {
			const struct segscan_entry *entry = &load->lost[next];

			if (entry->type == MSG_STORE_GONE)
				gone = entry;
			else if (entry->segment > until)
				until = entry->segment;
		}
		if (gone)
			ledger_add_gone(store->ledger, until,
					(struct store_place){.segment = gone->segment,
							     .at = gone->at,
							     .len = gone->len});
		else
			store_log_gone(store, load->lost[i].owner, until);
	}
}

static void load_segments(struct store *store)
{
	const struct recover *found = &store->found;

	for (size_t i = 0; i < found->count; i++)
		ledger_grow(store->ledger, found->numbers[i], found->scans[i].size);
}

/* Only when all is known that needs them: the loader releases while it is given. */
static void load_seal(struct store *store)
{
	const struct recover *found = &store->found;

	for (size_t i = 0; i < found->count; i++)
		if (found->numbers[i] != store->segment)
			ledger_seal(store->ledger, found->numbers[i]);
}

int store_load(struct store *store, const struct store_loader *loader, void *arg,
	       uint64_t *ret_last_id, struct errmsg *msg)
{
	struct load load = {.store = store, .loader = loader, .arg = arg, .file = -1};
	struct segscan_entry *list;
	size_t count;
	int r = load_rows(&load, msg);

	if (r < 0)
		return r;
	load_segments(store);
	load.window = xmalloc(LOAD_WINDOW);
	count = recover_entries(&store->found, &list);
	for (size_t i = 0; i < count; i++)
		load_entry(&load, &list[i]);
	load_goners(&load);
	load_seal(store);
	if (load.file >= 0)
		store->disk->ops->close(store->disk->ctx, load.file);
	free(list);
	free(load.lost);
	free(load.window);
	buf_done(&load.note);
	recover_done(&store->found);
	if (load.last_id > store->last_id)
		store->last_id = load.last_id;
	*ret_last_id = store->last_id;
	store_log_sweep(store);
	store_move(store);
	return 0;
}
