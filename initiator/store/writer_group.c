/* Writing one group, and making room where there is none. */
#include <errno.h>
#include <string.h>

#include "entry.h"
#include "err.h"
#include "log.h"
#include "writer_private.h"

/* Walks the batches of a group. */
#define WRITER_EACH(batch, first, last)                  \
	for (struct queue_batch *batch = (first); batch; \
	     batch = batch == (last) ? NULL : batch->next)

static enum writer_outcome writer_disk_fault(struct writer *w, int r, struct errmsg *msg)
{
	bool full = seglog_is_full(r) && !w->log.failed;

	(void)err_set(msg, ERR_SYS, "cannot write to the store %s: %s", w->path,
		      (errno = -r, err_text(ERR_SYS)));
	return full ? WRITER_FULL : WRITER_FAILED;
}

static enum writer_outcome writer_limit(struct writer *w, uint64_t bytes, struct errmsg *msg)
{
	const struct writer_options *o = &w->options;
	uint64_t size = writer_size(w);
	int64_t room;

	if (o->size_limit && size + bytes > o->size_limit) {
		(void)err_set(msg, ERR_LIMIT,
			      "the store %s is full: it has %llu MB, at most %llu are allowed; "
			      "remove jobs, or raise the limit",
			      w->path, (unsigned long long)(size >> 20),
			      (unsigned long long)(o->size_limit >> 20));
		return WRITER_FULL;
	}
	room = o->disk->ops->room(o->disk->ctx);
	if (room < 0 || (uint64_t)room >= o->reserve + bytes)
		return WRITER_DONE;
	(void)err_set(msg, ERR_LIMIT,
		      "the file system of the store %s is full: %llu MB are left, %llu are kept "
		      "free; remove jobs or other files",
		      w->path, (unsigned long long)room >> 20,
		      (unsigned long long)(o->reserve >> 20));
	return WRITER_FULL;
}

/* --- marks ---------------------------------------------------------------------------------- */

/* What is durable of the segment is known only now. */
static void writer_fill_mark(struct writer *w, struct queue_batch *batch)
{
	bool now = batch->pieces[0].segment == w->log.segment;
	struct buf mark = {0};

	entry_put_synced(&mark, w->options.mark, now ? w->log.synced : 0);
	memcpy(batch->log.data, mark.data, mark.len);
	buf_done(&mark);
}

/* Bytes of the mark of a batch that is not in the files yet. */
static uint64_t writer_mark_bytes(const struct queue_batch *batch)
{
	return batch->marked && !batch->counted && !batch->pieces[0].dead ? ENTRY_SYNCED_SIZE : 0;
}

/* Needs no sync: if it is lost, less is known. */
void writer_mark_end(struct writer *w)
{
	struct seglog *log = &w->log;
	struct buf mark = {0};

	if (log->file < 0 || !log->synced || log->written > log->synced)
		return;
	entry_put_synced(&mark, w->options.mark, log->synced);
	if (seglog_write(log, log->segment, log->written, mark.data, mark.len) < 0)
		(void)seglog_cut(log);
	buf_done(&mark);
}

/* --- a group -------------------------------------------------------------------------------- */

static int writer_log_batch(struct writer *w, struct queue_batch *batch)
{
	if (batch->marked)
		writer_fill_mark(w, batch);
	for (size_t i = 0; i < batch->piece_count; i++) {
		const struct queue_piece *piece = &batch->pieces[i];
		int r = piece->dead ? 0
				    : seglog_write(&w->log, piece->segment, piece->at,
						   batch->log.data + piece->offset, piece->len);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Of a batch that is not in the files yet. */
static uint64_t writer_log_bytes(const struct queue_batch *batch)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < batch->piece_count && !batch->counted; i++)
		bytes += batch->pieces[i].dead ? 0 : batch->pieces[i].len;
	return bytes;
}

static void writer_add_size(struct writer *w, uint64_t more, uint64_t less)
{
	(void)pthread_mutex_lock(&w->lock);
	w->size += more;
	w->size -= less < w->size ? less : w->size;
	(void)pthread_mutex_unlock(&w->lock);
}

/* The frames, made durable. A group can come again after there was no room: what was written of it
 * is passed over. */
static enum writer_outcome writer_log(struct writer *w, struct queue_batch *first,
				      const struct queue_batch *last, struct errmsg *msg)
{
	enum writer_outcome outcome;
	uint64_t bytes = 0, marks = 0;
	int r = 0;

	WRITER_EACH(batch, first, last)
	{
		bytes += writer_log_bytes(batch);
		marks += writer_mark_bytes(batch);
	}
	if (!bytes)
		return WRITER_DONE;
	outcome = bytes > marks ? writer_limit(w, bytes, msg) : WRITER_DONE;
	if (outcome != WRITER_DONE)
		return outcome;
	WRITER_EACH(batch, first, last)
	if (r == 0)
		r = writer_log_batch(w, batch);
	/* A mark alone need not be durable: if it is lost, less is known. */
	if (r == 0 && bytes > marks)
		r = seglog_sync(&w->log);
	else if (r == 0)
		seglog_keep(&w->log);
	if (r < 0) {
		outcome = writer_disk_fault(w, r, msg);
		if (outcome == WRITER_FULL && (r = seglog_cut(&w->log)) < 0) {
			(void)writer_disk_fault(w, r, msg);
			outcome = WRITER_FAILED;
		}
		return outcome;
	}
	WRITER_EACH(batch, first, last)
	batch->counted = true;
	writer_add_size(w, bytes, 0);
	return WRITER_DONE;
}

