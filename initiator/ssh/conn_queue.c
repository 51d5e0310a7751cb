#include "conn_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

/* The first piece is small, as most messages are, and of a size that malloc keeps at hand; what
 * comes behind it is of a long queue. */
#define CONN_PIECE_SMALL 960u
#define CONN_PIECE_FIRST 4096u
/* What libssh fills two packets to OpenSSH with (its limit of 32 KiB, less 10). */
#define CONN_PIECE_NEXT (2u * 32758u)

struct conn_piece {
	struct conn_piece *next;
	size_t begin, end, size;
	uint8_t data[];
};

/* A password passes through here, too. */
static void conn_piece_free(struct conn_piece *piece)
{
	explicit_bzero(piece->data, piece->end);
	free(piece);
}

static struct conn_piece *conn_queue_grow(struct conn_queue *queue, size_t len)
{
	size_t size = len > CONN_PIECE_SMALL ? CONN_PIECE_FIRST : CONN_PIECE_SMALL;
	struct conn_piece *piece;

	if (queue->last || len > CONN_PIECE_FIRST)
		size = CONN_PIECE_NEXT;
	piece = xmalloc(sizeof *piece + size);
	*piece = (struct conn_piece){.size = size};
	if (queue->last)
		queue->last->next = piece;
	else
		queue->first = piece;
	queue->last = piece;
	return piece;
}

void conn_queue_add(struct conn_queue *queue, const void *data, size_t len)
{
	const uint8_t *from = data;

	while (len) {
		struct conn_piece *piece = queue->last;
		size_t n;

		if (!piece || piece->end == piece->size)
			piece = conn_queue_grow(queue, len);
		n = piece->size - piece->end;
		if (n > len)
			n = len;
		memcpy(piece->data + piece->end, from, n);
		piece->end += n;
		queue->len += n;
		from += n;
		len -= n;
	}
}

const void *conn_queue_front(const struct conn_queue *queue, size_t *ret_len)
{
	const struct conn_piece *piece = queue->first;

	*ret_len = piece ? piece->end - piece->begin : 0;
	return piece ? piece->data + piece->begin : NULL;
}

void conn_queue_take(struct conn_queue *queue, size_t n)
{
	struct conn_piece *piece = queue->first;

	if (!n)
		return;
	assert(piece && n <= piece->end - piece->begin);
	piece->begin += n;
	queue->len -= n;
	if (piece->begin < piece->end)
		return;
	queue->first = piece->next;
	if (!queue->first)
		queue->last = NULL;
	conn_piece_free(piece);
}

void conn_queue_done(struct conn_queue *queue)
{
	while (queue->first) {
		struct conn_piece *piece = queue->first;

		queue->first = piece->next;
		conn_piece_free(piece);
	}
	*queue = (struct conn_queue){0};
}
