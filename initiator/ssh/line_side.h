/*
 * What runs on the I/O thread between a connection and the main loop: bytes in, messages out. It
 * may talk with the other side before there is anything to tell, as a bootstrap does, and check
 * what comes.
 */
#ifndef MUSTER_LINE_SIDE_H
#define MUSTER_LINE_SIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "conn.h"

struct line_io;

/* All but drop are called on the I/O thread. */
struct line_side {
	/* The line begins to connect. Returns its state. order is the line's, and nobody changes it
	 * before the side has told something. */
	void *(*begin)(struct line_io *io, const void *order);
	void (*running)(void *side);
	void (*data)(void *side, bool is_error, const void *data, size_t len);
	/* The connection has ended, but one that was given up for another (line_io_connect). False:
	 * the line ends by this result. True: what the side has told ends it. */
	bool (*end)(void *side, const struct conn_result *result);
	/* The line is gone, or tries again from the start. */
	void (*free)(void *side);
	/* On the main loop: the line is gone, and nobody has the order any more. */
	void (*drop)(void *order);
};

/* For the side, on its thread. */
struct loop *line_io_loop(struct line_io *io);
void line_io_write(struct line_io *io, const void *data, size_t len);
/* For the event told. Comes behind what was put. */
void line_io_tell(struct line_io *io, unsigned what, const void *data, size_t len);
/* Bytes for the event data, which come together at the end of the burst. */
void line_io_put(struct line_io *io, const void *data, size_t len);
/* Gives the connection up and begins another with this command, soon. Not from inside of begin. */
void line_io_connect(struct line_io *io, const char *command);
/* Ends the line by this result, from the loop. Nothing is told after it. */
void line_io_end(struct line_io *io, const struct conn_result *result);

#endif
