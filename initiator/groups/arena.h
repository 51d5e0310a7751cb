/* Texts that all live until the end. The owner embeds it; all zero is empty and valid. */
#ifndef MUSTER_ARENA_H
#define MUSTER_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks;
	size_t left; /* in the first one */
};

/* n bytes, not aligned, until arena_done. */
char *arena_take(struct arena *arena, size_t n);

/* A copy of n bytes, and a NUL behind it. */
const char *arena_text(struct arena *arena, const char *text, size_t n);

void arena_done(struct arena *arena);

#endif
