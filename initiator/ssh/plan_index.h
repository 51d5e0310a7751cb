/* Texts, each once and with a number: what the targets of a plan share is found by one. */
#ifndef MUSTER_PLAN_INDEX_H
#define MUSTER_PLAN_INDEX_H

#include <stddef.h>
#include <stdint.h>

/* The owner embeds it; all zero is empty and valid. */
struct plan_index {
	char **texts;
	size_t count, size;
	uint32_t *slots; /* numbers + 1, by hash; 0: free */
	size_t slot_count;
	size_t last; /* the number that was found last: hosts that are alike stand together */
};

#define PLAN_INDEX_NONE SIZE_MAX

/* The number of a text: they rise from 0 as texts are added. PLAN_INDEX_NONE: not there. */
size_t plan_index_find(struct plan_index *index, const char *text);
/* Adds a text that is not there, and takes it over. Returns its number. */
size_t plan_index_add(struct plan_index *index, char *text);
void plan_index_done(struct plan_index *index);

#endif
