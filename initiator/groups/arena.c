#include "arena.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define ARENA_BLOCK (64u << 10)

struct arena_block {
	struct arena_block *next;
	size_t size;
	char bytes[];
};

static struct arena_block *arena_block(size_t size)
{
	struct arena_block *block = xmalloc(sizeof *block + size);

	block->size = size;
	return block;
}

char *arena_take(struct arena *arena, size_t n)
{
	struct arena_block *block = arena->blocks;

	if (n > ARENA_BLOCK / 4) { /* one of its own, behind the first: that has room still */
		struct arena_block *own = arena_block(n);

		own->next = block ? block->next : NULL;
		if (block)
			block->next = own;
		else
			arena->blocks = own;
		return own->bytes;
	}
	if (arena->left < n) {
		block = arena_block(ARENA_BLOCK);
		block->next = arena->blocks;
		arena->blocks = block;
		arena->left = ARENA_BLOCK;
	}
	arena->left -= n;
	return block->bytes + block->size - arena->left - n;
}

const char *arena_text(struct arena *arena, const char *text, size_t n)
{
	char *copy = arena_take(arena, n + 1);

	if (n)
		memcpy(copy, text, n);
	copy[n] = '\0';
	return copy;
}

void arena_done(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
	arena->left = 0;
}
