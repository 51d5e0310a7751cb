#include "feed.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "limits.h"

/* Pieces never move, so that what was peeked stays. All but the last are full. */
struct feed {
	uint8_t **pieces;
	size_t count;
	size_t size;
	uint64_t len;
	bool ended;
};

struct feed *feed_new(void)
{
	return xcalloc(1, sizeof(struct feed));
}

void feed_free(struct feed *feed)
{
	if (!feed)
		return;
	for (size_t i = 0; i < feed->count; i++)
		free(feed->pieces[i]);
	free(feed->pieces);
	free(feed);
}

/* The last piece, or a new one behind it. */
static uint8_t *feed_open_piece(struct feed *feed)
{
	if (feed->len < (uint64_t)feed->count * LIMIT_STDIN_PIECE)
		return feed->pieces[feed->count - 1];
	if (feed->count == feed->size) {
		feed->size = feed->size ? feed->size * 2 : 8;
		feed->pieces = xrealloc(feed->pieces, feed->size, sizeof(uint8_t *));
	}
	feed->pieces[feed->count] = xmalloc(LIMIT_STDIN_PIECE);
	return feed->pieces[feed->count++];
}

int feed_add(struct feed *feed, const void *data, size_t len, struct errmsg *msg)
{
	const uint8_t *p = data;

	if (feed->ended)
		return err_set(msg, ERR_ORDER, "input after the end of the input");
	if (len > LIMIT_STDIN - feed->len)
		return err_set(msg, ERR_LIMIT,
			       "the standard input of a job is larger than %u MiB: copy it to the "
			       "hosts as a file",
			       LIMIT_STDIN >> 20);
	while (len) {
		uint8_t *piece = feed_open_piece(feed);
		size_t at = (size_t)(feed->len % LIMIT_STDIN_PIECE);
		size_t n = LIMIT_STDIN_PIECE - at < len ? LIMIT_STDIN_PIECE - at : len;

		memcpy(piece + at, p, n);
		feed->len += n;
		p += n;
		len -= n;
	}
	return 0;
}

void feed_end(struct feed *feed)
{
	feed->ended = true;
}

size_t feed_peek(const struct feed *feed, uint64_t offset, const void **ret_data)
{
	size_t at = (size_t)(offset % LIMIT_STDIN_PIECE);
	uint64_t n;

	if (offset >= feed->len)
		return 0;
	*ret_data = feed->pieces[offset / LIMIT_STDIN_PIECE] + at;
	n = feed->len - offset;
	return n < LIMIT_STDIN_PIECE - at ? (size_t)n : LIMIT_STDIN_PIECE - at;
}

bool feed_is_end(const struct feed *feed, uint64_t offset)
{
	return feed->ended && offset >= feed->len;
}
