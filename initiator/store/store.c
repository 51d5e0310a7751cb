#include "store.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "alloc.h"
#include "disk_posix.h"
#include "fd.h"
#include "guard.h"
#include "log.h"
#include "store_private.h"

#define STORE_SEGMENT	  (64u << 20)
#define STORE_SEGMENT_MIN (1u << 20)
#define STORE_SEGMENT_MAX (SEGSCAN_MAX - 4096u) /* and a few small entries more */
#define STORE_RESERVE	  (4u << 20)
#define STORE_READERS	  4u
#define STORE_GRACE_MS	  5000u

/* A store, or a file system, of which a segment is a large part could hardly be made room in. */
#define STORE_PARTS 16u

/* --- the database --------------------------------------------------------------------------- */

static void store_add_note(struct store *store, const char *text)
{
	char *note = store->note ? xasprintf("%s; %s", store->note, text) : xstrdup(text);

	log_warn("%s", text);
	free(store->note);
	store->note = note;
}

/* Opens it and reads it once, so that what is wrong is seen before anybody relies on it. */
static int store_try_db(struct store *store, struct errmsg *msg)
{
	static const struct store_loader nobody = {0};
	char *path = xasprintf("%s/" DB_NAME, store->path);
	bool fresh = false;
	int r = db_peek(store->dir, &fresh, msg);

	if (r == 0)
		r = db_open(&store->db, path, msg);
	free(path);
	if (r == 0)
		r = db_load(store->db, &nobody, NULL, msg);
	if (r == 0)
		r = db_get_number(store->db, DB_MARK, &store->mark, msg);
	if (r == 0)
		r = db_get_number(store->db, DB_LAST_ID, &store->last_id, msg);
	if (r == 0)
		r = db_get_number(store->db, DB_GENERATION, &store->generation, msg);
	if (r < 0) {
		db_close(store->db);
		store->db = NULL;
	}
	return r;
}

static int store_open_db(struct store *store, struct errmsg *msg)
{
	char aside[128], text[ERRMSG_MAX];
	struct errmsg why = {""};
	int r = store_try_db(store, &why);

	if (r == ERR_PROTO) {
		store->mark = store->last_id = store->generation = 0;
		r = guard_aside(store->dir, store->path, aside, sizeof aside, msg);
		if (r == 0)
			r = guard_touch(store->dir, DB_NAME, store->path, msg);
		if (r < 0)
			return r;
		(void)snprintf(text, sizeof text,
			       "the database of the store %.200s was damaged and is now %.100s",
			       store->path, aside);
		store_add_note(store, text);
		r = store_try_db(store, &why);
	}
	if (r < 0)
		return err_set(msg, r, "cannot use the store %s: %s", store->path, why.text);
	return 0;
}

/* A database that has no generation is a new one, and its transaction is open. */
static int store_fill_db(struct store *store, struct errmsg *msg)
{
	char text[ERRMSG_MAX];
	size_t jobs = 0;
	int r = store_rebuild(store, &jobs, msg);

	if (r < 0 || !jobs)
		return r;
	(void)snprintf(text, sizeof text,
		       "the database of the store %.200s was made again from the segments: %zu "
		       "job%s, as when begun, with the output that was stored; how far "
		       "children had come, and sessions, are lost",
		       store->path, jobs, jobs == 1 ? "" : "s");
	store_add_note(store, text);
	store->rebuilt = true;
	/* Numbers may have been used that no segment tells of. */
	store->generation += 16;
	return 0;
}

static int store_set_numbers(struct store *store, struct errmsg *msg)
{
	struct errmsg why = {""};
	bool fresh = !store->generation;
	int r = db_begin(store->db, &why);

	if (store->found.max_generation > store->generation)
		store->generation = store->found.max_generation;
	if (store->found.max_id > store->last_id)
		store->last_id = store->found.max_id;
	if (r == 0 && fresh)
		r = store_fill_db(store, &why);
	store->generation++;
	if (r == 0)
		r = db_set_number(store->db, DB_GENERATION, store->generation, &why);
	if (r == 0)
		r = db_set_number(store->db, DB_MARK, store->mark, &why);
	if (r == 0)
		r = db_set_number(store->db, DB_LAST_ID, store->last_id, &why);
	if (r == 0)
		r = db_commit(store->db, &why);
	if (r < 0)
		return err_set(msg, r == ERR_LIMIT ? ERR_SYS : r, "cannot use the store %s: %s",
			       store->path, why.text);
	return 0;
}

/* --- the segments --------------------------------------------------------------------------- */

static void store_note_damage(struct store *store)
{
	char text[ERRMSG_MAX];
	size_t n = store->damage.segments;

	if (!n)
		return;
	(void)snprintf(text, sizeof text,
		       "%zu segment%s of the store %.200s %s damaged: %llu bytes cannot be read", n,
		       n == 1 ? "" : "s", store->path, n == 1 ? "is" : "are",
		       (unsigned long long)store->damage.bytes);
	store_add_note(store, text);
}

