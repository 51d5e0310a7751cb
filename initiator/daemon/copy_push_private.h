/* The inside of a copy to a host: copy_push.c (names and answers), copy_push_read.c (bytes). */
#ifndef MUSTER_COPY_PUSH_PRIVATE_H
#define MUSTER_COPY_PUSH_PRIVATE_H

#include "copy_msg.h"
#include "copy_push.h"
#include "sink.h"

/* A name that was told and is not finished. */
struct push_item {
	struct push_item *next;
	size_t at_plan;
	uint64_t index;
	uint64_t size; /* as was told */
	int64_t mtime_ns;
	uint64_t at;
	bool wanted;
	bool again; /* it has changed once */
};

/* What was not finished when a connection was lost. */
struct push_redo {
	size_t at_plan;
	bool again;
};

struct copy_push {
	struct copy_push_spec spec;
	uint64_t task; /* 0: there is no connection */
	struct push_item *first;
	struct push_item **last;
	size_t count;
	size_t large;
	size_t next;  /* of the plan */
	size_t known; /* below it nothing is told a second time, but for folders and redo */
	struct push_redo *redo;
	size_t redo_count;
	size_t redo_low; /* none is below this */
	uint64_t index;
	uint64_t in_flight;
	size_t piece; /* bytes of a file that are read at once */
	struct push_read *read;
	struct copy_plan_wait wait;
	bool pumping;
	bool ended; /* COPY_END was sent */
	struct copy_tally tally;
};

/* The next piece of what is wanted. True: it was sent, and there may be another. */
bool push_read_next(struct copy_push *push);
/* Nobody wants any more what is being read. */
void push_read_cancel(struct copy_push *push);

/* Tells, sends and asks for what can be now. */
void push_pump(struct copy_push *push);
struct push_item *push_find(const struct copy_push *push, uint64_t index);
void push_drop(struct copy_push *push, struct push_item *item);
void push_fail(struct copy_push *push, size_t at_plan, const char *text);
/* It is told anew. */
void push_tell_again(struct copy_push *push, size_t at_plan);
void push_send(struct copy_push *push, struct buf *frame, size_t begin, enum message_type type);

#endif
