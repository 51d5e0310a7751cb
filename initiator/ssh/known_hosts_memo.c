/*
 * Which hashed line is for which name. Hosts may share one key, as clones do: then it says nothing,
 * and without this, each name would take an HMAC for each line.
 *
 * All of it are hints, written by any thread and believed only after an HMAC: a name finds its line
 * again at once, and a line that is someone's is tried last. As hosts mostly stand in the file in
 * the order in which they are connected to, the first line that is nobody's is mostly near.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "known_hosts_private.h"

#define MEMO_PROBES 8u

struct known_memo {
	size_t slot_count;	 /* a power of two */
	_Atomic uint64_t *slots; /* half of the hash of a name, and 1 + a position in kh->hashed */
	_Atomic uint64_t *assigned; /* a bit for each position: it is someone's */
};

void known_memo_build(struct known_hosts *kh)
{
	struct known_memo *memo;

	if (!kh->hashed_count)
		return;
	memo = xcalloc(1, sizeof *memo);
	memo->slot_count = 16;
	while (memo->slot_count < (size_t)kh->hashed_count * 2)
		memo->slot_count *= 2;
	memo->slots = xcalloc(memo->slot_count, sizeof *memo->slots);
	memo->assigned = xcalloc(kh->hashed_count / 64 + 1, sizeof *memo->assigned);
	kh->memo = memo;
}

void known_memo_free(struct known_memo *memo)
{
	if (!memo)
		return;
	free(memo->slots);
	free(memo->assigned);
	free(memo);
}

size_t known_memo_size(const struct known_hosts *kh)
{
	return kh->memo ? kh->memo->slot_count * sizeof *kh->memo->slots + kh->hashed_count / 8 : 0;
}

static uint64_t memo_hash(const char *name)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(1099511628211);
	return hash;
}

static size_t memo_slot(const struct known_memo *memo, uint64_t hash, size_t probe)
{
	return ((hash ^ hash >> 32) + probe) & (memo->slot_count - 1);
}

static uint64_t memo_value(uint64_t hash, size_t at)
{
	return (hash & ~(uint64_t)UINT32_MAX) | (at + 1);
}

static bool memo_is_assigned(const struct known_memo *memo, size_t at)
{
	return atomic_load_explicit(&memo->assigned[at / 64], memory_order_relaxed) >> at % 64 & 1;
}

static void memo_note(struct known_memo *memo, const char *name, size_t at)
{
	uint64_t hash = memo_hash(name), value = memo_value(hash, at);

	(void)atomic_fetch_or_explicit(&memo->assigned[at / 64], UINT64_C(1) << at % 64,
				       memory_order_relaxed);
	for (size_t i = 0; i < MEMO_PROBES; i++) {
		size_t slot = memo_slot(memo, hash, i);
		uint64_t empty = 0;

		if (atomic_compare_exchange_strong_explicit(&memo->slots[slot], &empty, value,
							    memory_order_relaxed,
							    memory_order_relaxed) ||
		    empty == value)
			return;
	}
	/* Crowded: the next time takes longer. */
}

/* One line. False: no more HMACs may be made. */
static bool memo_try(struct known_search *s, size_t at)
{
	if (!s->budget)
		return false;
	s->budget--;
	if (!known_query_hash_is(s->query, s->kh, &s->kh->lines[s->kh->hashed[at]]))
		return true;
	memo_note(s->kh->memo, s->query->name, at);
	s->found = true;
	s->line = s->kh->hashed[at];
	return false;
}

static void memo_recall(struct known_search *s)
{
	uint64_t hash = memo_hash(s->query->name);

	for (size_t i = 0; i < MEMO_PROBES; i++) {
		size_t slot = memo_slot(s->kh->memo, hash, i);
		uint64_t value =
			atomic_load_explicit(&s->kh->memo->slots[slot], memory_order_relaxed);
		size_t at = (size_t)(value & UINT32_MAX) - 1;

		if (!value)
			return;
		/* Of another name, most likely, or of another key of this one. */
		if (value != memo_value(hash, at) || at < s->first || at >= s->first + s->count)
			continue;
		if (!memo_try(s, at))
			return;
	}
}

static void memo_walk(struct known_search *s, bool assigned)
{
	const struct known_memo *memo = s->kh->memo;
	size_t end = s->first + s->count;

	for (size_t at = s->first; at < end; at++) {
		/* 64 at once, as most are someone's in the end. */
		if (!assigned && at % 64 == 0 && end - at >= 64 &&
		    atomic_load_explicit(&memo->assigned[at / 64], memory_order_relaxed) ==
			    UINT64_MAX) {
			at += 63;
			continue;
		}
		if (memo_is_assigned(memo, at) == assigned && !memo_try(s, at))
			return;
	}
}

bool known_memo_find(struct known_search *s)
{
	if (s->count > KNOWN_HASHED_FEW)
		memo_recall(s);
	if (!s->found && s->budget)
		memo_walk(s, false);
	if (!s->found && s->budget)
		memo_walk(s, true);
	return s->found;
}
