/*
 * Dropping: the oldest segments become one that says what they had. It takes the name of the newest
 * of them, and only then those before it go: so who reads them one after the other, or comes back
 * after a crash, finds everything at least once, and knows by the numbers what it has had.
 */
#include <errno.h>

#include "agent_msg.h"
#include "message.h"
#include "segment.h"
#include "spool_private.h"

struct condense {
	struct buf out;
	uint64_t last;	 /* seq that out covers, or that was acknowledged */
	uint64_t record; /* the last one before it; 0: not known */
	/* What has not been put yet. */
	struct task_gap_msg gap; /* from: 0 is none */
	uint64_t gap_record;	 /* its last one */
};

/* Frames up to seq are missing. */
static void condense_end_gap(struct condense *c, uint64_t seq)
{
	size_t begin;

	if (!c->gap.from)
		return;
	c->gap.task = 1;
	if (c->gap.first_record)
		c->gap.records = c->gap_record - c->gap.first_record + 1;
	begin = frame_begin(&c->out);
	task_gap_put(&c->out, &c->gap);
	(void)frame_end(&c->out, begin, MSG_TASK_GAP, 0, seq);
	c->gap = (struct task_gap_msg){0};
}

static void condense_add(struct condense *c, const struct segment_frame *f)
{
	uint64_t seq = f->frame.seq;
	bool is_gap = f->frame.type == MSG_TASK_GAP;
	/* A gap that does not know its records would make others forget theirs. */
	bool keep = f->frame.type == MSG_TASK_SCHEMA || (is_gap && !f->records);

	if (seq > c->last) {
		/* Also what damage has taken before this frame. */
		if (!c->gap.from && (!keep || f->from > c->last + 1))
			c->gap.from = f->from <= c->last ? f->from : c->last + 1;
		if (keep) {
			condense_end_gap(c, f->from > c->last ? f->from - 1 : c->last);
			buf_add(&c->out, f->bytes, f->len);
		} else {
			c->gap.bytes += is_gap ? f->missing : f->len;
		}
		if (f->records && !c->gap.first_record)
			c->gap.first_record = c->record ? c->record + 1 : f->first_record;
		if (f->records)
			c->gap_record = f->first_record + f->records - 1;
		c->last = seq;
	}
	if (f->records)
		c->record = f->first_record + f->records - 1;
}

/* What had been in it and cannot be read any more. */
static void condense_add_rest(struct condense *c, const struct spool_part *part)
{
	if (part->last <= c->last)
		return;
	if (!c->gap.from)
		c->gap.from = c->last + 1;
	if (part->record > c->record) {
		if (!c->gap.first_record && (c->record || !c->last))
			c->gap.first_record = c->record + 1;
		c->gap_record = c->record = part->record;
	}
	c->last = part->last;
	/* How many they are is not known; of what follows it is. */
	if (!c->gap.first_record)
		condense_end_gap(c, c->last);
}

static int condense_read(struct condense *c, const struct disk *disk, const struct spool_part *part)
{
	struct segment_in in = {0};
	struct segment_frame f;
	int r = segment_open(&in, disk, part->number);

	if (r < 0 && segment_is_passing(-r)) {
		errno = -r;
		return ERR_SYS;
	}
	for (r = r < 0 ? ERR_PROTO : 1; r == 1;) {
		r = segment_next(&in, &f, NULL);
		if (r == 1)
			condense_add(c, &f);
	}
	segment_close(&in);
	if (r == ERR_SYS)
		return r;
	condense_add_rest(c, part);
	return 0;
}

/* As the segment of that number. */
static int condense_write(const struct buf *out, const struct disk *disk, uint64_t number)
{
	const struct disk_ops *ops = disk->ops;
	char name[SEGMENT_NAME_MAX];
	int64_t r;
	int file;

	(void)ops->unlink(disk->ctx, SEGMENT_TMP);
	file = ops->open(disk->ctx, SEGMENT_TMP, DISK_CREATE);
	r = file;
	if (file >= 0) {
		for (size_t at = 0; at < out->len && r >= 0; at += (size_t)r) {
			r = ops->append(disk->ctx, file, out->data + at, out->len - at);
			if (r == 0)
				r = -ENOSPC;
			if (r < 0)
				break;
		}
		if (r >= 0)
			r = ops->sync(disk->ctx, file);
		ops->close(disk->ctx, file);
	}
	segment_name(name, number);
	if (r >= 0)
		r = ops->rename(disk->ctx, SEGMENT_TMP, name);
	if (r >= 0)
		return 0;
	errno = (int)-r;
	return ERR_SYS;
}

int spool_condense(struct spool *s)
{
	struct condense c = {.last = s->acked};
	size_t i = 0;
	int r = 0;

	while (i < s->count && s->parts[i].condensed)
		i++;
	if (i + 1 >= s->count)
		return 0;
	for (size_t k = 0; k <= i && r == 0; k++)
		r = condense_read(&c, s->disk, &s->parts[k]);
	condense_end_gap(&c, c.last);
	if (r == 0)
		r = condense_write(&c.out, s->disk, s->parts[i].number);
	if (r == 0) {
		s->bytes += c.out.len;
		s->bytes -= s->parts[i].bytes;
		s->parts[i].bytes = c.out.len;
		s->parts[i].condensed = true;
		spool_forget(s, 0, i);
	}
	buf_done(&c.out);
	return r < 0 ? r : 1;
}
