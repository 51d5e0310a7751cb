/* Bytes that wait to be sent: pieces that are freed as they go, so that a long queue of the past
 * costs nothing. All zero is empty. */
#ifndef MUSTER_CONN_QUEUE_H
#define MUSTER_CONN_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct conn_piece;

struct conn_queue {
	struct conn_piece *first;
	struct conn_piece *last;
	size_t len;
};

/* Appends a copy. */
void conn_queue_add(struct conn_queue *queue, const void *data, size_t len);

/* The bytes at the front, as many as lie together; NULL and 0 if there are none. Borrowed until the
 * next call. */
const void *conn_queue_front(const struct conn_queue *queue, size_t *ret_len);

/* Removes n of the bytes that conn_queue_front gives. */
void conn_queue_take(struct conn_queue *queue, size_t n);

/* Forgets all. */
void conn_queue_done(struct conn_queue *queue);

#endif
