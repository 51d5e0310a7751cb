#include "segscan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "entry.h"
#include "frame.h"
#include "limits.h"
#include "message.h"

#define SEGSCAN_WINDOW (2u << 20) /* more than a frame */
#define SEGSCAN_BLOCK  4096u	  /* what is given up where the disk cannot read */
/* What is summed up in vain: this often the size. Without a mark, bytes that look like headers
 * could make it the square. */
#define SEGSCAN_TRIES 4u

struct segscan_run {
	struct segscan *scan;
	const struct disk *disk;
	int file;
	uint32_t segment;
	uint64_t size;	 /* as far as we look */
	uint64_t base;	 /* place in the file of window[0] */
	size_t cursor;	 /* in the window: what is looked at */
	size_t len;	 /* of the window */
	uint64_t budget; /* of bytes that may be summed up in vain */
	size_t room;	 /* of scan->entries */
	size_t gap_room;
	uint8_t *window;
	size_t window_size;
};

static uint64_t segscan_at(const struct segscan_run *run)
{
	return run->base + run->cursor;
}

/* Fills the window. A block that cannot be read comes as zeros, which are no entry. */
static void segscan_fill(struct segscan_run *run)
{
	memmove(run->window, run->window + run->cursor, run->len - run->cursor);
	run->base += run->cursor;
	run->len -= run->cursor;
	run->cursor = 0;
	while (run->len < run->window_size && run->base + run->len < run->size) {
		uint64_t at = run->base + run->len;
		size_t want = run->window_size - run->len;
		int64_t n;

		if (want > run->size - at)
			want = (size_t)(run->size - at);
		n = run->disk->ops->read(run->disk->ctx, run->file, at, run->window + run->len,
					 want);
		if (n < 0) {
			if (want > SEGSCAN_BLOCK)
				want = SEGSCAN_BLOCK;
			n = run->disk->ops->read(run->disk->ctx, run->file, at,
						 run->window + run->len, want);
		}
		if (n < 0) {
			memset(run->window + run->len, 0, want);
			n = (int64_t)want;
		}
		if (n == 0)
			run->size = at;
		run->len += (size_t)n;
	}
}

/* How many bytes there are at the cursor, of want. */
static size_t segscan_have(struct segscan_run *run, size_t want)
{
	if (run->len - run->cursor < want && run->base + run->len < run->size)
		segscan_fill(run);
	return run->len - run->cursor;
}

static void segscan_note_max(struct segscan *scan, const struct frame *frame)
{
	uint64_t owner = entry_owner(frame->type, frame->body);

	if (frame->seq > scan->max_seq)
		scan->max_seq = frame->seq;
	if (frame->type == MSG_STORE_HEAD) {
		struct entry_head head;

		entry_get_head(&head, frame->body);
		if (head.generation > scan->max_generation)
			scan->max_generation = head.generation;
		owner = head.last_id;
	}
	if (owner > scan->max_id)
		scan->max_id = owner;
}

/* What is before the cursor and behind the last entry. */
static void segscan_gap(struct segscan_run *run)
{
	struct segscan *scan = run->scan;
	uint64_t len = segscan_at(run) - scan->end;

	if (!len)
		return;
	if (scan->gap_count == run->gap_room) {
		run->gap_room = run->gap_room ? run->gap_room * 2 : 16;
		scan->gaps = xrealloc(scan->gaps, run->gap_room, sizeof *scan->gaps);
	}
	scan->gaps[scan->gap_count++] = (struct segscan_gap){(uint32_t)scan->end, (uint32_t)len};
	scan->damage += len;
}

static void segscan_add(struct segscan_run *run, const struct frame *frame, size_t len)
{
	struct segscan *scan = run->scan;

	if (scan->count == run->room) {
		run->room = run->room ? run->room * 2 : 256;
		scan->entries = xrealloc(scan->entries, run->room, sizeof *scan->entries);
	}
	scan->entries[scan->count++] = (struct segscan_entry){
		.seq = frame->seq,
		.owner = entry_owner(frame->type, frame->body),
		.segment = run->segment,
		.at = (uint32_t)segscan_at(run),
		.len = (uint32_t)len,
		.type = frame->type,
	};
	segscan_note_max(scan, frame);
}

static void segscan_take(struct segscan_run *run, const struct frame *frame, size_t len)
{
	struct segscan *scan = run->scan;
	uint64_t at = segscan_at(run), synced;

	segscan_gap(run);
	if (frame->type == MSG_STORE_MARK) {
		synced = entry_get_synced(frame->body);
		if (synced > scan->synced && synced <= at)
			scan->synced = synced;
	} else {
		segscan_add(run, frame, len);
	}
	scan->end = at + len;
}

