#include "host_key.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "alloc.h"

struct host_key {
	struct ssh_engine *engine;
	const struct plan_target *target; /* its plan is held while a thread looks at it */
	uint8_t *blob;
	size_t len;
	char type[HOST_KEY_TYPE_MAX];
	struct host_key_judgement judgement;
	host_key_fn *fn;
	void *arg;
	struct work_task *task;
	struct known_offer *offer; /* it is new, and being written */
	struct host_key_note *note;
};

/* The type is the first string of the blob. */
static bool host_key_read_type(char type[static HOST_KEY_TYPE_MAX], const uint8_t *b, size_t len)
{
	size_t n;

	if (len < 4)
		return false;
	n = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
	if (n > len - 4 || n >= HOST_KEY_TYPE_MAX)
		return false;
	memcpy(type, b + 4, n);
	type[n] = '\0';
	return true;
}

static void host_key_free(struct host_key *key)
{
	known_offer_free(key->offer);
	host_key_note_free(key->note);
	free(key->blob);
	free(key);
}

/* --- notes ----------------------------------------------------------------------------------- */

void host_key_note_free(struct host_key_note *note)
{
	if (note)
		free(note->blob);
	free(note);
}

const struct host_key_note *host_key_noted(const struct plan_target *target)
{
	return atomic_load(&target->note);
}

/* The first one of a target stands: what others read must not go. */
static void host_key_put_note(struct host_key *key)
{
	_Atomic(struct host_key_note *) *slot =
		(_Atomic(struct host_key_note *) *)(uintptr_t)&key->target->note;
	struct host_key_note *none = NULL, *note = key->note;

	if (!note)
		return;
	note->where = key->judgement.where;
	note->verdict = key->judgement.verdict;
	memcpy(note->type, key->type, sizeof note->type);
	note->blob = key->blob;
	note->len = key->len;
	if (atomic_compare_exchange_strong(slot, &none, note)) {
		key->blob = NULL;
		key->note = NULL;
	} else {
		note->blob = NULL;
	}
}

void host_key_base64(struct buf *out, const uint8_t *blob, size_t len)
{
	unsigned char *text = xmalloc(4 * ((len + 2) / 3) + 1);

	(void)EVP_EncodeBlock(text, blob, (int)len);
	buf_add_str(out, (const char *)text);
	free(text);
}

void host_key_print(char ret[static HOST_KEY_PRINT_SIZE], const uint8_t *blob, size_t len)
{
	uint8_t hash[32];
	unsigned char base64[48];
	size_t hash_len = 0, n;

	if (EVP_Q_digest(NULL, "SHA256", NULL, blob, len, hash, &hash_len) != 1) {
		(void)snprintf(ret, HOST_KEY_PRINT_SIZE, "SHA256:?");
		return;
	}
	n = (size_t)EVP_EncodeBlock(base64, hash, (int)hash_len);
	while (n && base64[n - 1] == '=')
		n--;
	(void)snprintf(ret, HOST_KEY_PRINT_SIZE, "SHA256:%.*s", (int)n, (const char *)base64);
}

/* --- judging --------------------------------------------------------------------------------- */

static void host_key_finish(struct host_key *key)
{
	key->judgement.type = key->type;
	if (!key->note && (key->target->note_keys || key->judgement.verdict != KNOWN_MATCH))
		key->note = xcalloc(1, sizeof *key->note);
	host_key_put_note(key);
	key->fn(key->arg, &key->judgement);
	host_key_free(key);
}

static void host_key_run(void *arg)
{
	struct host_key *key = arg;
	const struct plan_target *t = key->target;

	key->judgement.verdict = known_hosts_check(t->trust->files, t->trust->count, t->key_name,
						   t->port, t->key_alias, key->type, key->blob,
						   key->len, &key->judgement.where);
}

static struct known_new host_key_new(const struct plan_target *t, const char *type,
				     const uint8_t *blob, size_t len)
{
	return (struct known_new){.name = t->key_name,
				  .port = t->port,
				  .alias = t->key_alias,
				  .hashed = t->hash_known_hosts,
				  .type = type,
				  .blob = blob,
				  .blob_len = len};
}

/* The file to which new keys of the target are added; NULL: none. */
static const struct known_hosts *host_key_file(const struct plan_target *t)
{
	const char *path = t->trust->append_to;

	for (size_t i = 0; path && i < t->trust->count; i++)
		if (strcmp(known_hosts_path(t->trust->files[i]), path) == 0)
			return t->trust->files[i];
	return NULL;
}

