#include "simdisk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "simdisk_private.h"

/* --- files and names ------------------------------------------------------------------------ */

struct simdisk_file *simdisk_file_new(void)
{
	return xcalloc(1, sizeof(struct simdisk_file));
}

void simdisk_file_drop(struct simdisk_file *file)
{
	if (!file || --file->uses)
		return;
	buf_done(&file->data);
	free(file);
}

struct simdisk_file **simdisk_find(const struct simdisk_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->list[i].name, name) == 0)
			return &names->list[i].file;
	return NULL;
}

void simdisk_set(struct simdisk_names *names, const char *name, struct simdisk_file *file)
{
	struct simdisk_file **at = simdisk_find(names, name), *old = at ? *at : NULL;

	if (file)
		file->uses++;
	if (at && file) {
		*at = file;
	} else if (at) {
		struct simdisk_name *last = &names->list[--names->count];
		size_t i = (size_t)((struct simdisk_name *)(void *)((char *)at -
								    offsetof(struct simdisk_name,
									     file)) -
				    names->list);

		names->list[i] = *last;
	} else if (file) {
		struct simdisk_name *one;

		if (names->count == names->room) {
			names->room = names->room * 2 + 8;
			names->list = xrealloc(names->list, names->room, sizeof *names->list);
		}
		one = &names->list[names->count++];
		*one = (struct simdisk_name){.file = file};
		memcpy(one->name, name, strlen(name) + 1);
	}
	simdisk_file_drop(old);
}

void simdisk_sync_changes(struct simdisk *disk, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct simdisk_name *change = &disk->changes[i].name;

		simdisk_set(&disk->synced, change->name, change->file);
		simdisk_file_drop(change->file);
	}
	disk->change_count -= n;
	memmove(disk->changes, disk->changes + n, disk->change_count * sizeof disk->changes[0]);
}

void simdisk_forget_changes(struct simdisk *disk)
{
	for (size_t i = 0; i < disk->change_count; i++)
		simdisk_file_drop(disk->changes[i].name.file);
	disk->change_count = 0;
}

static void simdisk_change(struct simdisk *disk, const char *name, struct simdisk_file *file,
			   bool with_next)
{
	struct simdisk_change *change;

	/* Two at least, so that none is parted from the one that it belongs to. */
	if (disk->change_count == SIMDISK_CHANGES)
		simdisk_sync_changes(disk, disk->changes[0].with_next ? 2 : 1);
	change = &disk->changes[disk->change_count++];
	*change = (struct simdisk_change){.name.file = file, .with_next = with_next};
	memcpy(change->name.name, name, strlen(name) + 1);
	if (file)
		file->uses++;
	simdisk_set(&disk->now, name, file);
}

/* --- what a call begins with ----------------------------------------------------------------- */

enum simdisk_fate { FATE_WELL, FATE_DIES, FATE_FAILS };

/* Sets *error where the call does not go well. */
static enum simdisk_fate simdisk_call(struct simdisk_user *u, int *error)
{
	u->calls++;
	*error = -EIO;
	if (u->dead)
		return FATE_FAILS;
	if (u->die_at && u->calls >= u->die_at) {
		u->dead = true;
		return FATE_DIES;
	}
	if (u->calls >= u->fail_at && u->calls - u->fail_at < u->fail_times) {
		*error = -u->fail_error;
		return FATE_FAILS;
	}
	return FATE_WELL;
}

/* For calls that are done or are not. True: it is done. */
static bool simdisk_does(struct simdisk_user *u, int *error)
{
	enum simdisk_fate fate = simdisk_call(u, error);

	return fate == FATE_WELL || (fate == FATE_DIES && simdisk_roll(u->on, 2));
}

static struct simdisk_file *simdisk_get(const struct simdisk_user *u, int file)
{
	if (file < 0 || (size_t)file >= SIMDISK_FILES)
		abort();
	return u->open[file].file;
}

/* --- the calls ------------------------------------------------------------------------------- */

static int simdisk_open(void *ctx, const char *name, enum disk_mode mode)
{
	struct simdisk_user *u = ctx;
	struct simdisk_file **at = simdisk_find(&u->on->now, name), *file = at ? *at : NULL;
	int error, slot = 0;

	if (!name[0] || strchr(name, '/') || strlen(name) >= SIMDISK_NAME_MAX)
		abort();
	if (!simdisk_does(u, &error))
		return error;
	if (mode == DISK_CREATE && file)
		return -EEXIST;
	if (mode != DISK_CREATE && !file)
		return -ENOENT;
	if (!file) {
		file = simdisk_file_new();
		simdisk_change(u->on, name, file, false);
	}
	if (u->dead)
		return error;
	while ((size_t)slot < SIMDISK_FILES && u->open[slot].file)
		slot++;
	if ((size_t)slot == SIMDISK_FILES)
		return -EMFILE;
	u->open[slot].file = file;
	u->open[slot].writes = mode != DISK_READ;
	file->uses++;
	return slot;
}

static void simdisk_close(void *ctx, int file)
{
	struct simdisk_user *u = ctx;

	/* Of a dead one they are closed already. */
	if (u->dead)
		return;
	if (!simdisk_get(u, file))
		abort();
	simdisk_file_drop(u->open[file].file);
	u->open[file].file = NULL;
}

