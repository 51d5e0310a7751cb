#include "spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "message.h"
#include "segment.h"
#include "spool_private.h"

#define SPOOL_CAP_DEFAULT (64ull << 20)
#define SPOOL_SEGMENT	  (4ull << 20)
/* So that a large cap does not make a directory of very many files. */
#define SPOOL_SEGMENTS 256u

static void spool_set_limits(struct spool *s, const struct spool_limits *limits)
{
	struct spool_limits *l = &s->limits;

	*l = *limits;
	if (!l->cap)
		l->cap = SPOOL_CAP_DEFAULT;
	if (!l->segment)
		l->segment = l->cap / SPOOL_SEGMENTS > SPOOL_SEGMENT ? l->cap / SPOOL_SEGMENTS
								     : SPOOL_SEGMENT;
	if (l->segment > l->cap / 2)
		l->segment = l->cap / 2;
}

/* --- what is there -------------------------------------------------------------------------- */

static struct spool_part *spool_push(struct spool *s, uint64_t number)
{
	if (s->count == s->room) {
		s->room = s->room ? s->room * 2 : 8;
		s->parts = xrealloc(s->parts, s->room, sizeof *s->parts);
	}
	s->parts[s->count] =
		(struct spool_part){.number = number, .last = s->last, .record = s->last_record};
	return &s->parts[s->count++];
}

static void spool_count(struct spool *s, const struct segment_frame *f)
{
	struct spool_part *part = &s->parts[s->count - 1];

	s->last = part->last = f->frame.seq;
	if (f->records)
		s->last_record = part->record = f->first_record + f->records - 1;
	s->ended = s->ended || f->frame.type == MSG_TASK_END;
}

/* Where a segment begins with what the one before has too, condensing was broken off: all of that
 * is in this one. */
static void spool_scan_first(struct spool *s, uint64_t from)
{
	while (s->count > 1 && s->parts[s->count - 2].last >= from)
		spool_forget(s, s->count - 2, 1);
	/* The first of all says what has been acknowledged. */
	if (s->count == 1 || !s->last)
		s->acked = from - 1;
}

/* *lost: something was behind the last frame so far. 0, or ERR_SYS. */
static int spool_scan(struct spool *s, uint64_t number, bool *lost)
{
	struct segment_in in = {0};
	struct segment_frame f;
	struct spool_part *part;
	bool first = true;
	int64_t size;
	int r = segment_open(&in, s->disk, number);

	(void)spool_push(s, number);
	if (r < 0) {
		errno = -r;
		*lost = true;
		return segment_is_passing(-r) ? ERR_SYS : 0;
	}
	while ((r = segment_next(&in, &f, NULL)) == 1) {
		if (first)
			spool_scan_first(s, f.from);
		first = false;
		if (f.frame.seq <= s->last)
			continue;
		spool_count(s, &f);
		*lost = false;
	}
	size = s->disk->ops->size(s->disk->ctx, in.file);
	part = &s->parts[s->count - 1];
	part->bytes = size < 0 ? in.at : (uint64_t)size;
	s->bytes += part->bytes;
	if (r == ERR_PROTO || part->bytes > in.at)
		*lost = true;
	segment_close(&in);
	return r == ERR_SYS ? r : 0;
}

int spool_open(struct spool **ret, const struct disk *disk, const struct spool_limits *limits,
	       struct errmsg *msg)
{
	struct spool *s = xcalloc(1, sizeof *s);
	struct segment_span span = {.below = UINT64_MAX};
	bool lost = false;
	int r;

	s->disk = disk;
	s->file = -1;
	spool_set_limits(s, limits);
	(void)disk->ops->unlink(disk->ctx, SEGMENT_TMP);
	while ((r = segment_find(disk, &span)) == 0 && span.first) {
		r = spool_scan(s, span.first, &lost);
		if (r < 0)
			break;
		span.above = span.first;
	}
	if (r < 0) {
		(void)err_set(msg, r, "cannot read a spool: %s", err_text(r));
		spool_close(s);
		return r;
	}
	s->last += lost;
	*ret = s;
	return 0;
}

static void spool_end_file(struct spool *s)
{
	if (s->file >= 0)
		s->disk->ops->close(s->disk->ctx, s->file);
	s->file = -1;
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	spool_end_file(s);
	free(s->parts);
	free(s);
}

/* --- acknowledged --------------------------------------------------------------------------- */

void spool_forget(struct spool *s, size_t at, size_t n)
{
	char name[SEGMENT_NAME_MAX];

	for (size_t i = at; i < at + n; i++) {
		segment_name(name, s->parts[i].number);
		/* One that stays is found, and passed over, by its numbers. */
		(void)s->disk->ops->unlink(s->disk->ctx, name);
		s->bytes -= s->parts[i].bytes;
	}
	s->count -= n;
	memmove(s->parts + at, s->parts + at + n, (s->count - at) * sizeof *s->parts);
}

void spool_ack(struct spool *s, uint64_t seq)
{
	size_t n = 0;

	if (seq > s->acked)
		s->acked = seq < s->last ? seq : s->last;
	/* So that numbers go on, the last frame stays. */
	while (n + 1 < s->count && s->parts[n].last <= s->acked &&
	       s->parts[n].last < s->parts[s->count - 1].last)
		n++;
	if (n)
		spool_forget(s, 0, n);
}

