/* The pool of connections to agents: which of them a task goes to. */
#include "remote.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "limits.h"
#include "remote_private.h"

#define REMOTES_BUCKETS_FIRST 64u
#define REMOTES_KEEPALIVE_MS  15000u

struct remotes {
	struct ssh_engine *engine;
	struct lines *lines;
	uint64_t linger_ms;
	struct remote **buckets;
	size_t bucket_count; /* a power of two */
	size_t count;
	struct remote *first_idle;
	struct remote *last_idle;
	uint64_t keepalive_ms;
	struct event *look; /* for those that are silent */
};

/* remote_check ends connections, and each end may start others. */
static void remotes_on_look(evutil_socket_t fd, short what, void *arg)
{
	struct remotes *pool = arg;
	uint64_t now = clock_mono_ns() / 1000000u;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < pool->bucket_count; i++)
		for (struct remote *r = pool->buckets[i], *next; r; r = next) {
			next = r->next;
			remote_check(r, now, pool->keepalive_ms);
		}
}

struct remotes *remotes_new(struct ssh_engine *engine, struct lines *lines, uint64_t linger_ms,
			    uint64_t keepalive_ms)
{
	struct remotes *pool = xcalloc(1, sizeof *pool);
	struct timeval tv;

	pool->engine = engine;
	pool->lines = lines;
	pool->linger_ms = linger_ms;
	pool->keepalive_ms = keepalive_ms ? keepalive_ms : REMOTES_KEEPALIVE_MS;
	tv = loop_ms(pool->keepalive_ms / 3 + 1);
	pool->look = event_new(loop_base(ssh_engine_loop(engine)), -1, EV_PERSIST, remotes_on_look,
			       pool);
	if (!pool->look || event_add(pool->look, &tv) != 0)
		abort();
	pool->bucket_count = REMOTES_BUCKETS_FIRST;
	pool->buckets = xcalloc(pool->bucket_count, sizeof(struct remote *));
	return pool;
}

void remotes_free(struct remotes *pool)
{
	if (!pool)
		return;
	for (size_t i = 0; i < pool->bucket_count; i++)
		while (pool->buckets[i]) {
			struct remote *r = pool->buckets[i];

			remotes_forget(r);
			remote_destroy(r);
		}
	event_free(pool->look);
	free(pool->buckets);
	free(pool);
}

struct ssh_engine *remotes_engine(struct remotes *pool)
{
	return pool->engine;
}

struct lines *remotes_lines(struct remotes *pool)
{
	return pool->lines;
}

uint64_t remotes_linger_ms(const struct remotes *pool)
{
	size_t slots = lines_slots(pool->lines);

	/* Where descriptors run short, those who wait for one come first. */
	return lines_in_use(pool->lines) >= slots - slots / 4 ? 0 : pool->linger_ms;
}

void remotes_set_idle(struct remote *r, bool idle)
{
	struct remotes *pool = r->pool;

	if (r->idle == idle)
		return;
	r->idle = idle;
	if (idle) {
		r->next_idle = NULL;
		r->prev_idle = pool->last_idle;
		*(pool->last_idle ? &pool->last_idle->next_idle : &pool->first_idle) = r;
		pool->last_idle = r;
		return;
	}
	*(r->prev_idle ? &r->prev_idle->next_idle : &pool->first_idle) = r->next_idle;
	*(r->next_idle ? &r->next_idle->prev_idle : &pool->last_idle) = r->prev_idle;
}

/* --- keys ----------------------------------------------------------------------------------- */

static void remote_key_add(struct buf *key, const char *part)
{
	buf_add_str(key, part ? part : "");
	buf_add_char(key, '\n');
}

static void remote_key_login(struct buf *key, const struct plan_login *login)
{
	/* Not what could be used of it: a passphrase that was said once need not be said again. */
	remote_key_add(key, login->name);
	remote_key_add(key, login->agent_path);
}

static void remote_key_way(struct buf *key, const struct plan_target *t)
{
	for (; t; t = t->jump) {
		buf_addf(key, "%d %u %d\n", (int)t->way, t->port, t->accept_new);
		remote_key_add(key, t->hostname);
		remote_key_add(key, t->user);
		remote_key_add(key, t->key_name);
		remote_key_add(key, t->proxy_command);
		remote_key_add(key, t->kex);
		remote_key_add(key, t->ciphers);
		remote_key_add(key, t->macs);
	}
}

static void remote_key_options(struct buf *key, const struct job_open_msg *job)
{
	buf_addf(key, "%llu %llu\n", (unsigned long long)job->host_key,
		 (unsigned long long)job->transport);
	for (size_t i = 0; i < job->option_count; i++)
		remote_key_add(key, job->options[i]);
}

/*
 * Two tasks may share a connection if all that decides who is spoken to, as whom, is the same. What
 * is configured is read anew for each job: a fault in it is none of the connection's.
 */