static int64_t simdisk_read(void *ctx, int file, uint64_t at, void *to, size_t len)
{
	struct simdisk_user *u = ctx;
	struct simdisk_file *f = simdisk_get(u, file);
	int error;

	if (simdisk_call(u, &error) != FATE_WELL)
		return error;
	if (!f)
		abort();
	if (at >= f->data.len)
		return 0;
	if (len > f->data.len - at)
		len = f->data.len - at;
	memcpy(to, f->data.data + at, len);
	return (int64_t)len;
}

static int64_t simdisk_append(void *ctx, int file, const void *data, size_t len)
{
	struct simdisk_user *u = ctx;
	struct simdisk_file *f = simdisk_get(u, file);
	uint64_t used = simdisk_used(u->on), left = used < u->on->limit ? u->on->limit - used : 0;
	bool dead = u->dead;
	int error = -EIO;

	if (simdisk_call(u, &error) != FATE_WELL) {
		/* A part of it may be there all the same. */
		if (!dead && f)
			buf_add(&f->data, data, simdisk_roll(u->on, (len < left ? len : left) + 1));
		return error;
	}
	if (!f || !u->open[file].writes)
		abort();
	if (!left && len)
		return -ENOSPC;
	if (len > left)
		len = left;
	buf_add(&f->data, data, len);
	return (int64_t)len;
}

static int simdisk_truncate(void *ctx, int file, uint64_t size)
{
	struct simdisk_user *u = ctx;
	struct simdisk_file *f = simdisk_get(u, file);
	int error;

	if (!simdisk_does(u, &error))
		return error;
	if (!f || !u->open[file].writes)
		abort();
	if (size < f->data.len)
		f->data.len = size;
	if (size < f->synced)
		f->synced = size;
	return u->dead ? error : 0;
}

static int simdisk_sync(void *ctx, int file)
{
	struct simdisk_user *u = ctx;
	struct simdisk_file *f = simdisk_get(u, file);
	int error;

	if (!simdisk_does(u, &error))
		return error;
	if (!f)
		abort();
	f->synced = f->data.len;
	return u->dead ? error : 0;
}

static int64_t simdisk_size_of(void *ctx, int file)
{
	struct simdisk_user *u = ctx;
	struct simdisk_file *f = simdisk_get(u, file);
	int error;

	if (simdisk_call(u, &error) != FATE_WELL)
		return error;
	if (!f)
		abort();
	return (int64_t)f->data.len;
}

static int simdisk_unlink(void *ctx, const char *name)
{
	struct simdisk_user *u = ctx;
	int error;

	if (!simdisk_does(u, &error))
		return error;
	if (!simdisk_find(&u->on->now, name))
		return -ENOENT;
	simdisk_change(u->on, name, NULL, false);
	return u->dead ? error : 0;
}

static int simdisk_rename(void *ctx, const char *from, const char *to)
{
	struct simdisk_user *u = ctx;
	struct simdisk_file **at = simdisk_find(&u->on->now, from), *file = at ? *at : NULL;
	int error;

	if (!simdisk_does(u, &error))
		return error;
	if (!file)
		return -ENOENT;
	simdisk_change(u->on, to, file, true);
	simdisk_change(u->on, from, NULL, false);
	return u->dead ? error : 0;
}

static int simdisk_sync_names(void *ctx)
{
	struct simdisk_user *u = ctx;
	int error;

	if (!simdisk_does(u, &error))
		return error;
	simdisk_sync_changes(u->on, u->on->change_count);
	return u->dead ? error : 0;
}

static int simdisk_list(void *ctx, disk_list_fn *fn, void *arg)
{
	struct simdisk_user *u = ctx;
	struct simdisk_names *names = &u->on->now;
	size_t begin = names->count ? simdisk_roll(u->on, names->count) : 0;
	int error;

	if (simdisk_call(u, &error) != FATE_WELL)
		return error;
	for (size_t i = 0; i < names->count; i++)
		fn(arg, names->list[(begin + i) % names->count].name);
	return 0;
}

static int64_t simdisk_room(void *ctx)
{
	struct simdisk_user *u = ctx;
	uint64_t used = simdisk_used(u->on);
	int error;

	if (simdisk_call(u, &error) != FATE_WELL)
		return error;
	return used < u->on->limit ? (int64_t)(u->on->limit - used) : 0;
}

/* --- users ----------------------------------------------------------------------------------- */

static const struct disk_ops simdisk_ops = {
	.open = simdisk_open,
	.close = simdisk_close,
	.read = simdisk_read,
	.append = simdisk_append,
	.truncate = simdisk_truncate,
	.sync = simdisk_sync,
	.size = simdisk_size_of,
	.unlink = simdisk_unlink,
	.rename = simdisk_rename,
	.sync_names = simdisk_sync_names,
	.list = simdisk_list,
	.room = simdisk_room,
};

struct simdisk_user *simdisk_user_new(struct simdisk *disk)
{
	struct simdisk_user *u = xcalloc(1, sizeof *u);

	u->disk = (struct disk){&simdisk_ops, u};
	u->on = disk;
	disk->users = xrealloc(disk->users, disk->user_count + 1, sizeof *disk->users);
	disk->users[disk->user_count++] = u;
	return u;
}

const struct disk *simdisk_user_disk(const struct simdisk_user *u)
{
	return &u->disk;
}
