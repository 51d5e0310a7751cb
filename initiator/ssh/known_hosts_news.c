/*
 * New keys that connections take. What the file had when it was loaded does not change; this is
 * what has come since. Connections put their keys in line, from any thread, and helper threads
 * write: the first of them all that wait, the others find theirs written. The first one gathers:
 * while keys come, it waits for more, within bounds, so that those of a round of connecting are one
 * step.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "clock.h"
#include "known_hosts_private.h"
#include "limits.h"

/* No key has come for so long: the round is over. */
#define NEWS_QUIET_MS 20u

enum offer_state { OFFER_WAITS, OFFER_IS_WRITTEN, OFFER_DONE };

struct known_offer {
	struct known_offer *next;
	struct known_news *news;
	const char *path;
	struct known_new key; /* its name, type and blob are its own */
	enum offer_state state;
	bool left; /* nobody wants to know: who writes it frees it */
	int rc;
	struct errmsg why;
};

/* A key that was taken. */
struct news_row {
	char *name; /* as it stands in the file; NULL: free */
	char *type;
	uint8_t *blob;
	size_t len;
};

struct known_news {
	pthread_mutex_t lock;  /* of all but the file: held for a moment */
	pthread_mutex_t write; /* of the file: held by helper threads */
	struct known_offer *first, **last;
	size_t waiting; /* of them */
	size_t writes;
	struct news_row *rows; /* a hash table, at most half full */
	size_t size;	       /* a power of two; 0: there is none */
	atomic_size_t count;
	struct known_tail tail;
};

struct known_news *known_news_new(const struct file_stamp *stamp, size_t len)
{
	struct known_news *news = xcalloc(1, sizeof *news);

	if (pthread_mutex_init(&news->lock, NULL) != 0 ||
	    pthread_mutex_init(&news->write, NULL) != 0)
		abort();
	news->last = &news->first;
	news->tail = (struct known_tail){
		.dev = stamp->dev, .ino = stamp->ino, .start = (off_t)len, .end = (off_t)len};
	return news;
}

void known_news_free(struct known_news *news)
{
	if (!news)
		return;
	for (size_t i = 0; i < news->size; i++) {
		free(news->rows[i].name);
		free(news->rows[i].type);
		free(news->rows[i].blob);
	}
	free(news->rows);
	known_tail_done(&news->tail);
	(void)pthread_mutex_destroy(&news->lock);
	(void)pthread_mutex_destroy(&news->write);
	free(news);
}

/* --- what was taken -------------------------------------------------------------------------- */

static struct news_row *news_slot(struct news_row *rows, size_t size, const char *name)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	size_t at;

	for (const char *c = name; *c; c++)
		hash = (hash ^ (uint8_t)*c) * UINT64_C(1099511628211);
	at = (size_t)(hash ^ hash >> 32) & (size - 1);
	while (rows[at].name && strcmp(rows[at].name, name) != 0)
		at = (at + 1) & (size - 1);
	return &rows[at];
}

static void news_grow(struct known_news *news)
{
	size_t size = news->size ? news->size * 2 : 64;
	struct news_row *rows;

	if (atomic_load(&news->count) * 2 < news->size)
		return;
	rows = xcalloc(size, sizeof *rows);
	for (size_t i = 0; i < news->size; i++)
		if (news->rows[i].name)
			*news_slot(rows, size, news->rows[i].name) = news->rows[i];
	free(news->rows);
	news->rows = rows;
	news->size = size;
}

static void news_take(struct known_news *news, const struct known_new *key)
{
	struct known_query query;
	struct news_row *row;

	known_query_init(&query, key->name, key->port, !key->alias);
	news_grow(news);
	row = news_slot(news->rows, news->size, query.name);
	if (!row->name) {
		row->name = xstrdup(query.name);
		row->type = xstrdup(known_type(key->type));
		row->blob = xmalloc(key->blob_len);
		memcpy(row->blob, key->blob, key->blob_len);
		row->len = key->blob_len;
		atomic_fetch_add(&news->count, 1);
	}
	known_query_done(&query);
}

/* Under the lock. */
static bool news_look(struct known_news *news, const struct known_new *key, enum known_verdict *ret)
{
	struct known_query query;
	const struct news_row *row;
	bool found;

	if (!news->size)
		return false;
	known_query_init(&query, key->name, key->port, !key->alias);
	row = news_slot(news->rows, news->size, query.name);
	found = row->name;
	if (found && row->len == key->blob_len && memcmp(row->blob, key->blob, row->len) == 0)
		*ret = KNOWN_MATCH;
	else if (found)
		*ret = strcmp(row->type, known_type(key->type)) == 0 ? KNOWN_CHANGED : KNOWN_OTHER;
	known_query_done(&query);
	return found;
}

bool known_news_check(const struct known_hosts *kh, const struct known_new *key,
		      enum known_verdict *ret)
{
	struct known_news *news = kh->news;
	bool found;

	if (!news || !atomic_load(&news->count))
		return false;
	(void)pthread_mutex_lock(&news->lock);
	found = news_look(news, key, ret);
	(void)pthread_mutex_unlock(&news->lock);
	return found;
}

/* --- the line -------------------------------------------------------------------------------- */

struct known_offer *known_offer_new(const struct known_hosts *kh, const struct known_new *key)
{
	struct known_offer *offer = xcalloc(1, sizeof *offer);
	struct known_news *news = kh->news;
	uint8_t *blob = xmalloc(key->blob_len);

