/*
 * A connection as the main loop sees it: the place where jobs are. The connection itself (conn.h)
 * lives on an I/O thread (shard.h); what is asked of it and what it tells cross as messages. Here
 * it is decided when it may begin (descriptors, pacer.h), and whether it is tried again.
 */
#ifndef MUSTER_LINE_H
#define MUSTER_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn.h"
#include "loop.h"

struct line;
struct lines;
struct bastions;
struct line_side;

/* threads: how many I/O threads at most. fd_limit: open files that this process may have. */
struct lines *lines_new(struct loop *loop, unsigned threads, size_t fd_limit);
/* After every line was freed, or will be by what is deferred on the loop. Waits for the threads.
 * NULL is fine. */
void lines_free(struct lines *lines);

/* Connections that hold a place now, how many may, and the threads that there are. */
size_t lines_in_use(const struct lines *lines);
size_t lines_slots(const struct lines *lines);
unsigned lines_threads(const struct lines *lines);

/* What connections go through (bastion.h); theirs. */
struct bastions *lines_bastions(struct lines *lines);

struct line_spec {
	/* As in conn.h; its plan is held, and what it borrows is copied. */
	struct conn_spec conn;
	/* How often it is tried again after an end that may pass, 1 more than that; 0: by its kind
	 * (pacer.h). */
	uint64_t retries;
	/* What runs on the I/O thread between connection and messages; NULL: nothing, the bytes
	 * come as they are. order is for it, and goes to its drop with the line. */
	const struct line_side *side;
	void *order;
};

/* All on the main loop, none before line_start returns. The first six as in conn.h. */
struct line_events {
	void (*running)(void *arg);
	void (*data)(void *arg, bool is_error, const void *data, size_t len);
	void (*burst_end)(void *arg);
	void (*writable)(void *arg);
	void (*suspended)(void *arg, bool suspended);
	/* The last event; the line is gone when it returns. */
	void (*end)(void *arg, const struct conn_result *result);
	/* The answer to line_listen. May be NULL if nobody asks. */
	void (*listened)(void *arg, bool silent);
	/* What a side says (line_io_tell). */
	void (*told)(void *arg, unsigned what, const void *data, size_t len);
};

/* events are borrowed until the end. */
struct line *line_start(struct lines *lines, const struct line_spec *spec,
			const struct line_events *events, void *arg);

/* As conn_stop, conn_suspend, conn_hold, conn_write, conn_queued and conn_finish. */
void line_stop(struct line *line);
void line_suspend(struct line *line, bool suspend);
void line_hold(struct line *line, bool hold);
void line_write(struct line *line, const void *data, size_t len);
size_t line_queued(const struct line *line);
void line_finish(struct line *line);

/*
 * Whether the other side is silent: listens for some seconds more on the I/O thread, which may be
 * behind, and answers behind all that has come until then. What is not read for our own sake is not
 * silent. Not again before the answer.
 */
void line_listen(struct line *line);

/* As conn_is_trusted. */
bool line_is_trusted(const struct line *line, const struct plan_target *target);

/* Ends it without an event; also from inside of one of its own. NULL is fine. */
void line_free(struct line *line);

#endif
