#include <errno.h>
#include <stdlib.h>

#include "agent_msg.h"
#include "alloc.h"
#include "limits.h"
#include "message.h"
#include "segment.h"
#include "spool.h"

struct spool_reader {
	const struct disk *disk;
	struct segment_in in;
	uint64_t number;  /* of the open segment; 0: none is */
	uint64_t before;  /* where it was found: behind this one */
	uint64_t doubted; /* the one whose jump was looked at again */
	bool sealed;	  /* there is a newer one, so that nothing is added to this */
	uint64_t from;	  /* what is wanted next */
	uint64_t passed;  /* the last frame that was read */
	uint64_t record;  /* the last one up to that */
	bool knows;	  /* that it is */
	uint64_t end;
	struct buf gap;
};

struct spool_reader *spool_reader_new(const struct disk *disk, uint64_t from)
{
	struct spool_reader *r = xcalloc(1, sizeof *r);

	r->disk = disk;
	r->from = from ? from : 1;
	r->knows = r->from == 1;
	return r;
}

void spool_reader_free(struct spool_reader *r)
{
	if (!r)
		return;
	segment_close(&r->in);
	buf_done(&r->gap);
	free(r);
}

static void reader_leave(struct spool_reader *r, uint64_t behind)
{
	segment_close(&r->in);
	r->number = 0;
	r->before = behind;
	r->sealed = false;
}

/*
 * The open segment has no more: was says how it ended. Goes to the next one and returns 1; where
 * there is none, was. What is condensed or acknowledged only ever moves to higher numbers.
 */
static int reader_move(struct spool_reader *r, int was, struct errmsg *msg)
{
	struct segment_span span = {.above = r->number ? r->number : r->before,
				    .below = UINT64_MAX};
	int rc = segment_find(r->disk, &span);

	if (rc < 0)
		return err_set(msg, rc, "cannot list segments: %s", err_text(rc));
	if (!span.first)
		return was;
	/* It may have grown between the two looks. */
	if (r->number && !r->sealed) {
		r->sealed = true;
		return 1;
	}
	reader_leave(r, span.above);
	rc = segment_open(&r->in, r->disk, span.first);
	if (rc == 0) {
		r->number = span.first;
		return 1;
	}
	r->in.disk = NULL;
	errno = -rc;
	if (segment_is_passing(-rc))
		return err_set(msg, ERR_SYS, "cannot open a segment: %s", err_text(ERR_SYS));
	/* One that has gone meanwhile is not found again; another cannot be helped. */
	if (errno != ENOENT)
		r->before = span.first;
	return 1;
}

/* Which record comes next, in this segment from f on; 0: not known. What stands before records
 * are schemas. */
static uint64_t reader_next_record(struct spool_reader *r, struct segment_frame f)
{
	for (size_t i = 0; i < LIMIT_SCHEMAS && !f.records; i++)
		if (segment_next(&r->in, &f, NULL) != 1)
			return 0;
	return f.records ? f.first_record : 0;
}

/* What is missing before f; that comes again afterwards. */
static void reader_make_gap(struct spool_reader *r, struct segment_frame *f, uint64_t before)
{
	/* From where the records are known: below that, frames that nobody asked for may be gone.
	 */
	struct task_gap_msg m = {.task = 1, .from = r->knows ? r->passed + 1 : r->from};
	uint64_t seq = f->from - 1, at = r->in.at - f->len, next = 0;

	if (r->knows)
		next = reader_next_record(r, *f);
	if (next > r->record + 1) {
		m.first_record = r->record + 1;
		m.records = next - m.first_record;
	}
	segment_back(&r->in, at, before);
	buf_clear(&r->gap);
	(void)frame_begin(&r->gap);
	task_gap_put(&r->gap, &m);
	(void)frame_end(&r->gap, 0, MSG_TASK_GAP, 0, seq);
	(void)segment_parse(r->gap.data, r->gap.len, f, NULL);
}

/* True: f (or what it has become) is to be given. */
static bool reader_take(struct spool_reader *r, struct segment_frame *f, uint64_t before)
{
	bool jumps = f->from > r->from;

	/* A list that was made while names changed may have left one out. */
	if (jumps && r->doubted != r->number) {
		r->doubted = r->number;
		reader_leave(r, r->before);
		return false;
	}
	if (jumps)
		reader_make_gap(r, f, before);
	if (f->from == 1)
		r->knows = true;
	if (f->records) {
		r->record = f->first_record + f->records - 1;
		r->knows = true;
	}
	r->passed = f->frame.seq;
	if (f->frame.type == MSG_TASK_END)
		r->end = f->frame.seq;
	if (f->frame.seq < r->from)
		return false;
	r->from = f->frame.seq + 1;
	return true;
}

int spool_reader_next(struct spool_reader *r, struct frame *ret, const uint8_t **ret_bytes,
		      size_t *ret_len, struct errmsg *msg)
{
	struct segment_frame f;

	for (;;) {
		uint64_t before = r->in.last;
		int rc = r->number ? segment_next(&r->in, &f, msg) : 0;

		if (rc == 1 && reader_take(r, &f, before))
			break;
		if (rc == 0 || rc == ERR_PROTO)
			rc = reader_move(r, rc, msg);
		if (rc != 1)
			return rc;
	}
	*ret = f.frame;
	*ret_bytes = f.bytes;
	*ret_len = f.len;
	return 1;
}

uint64_t spool_reader_end(const struct spool_reader *r)
{
	return r->end;
}

uint64_t spool_reader_last(const struct disk *disk)
{
	struct segment_span span = {.below = UINT64_MAX};
	uint64_t last = 0;

	while (!last && segment_find(disk, &span) == 0 && span.last) {
		struct segment_in in = {0};
		struct segment_frame f;

		if (segment_open(&in, disk, span.last) == 0)
			while (segment_next(&in, &f, NULL) == 1)
				last = f.frame.seq;
		segment_close(&in);
		span.below = span.last;
	}
	return last;
}
