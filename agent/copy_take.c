/* Files that come from the initiator. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "copy_private.h"
#include "message.h"
#include "sink.h"
#include "walk.h"

/* Bytes that came, of which the initiator is told when they are so many. */
#define COPY_TAKE_STEP (256u << 10)
/* Small files are synced when nothing more has come for a while: the longer, the more there are. */
#define COPY_TAKE_IDLE_MS 50

struct copy_take {
	struct copy_child *c;
	struct sink *sink;
	uint64_t taken; /* since it was told */
};

static void copy_take_tell(void *arg, uint64_t index, enum sink_verdict verdict, uint64_t offset,
			   const char *text)
{
	struct copy_take *t = arg;
	struct copy_answer_msg m = {.task = t->c->open.task,
				    .index = index,
				    .verdict = verdict,
				    .offset = offset,
				    .text = (char *)(uintptr_t)text}; /* only read */
	size_t begin = copy_child_begin(t->c);

	copy_answer_put(&t->c->said, &m);
	copy_child_end(t->c, begin, MSG_COPY_ANSWER);
}

static int copy_take_entry(struct copy_take *t, const uint8_t *body, size_t len, struct errmsg *msg)
{
	struct copy_entry_msg m;
	int rc = copy_entry_get(&m, body, len, msg);
	struct file_entry entry;

	if (rc)
		return rc;
	entry = (struct file_entry){.index = m.index,
				    .kind = (enum file_kind)m.kind,
				    .name = m.name,
				    .mode = (uint32_t)m.mode,
				    .mtime_ns = m.mtime_ns,
				    .size = m.size,
				    .text = m.text,
				    .hash = m.hash};
	rc = sink_entry(t->sink, &entry, msg);
	copy_entry_done(&m);
	return rc;
}

static int copy_take_data(struct copy_take *t, const uint8_t *body, size_t len, struct errmsg *msg)
{
	struct copy_data_msg m;
	int rc = copy_data_borrow(&m, body, len, msg);
	struct sink_piece piece;

	if (rc)
		return rc;
	piece = (struct sink_piece){.index = m.index,
				    .data = m.data,
				    .len = m.len,
				    .end = m.end,
				    .hash = m.hash,
				    .failed = m.failed};
	rc = sink_data(t->sink, &piece, msg);
	t->taken += m.len;
	return rc;
}

static void copy_take_credit(struct copy_take *t, uint64_t step)
{
	struct copy_credit_msg m = {.task = t->c->open.task, .bytes = t->taken};
	size_t begin;

	if (t->taken < step)
		return;
	t->taken = 0;
	begin = copy_child_begin(t->c);
	copy_credit_put(&t->c->said, &m);
	copy_child_end(t->c, begin, MSG_COPY_CREDIT);
}

static _Noreturn void copy_take_leave(struct copy_take *t, const char *text)
{
	sink_free(t->sink);
	if (text)
		copy_child_over(t->c, text);
	_exit(0);
}

/* What has come is dealt with; then what was said is handed on, and then small files are synced. */
static int copy_take_next(struct copy_take *t, uint32_t *ret_type, const uint8_t **ret_body,
			  size_t *ret_len)
{
	size_t unsynced = sink_unsynced(t->sink);
	int rc = copy_child_next(t->c, 0, ret_type, ret_body, ret_len);

	if (rc == 0) {
		/* All of it, as the window may be smaller than a step. */
		copy_take_credit(t, 1);
		copy_child_flush(t->c);
		if (unsynced)
			rc = copy_child_next(t->c,
					     unsynced < COPY_TAKE_IDLE_MS ? (int)unsynced
									  : COPY_TAKE_IDLE_MS,
					     ret_type, ret_body, ret_len);
	}
	if (rc == 0) {
		sink_flush(t->sink);
		copy_child_flush(t->c);
		rc = copy_child_next(t->c, -1, ret_type, ret_body, ret_len);
	}
	return rc;
}

/* The folder is that which this copy had made: its name, and what it is in. */
static char *copy_take_above(const char *to, int *root)
{
	int above = openat(*root, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)close(*root);
	*root = above;
	return walk_name(to);
}

void copy_take(struct copy_child *c)
{
	struct copy_take t = {.c = c};
	struct sink_spec spec = {.checksum = c->open.checksum, .tell = copy_take_tell, .arg = &t};
	struct errmsg msg;
	const uint8_t *body;
	char *as;
	size_t len;
	uint32_t type;
	int rc;

	if (sink_root(c->open.to, c->open.several, &spec.root, &as, &msg) != 0)
		copy_child_over(c, msg.text);
	if (c->open.place == COPY_PLACE_NAME && !as)
		as = copy_take_above(c->open.to, &spec.root);
	spec.as = as;
	t.sink = sink_new(&spec);
	if (c->open.place == COPY_PLACE_TELL) {
		copy_take_tell(&t, 0, as ? SINK_WRITTEN : SINK_SAME, 0, NULL);
		copy_child_flush(c);
	}
	free(as);
	for (;;) {
		if (copy_take_next(&t, &type, &body, &len) < 0)
			copy_take_leave(&t, NULL);
		rc = 0;
		if (type == MSG_COPY_ENTRY)
			rc = copy_take_entry(&t, body, len, &msg);
		else if (type == MSG_COPY_DATA)
			rc = copy_take_data(&t, body, len, &msg);
		else if (type == MSG_COPY_END)
			break;
		if (rc)
			copy_take_leave(&t, msg.text);
		copy_take_credit(&t, COPY_TAKE_STEP);
	}
	sink_end(t.sink);
	sink_free(t.sink);
	copy_child_over(c, NULL);
}
