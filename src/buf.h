/* A growing byte buffer. The owner embeds it; all zero is empty and valid. */
#ifndef MUSTER_BUF_H
#define MUSTER_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data; /* size bytes, of which the first len are used */
	size_t len;
	size_t size;
};

/* Frees what the buffer holds and makes it empty. */
void buf_done(struct buf *b);

/* Forgets the content and keeps the memory. */
void buf_clear(struct buf *b);

/* Makes room for more bytes and returns where they go, never NULL; the caller then adds to len. */
uint8_t *buf_room(struct buf *b, size_t more);

/* Appends. */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_str(struct buf *b, const char *text);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Removes n bytes (at most len) from the front. Moves the rest: call it once for many items. */
void buf_consume(struct buf *b, size_t n);

/* The content as a C string: appends a NUL that is not counted. Valid until the next call. */
const char *buf_cstr(struct buf *b);

/* Hands the content out as a C string that the caller frees; the buffer is then empty. */
char *buf_take_str(struct buf *b);

#endif
