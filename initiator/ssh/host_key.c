#include "host_key.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "log.h"

#define HOST_KEY_TYPE_MAX 64u

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
};

/* A line for known_hosts, written by a helper thread: another program may hold the lock. */
struct host_key_line {
	char *path;
	char *name;
	uint16_t port;
	bool alias;
	char type[HOST_KEY_TYPE_MAX];
	uint8_t *blob;
	size_t len;
};

static void host_key_line_run(void *arg)
{
	struct host_key_line *l = arg;
	struct errmsg msg = {{0}};

	if (known_hosts_append(l->path, l->name, l->port, l->alias, l->type, l->blob, l->len,
			       &msg) != 0)
		log_warn("cannot remember the host key of %s: %s", l->name, msg.text);
}

static void host_key_line_done(void *arg, bool cancelled)
{
	struct host_key_line *l = arg;

	(void)cancelled;
	free(l->path);
	free(l->name);
	free(l->blob);
	free(l);
}

static void host_key_remember(const struct host_key *key)
{
	const struct plan_target *t = key->target;
	struct host_key_line *l;

	if (!t->trust->append_to)
		return;
	l = xcalloc(1, sizeof *l);
	l->path = xstrdup(t->trust->append_to);
	l->name = xstrdup(t->key_name);
	l->port = t->port;
	l->alias = t->key_alias;
	memcpy(l->type, key->type, sizeof l->type);
	l->blob = xmalloc(key->len);
	memcpy(l->blob, key->blob, key->len);
	l->len = key->len;
	(void)work_submit(ssh_engine_files(key->engine), host_key_line_run, host_key_line_done, l);
}

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
	free(key->blob);
	free(key);
}

static void host_key_finish(struct host_key *key)
{
	key->judgement.type = key->type;
	if (key->judgement.verdict == KNOWN_UNKNOWN && key->target->accept_new)
		host_key_remember(key);
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

static void host_key_done(void *arg, bool cancelled)
{
	struct host_key *key = arg;
	struct plan *plan = key->target->plan;

	if (cancelled)
		host_key_free(key);
	else
		host_key_finish(key);
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
	if (!host_key_read_type(key->type, blob, len) ||
	    known_hosts_check_fast(target->trust->files, target->trust->count, target->key_name,
				   target->port, target->key_alias, key->type, blob, len,
				   &key->judgement.verdict, &key->judgement.where)) {
		host_key_finish(key);
		return NULL;
	}
	plan_hold(target->plan);
	key->task = work_submit(ssh_engine_files(engine), host_key_run, host_key_done, key);
	return key;
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