/* Whether what stands at the cursor can be an entry at all: before anything is summed up. */
static bool segscan_looks_well(const struct segscan_run *run, const uint8_t *p, size_t n)
{
	size_t len;

	if (n < FRAME_HEADER_SIZE + 8 || p[0] != FRAME_MAGIC >> 8 || p[1] != (FRAME_MAGIC & 0xff))
		return false;
	len = frame_size(p, n) - FRAME_HEADER_SIZE;
	if (len > LIMIT_FRAME_BODY || !entry_is(p[2], len))
		return false;
	/* The first entry of a file says which mark it has: nobody else writes there. */
	return !run->scan->mark || segscan_at(run) == 0 ||
	       entry_mark(p + FRAME_HEADER_SIZE) == run->scan->mark;
}

/* Takes the entry at the cursor and goes behind it; false if there is none. */
static bool segscan_step(struct segscan_run *run)
{
	size_t n = segscan_have(run, FRAME_HEADER_SIZE + 8), want;
	const uint8_t *p = run->window + run->cursor;
	struct frame frame;
	int64_t used;

	if (!segscan_looks_well(run, p, n))
		return false;
	want = frame_size(p, n);
	n = segscan_have(run, want);
	if (n < want || want > run->budget)
		return false;
	used = frame_parse(run->window + run->cursor, n, &frame, NULL);
	if (used <= 0) {
		run->budget -= want;
		return false;
	}
	run->scan->mark = entry_mark(frame.body);
	segscan_take(run, &frame, (size_t)used);
	run->cursor += (size_t)used;
	return true;
}

/* Goes on to the next byte that an entry could begin with. */
static void segscan_skip(struct segscan_run *run)
{
	const uint8_t *p = run->window + run->cursor, *next;
	size_t n = run->len - run->cursor;

	next = n > 1 ? memchr(p + 1, FRAME_MAGIC >> 8, n - 1) : NULL;
	run->cursor += next ? (size_t)(next - p) : n;
}

static int segscan_open(struct segscan_run *run, const char *name)
{
	const struct disk_ops *ops = run->disk->ops;
	int64_t size;

	run->file = ops->open(run->disk->ctx, name, DISK_READ);
	if (run->file < 0)
		return run->file;
	size = ops->size(run->disk->ctx, run->file);
	if (size < 0) {
		ops->close(run->disk->ctx, run->file);
		return (int)size;
	}
	run->scan->size = (uint64_t)size;
	run->size = size > (int64_t)SEGSCAN_MAX ? SEGSCAN_MAX : (uint64_t)size;
	run->budget = SEGSCAN_TRIES * run->size + SEGSCAN_WINDOW;
	return 0;
}

int segscan(struct segscan *ret, const struct disk *disk, const char *name, uint32_t segment,
	    uint64_t mark)
{
	struct segscan_run run = {.scan = ret, .disk = disk, .segment = segment};
	int r;

	*ret = (struct segscan){.mark = mark};
	r = segscan_open(&run, name);
	if (r < 0)
		return r;
	run.window_size = run.size < SEGSCAN_WINDOW ? (size_t)run.size + 1 : SEGSCAN_WINDOW;
	run.window = xmalloc(run.window_size);
	while (segscan_have(&run, 1) > 0)
		if (!segscan_step(&run))
			segscan_skip(&run);
	/* It may have shrunk under our hands, or be longer than we look. */
	disk->ops->close(disk->ctx, run.file);
	free(run.window);
	return 0;
}

void segscan_settle(struct segscan *scan)
{
	size_t i = 0;
	uint64_t cut;

	while (i < scan->gap_count &&
	       scan->gaps[i].at + (uint64_t)scan->gaps[i].len <= scan->synced)
		i++;
	if (i == scan->gap_count)
		return;
	cut = scan->gaps[i].at;
	/* What was synced ends in the middle of it: its end was damaged, too. */
	if (cut < scan->synced) {
		cut = scan->synced;
		scan->gaps[i].len = (uint32_t)(cut - scan->gaps[i].at);
		i++;
	}
	scan->gap_count = i;
	scan->damage = 0;
	while (i)
		scan->damage += scan->gaps[--i].len;
	while (scan->count && scan->entries[scan->count - 1].at >= cut)
		scan->count--;
	scan->end = cut;
}

void segscan_done(struct segscan *scan)
{
	free(scan->entries);
	free(scan->gaps);
	*scan = (struct segscan){0};
}