static int writer_apply(struct writer *w, struct queue_batch *first, const struct queue_batch *last,
			struct errmsg *msg)
{
	struct db *db = w->options.db;
	bool begun = false;
	int r = 0;

	WRITER_EACH(batch, first, last)
	{
		for (const struct rowop *op = batch->ops; op && r == 0; op = op->next) {
			if (!begun)
				r = db_begin(db, msg);
			begun = true;
			if (r == 0)
				r = db_apply(db, op, msg);
		}
	}
	if (r == 0 && begun)
		r = db_commit(db, msg);
	if (r < 0)
		db_rollback(db);
	return r;
}

static enum writer_outcome writer_rows(struct writer *w, struct queue_batch *first,
				       const struct queue_batch *last, struct errmsg *msg)
{
	struct errmsg why = {""};
	int r;

	(void)pthread_mutex_lock(&w->db_lock);
	r = writer_apply(w, first, last, &why);
	(void)pthread_mutex_unlock(&w->db_lock);
	if (r == 0)
		return WRITER_DONE;
	(void)err_set(msg, r, "cannot write to the store %s: %s", w->path, why.text);
	return r == ERR_LIMIT ? WRITER_FULL : WRITER_FAILED;
}

static void writer_unlink(struct writer *w, struct queue_unlink *unlink)
{
	const struct disk *disk = w->options.disk;
	char name[SEGLOG_NAME];
	int r = disk->ops->unlink(disk->ctx, seglog_name(name, unlink->segment));

	if (r < 0 && r != -ENOENT)
		log_warn("cannot remove %s/frames/%s: %s", w->path, name,
			 (errno = -r, err_text(ERR_SYS)));
	else
		writer_add_size(w, 0, unlink->size);
	unlink->segment = 0;
}

enum writer_outcome writer_group(struct writer *w, struct queue_batch *first,
				 const struct queue_batch *last, struct errmsg *msg)
{
	enum writer_outcome outcome = writer_log(w, first, last, msg);

	if (outcome == WRITER_DONE)
		outcome = writer_rows(w, first, last, msg);
	if (outcome != WRITER_DONE)
		return outcome;
	WRITER_EACH(batch, first, last)
	for (size_t i = 0; i < batch->unlink_count; i++)
		if (batch->unlinks[i].segment)
			writer_unlink(w, &batch->unlinks[i]);
	return WRITER_DONE;
}

/* --- there is no room ----------------------------------------------------------------------- */

/*
 * What makes room waits behind what needs it. So removals of jobs go first, and how far children
 * were read, as a segment of which all was read goes too; both do no harm before their turn. All
 * else must not: a child that has ended, but whose last frames are not durable, would have lost
 * them in a crash.
 */
static int writer_apply_early(struct writer *w, struct queue_batch *first,
			      const struct queue_batch *last)
{
	struct db *db = w->options.db;
	bool begun = false;
	int r = 0;

	WRITER_EACH(batch, first, last)
	{
		for (struct rowop *op = batch->ops; op && r == 0; op = op->next) {
			if (op->early)
				continue;
			if (!begun)
				r = db_begin(db, NULL);
			begun = true;
			if (r == 0)
				r = db_apply_early(db, op, NULL);
		}
	}
	if (r == 0 && begun)
		r = db_commit(db, NULL);
	if (r < 0)
		db_rollback(db);
	return r;
}

/* What waits for the segment that is written to now was not needed any more either when it was
 * given up: it came before. */
static void writer_give_up_segment(struct writer *w, struct queue_batch *first,
				   const struct queue_batch *last)
{
	WRITER_EACH(batch, first, last)
	for (size_t i = 0; i < batch->piece_count; i++)
		if (batch->pieces[i].segment == w->log.segment)
			batch->pieces[i].dead = true;
	seglog_forget(&w->log);
}

bool writer_make_room(struct writer *w, struct queue_batch *first, const struct queue_batch *last)
{
	bool more = false;
	int r;

	(void)pthread_mutex_lock(&w->db_lock);
	r = writer_apply_early(w, first, last);
	(void)pthread_mutex_unlock(&w->db_lock);
	if (r < 0)
		return false;
	WRITER_EACH(batch, first, last)
	{
		for (struct rowop *op = batch->ops; op; op = op->next)
			op->early = true;
		for (size_t i = 0; i < batch->unlink_count; i++) {
			struct queue_unlink *unlink = &batch->unlinks[i];

			if (!unlink->segment || !unlink->early || unlink->segment > w->log.segment)
				continue;
			if (unlink->segment == w->log.segment)
				writer_give_up_segment(w, first, last);
			writer_unlink(w, unlink);
			more = true;
		}
	}
	return more;
}
