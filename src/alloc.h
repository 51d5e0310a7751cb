/* Allocation that cannot fail: out of memory ends the program with a message (exit status 1). */
#ifndef MUSTER_ALLOC_H
#define MUSTER_ALLOC_H

#include <stddef.h>

/* As malloc(3), calloc(3), realloc(3) and strdup(3); the caller frees with free(3). */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *text, size_t max) __attribute__((malloc, returns_nonnull));

/* As asprintf(3), but returns the text; the caller frees it. */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* Ends the program as above: for a size that cannot even be computed. */
_Noreturn void alloc_die(size_t size);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
