/*
 * Which of the hosts of an array is this one: a hash set of their indices. It is made no earlier
 * than somebody asks: most lists are only written and read.
 */
#ifndef MUSTER_HOSTINDEX_H
#define MUSTER_HOSTINDEX_H

#include <stddef.h>
#include <stdint.h>

struct host;
struct host_text;

struct hostindex_slot {
	uint32_t hash;
	uint32_t ref; /* index + 1; 0: free */
};

/* The owner embeds it; all zero is empty and valid. */
struct hostindex {
	struct hostindex_slot *slots; /* open addressing, at most half full */
	size_t slot_count;	      /* a power of two, or 0 */
	size_t done;		      /* so many of the hosts are in it, the first ones */
};

/* Forgets all, and frees what it holds: after hosts have moved or gone. */
void hostindex_done(struct hostindex *index);

/* Where the host is among the count hosts, of which no two are the same; SIZE_MAX: nowhere. Those
 * that have come since the last time are taken in first. */
size_t hostindex_find(struct hostindex *index, const struct host *hosts, size_t count,
		      const struct host_text *host);

/* The same, but what is nowhere is taken in as number count: the caller must put it there. */
size_t hostindex_put(struct hostindex *index, const struct host *hosts, size_t count,
		     const struct host_text *host);

#endif
