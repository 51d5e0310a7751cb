/*
 * Writing results: threads of its own write to stdout and stderr, so that a reader who is slow or
 * stopped never blocks the loop. Where both are the same terminal or file, things are written in
 * the order in which they were added; otherwise neither waits for the reader of the other.
 */
#ifndef MUSTER_OUT_H
#define MUSTER_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "loop.h"

struct out;

struct out_events {
	void (*room)(void *arg);	      /* after out_is_full: there is room again */
	void (*failed)(void *arg, int error); /* stdout cannot be written any more; once */
};

/* Freed by out_free. */
struct out *out_new(struct loop *loop, const struct out_events *events, void *arg);

/* Adds what data holds, for stdout (fd 1) or stderr (fd 2); data is empty afterwards. */
void out_add(struct out *out, int fd, struct buf *data);

/* Memory of something that has been written, if there is some: makes data, which is empty and holds
 * none, an empty buffer with room. For who adds much: fresh memory costs more than what is done
 * with it. */
void out_spare(struct out *out, struct buf *data);

/*
 * Tells, from the loop, when all that was added before has been written (written false: it could
 * not be, or out_free came first; then maybe not from the loop). Once.
 */
typedef void out_mark_fn(void *arg, bool written);
void out_mark(struct out *out, out_mark_fn *fn, void *arg);

/*
 * From now on what is written to stdout, if that is a pipe, counts as written only when the reader
 * has taken it out: what a reader who leaves has not read is not lost without a word.
 */
void out_await_reader(struct out *out);

/* More than OUT_QUEUE bytes wait: add nothing more than what is at hand. */
#define OUT_QUEUE (1u << 20)
bool out_is_full(struct out *out);

/* Waits until all is written and ends the threads: no event comes, and nothing may be added, after
 * it. Returns the errno that stdout failed with, or 0. */
int out_close(struct out *out);

/* The same, but waits at most max_ms for a reader who may never read, and forgets what is left
 * then. */
int out_leave(struct out *out, unsigned max_ms);

/* Closes it if that has not been done, and frees it, at the latest with the loop. NULL is fine. */
void out_free(struct out *out);

#endif