/* --- appending ------------------------------------------------------------------------------ */

static enum spool_room spool_refused(int error)
{
	errno = error;
	return error == ENOSPC || error == EDQUOT || segment_is_passing(error) ? SPOOL_DISK
									       : SPOOL_BROKEN;
}

/* Begins a segment. Where that cannot be, the one before stays open. */
static enum spool_room spool_begin(struct spool *s)
{
	uint64_t number = s->count ? s->parts[s->count - 1].number + 1 : 1;
	char name[SEGMENT_NAME_MAX];
	int file;

	segment_name(name, number);
	file = s->disk->ops->open(s->disk->ctx, name, DISK_CREATE);
	if (file < 0)
		return spool_refused(-file);
	spool_end_file(s);
	s->file = file;
	(void)spool_push(s, number);
	return SPOOL_TAKEN;
}

/* Room below the cap, by what that takes. */
static enum spool_room spool_make_room(struct spool *s, size_t len)
{
	while (s->bytes + len > s->limits.cap) {
		bool done = s->last == s->acked;
		enum spool_room room;
		int r = s->limits.drop && !done ? spool_condense(s) : 0;

		if (r < 0)
			return spool_refused(errno);
		if (r)
			continue;
		if (!s->limits.drop && !done)
			return SPOOL_CAP;
		/* Only the last segment is left, which can go if another begins: of what is done
		 * with, once there is a frame in that. */
		if (!s->count || !s->parts[s->count - 1].bytes)
			break;
		room = spool_begin(s);
		if (room != SPOOL_TAKEN)
			return room;
		if (done)
			break;
	}
	return SPOOL_TAKEN;
}

static enum spool_room spool_check(struct spool *s, size_t len)
{
	enum spool_room room = spool_make_room(s, len);
	int64_t left;

	if (room != SPOOL_TAKEN)
		return room;
	left = s->disk->ops->room(s->disk->ctx);
	/* Where it is not known, writing tells. */
	if (left >= 0 && (uint64_t)left < s->limits.reserve + len)
		return spool_refused(ENOSPC);
	return SPOOL_TAKEN;
}

static enum spool_room spool_write(struct spool *s, const uint8_t *data, size_t len)
{
	struct spool_part *part = s->count ? &s->parts[s->count - 1] : NULL;
	size_t done = 0;
	int64_t n = 0;

	if (s->file < 0 || (part->bytes && part->bytes + len > s->limits.segment)) {
		enum spool_room room = spool_begin(s);

		if (room != SPOOL_TAKEN)
			return room;
		part = &s->parts[s->count - 1];
	}
	for (; done < len; done += (size_t)n) {
		n = s->disk->ops->append(s->disk->ctx, s->file, data + done, len - done);
		if (n <= 0)
			break;
	}
	if (done < len && s->disk->ops->truncate(s->disk->ctx, s->file, part->bytes) < 0)
		spool_end_file(s); /* what has been written ends its segment */
	else if (done < len)
		done = 0;
	part->bytes += done;
	s->bytes += done;
	return done == len ? SPOOL_TAKEN : spool_refused(n < 0 ? (int)-n : ENOSPC);
}

/* Also what came before: an end without its output would be a poor one. */
static enum spool_room spool_sync(struct spool *s)
{
	const struct disk_ops *ops = s->disk->ops;
	char name[SEGMENT_NAME_MAX];
	int r = 0;

	for (size_t i = 0; i + 1 < s->count && r >= 0; i++) {
		int file;

		segment_name(name, s->parts[i].number);
		file = ops->open(s->disk->ctx, name, DISK_READ);
		/* One that is not there cannot be helped any more. */
		r = file < 0 && segment_is_passing(-file) ? file : 0;
		if (file >= 0) {
			r = ops->sync(s->disk->ctx, file);
			ops->close(s->disk->ctx, file);
		}
	}
	if (r >= 0)
		r = ops->sync(s->disk->ctx, s->file);
	if (r >= 0)
		r = ops->sync_names(s->disk->ctx);
	if (r >= 0)
		return SPOOL_TAKEN;
	errno = -r;
	return SPOOL_BROKEN;
}

enum spool_room spool_append(struct spool *s, const void *frame, size_t len)
{
	struct segment_frame f;
	enum spool_room room = SPOOL_TAKEN;

	if (s->ended || segment_parse(frame, len, &f, NULL) != (int64_t)len ||
	    f.frame.seq <= s->last)
		return spool_refused(EINVAL);
	if (f.frame.type != MSG_TASK_END)
		room = spool_check(s, len);
	if (room == SPOOL_TAKEN)
		room = spool_write(s, frame, len);
	if (room != SPOOL_TAKEN)
		return room;
	spool_count(s, &f);
	spool_ack(s, s->acked);
	return s->ended ? spool_sync(s) : room;
}

/* --- what it has ---------------------------------------------------------------------------- */

uint64_t spool_last(const struct spool *s)
{
	return s->last;
}

uint64_t spool_acked(const struct spool *s)
{
	return s->acked;
}

uint64_t spool_bytes(const struct spool *s)
{
	return s->bytes;
}

bool spool_has_end(const struct spool *s)
{
	return s->ended;
}

uint64_t spool_last_record(const struct spool *s)
{
	return s->last_record;
}