static int store_open_log(struct store *store, struct errmsg *msg)
{
	struct recover *found = &store->found;
	int r = recover(found, store->disk, store->mark, msg);

	if (r < 0)
		return r;
	store->damage = found->damage;
	store_note_damage(store);
	store->seq = found->max_seq;
	store->mark = found->mark;
	while (!store->mark)
		if (getrandom(&store->mark, sizeof store->mark, 0) < 0)
			return err_set(msg, ERR_SYS, "no random numbers: %s", err_text(ERR_SYS));
	store->segment = found->segment;
	store->at = (uint32_t)found->segment_size;
	if (!store->segment) {
		store->segment = found->count ? found->numbers[found->count - 1] + 1 : 1;
		store->at = 0;
	}
	return 0;
}

static void store_set_sizes(struct store *store)
{
	const struct store_options *options = &store->options;
	int64_t room = store->disk->ops->room(store->disk->ctx);
	uint64_t size = options->segment_size ? options->segment_size : STORE_SEGMENT;

	if (!options->segment_size) {
		if (options->size_limit && size > options->size_limit / STORE_PARTS)
			size = options->size_limit / STORE_PARTS;
		if (room >= 0 && size > (uint64_t)room / STORE_PARTS)
			size = (uint64_t)room / STORE_PARTS;
		if (size < STORE_SEGMENT_MIN)
			size = STORE_SEGMENT_MIN;
	}
	store->segment_size = size < STORE_SEGMENT_MAX ? size : STORE_SEGMENT_MAX;
	if (!options->reserve)
		store->options.reserve = STORE_RESERVE;
}

/* --- opening -------------------------------------------------------------------------------- */

static void store_on_durable(void *arg)
{
	store_move(arg);
	store_log_idle(arg);
}

static void store_on_trouble(void *arg, enum store_trouble what, const char *text)
{
	struct store *store = arg;

	/* So that there is a segment that can go when nobody needs it any more. */
	if (what == STORE_FULL)
		store_log_rotate(store);
	if (store->options.trouble)
		store->options.trouble(store->options.arg, what, text);
}

static int store_start(struct store *store, struct errmsg *msg)
{
	struct writer_options options = {
		.loop = store->options.loop,
		.disk = store->disk,
		.db = store->db,
		.path = store->path,
		.mark = store->mark,
		.segment = store->found.segment,
		.segment_size = store->found.segment_size,
		.size = store->found.size,
		.size_limit = store->options.size_limit,
		.reserve = store->options.reserve,
		.durable = store_on_durable,
		.trouble = store_on_trouble,
		.arg = store,
	};
	int r = writer_new(&store->writer, &options, msg);

	if (r < 0)
		return r;
	store->pool = work_pool_new(store->options.loop, "store", STORE_READERS);
	store_log_head(store);
	return 0;
}

static int store_open_dir(struct store *store, const char *path, struct errmsg *msg)
{
	bool fresh;
	int frames, r = guard_open(&store->dir, path, msg);
	struct errmsg why = {""};

	if (r < 0)
		return r;
	/* SQLite must not meet a symbolic link on the way. */
	store->path = realpath(path, NULL);
	if (!store->path)
		return err_set(msg, ERR_SYS, "cannot use the store %s: %s", path,
			       err_text(ERR_SYS));
	/* Of a newer release not even the lock is ours to touch. */
	if (db_peek(store->dir, &fresh, &why) == ERR_VERSION)
		return err_set(msg, ERR_VERSION, "cannot use the store %s: %s", path, why.text);
	r = guard_lock(&store->lock, store->dir, store->path, msg);
	if (r == 0)
		r = guard_files(&frames, store->dir, store->path, msg);
	if (r < 0)
		return r;
	if (store->own_disk)
		store->disk = disk_posix_new(frames);
	else
		fd_close(&frames);
	return 0;
}

int store_open_on(struct store **ret, const struct store_options *options, struct disk *disk,
		  struct errmsg *msg)
{
	struct store *store = xcalloc(1, sizeof *store);
	int r;

	store->options = *options;
	store->dir = store->lock = -1;
	store->disk = disk;
	store->own_disk = !disk;
	store->ledger = ledger_new();
	r = store_open_dir(store, options->path, msg);
	if (r == 0)
		r = store_open_db(store, msg);
	if (r == 0)
		r = store_open_log(store, msg);
	if (r == 0)
		r = store_set_numbers(store, msg);
	if (r == 0) {
		store_set_sizes(store);
		r = store_start(store, msg);
	}
	if (r < 0) {
		store_close(store);
		return r;
	}
	*ret = store;
	return 0;
}

int store_open(struct store **ret, const struct store_options *options, struct errmsg *msg)
{
	return store_open_on(ret, options, NULL, msg);
}

void store_leaving(struct store *store)
{
	guard_leaving(store->lock);
}

void store_close(struct store *store)
{
	if (!store)
		return;
	store_read_close(store);
	store_move_close(store);
	work_pool_free(store->pool, STORE_GRACE_MS);
	if (writer_close(store->writer)) {
		db_close(store->db);
		if (store->own_disk)
			disk_posix_free(store->disk);
	}
	ledger_free(store->ledger);
	recover_done(&store->found);
	fd_close(&store->dir);
	fd_close(&store->lock);
	free(store->path);
	free(store->note);
	free(store);
}
