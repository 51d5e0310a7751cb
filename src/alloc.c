#include "alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn void alloc_die(size_t size)
{
	(void)dprintf(STDERR_FILENO, "muster: out of memory (%zu bytes)\n", size);
	exit(1);
}

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		alloc_die(size);
	return p;
}

void *xcalloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (!p)
		alloc_die(count * size);
	return p;
}

void *xrealloc(void *old, size_t count, size_t size)
{
	void *p;

	if (size && count > SIZE_MAX / size)
		alloc_die(SIZE_MAX);
	p = realloc(old, count && size ? count * size : 1);
	if (!p)
		alloc_die(count * size);
	return p;
}

char *xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

char *xstrndup(const char *text, size_t max)
{
	size_t len = strnlen(text, max);
	char *p = xmalloc(len + 1);

	memcpy(p, text, len);
	p[len] = '\0';
	return p;
}

char *xasprintf(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		alloc_die(0);
	return text;
}
