/* A store in a directory of its own, and what it gave when it was loaded. */
#ifndef MUSTER_TEST_STORE_RIG_H
#define MUSTER_TEST_STORE_RIG_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "buf.h"
#include "disk_posix.h"
#include "loop.h"
#include "seglog.h"
#include "store.h"
#include "store_private.h"

#define RIG_PATIENCE_MS 60000u
#define RIG_FRAMES	100000u
#define RIG_JOBS	64u

struct rig_frame {
	uint64_t child, first, remote_seq;
	uint32_t count;
	struct store_place place;
};

struct rig {
	char base[64]; /* a directory of the test's own */
	char path[96]; /* of the store, in it */
	struct loop *loop;
	struct store *store;
	struct store_options options;
	struct disk *disk; /* NULL: the real one */
	struct errmsg msg;
	int opened; /* what store_open returned */
	uint64_t last_id;

	/* What was loaded. */
	size_t jobs, children, values, notes, frames;
	struct store_job job[RIG_JOBS];
	struct store_child child, first_child; /* the last; that with id 2 */
	char value[64];
	char order[64]; /* j, v, n, f as they came */
	uint64_t note_bytes, note_sum;
	struct rig_frame *frame;

	/* Troubles, and what was read. */
	int troubles[3];
	char trouble_text[ERRMSG_MAX];
	int rc;
	struct buf read;
	struct store_frame got;
	bool done;
	struct event *watchdog;
};

static inline void rig_on_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fprintf(stderr, "nothing happened for a minute\n");
	abort();
}

static inline void rig_on_done(void *arg)
{
	struct rig *rig = arg;

	rig->done = true;
	loop_stop(rig->loop);
}

/* Runs the loop until a callback says so. */
static inline void rig_run(struct rig *rig)
{
	struct timeval patience = loop_ms(RIG_PATIENCE_MS);

	(void)evtimer_add(rig->watchdog, &patience);
	loop_run(rig->loop);
	(void)evtimer_del(rig->watchdog);
}

static inline void rig_on_trouble(void *arg, enum store_trouble what, const char *text)
{
	struct rig *rig = arg;

	rig->troubles[what]++;
	(void)snprintf(rig->trouble_text, sizeof rig->trouble_text, "%s", text);
	loop_stop(rig->loop);
}

static inline void rig_await_trouble(struct rig *rig, enum store_trouble what)
{
	while (!rig->troubles[what])
		rig_run(rig);
}

static inline void rig_durable(struct rig *rig)
{
	rig->done = false;
	store_when_durable(rig->store, rig_on_done, rig);
	while (!rig->done)
		rig_run(rig);
}

/* --- loading -------------------------------------------------------------------------------- */

static inline void rig_order(struct rig *rig, char what)
{
	size_t n = strlen(rig->order);

	if (n + 1 < sizeof rig->order)
		rig->order[n] = what;
}

static inline void rig_on_job(void *arg, const struct store_job *job,
			      const struct store_child *children)
{
	struct rig *rig = arg;

	rig_order(rig, 'j');
	if (rig->jobs < RIG_JOBS)
		rig->job[rig->jobs] = *job;
	rig->jobs++;
	rig->children += job->child_count;
	for (uint64_t i = 0; i < job->child_count; i++) {
		assert_int_equal(children[i].id, job->id + i + 1);
		rig->child = children[i];
		rig->child.signal = children[i].signal ? "signal" : NULL;
		rig->child.text = children[i].text ? "text" : NULL;
		if (children[i].id == 2)
			rig->first_child = rig->child;
	}
}

static inline void rig_on_value(void *arg, const char *name, const void *data, size_t len)
{
	struct rig *rig = arg;

	rig_order(rig, 'v');
	rig->values++;
	(void)snprintf(rig->value, sizeof rig->value, "%s=%.*s", name, (int)len,
		       (const char *)data);
}

