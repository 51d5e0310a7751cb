/* Only for writer*.c. */
#ifndef MUSTER_STORE_WRITER_PRIVATE_H
#define MUSTER_STORE_WRITER_PRIVATE_H

#include <pthread.h>

#include "seglog.h"
#include "writer.h"

struct writer {
	struct writer_options options;
	char *path;
	pthread_t thread;
	pthread_mutex_t db_lock; /* taken before lock, if both are */

	/* The thread's alone. */
	struct seglog log;

	/* Guarded by lock. What a batch holds that was taken is the thread's. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct queue queue;
	uint64_t size;
	uint64_t hurry_ns; /* since when somebody waits for what was not taken; 0: nobody */
	uint64_t sleep_ns; /* until when it sleeps */
	uint64_t retry_ns; /* full: when to try again; 0: it is well */
	uint64_t close_ns; /* when to give up; 0: nobody closes it */
	uint32_t durable;  /* segment up to which it was written */
	unsigned posted;   /* messages to the loop that have not come */
	bool failed;
	bool ended; /* the thread */

	/* The loop's. */
	bool closed;	/* the last message frees it */
	bool abandoned; /* nobody does: the thread hangs */
};

enum writer_outcome { WRITER_DONE, WRITER_FULL, WRITER_FAILED };

/* Writes the batches from first to last. Not with the lock. */
enum writer_outcome writer_group(struct writer *writer, struct queue_batch *first,
				 const struct queue_batch *last, struct errmsg *msg);
/* It was closed, and all is written: says so at the end of the segment. Not with the lock. */
void writer_mark_end(struct writer *writer);
/* There is no room: does what makes some, of all that waits up to last. True if there is more now.
 * Not with the lock. */
bool writer_make_room(struct writer *writer, struct queue_batch *first,
		      const struct queue_batch *last);

#endif
