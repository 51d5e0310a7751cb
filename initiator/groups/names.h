/* Names to numbers, counted up from 0: a hash table with a key that nobody can guess. */
#ifndef MUSTER_NAMES_H
#define MUSTER_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct names_slot {
	uint32_t hash;
	uint32_t number; /* + 1; 0: free */
	const char *name;
	size_t len;
};

/* All zero is empty and valid. */
struct names {
	struct names_slot *slots;
	size_t slot_count; /* a power of two, or 0 */
	uint32_t count;
	uint64_t key[2];
};

#define NAMES_NONE UINT32_MAX

/* The number of a name, or NAMES_NONE. */
uint32_t names_find(const struct names *names, const char *name, size_t n);

/* Adds a name that is not there, which must stay where it is. Returns its number. */
uint32_t names_add(struct names *names, const char *name, size_t n);

void names_done(struct names *names);

#endif
