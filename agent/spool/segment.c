#include "segment.h"

#include <errno.h>
#include <string.h>

#include "message.h"
#include "record.h"
#include "value.h"

#define SEGMENT_PREFIX	   "seg-"
#define SEGMENT_PREFIX_LEN 4u
#define SEGMENT_DIGITS	   8u
#define SEGMENT_PIECE	   (64u << 10) /* what is read at once */

/* --- names ---------------------------------------------------------------------------------- */

void segment_name(char name[SEGMENT_NAME_MAX], uint64_t number)
{
	size_t digits = SEGMENT_DIGITS;

	for (uint64_t n = number / 100000000u; n; n /= 10)
		digits++;
	memcpy(name, SEGMENT_PREFIX, SEGMENT_PREFIX_LEN);
	name += SEGMENT_PREFIX_LEN;
	name[digits] = '\0';
	for (; digits; number /= 10)
		name[--digits] = (char)('0' + number % 10);
}

/* 0: it is none. */
static uint64_t segment_number(const char *name)
{
	char again[SEGMENT_NAME_MAX];
	uint64_t number = 0;

	if (strncmp(name, SEGMENT_PREFIX, SEGMENT_PREFIX_LEN) != 0)
		return 0;
	for (const char *p = name + SEGMENT_PREFIX_LEN; *p >= '0' && *p <= '9'; p++)
		number = number * 10 + (uint64_t)(*p - '0');
	segment_name(again, number);
	return strcmp(name, again) == 0 ? number : 0;
}

static void segment_on_name(void *arg, const char *name)
{
	struct segment_span *span = arg;
	uint64_t number = segment_number(name);

	if (number <= span->above || number >= span->below)
		return;
	if (!span->first || number < span->first)
		span->first = number;
	if (number > span->last)
		span->last = number;
}

int segment_find(const struct disk *disk, struct segment_span *span)
{
	int r;

	span->first = span->last = 0;
	r = disk->ops->list(disk->ctx, segment_on_name, span);
	if (r < 0)
		errno = -r;
	return r < 0 ? ERR_SYS : 0;
}

/* --- one frame ------------------------------------------------------------------------------ */

/* The numbers that begin a body, behind the task, up to one that is an array: its count. */
#define SEGMENT_NUMBERS 4u

static bool segment_numbers(const struct frame *frame, uint64_t ret[SEGMENT_NUMBERS])
{
	struct value_in in = value_in(frame->body, frame->len);
	struct value v;
	uint32_t left;

	if (!value_next(&in, &v) || v.kind != VALUE_ARRAY || v.count < 2)
		return false;
	left = v.count - 1;
	if (!value_next(&in, &v) || v.kind != VALUE_UINT)
		return false;
	for (size_t i = 0; i < SEGMENT_NUMBERS && left; i++, left--) {
		if (!value_next(&in, &v))
			return false;
		if (v.kind == VALUE_ARRAY)
			ret[i] = v.count;
		else if (v.kind == VALUE_UINT)
			ret[i] = v.u;
		if (v.kind != VALUE_UINT && v.kind != VALUE_NIL)
			break;
	}
	return true;
}

static bool segment_look(struct segment_frame *f)
{
	uint64_t n[SEGMENT_NUMBERS] = {0};
	uint64_t seq = f->frame.seq;

	if (!seq || seq == UINT64_MAX || !segment_numbers(&f->frame, n))
		return false;
	f->from = seq;
	switch (f->frame.type) {
	case MSG_TASK_RECORDS:
		f->first_record = n[0];
		f->records = n[1];
		return n[0] && n[1] <= RECORDS_MAX && n[0] <= UINT64_MAX - RECORDS_MAX;
	case MSG_TASK_GAP:
		f->from = n[0];
		f->first_record = n[1];
		f->records = n[2];
		f->missing = n[3];
		return n[0] && n[0] <= seq && n[1] <= UINT64_MAX - n[2];
	default:
		return f->frame.type == MSG_TASK_SCHEMA || f->frame.type == MSG_TASK_END;
	}
}

int64_t segment_parse(const uint8_t *data, size_t n, struct segment_frame *ret, struct errmsg *msg)
{
	struct segment_frame f = {.bytes = data};
	int64_t used = frame_parse(data, n, &f.frame, msg);

	if (used <= 0)
		return used;
	if (!segment_look(&f))
		return err_set(msg, ERR_PROTO, "message %u: not of a spool", f.frame.type);
	f.len = (size_t)used;
	*ret = f;
	return used;
}

/* --- a file --------------------------------------------------------------------------------- */

int segment_open(struct segment_in *in, const struct disk *disk, uint64_t number)
{
	char name[SEGMENT_NAME_MAX];

	segment_name(name, number);
	in->disk = disk;
	in->file = disk->ops->open(disk->ctx, name, DISK_READ);
	segment_back(in, 0, 0);
	return in->file < 0 ? in->file : 0;
}

void segment_close(struct segment_in *in)
{
	if (in->disk && in->file >= 0)
		in->disk->ops->close(in->disk->ctx, in->file);
	in->disk = NULL;
	buf_done(&in->buf);
}

bool segment_is_passing(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

void segment_back(struct segment_in *in, uint64_t at, uint64_t last)
{
	in->at = at;
	in->last = last;
	in->used = 0;
	buf_clear(&in->buf);
}

/* Reads on until want bytes are there, and some more. Returns whether they are, or ERR_*. */
static int segment_fill(struct segment_in *in, size_t want, struct errmsg *msg)
{
	int64_t n;

	buf_consume(&in->buf, in->used);
	in->used = 0;
	if (want < SEGMENT_PIECE)
		want = SEGMENT_PIECE;
	n = in->disk->ops->read(in->disk->ctx, in->file, in->at + in->buf.len,
				buf_room(&in->buf, want - in->buf.len), want - in->buf.len);
	if (n >= 0) {
		in->buf.len += (size_t)n;
		return n > 0;
	}
	/* What cannot be read is not there. */
	errno = (int)-n;
	return err_set(msg, errno == EIO ? ERR_PROTO : ERR_SYS, "cannot read a segment: %s",
		       err_text(ERR_SYS));
}

static int segment_read(struct segment_in *in, struct segment_frame *ret, struct errmsg *msg)
{
	for (;;) {
		const uint8_t *data = in->used ? in->buf.data + in->used : in->buf.data;
		size_t n = in->buf.len - in->used;
		int64_t used = segment_parse(data, n, ret, msg);
		int r;

		if (used > 0 && ret->frame.seq <= in->last)
			used = err_set(msg, ERR_PROTO, "number %llu is there twice",
				       (unsigned long long)ret->frame.seq);
		if (used < 0)
			return ERR_PROTO;
		if (used) {
			in->used += (size_t)used;
			in->at += (uint64_t)used;
			in->last = ret->frame.seq;
			return 1;
		}
		r = segment_fill(in, frame_size(data, n), msg);
		if (r <= 0)
			return r;
	}
}

int segment_next(struct segment_in *in, struct segment_frame *ret, struct errmsg *msg)
{
	int r = segment_read(in, ret, msg);

	/* Who writes may have cut half a frame off and put another there meanwhile: so what is
	 * wrong is looked at again, and nothing is kept of it. */
	if (r == ERR_PROTO) {
		segment_back(in, in->at, in->last);
		r = segment_read(in, ret, msg);
	}
	if (r != 1)
		segment_back(in, in->at, in->last);
	return r;
}