	memcpy(blob, key->blob, key->blob_len);
	offer->news = news;
	offer->path = kh->path;
	offer->key = *key;
	offer->key.name = xstrdup(key->name);
	offer->key.type = xstrdup(key->type);
	offer->key.blob = blob;
	(void)pthread_mutex_lock(&news->lock);
	*news->last = offer;
	news->last = &offer->next;
	news->waiting++;
	(void)pthread_mutex_unlock(&news->lock);
	return offer;
}

static void offer_destroy(struct known_offer *offer)
{
	free((void *)(uintptr_t)offer->key.name);
	free((void *)(uintptr_t)offer->key.type);
	free((void *)(uintptr_t)offer->key.blob);
	free(offer);
}

void known_offer_free(struct known_offer *offer)
{
	struct known_news *news;
	struct known_offer **at;

	if (!offer)
		return;
	news = offer->news;
	(void)pthread_mutex_lock(&news->lock);
	if (offer->state == OFFER_WAITS) {
		for (at = &news->first; *at != offer; at = &(*at)->next)
			;
		*at = offer->next;
		news->waiting--;
		if (news->last == &offer->next)
			news->last = at;
	}
	offer->left = offer->state == OFFER_IS_WRITTEN;
	if (offer->left)
		offer = NULL;
	(void)pthread_mutex_unlock(&news->lock);
	if (offer)
		offer_destroy(offer);
}

static struct known_offer *news_take_line(struct known_news *news, size_t *ret_count)
{
	struct known_offer *first;

	(void)pthread_mutex_lock(&news->lock);
	first = news->first;
	news->first = NULL;
	news->last = &news->first;
	news->waiting = 0;
	news->writes += first != NULL;
	*ret_count = 0;
	for (struct known_offer *o = first; o; o = o->next) {
		o->state = OFFER_IS_WRITTEN;
		(*ret_count)++;
	}
	(void)pthread_mutex_unlock(&news->lock);
	return first;
}

/* Under the lock. What could not be written is taken all the same: it is what the host shows. */
static void news_settle(struct known_news *news, struct known_offer *o, int rc,
			const struct errmsg *why)
{
	o->rc = rc;
	if (rc)
		o->why = *why;
	if (rc || o->key.result == KNOWN_ADDED || o->key.result == KNOWN_PRESENT)
		news_take(news, &o->key);
	o->state = OFFER_DONE;
	if (o->left)
		offer_destroy(o);
}

/* One that was taken already when it was this one's turn. */
static void news_judge(struct known_news *news, struct known_new *key)
{
	enum known_verdict verdict;

	(void)pthread_mutex_lock(&news->lock);
	if (news_look(news, key, &verdict)) {
		key->result = verdict == KNOWN_MATCH ? KNOWN_PRESENT : KNOWN_CONFLICT;
		key->where = (struct known_where){0};
	}
	(void)pthread_mutex_unlock(&news->lock);
}

static void news_write_line(struct known_news *news)
{
	size_t count, n = 0;
	struct known_offer *first = news_take_line(news, &count), *next;
	struct known_new *keys;
	const char *path;
	struct errmsg why = {{0}};
	int rc = 0;

	if (!first)
		return;
	path = first->path;
	keys = xcalloc(count, sizeof *keys);
	for (struct known_offer *o = first; o; o = o->next) {
		o->key.result = KNOWN_UNFIT;
		news_judge(news, &o->key);
		if (o->key.result == KNOWN_UNFIT)
			keys[n++] = o->key;
	}
	if (n)
		rc = known_tail_append(&news->tail, path, keys, n, &why);
	n = 0;
	(void)pthread_mutex_lock(&news->lock);
	for (struct known_offer *o = first; o; o = next) {
		bool asked = o->key.result == KNOWN_UNFIT;

		next = o->next;
		if (asked)
			o->key = keys[n++];
		/* The text may go with the tail. */
		o->key.where.path = o->key.where.path ? path : NULL;
		news_settle(news, o, asked ? rc : 0, &why);
	}
	(void)pthread_mutex_unlock(&news->lock);
	free(keys);
}

static size_t news_waiting(struct known_news *news)
{
	size_t n;

	(void)pthread_mutex_lock(&news->lock);
	n = news->waiting;
	(void)pthread_mutex_unlock(&news->lock);
	return n;
}

/* Until no more come, they are many, or the first has waited long enough. */
static void news_gather(struct known_news *news)
{
	static const struct timespec quiet = {.tv_nsec = NEWS_QUIET_MS * 1000000L};
	uint64_t end = clock_mono_ns() + LIMIT_KNOWN_GATHER_MS * UINT64_C(1000000);
	size_t before = 0, now = news_waiting(news);

	while (now > before && now < LIMIT_KNOWN_GATHER && clock_mono_ns() < end) {
		(void)nanosleep(&quiet, NULL);
		before = now;
		now = news_waiting(news);
	}
}

size_t known_news_writes(const struct known_hosts *kh)
{
	size_t n;

	(void)pthread_mutex_lock(&kh->news->lock);
	n = kh->news->writes;
	(void)pthread_mutex_unlock(&kh->news->lock);
	return n;
}

void known_offer_write(struct known_offer *offer)
{
	struct known_news *news = offer->news;
	bool done;

	(void)pthread_mutex_lock(&news->write);
	(void)pthread_mutex_lock(&news->lock);
	done = offer->state == OFFER_DONE;
	(void)pthread_mutex_unlock(&news->lock);
	if (!done) {
		news_gather(news);
		news_write_line(news);
	}
	(void)pthread_mutex_unlock(&news->write);
}

int known_offer_result(const struct known_offer *offer, struct known_new *ret, const char **why)
{
	*ret = offer->key;
	*why = offer->why.text;
	return offer->rc;
}
