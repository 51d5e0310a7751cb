/*
 * The initiator's log and database, as initiator/store does it: what comes is gathered for a
 * moment, written to the segments, synced, then the rows are committed, then it is told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "entry.h"
#include "keeper.h"
#include "message.h"
#include "segscan.h"

#define JOURNAL_MARK	0x5eed5eed5eed5eedu
#define JOURNAL_SEGMENT (12u << 10)
#define JOURNAL_GROUP	(8u << 10) /* so much is written at once */
#define JOURNAL_WAIT_US (20 * MS)
#define JOURNAL_SYNC_US (8 * MS)
#define JOURNAL_SLOW_US (400 * MS)
#define JOURNAL_TELL_US (3 * MS)
#define JOURNAL_FULL_US SEC
#define NOTE_SCHEMA	1u

struct piece {
	uint32_t segment;
	uint64_t at;
	size_t offset, len;
	bool mark; /* says, when it is written, what is durable */
};

struct change {
	struct run *run;
	struct row row;
};

struct wait {
	event_fn *fn;
	void *arg;
	uint64_t group;
};

/* A group that is written, and not synced so far; all 0: none. */
struct flying {
	uint64_t group;
	size_t pieces, changes, bytes;
};

struct journal {
	struct keeper *k;
	struct world *w;
	const struct disk *disk;
	struct seglog log;
	uint32_t segment; /* where the next entry goes */
	uint64_t at;
	uint64_t seq;
	/* The group that is gathered. */
	struct buf data;
	struct piece *pieces;
	size_t piece_count;
	struct change *changes;
	size_t change_count;
	uint64_t group, committed; /* its number; the last that is durable */
	struct wait *waits;
	size_t wait_count;
	struct flying flying;
	bool failed;
	struct slot commit, tell; /* commit: the next write, or the sync of the last */
	struct found found[SIM_HOSTS * SIM_RUNS];
};

bool journal_has_failed(const struct journal *j)
{
	return j->failed;
}

uint64_t journal_pending(const struct journal *j)
{
	return j->data.len;
}

/* --- telling ---------------------------------------------------------------------------------- */

static void journal_on_tell(void *arg)
{
	struct journal *j = arg;

	/* From the front each time: who is told may ask again, or be gone. */
	while (j->wait_count && j->waits[0].group <= j->committed) {
		struct wait wait = j->waits[0];

		memmove(j->waits, j->waits + 1, --j->wait_count * sizeof *j->waits);
		wait.fn(wait.arg);
	}
}

static void journal_arm(struct journal *j);

void journal_when_durable(struct journal *j, event_fn *fn, void *arg)
{
	j->waits = xrealloc(j->waits, j->wait_count + 1, sizeof *j->waits);
	j->waits[j->wait_count++] = (struct wait){fn, arg, j->group};
	journal_arm(j);
}

void journal_forget(struct journal *j, void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < j->wait_count; i++)
		if (j->waits[i].arg != arg)
			j->waits[kept++] = j->waits[i];
	j->wait_count = kept;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* What the system has of it nobody knows: nothing is acknowledged any more. */
static void journal_fail(struct journal *j)
{
	if (!keeper_is_dead(j->k))
		world_trace(j->w, "the log has failed");
	j->failed = true;
}

static void journal_fill_mark(struct journal *j, const struct piece *p)
{
	struct buf mark = {0};

	entry_put_synced(&mark, JOURNAL_MARK, p->segment == j->log.segment ? j->log.synced : 0);
	memcpy(j->data.data + p->offset, mark.data, mark.len);
	buf_done(&mark);
}

/* Nothing more comes at the moment: that all is durable is said without waiting for it. */
static void journal_idle(struct journal *j)
{
	struct buf mark = {0};

	if (j->piece_count || !j->at || j->log.segment != j->segment)
		return;
	entry_put_synced(&mark, JOURNAL_MARK, j->log.synced);
	if (seglog_write(&j->log, j->segment, j->at, mark.data, mark.len) == 0) {
		j->at += mark.len;
		seglog_keep(&j->log);
	} else if (seglog_cut(&j->log) < 0) {
		journal_fail(j);
	}
	buf_done(&mark);
}

