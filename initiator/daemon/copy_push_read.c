/* The bytes of a copy to a host: a piece at a time, read by threads. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "copy_push_private.h"
#include "fd.h"
#include "limits.h"
#include "walk.h"

#define COPY_PUSH_CHANGED "it has changed while it was read"

/* A piece that a thread reads (copy_push_read.c). */
struct push_read {
	struct copy_push *push; /* NULL: nobody wants it any more */
	struct work_task *task;
	uint64_t index;
	uint64_t task_number;
	char *path;
	size_t top; /* of path, copy_name_top() */
	uint64_t size;
	int64_t mtime_ns;
	uint64_t at;
	size_t len;
	bool end;
	bool own_hash; /* the piece is the whole file */
	uint8_t hash[CONTENT_SIZE];
	struct buf frame;
	int error;
	bool changed;
	struct file_entry now;
};

/* --- bytes ---------------------------------------------------------------------------------- */

static int push_read_bytes(struct push_read *r, int fd, uint8_t *to)
{
	size_t done = 0;

	while (done < r->len) {
		ssize_t n = pread(fd, to + done, r->len - done, (off_t)(r->at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_SYS;
		if (n == 0)
			return ERR_CLOSED;
		done += (size_t)n;
	}
	return 0;
}

static bool push_read_is_same(struct push_read *r, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	walk_fill(&r->now, &st);
	return r->now.size == r->size && r->now.mtime_ns == r->mtime_ns;
}

/* The frame, ready to be sent: the loop has many of them to send. */
static void push_read_build(struct push_read *r, int fd)
{
	size_t begin = frame_begin(&r->frame);
	uint8_t *to;
	int rc;

	copy_data_put_head(&r->frame, r->task_number, r->index, r->len);
	to = buf_room(&r->frame, r->len + 64);
	rc = push_read_bytes(r, fd, to);
	if (rc == ERR_SYS)
		r->error = errno;
	if (rc || !push_read_is_same(r, fd)) {
		r->changed = !r->error;
		return;
	}
	if (r->own_hash) {
		struct content *content = content_new();

		content_add(content, to, r->len);
		content_end(content, r->hash);
		content_free(content);
	}
	r->frame.len += r->len;
	copy_data_put_tail(&r->frame, r->end, r->hash);
	if (frame_end(&r->frame, begin, MSG_COPY_DATA, 0, 0) != 0)
		abort();
}

static void push_read_run(void *arg)
{
	struct push_read *r = arg;
	struct stat st;
	int fd = walk_open(r->path, r->top, &st);

	if (fd < 0)
		r->error = errno;
	else if (!push_read_is_same(r, fd))
		r->changed = true;
	else
		push_read_build(r, fd);
	fd_close(&fd);
}

static void push_read_free(struct push_read *r)
{
	buf_done(&r->frame);
	free(r->path);
	free(r);
}

/* The host is told that no more comes; once it is told anew. */
static void push_break_off(struct copy_push *push, struct push_item *item,
			   const struct push_read *r)
{
	struct copy_data_msg m = {.task = push->task, .index = item->index, .failed = true};
	size_t at_plan = item->at_plan;
	bool again = item->again || !r->changed;
	struct buf frame = {0};
	size_t begin = frame_begin(&frame);

	copy_data_put(&frame, &m);
	push_send(push, &frame, begin, MSG_COPY_DATA);
	push_drop(push, item);
	if (again) {
		push_fail(push, at_plan, r->changed ? COPY_PUSH_CHANGED : strerror(r->error));
		return;
	}
	copy_plan_changed(push->spec.plan, at_plan, &r->now);
	push_tell_again(push, at_plan);
}

static void push_read_done(void *arg, bool cancelled)
{
	struct push_read *r = arg;
	struct copy_push *push = r->push;
	struct push_item *item;

	if (cancelled || !push) {
		push_read_free(r);
		return;
	}
	push->read = NULL;
	item = push_find(push, r->index);
	/* The host may have given it up in the meantime. */
	if (item && (r->error || r->changed)) {
		push_break_off(push, item, r);
	} else if (item) {
		push->spec.ops->send(push->spec.arg, &r->frame);
		push->in_flight += r->len;
		push->tally.moved += r->len;
		item->at += r->len;
		item->wanted = !r->end;
	}
	push_read_free(r);
	push_pump(push);
}

static struct push_item *push_wanted(const struct copy_push *push)
{
	struct push_item *item = push->first;

	while (item && !item->wanted)
		item = item->next;
	return item;
}

/* The end alone: of an empty file, and of one that had come whole when the link was lost. */
static void push_send_end(struct copy_push *push, struct push_item *item, uint8_t *hash)
{
	struct copy_data_msg m = {.task = push->task,
				  .index = item->index,
				  .end = true,
				  .hash = hash,
				  .hash_len = CONTENT_SIZE};
	struct buf frame = {0};
	size_t begin = frame_begin(&frame);

	copy_data_put(&frame, &m);
	push_send(push, &frame, begin, MSG_COPY_DATA);
	item->wanted = false;
}

static void push_hash_nothing(uint8_t ret[CONTENT_SIZE])
{
	struct content *content = content_new();

	content_end(content, ret);
	content_free(content);
}

static void push_read_start(struct copy_push *push, const struct push_item *item,
			    const uint8_t *hash)
{
	const struct copy_name *name = copy_plan_at(push->spec.plan, item->at_plan);
	struct push_read *r = xcalloc(1, sizeof *r);
	uint64_t left = item->size - item->at;

	r->push = push;
	r->index = item->index;
	r->task_number = push->task;
	r->path = xstrdup(name->path);
	r->top = copy_name_top(name);
	r->size = item->size;
	r->mtime_ns = item->mtime_ns;
	r->at = item->at;
	r->end = left <= push->piece;
	r->len = r->end ? (size_t)left : push->piece;
	r->own_hash = item->at == 0 && r->end;
	memcpy(r->hash, hash, sizeof r->hash);
	push->read = r;
	r->task = work_submit(push->spec.pool, push_read_run, push_read_done, r);
}

bool push_read_next(struct copy_push *push)
{
	struct push_item *item = push_wanted(push);
	uint8_t hash[CONTENT_SIZE] = {0};
	enum copy_hash known = COPY_HASH_KNOWN;
	uint64_t left;

	if (!item || push->read || push->in_flight >= push->spec.window)
		return false;
	left = item->size - item->at;
	/* From the first piece on, so that it is known at the last. */
	if (!item->size)
		push_hash_nothing(hash);
	else if (item->at || item->size > push->piece)
		known = copy_plan_hash(push->spec.plan, item->at_plan, hash);
	if (left <= push->piece && known == COPY_HASH_LATER) {
		copy_plan_wait(push->spec.plan, &push->wait);
		return false;
	}
	if (left) {
		push_read_start(push, item, hash);
		return false;
	}
	push_send_end(push, item, hash);
	return true;
}

void push_read_cancel(struct copy_push *push)
{
	if (!push->read)
		return;
	push->read->push = NULL;
	work_cancel(push->read->task);
	push->read = NULL;
}