static inline void rig_on_note(void *arg, uint64_t job, unsigned kind, uint64_t child,
			       uint64_t remote_seq, const void *data, size_t len)
{
	struct rig *rig = arg;

	(void)job;
	(void)child;
	(void)remote_seq;
	rig_order(rig, 'n');
	rig->notes++;
	rig->note_bytes += len;
	rig->note_sum += kind;
	if (len)
		rig->note_sum += ((const uint8_t *)data)[len - 1];
}

static inline void rig_on_frame(void *arg, const struct store_frame *frame,
				struct store_place place)
{
	struct rig *rig = arg;

	rig_order(rig, 'f');
	if (rig->frames < RIG_FRAMES)
		rig->frame[rig->frames] = (struct rig_frame){
			frame->child, frame->first, frame->remote_seq, frame->count, place};
	rig->frames++;
}

static const struct store_loader rig_loader = {rig_on_job, rig_on_value, rig_on_note, rig_on_frame};

static inline int rig_load(struct rig *rig)
{
	rig->jobs = rig->children = rig->values = rig->notes = rig->frames = 0;
	rig->note_bytes = rig->note_sum = 0;
	rig->first_child = (struct store_child){0};
	memset(rig->order, 0, sizeof rig->order);
	memset(rig->troubles, 0, sizeof rig->troubles);
	if (store_load(rig->store, &rig_loader, rig, &rig->last_id, &rig->msg) < 0)
		return ERR_SYS;
	assert_true(rig->frames <= RIG_FRAMES);
	return 0;
}

/* --- opening -------------------------------------------------------------------------------- */

static inline int rig_try(struct rig *rig)
{
	rig->store = NULL;
	rig->msg.text[0] = '\0';
	rig->opened = store_open_on(&rig->store, &rig->options, rig->disk, &rig->msg);
	return rig->opened;
}

static inline void rig_open(struct rig *rig)
{
	if (rig_try(rig) < 0)
		fail_msg("%s", rig->msg.text);
	if (rig_load(rig) < 0)
		fail_msg("%s", rig->msg.text);
}

static inline void rig_close(struct rig *rig)
{
	store_close(rig->store);
	rig->store = NULL;
	loop_flush(rig->loop);
}

static inline void rig_reopen(struct rig *rig)
{
	rig_close(rig);
	rig_open(rig);
}

static inline int rig_set_up(void **state)
{
	struct rig *rig = xcalloc(1, sizeof *rig);

	(void)snprintf(rig->base, sizeof rig->base, "/tmp/muster-store-XXXXXX");
	assert_non_null(mkdtemp(rig->base));
	(void)snprintf(rig->path, sizeof rig->path, "%s/store", rig->base);
	rig->frame = xcalloc(RIG_FRAMES, sizeof *rig->frame);
	rig->loop = loop_new();
	rig->watchdog = evtimer_new(loop_base(rig->loop), rig_on_late, NULL);
	rig->options = (struct store_options){
		.path = rig->path, .loop = rig->loop, .trouble = rig_on_trouble, .arg = rig};
	*state = rig;
	return 0;
}

/* Everything below path, which is of this test. */
static inline void rig_remove(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		char *name;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		name = xasprintf("%s/%s", path, entry->d_name);
		if (unlink(name) < 0)
			rig_remove(name);
		free(name);
	}
	if (dir)
		(void)closedir(dir);
	(void)rmdir(path);
}

static inline int rig_tear_down(void **state)
{
	struct rig *rig = *state;

	store_close(rig->store);
	event_free(rig->watchdog);
	loop_free(rig->loop);
	rig_remove(rig->base);
	buf_done(&rig->read);
	free(rig->frame);
	free(rig);
	return 0;
}

/* --- using it ------------------------------------------------------------------------------- */

static inline void rig_put_job(struct rig *rig, uint64_t id, uint64_t count)
{
	struct store_child *children = xcalloc(count ? count : 1, sizeof *children);
	struct store_job job = {.id = id,
				.child_count = count,
				.uuid = {(uint8_t)id, 1},
				.begin_ns = 7,
				.spec = "spec",
				.spec_len = 4};

	for (uint64_t i = 0; i < count; i++) {
		children[i].id = id + i + 1;
		children[i].uuid[0] = (uint8_t)(id + i + 1);
		children[i].step = 3;
	}
	store_put_job(rig->store, &job, children);
	free(children);
}

