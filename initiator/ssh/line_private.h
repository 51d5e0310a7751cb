/* The two halves of a line: line.c on the main loop, line_io.c on an I/O thread. */
#ifndef MUSTER_LINE_PRIVATE_H
#define MUSTER_LINE_PRIVATE_H

#include "buf.h"
#include "client_way.h"
#include "conn.h"
#include "line.h"
#include "line_side.h"
#include "shard.h"

/* Input that has been given to SSH is told of in such steps. */
#define LINE_TAKEN_STEP (64u << 10)
/* What has come and the main loop has not taken: above it nothing more is read. It tells what it
 * took in such steps. */
#define LINE_AHEAD	   (512u << 10)
#define LINE_CONSUMED_STEP (128u << 10)

struct lines {
	struct loop *loop;
	struct ssh_engine *engine; /* the slots */
	struct shards *shards;
	struct pacer *pacer;
	struct bastions *bastions;
	struct proxies *proxies;
	struct event *look; /* at who waits for whom */
};

/* lines.c: somebody may wait now. */
void lines_look(struct lines *lines);

/* One attempt. Of the I/O thread from its first call to LINE_GONE, but for what is constant. */
struct line_io {
	struct line *line; /* constant; for the main loop */
	struct shard *shard;
	struct conn_spec spec; /* strings that are the line's */
	const struct line_side *side;
	const void *order;

	void *state; /* of the side */
	struct client_way way;
	char *command; /* another than the line's; NULL: that */
	struct event *again;
	struct event *listen;	/* the end of a LINE_LISTEN; NULL: there never was one */
	bool heard;		/* something has come since it began */
	struct buf out;		/* pieces, each behind a struct line_piece */
	size_t last_piece;	/* where it begins */
	size_t ahead;		/* bytes that were told and not taken */
	struct shard_wait wait; /* of all on the thread there are too many */
	uint64_t written;	/* by the main loop */
	uint64_t taken_told;	/* of them */
	bool hold;		/* is asked for */
	bool finish;
	bool stop; /* is asked for */
	bool over; /* nothing is told any more */
};

struct line_piece {
	uint32_t is_error;
	uint32_t len;
};

enum line_note_kind {
	LINE_RUNNING, /* data: the host key */
	LINE_DATA,    /* pieces */
	LINE_TAKEN,   /* number: all that SSH has got so far */
	LINE_SUSPENDED,
	LINE_SILENT, /* number: nothing has come meanwhile */
	LINE_TOLD,
	LINE_END,
	LINE_GONE,
	LINE_NOTE_COUNT
};

/* From the I/O thread. */
struct line_note {
	struct line_io *io;
	enum line_note_kind kind;
	uint64_t number;
	struct conn_result *result;
	struct buf data;
};

enum line_order_kind {
	LINE_START,
	LINE_WRITE,
	LINE_FINISH,
	LINE_HOLD,
	LINE_SUSPEND,
	LINE_STOP,
	LINE_CONSUMED,
	LINE_LISTEN, /* the answer is LINE_SILENT */
	LINE_CLOSE,  /* the answer is LINE_GONE */
	LINE_ORDER_COUNT
};

/* From the main loop. */
struct line_order {
	struct line_io *io;
	enum line_order_kind kind;
	uint64_t number;
	size_t len;
	uint8_t data[];
};

void line_on_order(void *order); /* line_io.c */
void line_on_note(void *note);	 /* line.c */

/* line_spec.c: a copy of all that it borrows; its order goes to drop. */
struct line_spec line_spec_copy(const struct line_spec *from);
void line_spec_done(struct line_spec *spec);

#endif
