/* The list: an array of hosts in order, and a hash set of their indices. */
#include "hostlist.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "alloc.h"
#include "clock.h"
#include "hostlist_private.h"

#define HOSTLIST_FIRST_SLOTS 16u

struct hostlist_slot {
	uint32_t hash;
	uint32_t ref; /* index + 1; 0: free */
};

struct hostlist {
	struct host *hosts;
	size_t count, size;
	struct hostlist_slot *slots; /* open addressing, at most half full */
	size_t slot_count;	     /* a power of two, or 0 */
	uint64_t key[2];	     /* so that nobody can choose names that collide */
};

static uint64_t hostlist_rotl(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

static void hostlist_sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = hostlist_rotl(v[1], 13) ^ v[0];
	v[0] = hostlist_rotl(v[0], 32);
	v[2] += v[3];
	v[3] = hostlist_rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = hostlist_rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = hostlist_rotl(v[1], 17) ^ v[2];
	v[2] = hostlist_rotl(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein, 2012) of n bytes. */
static uint64_t hostlist_sip(const uint64_t key[2], const uint8_t *data, size_t n)
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
		hostlist_sip_round(v);
		v[0] ^= word;
	}
	for (size_t k = 0; i + k < n; k++)
		last |= (uint64_t)data[i + k] << (8 * k);
	v[3] ^= last;
	hostlist_sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	hostlist_sip_round(v);
	hostlist_sip_round(v);
	hostlist_sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Hashes what makes a host: name, user and port. Brackets do not: ::1 and [::1] are one host. */
static uint32_t hostlist_hash(const struct hostlist *list, const struct host_text *host)
{
	uint8_t bytes[LIMIT_HOST_NAME + HOST_USER_MAX + 3];
	size_t n = host->name_len;

	memcpy(bytes, host->name, n);
	bytes[n++] = (uint8_t)(host->port >> 8);
	bytes[n++] = (uint8_t)host->port;
	bytes[n++] = 0;
	if (host->user)
		memcpy(bytes + n, host->user, host->user_len);
	return (uint32_t)hostlist_sip(list->key, bytes, n + host->user_len);
}

struct host_text hostlist_text(const struct host *host)
{
	struct host_text text = {
		.user = host->user,
		.user_len = host->user ? strlen(host->user) : 0,
		.name = host->name,
		.name_len = strlen(host->name),
		.port = host->port,
	};

	text.brackets = host->label[host->user ? text.user_len + 1 : 0] == '[';
	return text;
}

static bool hostlist_same(const struct host *a, const struct host_text *b)
{
	if (a->port != b->port || !a->user != !b->user)
		return false;
	if (strncmp(a->name, b->name, b->name_len) != 0 || a->name[b->name_len])
		return false;
	return !a->user || (strncmp(a->user, b->user, b->user_len) == 0 && !a->user[b->user_len]);
}

/* The slot that holds the host, or the free one where it belongs. Needs slots. */
static struct hostlist_slot *hostlist_slot(const struct hostlist *list,
					   const struct host_text *host, uint32_t hash)
{
	size_t mask = list->slot_count - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct hostlist_slot *slot = &list->slots[i];

		if (!slot->ref ||
		    (slot->hash == hash && hostlist_same(&list->hosts[slot->ref - 1], host)))
			return slot;
	}
}

static bool hostlist_has(const struct hostlist *list, const struct host_text *host)
{
	return list->count && hostlist_slot(list, host, hostlist_hash(list, host))->ref;
}

/* True if removing other's hosts would remove this one. */
static bool hostlist_covers(const struct hostlist *other, const struct host *host)
{
	struct host_text text = hostlist_text(host);

	if (hostlist_has(other, &text))
		return true;
	if (!text.user && !text.port)
		return false;
	text.user = NULL;
	text.user_len = 0;
	text.port = 0;
	return hostlist_has(other, &text);
}

static void hostlist_slot_set(struct hostlist_slot *slots, size_t slot_count,
			      struct hostlist_slot entry)
{
	size_t i = entry.hash & (slot_count - 1);

	while (slots[i].ref)
		i = (i + 1) & (slot_count - 1);
	slots[i] = entry;
}

static void hostlist_grow_to(struct hostlist *list, size_t slot_count)
{
	struct hostlist_slot *slots = xcalloc(slot_count, sizeof *slots);

	for (size_t i = 0; i < list->slot_count; i++)
		if (list->slots[i].ref)
			hostlist_slot_set(slots, slot_count, list->slots[i]);
	free(list->slots);
	list->slots = slots;
	list->slot_count = slot_count;
}