static char *remote_key(const struct remote_spec *spec)
{
	const struct plan_target *t = spec->target;
	const struct job_open_msg *job = spec->job;
	struct buf key = {0};

	if (!t)
		return xstrdup("local");
	buf_addf(&key, "%u %d %d %llu %llu\n", t->port, t->accept_new, t->key_alias,
		 (unsigned long long)job->become, (unsigned long long)job->agent);
	remote_key_add(&key, t->hostname);
	remote_key_add(&key, t->user);
	remote_key_add(&key, t->key_name);
	remote_key_add(&key, job->become_user);
	remote_key_add(&key, job->ssh_config);
	remote_key_add(&key, job->agent_socket);
	remote_key_add(&key, job->home);
	remote_key_add(&key, job->kex);
	remote_key_add(&key, job->ciphers);
	remote_key_add(&key, job->macs);
	remote_key_add(&key, t->fault);
	remote_key_options(&key, job);
	remote_key_way(&key, t);
	if (t->login)
		remote_key_login(&key, t->login);
	return buf_take_str(&key);
}

/* FNV-1a: keys are our own user's. */
static uint64_t remote_hash(const char *key)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *key; key++)
		hash = (hash ^ (uint8_t)*key) * UINT64_C(1099511628211);
	return hash;
}

static struct remote **remotes_bucket(const struct remotes *pool, uint64_t hash)
{
	return &pool->buckets[hash & (pool->bucket_count - 1)];
}

static void remotes_grow(struct remotes *pool)
{
	struct remote **old = pool->buckets;
	size_t n = pool->bucket_count;

	pool->bucket_count *= 2;
	pool->buckets = xcalloc(pool->bucket_count, sizeof(struct remote *));
	for (size_t i = 0; i < n; i++)
		for (struct remote *r = old[i], *next; r; r = next) {
			struct remote **bucket = remotes_bucket(pool, r->hash);

			next = r->next;
			r->next = *bucket;
			*bucket = r;
		}
	free(old);
}

static void remotes_add(struct remotes *pool, struct remote *r)
{
	struct remote **bucket;

	if (pool->count >= pool->bucket_count)
		remotes_grow(pool);
	r->hash = remote_hash(r->key);
	bucket = remotes_bucket(pool, r->hash);
	r->next = *bucket;
	*bucket = r;
	r->pooled = true;
	pool->count++;
}

void remotes_forget(struct remote *r)
{
	struct remote **at = remotes_bucket(r->pool, r->hash);

	remotes_set_idle(r, false);
	if (!r->pooled)
		return;
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	r->pooled = false;
	r->pool->count--;
}

/* --- a task --------------------------------------------------------------------------------- */

static size_t remote_task_count(const struct remote *r)
{
	size_t n = 0;

	for (const struct remote_task *t = r->tasks; t; t = t->next)
		n++;
	return n;
}

static bool remote_same_password(const struct remote *r, const struct locked *password)
{
	return !r->password || !password
		       ? r->password == password
		       : strcmp(locked_text(r->password), locked_text(password)) == 0;
}

/* Who has none would wait for what another one has said. */
static bool remote_same_login(const struct remote *r, const struct secret_login *login)
{
	const char *mine = secret_login_text(r->login), *other = secret_login_text(login);

	return r->login == login || (!mine && !other) ||
	       (mine && other && strcmp(mine, other) == 0);
}

/*
 * One that has come to its agent may be used while known_hosts still vouches for it. One that is on
 * its way there will be judged by what its own job has brought: the password above all.
 */
static bool remote_is_fit(const struct remote *r, const struct remote_spec *spec)
{
	if (r->shunned || remote_task_count(r) >= LIMIT_TASKS)
		return false;
	if (r->state == REMOTE_OPEN)
		return !r->line || line_is_trusted(r->line, spec->target);
	return r->state == REMOTE_GREETING ||
	       (remote_same_password(r, spec->password) && remote_same_login(r, spec->login));
}

static struct remote *remotes_find(const struct remotes *pool, const struct remote_spec *spec,
				   const char *key)
{
	uint64_t hash = remote_hash(key);

	for (struct remote *r = *remotes_bucket(pool, hash), *next; r; r = next) {
		next = r->next;
		if (r->hash != hash || strcmp(r->key, key) != 0)
			continue;
		if (remote_is_fit(r, spec))
			return r;
		/* Its host key was taken back: it waits for nobody. */
		if (r->idle)
			remote_close(r, CAUSE_NONE, "");
	}
	return NULL;
}

struct remote_task *remote_start(struct remotes *pool, const struct remote_spec *spec,
				 const struct remote_events *events, void *arg)
{
	char *key = remote_key(spec);
	struct remote *r = remotes_find(pool, spec, key);
	struct remote_task *task;

	if (r) {
		free(key);
	} else {
		/* A slot for the new one, if an old one holds it for nobody. */
		if (pool->first_idle && !remotes_linger_ms(pool))
			remote_close(pool->first_idle, CAUSE_NONE, "");
		r = remote_new(pool, spec, key);
		remotes_add(pool, r);
	}
	task = task_new(r, events, arg);
	if (r->state == REMOTE_OPEN) {
		remotes_set_idle(r, false);
		(void)event_del(r->timer);
	}
	return task;
}