static int journal_write(struct journal *j)
{
	int r = 0;

	for (size_t i = 0; i < j->piece_count && r == 0; i++) {
		const struct piece *p = &j->pieces[i];

		if (p->mark)
			journal_fill_mark(j, p);
		r = seglog_write(&j->log, p->segment, p->at, j->data.data + p->offset, p->len);
	}
	if (r < 0 && seglog_is_full(r) && !j->log.failed && seglog_cut(&j->log) < 0)
		return -EIO;
	return r;
}

/* All of them, or none. */
static bool journal_commit_rows(struct journal *j, size_t count)
{
	bool done = !keeper_is_dead(j->k);

	/* It may die here, too: before the commit or behind it. */
	if (done && j->disk->ops->room(j->disk->ctx) < 0)
		done = world_chance(j->w, 50);
	for (size_t i = 0; i < count && done; i++) {
		struct run *run = j->changes[i].run;

		run->ends += j->changes[i].row.ended && !run->row.ended;
		run->row = j->changes[i].row;
		if (run->row.asked)
			run->crashed_open = false;
	}
	return done && !keeper_is_dead(j->k);
}

/* What was written is gone from the front; the rest has come meanwhile. */
static void journal_shift(struct journal *j)
{
	j->piece_count -= j->flying.pieces;
	if (j->piece_count)
		memmove(j->pieces, j->pieces + j->flying.pieces,
			j->piece_count * sizeof *j->pieces);
	for (size_t i = 0; i < j->piece_count; i++)
		j->pieces[i].offset -= j->flying.bytes;
	if (j->flying.bytes)
		buf_consume(&j->data, j->flying.bytes);
	j->change_count -= j->flying.changes;
	if (j->change_count)
		memmove(j->changes, j->changes + j->flying.changes,
			j->change_count * sizeof *j->changes);
}

static void journal_on_sync(void *arg)
{
	struct journal *j = arg;

	if (seglog_sync(&j->log) < 0 || !journal_commit_rows(j, j->flying.changes)) {
		journal_fail(j);
		return;
	}
	journal_shift(j);
	j->committed = j->flying.group;
	j->flying = (struct flying){0};
	journal_idle(j);
	if (!j->tell.id)
		world_set(j->w, &j->tell, world_roll(j->w, JOURNAL_TELL_US), journal_on_tell, j);
	if (j->piece_count || j->change_count || j->wait_count)
		journal_arm(j);
}

static void journal_on_commit(void *arg)
{
	struct journal *j = arg;
	int r = journal_write(j);
	uint64_t us;

	if (r < 0 && seglog_is_full(r) && !j->log.failed) {
		world_set(j->w, &j->commit, JOURNAL_FULL_US, journal_on_commit, j);
	} else if (r < 0) {
		journal_fail(j);
	} else {
		j->flying =
			(struct flying){j->group++, j->piece_count, j->change_count, j->data.len};
		/* At times it takes long, and much comes meanwhile. */
		us = world_roll(j->w, world_chance(j->w, 10) ? JOURNAL_SLOW_US : JOURNAL_SYNC_US);
		world_set(j->w, &j->commit, us, journal_on_sync, j);
		keeper_on_flying(j->k, us);
	}
}

static void journal_arm(struct journal *j)
{
	bool now = j->data.len >= JOURNAL_GROUP;

	if (!j->failed && !j->commit.id)
		world_set(j->w, &j->commit, now ? 0 : world_roll(j->w, JOURNAL_WAIT_US),
			  journal_on_commit, j);
}

/* What was appended to data from here on is an entry. */
static void journal_place(struct journal *j, size_t from)
{
	size_t len = j->data.len - from;

	j->pieces = xrealloc(j->pieces, j->piece_count + 1, sizeof *j->pieces);
	j->pieces[j->piece_count++] = (struct piece){j->segment, j->at, from, len, false};
	j->at += len;
}