/* Makes the slots anew, as few as the hosts need, after hosts have gone. */
static void hostlist_reindex(struct hostlist *list)
{
	free(list->slots);
	list->slots = NULL;
	list->slot_count = 0;
	if (!list->count)
		return;
	list->slot_count = HOSTLIST_FIRST_SLOTS;
	while (list->slot_count < list->count * 2)
		list->slot_count *= 2;
	list->slots = xcalloc(list->slot_count, sizeof *list->slots);
	for (size_t i = 0; i < list->count; i++) {
		struct host_text text = hostlist_text(&list->hosts[i]);
		struct hostlist_slot entry = {hostlist_hash(list, &text), (uint32_t)i + 1};

		hostlist_slot_set(list->slots, list->slot_count, entry);
	}
}

static void hostlist_grow(struct hostlist *list)
{
	hostlist_grow_to(list, list->slot_count ? list->slot_count * 2 : HOSTLIST_FIRST_SLOTS);
}

void hostlist_reserve(struct hostlist *list, size_t more)
{
	size_t slot_count = list->slot_count ? list->slot_count : HOSTLIST_FIRST_SLOTS;

	while (slot_count < (list->count + more) * 2)
		slot_count *= 2;
	if (slot_count > list->slot_count)
		hostlist_grow_to(list, slot_count);
	if (list->count + more <= list->size)
		return;
	list->size = list->count + more;
	list->hosts = xrealloc(list->hosts, list->size, sizeof *list->hosts);
}

/* Room for one more host; its slot, or NULL if the list has the host. */
static struct hostlist_slot *hostlist_room(struct hostlist *list, const struct host_text *host,
					   uint32_t *ret_hash)
{
	struct hostlist_slot *slot;

	if ((list->count + 1) * 2 > list->slot_count)
		hostlist_grow(list);
	*ret_hash = hostlist_hash(list, host);
	slot = hostlist_slot(list, host, *ret_hash);
	if (slot->ref)
		return NULL;
	if (list->count == list->size) {
		list->size = list->size ? list->size * 2 : 8;
		list->hosts = xrealloc(list->hosts, list->size, sizeof *list->hosts);
	}
	return slot;
}

static char *hostlist_copy(char **p, const char *text, size_t n)
{
	char *start = *p;

	memcpy(start, text, n);
	start[n] = '\0';
	*p += n + 1;
	return start;
}

/* All texts of a host live in one block, which the label begins. */
static struct host hostlist_make(const struct host_text *t)
{
	struct host host = {.port = t->port};
	struct buf label = {0};
	char *p;

	if (!t->user && !t->port && !t->brackets) {
		host.label = host.name = xstrndup(t->name, t->name_len);
		return host;
	}
	if (t->user) {
		buf_add(&label, t->user, t->user_len);
		buf_add_char(&label, '@');
	}
	if (t->brackets)
		buf_add_char(&label, '[');
	buf_add(&label, t->name, t->name_len);
	if (t->brackets)
		buf_add_char(&label, ']');
	if (t->port)
		buf_addf(&label, ":%u", t->port);
	p = xmalloc(label.len + t->name_len + t->user_len + 3);
	host.label = hostlist_copy(&p, (const char *)label.data, label.len);
	host.name = hostlist_copy(&p, t->name, t->name_len);
	if (t->user)
		host.user = hostlist_copy(&p, t->user, t->user_len);
	buf_done(&label);
	return host;
}

void hostlist_login(struct hostlist *list, size_t index, const char *address, const char *user,
		    uint16_t port)
{
	struct host old = list->hosts[index], *host = &list->hosts[index];
	size_t label = strlen(old.label), name = strlen(old.name);
	char *p;

	if (old.user)
		user = old.user;
	p = xmalloc(label + name + (user ? strlen(user) : 0) + (address ? strlen(address) : 0) + 4);
	*host = (struct host){.port = old.port ? old.port : port};
	host->label = hostlist_copy(&p, old.label, label);
	host->name = hostlist_copy(&p, old.name, name);
	if (user)
		host->user = hostlist_copy(&p, user, strlen(user));
	if (address)
		host->address = hostlist_copy(&p, address, strlen(address));
	free(old.label);
}