/* Rows say what the frame is: number of the child and of the first record, then a run of bytes. */
static inline struct store_place rig_append(struct rig *rig, uint64_t child, uint64_t first,
					    uint32_t count, size_t len)
{
	uint8_t *rows = xmalloc(len + 16);
	struct store_frame frame = {.child = child,
				    .first = first,
				    .count = count,
				    .remote_seq = first,
				    .streams = {count},
				    .rows = rows,
				    .len = len + 16};
	struct store_place place;

	memcpy(rows, &child, 8);
	memcpy(rows + 8, &first, 8);
	memset(rows + 16, (int)(uint8_t)(child + first), len);
	place = store_append(rig->store, &frame);
	free(rows);
	return place;
}

static inline void rig_on_read(void *arg, int rc, const struct store_frame *frame)
{
	struct rig *rig = arg;

	rig->rc = rc;
	buf_clear(&rig->read);
	if (rc == 0) {
		rig->got = *frame;
		buf_add(&rig->read, frame->rows, frame->len);
		rig->got.rows = NULL;
	}
	rig_on_done(rig);
}

static inline int rig_read(struct rig *rig, struct store_place place)
{
	rig->done = false;
	(void)store_read(rig->store, place, rig_on_read, rig);
	while (!rig->done)
		rig_run(rig);
	return rig->rc;
}

/* Reads it, and it is what rig_append made. */
static inline void rig_expect(struct rig *rig, struct store_place place, uint64_t child,
			      uint64_t first)
{
	uint8_t fill = (uint8_t)(child + first);

	assert_int_equal(rig_read(rig, place), 0);
	assert_int_equal(rig->got.child, child);
	assert_int_equal(rig->got.first, first);
	assert_true(rig->read.len >= 16);
	assert_memory_equal(rig->read.data, &child, 8);
	assert_memory_equal(rig->read.data + 8, &first, 8);
	for (size_t i = 16; i < rig->read.len; i++)
		assert_int_equal(rig->read.data[i], fill);
}

/* A file of the store: its path is made of parts. */
static inline char *rig_file(const struct rig *rig, const char *name)
{
	return xasprintf("%s/%s", rig->path, name);
}

static inline char *rig_segment(const struct rig *rig, uint32_t segment)
{
	char name[SEGLOG_NAME];

	return xasprintf("%s/frames/%s", rig->path, seglog_name(name, segment));
}

static inline bool rig_has_segment(const struct rig *rig, uint32_t segment)
{
	char *path = rig_segment(rig, segment);
	bool has = access(path, F_OK) == 0;

	free(path);
	return has;
}

static inline int64_t rig_size(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -1 : (int64_t)st.st_size;
}

/* How many names in this directory of the store have the text in them. */
static inline size_t rig_count_names(const struct rig *rig, const char *folder, const char *text)
{
	char *path = rig_file(rig, folder);
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t n = 0;

	while (dir && (entry = readdir(dir)) != NULL)
		n += strstr(entry->d_name, text) != NULL;
	if (dir)
		(void)closedir(dir);
	free(path);
	return n;
}

static inline void rig_overwrite(const char *path, uint64_t at, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, (off_t)at), len);
	(void)close(fd);
}

/* --- a disk that can be told to fail -------------------------------------------------------- */

struct bad_disk {
	struct disk disk; /* first */
	struct disk *real;
	int64_t room;	/* -1: as much as there is; otherwise bytes that fit on it still */
	int sync_error; /* 0: none */
};

static inline struct bad_disk *bad_of(void *ctx)
{
	return ctx;
}

static inline int64_t bad_room_now(struct bad_disk *bad)
{
	return __atomic_load_n(&bad->room, __ATOMIC_SEQ_CST);
}

static inline int bad_open(void *ctx, const char *name, enum disk_mode mode)
{
	return bad_of(ctx)->real->ops->open(bad_of(ctx)->real->ctx, name, mode);
}