static void journal_begin(struct journal *j)
{
	struct entry_head head = {.generation = j->k->generation};
	size_t from = j->data.len;

	if (j->segment && j->at < JOURNAL_SEGMENT) {
		/* The first of its group. */
		if (j->at && from == j->flying.bytes) {
			entry_put_synced(&j->data, JOURNAL_MARK, 0);
			journal_place(j, from);
			j->pieces[j->piece_count - 1].mark = true;
		}
		return;
	}
	j->segment++;
	j->at = 0;
	entry_put_head(&j->data, JOURNAL_MARK, ++j->seq, &head);
	journal_place(j, from);
}

void journal_add(struct journal *j, struct run *run, uint64_t remote_seq,
		 const struct record_batch *batch)
{
	struct store_frame frame = {.child = run->index + 1,
				    .first = 1,
				    .remote_seq = remote_seq,
				    .count = (uint32_t)batch->count,
				    .rows = batch->rows.data,
				    .len = batch->rows.len};
	size_t from;

	if (!batch->count)
		return;
	journal_begin(j);
	from = j->data.len;
	entry_put_frame(&j->data, JOURNAL_MARK, ++j->seq, &frame);
	journal_place(j, from);
	journal_arm(j);
}

void journal_add_schema(struct journal *j, struct run *run, uint64_t remote_seq, uint64_t id)
{
	struct entry_note note = {.job = 1,
				  .child = run->index + 1,
				  .remote_seq = remote_seq,
				  .kind = NOTE_SCHEMA,
				  .data = (const uint8_t *)&id,
				  .len = sizeof id};
	size_t from;

	journal_begin(j);
	from = j->data.len;
	entry_put_note(&j->data, JOURNAL_MARK, ++j->seq, &note);
	journal_place(j, from);
	journal_arm(j);
}

