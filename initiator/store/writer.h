/*
 * The thread that writes: it takes groups off the queue, makes their frames durable, then their
 * rows, then tells. Functions are for the loop's thread.
 */
#ifndef MUSTER_STORE_WRITER_H
#define MUSTER_STORE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "disk.h"
#include "queue.h"
#include "store.h"

struct writer;

struct writer_options {
	struct loop *loop;
	const struct disk *disk; /* these two are used by the thread until writer_close */
	struct db *db;
	const char *path; /* for people; copied */
	uint64_t mark;	  /* of the store */
	uint32_t segment; /* that is appended to, and its size; 0: none */
	uint64_t segment_size;
	uint64_t size; /* bytes of all segments */
	uint64_t size_limit;
	uint64_t reserve;
	/* A group is durable. What it holds may close the writer. */
	void (*durable)(void *arg);
	void (*trouble)(void *arg, enum store_trouble what, const char *text);
	void *arg;
};

/* ERR_SYS: there is no thread to be had. */
int writer_new(struct writer **ret, const struct writer_options *options, struct errmsg *msg);

/* Waits until all is written, at most 5 s. False if the thread hangs in the system: disk and db are
 * still used then. NULL is fine. */
bool writer_close(struct writer *writer);

/* Locks and gives the batch to be added to; writer_filled unlocks. NULL (and not locked) if it has
 * failed: what nobody will write is not kept. */
struct queue_batch *writer_fill(struct writer *writer, struct queue **ret_queue);
void writer_filled(struct writer *writer);

void writer_wait(struct writer *writer, loop_fn *fn, void *arg);
bool writer_find(struct writer *writer, struct store_place place, struct buf *out);

bool writer_has_failed(struct writer *writer);
uint64_t writer_pending(struct writer *writer);
uint64_t writer_size(struct writer *writer);
/* All of smaller number is durable. */
uint32_t writer_durable_segment(struct writer *writer);

/* While the database is held the thread does not use it. */
void writer_hold_db(struct writer *writer);
void writer_release_db(struct writer *writer);

#endif
