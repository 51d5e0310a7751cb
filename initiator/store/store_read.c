/* Reading frames back, on threads. */
#include <errno.h>
#include <stdlib.h>

#include "store_private.h"

#include "alloc.h"
#include "frame.h"
#include "message.h"
#include "seglog.h"

struct store_read {
	struct store *store; /* NULL: it was closed */
	struct store_read *next, **link;
	struct work_task *task;
	const struct disk *disk;
	struct store_place place;
	uint64_t mark;
	store_read_fn *fn;
	void *arg;
	struct buf data; /* the whole entry */
	struct frame frame;
	int rc;
};

/* Any thread. */
static int store_read_parse(struct store_read *read)
{
	struct frame *frame = &read->frame;
	int64_t used = frame_parse(read->data.data, read->data.len, frame, NULL);

	if (used <= 0 || (size_t)used != read->data.len || frame->type != MSG_STORE_FRAME ||
	    !entry_is(frame->type, frame->len) || entry_mark(frame->body) != read->mark)
		return ERR_PROTO;
	return 0;
}

static void store_read_run(void *arg)
{
	struct store_read *read = arg;
	int r = 0;

	if (!read->data.len)
		r = seglog_read(read->disk, read->place.segment, read->place.at, read->place.len,
				&read->data);
	if (r == -ENOENT)
		read->rc = ERR_NOTFOUND;
	else if (r == -ENODATA)
		read->rc = ERR_PROTO;
	else if (r < 0)
		read->rc = ERR_SYS;
	else
		read->rc = store_read_parse(read);
}

static void store_read_unlink(struct store_read *read)
{
	if (!read->link)
		return;
	*read->link = read->next;
	if (read->next)
		read->next->link = read->link;
	read->link = NULL;
}

static void store_read_done(void *arg, bool cancelled)
{
	struct store_read *read = arg;
	struct store_frame frame;

	store_read_unlink(read);
	if (!cancelled && read->fn) {
		if (read->rc == 0)
			entry_get_frame(&frame, read->frame.body, read->frame.len);
		read->fn(read->arg, read->rc, read->rc == 0 ? &frame : NULL);
	}
	buf_done(&read->data);
	free(read);
}

struct store_read *store_read(struct store *store, struct store_place place, store_read_fn *fn,
			      void *arg)
{
	struct store_read *read = xcalloc(1, sizeof *read);

	read->store = store;
	read->disk = store->disk;
	read->mark = store->mark;
	read->place = place;
	read->fn = fn;
	read->arg = arg;
	read->next = store->reads;
	read->link = &store->reads;
	if (read->next)
		read->next->link = &read->next;
	store->reads = read;
	(void)writer_find(store->writer, place, &read->data);
	read->task = work_submit(store->pool, store_read_run, store_read_done, read);
	return read;
}

void store_read_cancel(struct store_read *read)
{
	if (!read)
		return;
	read->fn = NULL;
	work_cancel(read->task);
}

void store_read_close(struct store *store)
{
	while (store->reads) {
		struct store_read *read = store->reads;

		read->fn = NULL;
		store_read_unlink(read);
	}
}
