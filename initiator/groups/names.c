#include "names.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "alloc.h"
#include "clock.h"

#define NAMES_FIRST_SLOTS 64u

/* Two lanes of multiplications, folded: fast, and not to be steered without the key. */
static uint64_t names_mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = a;

	product *= b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t names_hash(const struct names *names, const char *name, size_t n)
{
	uint64_t h = names->key[0] ^ n, word;
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		memcpy(&word, name + i, 8);
		h = names_mix(h ^ word, names->key[1]);
	}
	word = 0;
	if (i < n)
		memcpy(&word, name + i, n - i);
	h = names_mix(h ^ word, names->key[1]);
	return (uint32_t)names_mix(h, names->key[0] | 1);
}

/* The slot that has the name, or the free one where it belongs. */
static struct names_slot *names_slot(const struct names *names, uint32_t hash, const char *name,
				     size_t n)
{
	size_t mask = names->slot_count - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct names_slot *slot = &names->slots[i];

		if (!slot->number ||
		    (slot->hash == hash && slot->len == n && memcmp(slot->name, name, n) == 0))
			return slot;
	}
}

uint32_t names_find(const struct names *names, const char *name, size_t n)
{
	if (!names->slot_count)
		return NAMES_NONE;
	return names_slot(names, names_hash(names, name, n), name, n)->number - 1;
}

static void names_grow(struct names *names)
{
	struct names_slot *old = names->slots;
	size_t old_count = names->slot_count;

	if (!old_count &&
	    getrandom(names->key, sizeof names->key, GRND_NONBLOCK) != (ssize_t)sizeof names->key) {
		names->key[0] = clock_mono_ns();
		names->key[1] = clock_wall_ns() * UINT64_C(0x9e3779b97f4a7c15);
	}
	names->key[1] |= 1;
	names->slot_count = old_count ? old_count * 2 : NAMES_FIRST_SLOTS;
	names->slots = xcalloc(names->slot_count, sizeof *names->slots);
	for (size_t i = 0; i < old_count; i++) {
		size_t at = old[i].hash & (names->slot_count - 1);

		if (!old[i].number)
			continue;
		while (names->slots[at].number)
			at = (at + 1) & (names->slot_count - 1);
		names->slots[at] = old[i];
	}
	free(old);
}

uint32_t names_add(struct names *names, const char *name, size_t n)
{
	uint32_t hash;

	if (((size_t)names->count + 1) * 2 > names->slot_count)
		names_grow(names);
	hash = names_hash(names, name, n);
	*names_slot(names, hash, name, n) = (struct names_slot){hash, names->count + 1, name, n};
	return names->count++;
}

void names_done(struct names *names)
{
	free(names->slots);
	*names = (struct names){0};
}
