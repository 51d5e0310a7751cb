#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define BUF_FIRST_SIZE 256u

void buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
	b->len = 0;
}

uint8_t *buf_room(struct buf *b, size_t more)
{
	size_t size = b->size ? b->size : BUF_FIRST_SIZE;

	if (more > SIZE_MAX / 2 - b->len)
		alloc_die(more);
	if (!b->data || b->len + more > b->size) {
		while (size < b->len + more)
			size *= 2;
		b->data = xrealloc(b->data, size, 1);
		b->size = size;
	}
	return b->data + b->len;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	if (!len)
		return;
	memcpy(buf_room(b, len), data, len);
	b->len += len;
}

void buf_add_str(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	size_t room = b->size - b->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room ? (char *)b->data + b->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n <= 0)
		return;
	if ((size_t)n >= room) {
		room = (size_t)n + 1;
		va_start(ap, fmt);
		(void)vsnprintf((char *)buf_room(b, room), room, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

void buf_consume(struct buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
		return;
	}
	if (!n)
		return;
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}

const char *buf_cstr(struct buf *b)
{
	*buf_room(b, 1) = '\0';
	return (const char *)b->data;
}

char *buf_take_str(struct buf *b)
{
	char *text;

	*buf_room(b, 1) = '\0';
	text = xrealloc(b->data, b->len + 1, 1);
	*b = (struct buf){0};
	return text;
}
