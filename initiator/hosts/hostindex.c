#include "hostindex.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "alloc.h"
#include "clock.h"
#include "hostlist_private.h"

#define HOSTINDEX_FIRST_SLOTS 16u

/* One for all, so that nobody can choose names that collide. */
static uint64_t hostindex_key[2];

static void hostindex_make_key(void)
{
	/* Only a kernel that has just booted has no random bytes; time will do there. */
	if (getrandom(hostindex_key, sizeof hostindex_key, GRND_NONBLOCK) !=
	    (ssize_t)sizeof hostindex_key)
		hostindex_key[0] = clock_mono_ns();
}

static uint64_t hostindex_rotl(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

static void hostindex_sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = hostindex_rotl(v[1], 13) ^ v[0];
	v[0] = hostindex_rotl(v[0], 32);
	v[2] += v[3];
	v[3] = hostindex_rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = hostindex_rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = hostindex_rotl(v[1], 17) ^ v[2];
	v[2] = hostindex_rotl(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein, 2012) of n bytes. */
static uint64_t hostindex_sip(const uint64_t key[2], const uint8_t *data, size_t n)
{
	uint64_t v[4] = {
		key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
		key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
	uint64_t last = (uint64_t)n << 56;
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t word;

		memcpy(&word, data + i, 8);
		v[3] ^= word;
		hostindex_sip_round(v);
		v[0] ^= word;
	}
	for (size_t k = 0; i + k < n; k++)
		last |= (uint64_t)data[i + k] << (8 * k);
	v[3] ^= last;
	hostindex_sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	hostindex_sip_round(v);
	hostindex_sip_round(v);
	hostindex_sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Hashes what makes a host: name, user and port. Brackets do not: ::1 and [::1] are one host. */
static uint32_t hostindex_hash(const struct host_text *host)
{
	uint8_t bytes[LIMIT_HOST_NAME + HOST_USER_MAX + 3];
	size_t n = host->name_len;

	memcpy(bytes, host->name, n);
	bytes[n++] = (uint8_t)(host->port >> 8);
	bytes[n++] = (uint8_t)host->port;
	bytes[n++] = 0;
	if (host->user)
		memcpy(bytes + n, host->user, host->user_len);
	return (uint32_t)hostindex_sip(hostindex_key, bytes, n + host->user_len);
}

static bool hostindex_same(const struct host *a, const struct host_text *b)
{
	if (a->port != b->port || !a->user != !b->user)
		return false;
	if (strncmp(a->name, b->name, b->name_len) != 0 || a->name[b->name_len])
		return false;
	return !a->user || (strncmp(a->user, b->user, b->user_len) == 0 && !a->user[b->user_len]);
}

/* The slot that holds the host, or the free one where it belongs. Needs slots. */
static struct hostindex_slot *hostindex_slot(const struct hostindex *index,
					     const struct host *hosts, const struct host_text *host,
					     uint32_t hash)
{
	size_t mask = index->slot_count - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct hostindex_slot *slot = &index->slots[i];

		if (!slot->ref ||
		    (slot->hash == hash && hostindex_same(&hosts[slot->ref - 1], host)))
			return slot;
	}
}

static void hostindex_set(struct hostindex *index, struct hostindex_slot entry)
{
	size_t i = entry.hash & (index->slot_count - 1);

	while (index->slots[i].ref)
		i = (i + 1) & (index->slot_count - 1);
	index->slots[i] = entry;
}

static void hostindex_reserve(struct hostindex *index, size_t hosts)
{
	struct hostindex old = *index;
	size_t slot_count = old.slot_count ? old.slot_count : HOSTINDEX_FIRST_SLOTS;

	while (slot_count < hosts * 2)
		slot_count *= 2;
	if (slot_count == old.slot_count)
		return;
	index->slots = xcalloc(slot_count, sizeof *index->slots);
	index->slot_count = slot_count;
	for (size_t i = 0; i < old.slot_count; i++)
		if (old.slots[i].ref)
			hostindex_set(index, old.slots[i]);
	free(old.slots);
}

void hostindex_done(struct hostindex *index)
{
	free(index->slots);
	*index = (struct hostindex){0};
}

/* Takes in those that it lacks, and makes room for one more. */
static void hostindex_catch_up(struct hostindex *index, const struct host *hosts, size_t count)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, hostindex_make_key);
	hostindex_reserve(index, count + 1);
	for (; index->done < count; index->done++) {
		struct host_text text = hostlist_text(&hosts[index->done]);
		struct hostindex_slot entry = {hostindex_hash(&text), (uint32_t)index->done + 1};

		hostindex_set(index, entry);
	}
}

size_t hostindex_find(struct hostindex *index, const struct host *hosts, size_t count,
		      const struct host_text *host)
{
	uint32_t ref;

	if (!count)
		return SIZE_MAX;
	hostindex_catch_up(index, hosts, count);
	ref = hostindex_slot(index, hosts, host, hostindex_hash(host))->ref;
	return ref ? ref - 1 : SIZE_MAX;
}

size_t hostindex_put(struct hostindex *index, const struct host *hosts, size_t count,
		     const struct host_text *host)
{
	struct hostindex_slot *slot;
	uint32_t hash;

	hostindex_catch_up(index, hosts, count);
	hash = hostindex_hash(host);
	slot = hostindex_slot(index, hosts, host, hash);
	if (slot->ref)
		return slot->ref - 1;
	*slot = (struct hostindex_slot){hash, (uint32_t)++index->done};
	return SIZE_MAX;
}