void hostlist_put(struct hostlist *list, const struct host_text *host)
{
	uint32_t hash;
	struct hostlist_slot *slot = hostlist_room(list, host, &hash);

	if (!slot)
		return;
	list->hosts[list->count++] = hostlist_make(host);
	*slot = (struct hostlist_slot){hash, (uint32_t)list->count};
}

static uint64_t hostlist_key[2];

static void hostlist_make_key(void)
{
	/* Only a kernel that has just booted has no random bytes; time will do there. */
	if (getrandom(hostlist_key, sizeof hostlist_key, GRND_NONBLOCK) !=
	    (ssize_t)sizeof hostlist_key)
		hostlist_key[0] = clock_mono_ns();
}

/* One key for all: a list is made for each line of a file. */
struct hostlist *hostlist_new(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct hostlist *list = xcalloc(1, sizeof *list);

	(void)pthread_once(&once, hostlist_make_key);
	memcpy(list->key, hostlist_key, sizeof list->key);
	return list;
}

static void hostlist_empty(struct hostlist *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->hosts[i].label);
	list->count = 0;
	hostlist_reindex(list);
}

void hostlist_free(struct hostlist *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		free(list->hosts[i].label);
	free(list->hosts);
	free(list->slots);
	free(list);
}

size_t hostlist_find(const struct hostlist *list, const struct host_text *host)
{
	uint32_t ref = list->count ? hostlist_slot(list, host, hostlist_hash(list, host))->ref : 0;

	return ref ? ref - 1 : SIZE_MAX;
}

size_t hostlist_count(const struct hostlist *list)
{
	return list->count;
}

const struct host *hostlist_at(const struct hostlist *list, size_t index)
{
	return &list->hosts[index];
}

void hostlist_move_all(struct hostlist *list, struct hostlist *other)
{
	if (!list->count) {
		struct hostlist empty = *list;

		*list = *other;
		*other = empty;
		return;
	}
	for (size_t i = 0; i < other->count; i++) {
		struct host_text text = hostlist_text(&other->hosts[i]);
		uint32_t hash;
		struct hostlist_slot *slot = hostlist_room(list, &text, &hash);

		if (slot) {
			list->hosts[list->count++] = other->hosts[i];
			*slot = (struct hostlist_slot){hash, (uint32_t)list->count};
		} else {
			free(other->hosts[i].label);
		}
	}
	other->count = 0;
	hostlist_reindex(other);
}

static void hostlist_put_copy(struct hostlist *list, const struct host *host)
{
	struct host_text text = hostlist_text(host);

	hostlist_put(list, &text);
}

void hostlist_add_all(struct hostlist *list, const struct hostlist *other)
{
	if (list == other)
		return;
	for (size_t i = 0; i < other->count; i++)
		hostlist_put_copy(list, &other->hosts[i]);
}

/* Keeps the hosts for which covers is as wanted. */
static void hostlist_filter(struct hostlist *list, const struct hostlist *other, bool wanted,
			    bool (*covers)(const struct hostlist *, const struct host *))
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct host host = list->hosts[i];

		if (covers(other, &host) == wanted)
			list->hosts[kept++] = host;
		else
			free(host.label);
	}
	if (kept == list->count)
		return;
	list->count = kept;
	hostlist_reindex(list);
}

void hostlist_remove_all(struct hostlist *list, const struct hostlist *other)
{
	if (list == other)
		hostlist_empty(list);
	else
		hostlist_filter(list, other, false, hostlist_covers);
}

void hostlist_keep_nth(struct hostlist *list, size_t first, size_t step)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (i % step == first)
			list->hosts[kept++] = list->hosts[i];
		else
			free(list->hosts[i].label);
	list->count = kept;
	hostlist_reindex(list);
}

void hostlist_keep_all(struct hostlist *list, const struct hostlist *other)
{
	hostlist_filter(list, other, true, hostlist_covers);
}

static bool hostlist_has_exactly(const struct hostlist *other, const struct host *host)
{
	struct host_text text = hostlist_text(host);

	return hostlist_has(other, &text);
}

void hostlist_toggle_all(struct hostlist *list, const struct hostlist *other)
{
	struct hostlist *added = hostlist_new();

	for (size_t i = 0; i < other->count; i++)
		if (!hostlist_has_exactly(list, &other->hosts[i]))
			hostlist_put_copy(added, &other->hosts[i]);
	hostlist_filter(list, other, false, hostlist_has_exactly);
	hostlist_move_all(list, added);
	hostlist_free(added);
}
