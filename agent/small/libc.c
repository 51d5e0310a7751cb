/*
 * In the agent that is sent to targets these take the place of those of the libc, which a static
 * program then does not contain. Everywhere else the libc's own are used: here is nothing then.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "number.h"
#include "print.h"
#include "sort.h"

#ifdef MUSTER_SMALL_LIBC

_Static_assert(sizeof(long) == sizeof(uint64_t), "strtol and setrlimit know only this");

int vsnprintf(char *out, size_t size, const char *fmt, va_list ap)
{
	return print_text(out, size, fmt, ap);
}

int snprintf(char *out, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = print_text(out, size, fmt, ap);
	va_end(ap);
	return n;
}

int vasprintf(char **ret_text, const char *fmt, va_list ap)
{
	char *text = NULL;
	int n = print_text(NULL, 0, fmt, ap);

	if (n >= 0)
		text = malloc((size_t)n + 1);
	if (!text)
		return -1;
	*ret_text = text;
	return print_text(text, (size_t)n + 1, fmt, ap);
}

/* What is written here is a line for a person: longer ones are cut. */
int dprintf(int fd, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = print_text(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof text)
		n = sizeof text - 1;
	return n < 0 ? n : (int)write(fd, text, (size_t)n);
}

void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
{
	sort_heap(base, count, size, compare);
}

unsigned long strtoul(const char *text, char **ret_end, int base)
{
	struct number n = number_read(text, base);

	if (ret_end)
		*ret_end = (char *)(uintptr_t)n.end;
	if (n.overflow) {
		errno = ERANGE;
		return ULONG_MAX;
	}
	return n.negative ? -n.value : n.value;
}

long strtol(const char *text, char **ret_end, int base)
{
	struct number n = number_read(text, base);

	if (ret_end)
		*ret_end = (char *)(uintptr_t)n.end;
	if (n.value > (uint64_t)LONG_MAX + n.negative) {
		errno = ERANGE;
		return n.negative ? LONG_MIN : LONG_MAX;
	}
	return (long)(n.negative ? -n.value : n.value);
}

long long strtoll(const char *text, char **ret_end, int base)
{
	return strtol(text, ret_end, base);
}

unsigned long long strtoull(const char *text, char **ret_end, int base)
{
	return strtoul(text, ret_end, base);
}

/* That of musl is ready to ask all threads, with all that this takes: here is one. */
int setrlimit(int resource, const struct rlimit *limit)
{
	return (int)syscall(SYS_setrlimit, resource, limit);
}

#endif