/* What came of writing it. */
static void host_key_written(struct host_key *key)
{
	struct host_key_note *note = xcalloc(1, sizeof *note);
	struct known_new result;
	const char *why;
	int rc = known_offer_result(key->offer, &result, &why);

	key->note = note;
	if (rc) {
		note->unsaved = true;
		(void)snprintf(note->why, sizeof note->why, "%s", why);
	} else if (result.result == KNOWN_UNFIT) {
		note->unsaved = true;
		(void)snprintf(note->why, sizeof note->why,
			       "a name that known_hosts cannot hold: %s", key->target->key_name);
	} else if (result.result == KNOWN_CONFLICT) {
		key->judgement.verdict = KNOWN_CHANGED;
		key->judgement.where = (struct known_where){
			known_hosts_path(host_key_file(key->target)), result.where.line};
	}
	note->added = rc == 0 && result.result == KNOWN_ADDED;
}

static void host_key_write(void *arg)
{
	known_offer_write(((struct host_key *)arg)->offer);
}

static void host_key_done(void *arg, bool cancelled);

/* It was judged by the files as they were read. False: a new one is being written. */
static bool host_key_settle(struct host_key *key)
{
	const struct plan_target *t = key->target;
	const struct known_hosts *file = host_key_file(t);
	struct known_new news = host_key_new(t, key->type, key->blob, key->len);

	if (key->judgement.verdict != KNOWN_UNKNOWN || !t->accept_new || !file ||
	    known_news_check(file, &news, &key->judgement.verdict))
		return true;
	key->offer = known_offer_new(file, &news);
	key->task = work_submit(ssh_engine_files(key->engine), host_key_write, host_key_done, key);
	return false;
}

static void host_key_done(void *arg, bool cancelled)
{
	struct host_key *key = arg;
	struct plan *plan = key->target->plan;

	if (cancelled) {
		host_key_free(key);
	} else if (key->offer) {
		host_key_written(key);
		host_key_finish(key);
	} else if (host_key_settle(key)) {
		host_key_finish(key);
	} else {
		return;
	}
	plan_free(plan);
}

struct host_key *host_key_judge(struct ssh_engine *engine, const struct plan_target *target,
				uint8_t *blob, size_t len, host_key_fn *fn, void *arg)
{
	struct host_key *key = xcalloc(1, sizeof *key);

	key->engine = engine;
	key->target = target;
	key->blob = blob;
	key->len = len;
	key->fn = fn;
	key->arg = arg;
	key->judgement.verdict = KNOWN_ERROR;
	/* Of what has no type nothing is said. */
	if (!host_key_read_type(key->type, blob, len)) {
		host_key_finish(key);
		return NULL;
	}
	if (!known_hosts_check_fast(target->trust->files, target->trust->count, target->key_name,
				    target->port, target->key_alias, key->type, blob, len,
				    &key->judgement.verdict, &key->judgement.where)) {
		plan_hold(target->plan);
		key->task = work_submit(ssh_engine_files(engine), host_key_run, host_key_done, key);
		return key;
	}
	plan_hold(target->plan);
	if (!host_key_settle(key))
		return key;
	plan_free(target->plan);
	host_key_finish(key);
	return NULL;
}

bool host_key_is_known(const struct plan_target *target, const uint8_t *blob, size_t len)
{
	enum known_verdict verdict = KNOWN_ERROR;
	struct known_where where;
	char type[HOST_KEY_TYPE_MAX];

	if (!target->trust || !host_key_read_type(type, blob, len))
		return false;
	/* What was judged before is remembered: the slow way is for a file that has changed. */
	if (!known_hosts_check_fast(target->trust->files, target->trust->count, target->key_name,
				    target->port, target->key_alias, type, blob, len, &verdict,
				    &where))
		verdict = known_hosts_check(target->trust->files, target->trust->count,
					    target->key_name, target->port, target->key_alias, type,
					    blob, len, &where);
	if (verdict == KNOWN_UNKNOWN && target->accept_new && host_key_file(target)) {
		struct known_new news = host_key_new(target, type, blob, len);

		(void)known_news_check(host_key_file(target), &news, &verdict);
	}
	return verdict == KNOWN_MATCH || (verdict == KNOWN_UNKNOWN && target->accept_new);
}

bool host_key_is_queued(const struct host_key *key)
{
	return key && work_is_queued(key->task);
}

void host_key_cancel(struct host_key *key)
{
	if (key)
		work_cancel(key->task);
}