void journal_put_row(struct journal *j, struct run *run, const struct row *row)
{
	j->changes = xrealloc(j->changes, j->change_count + 1, sizeof *j->changes);
	j->changes[j->change_count++] = (struct change){run, *row};
	journal_arm(j);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void journal_load_frame(struct journal *j, const struct frame *frame)
{
	struct store_frame f;
	const uint8_t *rows;
	struct record record;
	struct run *run;
	struct item item;
	size_t n;

	entry_get_frame(&f, frame->body, frame->len);
	run = &j->w->runs[f.child - 1];
	rows = f.rows;
	for (size_t left = f.len; left && (n = record_row_get(rows, left, &record)) > 0;
	     left -= n) {
		if (item_get(run, &record, &item))
			items_add(run, &item);
		rows += n;
	}
	if (j->found[run->index].last_seq < f.remote_seq)
		j->found[run->index].last_seq = f.remote_seq;
}

static void journal_load_note(struct journal *j, const struct frame *frame)
{
	struct entry_note note;
	struct found *found;
	uint64_t id;

	entry_get_note(&note, frame->body, frame->len);
	found = &j->found[note.child - 1];
	if (found->schema_count > SCRIPT_SCHEMAS) {
		world_fail(j->w, "run %zu: has too many schemas", (size_t)note.child - 1);
		return;
	}
	memcpy(&id, note.data, sizeof id);
	/* Those before it may be lost. */
	while (found->schema_count < id % 1000 && found->schema_count <= SCRIPT_SCHEMAS)
		found->schemas[found->schema_count++] = 0;
	found->schemas[found->schema_count - 1] = id;
	if (found->last_seq < note.remote_seq)
		found->last_seq = note.remote_seq;
}

static void journal_load_entry(struct journal *j, const struct segscan_entry *e)
{
	struct buf bytes = {0};
	struct frame frame;

	if (seglog_read(j->disk, e->segment, e->at, e->len, &bytes) == 0 &&
	    frame_parse(bytes.data, bytes.len, &frame, NULL) > 0) {
		if (e->seq > j->seq)
			j->seq = e->seq;
		if (e->type == MSG_STORE_FRAME)
			journal_load_frame(j, &frame);
		else if (e->type == MSG_STORE_NOTE)
			journal_load_note(j, &frame);
	} else if (!keeper_is_dead(j->k)) {
		world_fail(j->w, "an entry of the log cannot be read");
	}
	buf_done(&bytes);
}

/* A torn tail goes; and what is kept is made durable, as it is told to be. */
static void journal_cut(struct journal *j, uint32_t segment, uint64_t size)
{
	char name[SEGLOG_NAME];
	const struct disk_ops *ops = j->disk->ops;
	int file = ops->open(j->disk->ctx, seglog_name(name, segment), DISK_APPEND);
	int r = file;

	if (r >= 0)
		r = ops->truncate(j->disk->ctx, file, size);
	if (r >= 0)
		r = ops->sync(j->disk->ctx, file);
	if (r >= 0)
		r = ops->sync_names(j->disk->ctx);
	if (file >= 0)
		ops->close(j->disk->ctx, file);
	j->failed = j->failed || r < 0;
}

static void journal_load_segment(struct journal *j, uint32_t segment, bool newest)
{
	char name[SEGLOG_NAME];
	struct segscan scan;
	bool settle = newest && j->w->sabotage != SABOTAGE_SKIP_DAMAGE;

	if (segscan(&scan, j->disk, seglog_name(name, segment), segment, JOURNAL_MARK) < 0) {
		segscan_done(&scan);
		return;
	}
	if (settle)
		segscan_settle(&scan);
	for (size_t i = 0; i < scan.count; i++)
		journal_load_entry(j, &scan.entries[i]);
	if (settle && scan.damage && !keeper_is_dead(j->k))
		world_fail(j->w, "what the log says was synced is not there");
	if (!newest && (scan.damage || scan.end != scan.size) && !keeper_is_dead(j->k))
		world_fail(j->w, "an old segment of the log is torn");
	if (newest)
		journal_cut(j, segment, scan.end);
	j->segment = segment;
	j->at = scan.end;
	segscan_done(&scan);
}

struct numbers {
	uint32_t list[4096];
	size_t count;
};

static void journal_on_name(void *arg, const char *name)
{
	struct numbers *numbers = arg;
	uint32_t n = seglog_number(name);

	if (n && numbers->count < ARRAY_LEN(numbers->list))
		numbers->list[numbers->count++] = n;
}

static int number_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

struct journal *journal_open(struct keeper *k)
{
	struct journal *j = xcalloc(1, sizeof *j);
	struct numbers *numbers = xcalloc(1, sizeof *numbers);

	j->k = k;
	j->w = k->w;
	j->disk = simdisk_user_disk(k->user);
	j->group = 1;
	for (size_t i = 0; i < k->w->run_count; i++)
		k->w->runs[i].item_count = 0;
	(void)j->disk->ops->list(j->disk->ctx, journal_on_name, numbers);
	qsort(numbers->list, numbers->count, sizeof *numbers->list, number_compare);
	for (size_t i = 0; i < numbers->count; i++)
		journal_load_segment(j, numbers->list[i], i + 1 == numbers->count);
	seglog_init(&j->log, j->disk, j->segment, j->at);
	free(numbers);
	return j;
}

void journal_found(const struct journal *j, const struct run *run, struct found *ret)
{
	*ret = j->found[run->index];
}

void journal_close(struct journal *j, bool flush)
{
	if (!j)
		return;
	if (flush && !j->failed && journal_write(j) == 0) {
		j->flying = (struct flying){j->group, j->piece_count, j->change_count, j->data.len};
		journal_on_sync(j);
	}
	world_cancel(j->w, &j->commit);
	world_cancel(j->w, &j->tell);
	if (!keeper_is_dead(j->k))
		seglog_done(&j->log);
	buf_done(&j->data);
	free(j->pieces);
	free(j->changes);
	free(j->waits);
	free(j);
}