static inline void bad_close(void *ctx, int file)
{
	bad_of(ctx)->real->ops->close(bad_of(ctx)->real->ctx, file);
}

static inline int64_t bad_read(void *ctx, int file, uint64_t at, void *to, size_t len)
{
	return bad_of(ctx)->real->ops->read(bad_of(ctx)->real->ctx, file, at, to, len);
}

static inline int64_t bad_append(void *ctx, int file, const void *data, size_t len)
{
	struct bad_disk *bad = ctx;
	int64_t room = bad_room_now(bad), n;

	if (room == 0)
		return -ENOSPC;
	if (room > 0 && (uint64_t)room < len)
		len = (size_t)room;
	n = bad->real->ops->append(bad->real->ctx, file, data, len);
	if (room > 0 && n > 0)
		(void)__atomic_sub_fetch(&bad->room, n, __ATOMIC_SEQ_CST);
	return n;
}

static inline int64_t bad_size(void *ctx, int file)
{
	return bad_of(ctx)->real->ops->size(bad_of(ctx)->real->ctx, file);
}

static inline int bad_truncate(void *ctx, int file, uint64_t size)
{
	struct bad_disk *bad = ctx;
	int64_t was = bad_size(ctx, file);

	if (bad_room_now(bad) >= 0 && was > (int64_t)size)
		(void)__atomic_add_fetch(&bad->room, was - (int64_t)size, __ATOMIC_SEQ_CST);
	return bad->real->ops->truncate(bad->real->ctx, file, size);
}

static inline int bad_sync(void *ctx, int file)
{
	int error = __atomic_load_n(&bad_of(ctx)->sync_error, __ATOMIC_SEQ_CST);

	return error ? -error : bad_of(ctx)->real->ops->sync(bad_of(ctx)->real->ctx, file);
}

static inline int bad_unlink(void *ctx, const char *name)
{
	struct bad_disk *bad = ctx;
	int file = bad_open(ctx, name, DISK_READ);

	if (file >= 0) {
		if (bad_room_now(bad) >= 0)
			(void)__atomic_add_fetch(&bad->room, bad_size(ctx, file), __ATOMIC_SEQ_CST);
		bad_close(ctx, file);
	}
	return bad->real->ops->unlink(bad->real->ctx, name);
}

static inline int bad_rename(void *ctx, const char *from, const char *to)
{
	return bad_of(ctx)->real->ops->rename(bad_of(ctx)->real->ctx, from, to);
}

static inline int bad_sync_names(void *ctx)
{
	return bad_of(ctx)->real->ops->sync_names(bad_of(ctx)->real->ctx);
}

static inline int bad_list(void *ctx, disk_list_fn *fn, void *arg)
{
	return bad_of(ctx)->real->ops->list(bad_of(ctx)->real->ctx, fn, arg);
}

/* It does not know beforehand, so that writing itself is what fails. */
static inline int64_t bad_room(void *ctx)
{
	(void)ctx;
	return INT64_MAX;
}

static const struct disk_ops bad_ops = {bad_open,     bad_close,      bad_read, bad_append,
					bad_truncate, bad_sync,	      bad_size, bad_unlink,
					bad_rename,   bad_sync_names, bad_list, bad_room};

/* For the rig's store, which must not be open. */
static inline struct bad_disk *bad_new(struct rig *rig)
{
	struct bad_disk *bad = xcalloc(1, sizeof *bad);
	char *path = rig_file(rig, "frames");
	int dir;

	(void)mkdir(rig->path, 0700);
	(void)mkdir(path, 0700);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	free(path);
	*bad = (struct bad_disk){
		.disk = {.ops = &bad_ops, .ctx = bad}, .real = disk_posix_new(dir), .room = -1};
	rig->disk = &bad->disk;
	return bad;
}

static inline void bad_free(struct rig *rig, struct bad_disk *bad)
{
	rig->disk = NULL;
	disk_posix_free(bad->real);
	free(bad);
}

static inline void bad_set_room(struct bad_disk *bad, int64_t room)
{
	__atomic_store_n(&bad->room, room, __ATOMIC_SEQ_CST);
}

#endif
