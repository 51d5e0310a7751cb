#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "simdisk.h"
#include "simdisk_private.h"

#define SIMDISK_BLOCK 512u /* comes to the disk in one piece */

struct simdisk *simdisk_new(uint64_t seed)
{
	struct simdisk *disk = xcalloc(1, sizeof *disk);

	disk->seed = seed;
	disk->limit = INT64_MAX;
	return disk;
}

static void simdisk_names_done(struct simdisk_names *names)
{
	while (names->count)
		simdisk_set(names, names->list[0].name, NULL);
	free(names->list);
	*names = (struct simdisk_names){0};
}

void simdisk_free(struct simdisk *disk)
{
	if (!disk)
		return;
	for (size_t i = 0; i < disk->user_count; i++) {
		simdisk_user_kill(disk->users[i]);
		free(disk->users[i]);
	}
	free(disk->users);
	simdisk_forget_changes(disk);
	simdisk_names_done(&disk->now);
	simdisk_names_done(&disk->synced);
	free(disk);
}

/* splitmix64: any seed will do, 0 too. */
uint64_t simdisk_roll(struct simdisk *disk, uint64_t below)
{
	uint64_t z = disk->seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (z ^ z >> 31) % below;
}

void simdisk_limit(struct simdisk *disk, uint64_t bytes)
{
	disk->limit = bytes;
}

/* What has a name; that of a file which is only open is not missed by these tests. */
uint64_t simdisk_used(const struct simdisk *disk)
{
	uint64_t used = 0;

	for (size_t i = 0; i < disk->now.count; i++)
		used += disk->now.list[i].file->data.len;
	return used;
}

/* --- looking --------------------------------------------------------------------------------- */

int64_t simdisk_size(const struct simdisk *disk, const char *name)
{
	struct simdisk_file **file = simdisk_find(&disk->now, name);

	return file ? (int64_t)(*file)->data.len : -1;
}

const uint8_t *simdisk_bytes(const struct simdisk *disk, const char *name)
{
	struct simdisk_file **file = simdisk_find(&disk->now, name);

	return file ? (*file)->data.data : NULL;
}

void simdisk_put(struct simdisk *disk, const char *name, const void *data, size_t len)
{
	struct simdisk_file *file = simdisk_file_new();

	if (len)
		buf_add(&file->data, data, len);
	file->synced = len;
	simdisk_set(&disk->now, name, file);
	simdisk_set(&disk->synced, name, file);
}

size_t simdisk_count(const struct simdisk *disk)
{
	return disk->now.count;
}

/* --- damage ---------------------------------------------------------------------------------- */

bool simdisk_flip_at(struct simdisk *disk, const char *name, uint64_t byte, unsigned bit)
{
	struct simdisk_file **file = simdisk_find(&disk->now, name);

	if (!file || byte >= (*file)->data.len)
		return false;
	(*file)->data.data[byte] ^= (uint8_t)(1u << bit % 8);
	return true;
}

bool simdisk_flip(struct simdisk *disk, const char *prefix)
{
	const struct simdisk_names *names = &disk->now;
	size_t fits = 0, chosen = 0;

	for (size_t i = 0; i < names->count; i++) {
		if (strncmp(names->list[i].name, prefix, strlen(prefix)) != 0 ||
		    !names->list[i].file->data.len)
			continue;
		if (simdisk_roll(disk, ++fits) == 0)
			chosen = i;
	}
	return fits && simdisk_flip_at(disk, names->list[chosen].name,
				       simdisk_roll(disk, names->list[chosen].file->data.len),
				       (unsigned)simdisk_roll(disk, 8));
}

/* --- users ----------------------------------------------------------------------------------- */

uint64_t simdisk_user_calls(const struct simdisk_user *u)
{
	return u->calls;
}

size_t simdisk_user_open_files(const struct simdisk_user *u)
{
	size_t n = 0;

	for (size_t i = 0; i < SIMDISK_FILES; i++)
		n += u->open[i].file != NULL;
	return n;
}

void simdisk_user_fail(struct simdisk_user *u, uint64_t calls, uint64_t times, int error)
{
	u->fail_at = u->calls + calls + 1;
	u->fail_times = times;
	u->fail_error = error;
}

void simdisk_user_die(struct simdisk_user *u, uint64_t calls)
{
	u->die_at = u->calls + calls + 1;
}

bool simdisk_user_is_dead(const struct simdisk_user *u)
{
	return u->dead;
}

void simdisk_user_kill(struct simdisk_user *u)
{
	for (size_t i = 0; i < SIMDISK_FILES; i++) {
		simdisk_file_drop(u->open[i].file);
		u->open[i].file = NULL;
	}
	u->die_at = u->fail_times = 0;
	u->dead = false;
}

/* --- power ----------------------------------------------------------------------------------- */

/* What was not synced came to the disk in any order, and the file became longer in any step. */
static void simdisk_tear(struct simdisk *disk, struct simdisk_file *file)
{
	size_t loose = file->data.len - file->synced;

	if (!loose)
		return;
	file->data.len = file->synced + simdisk_roll(disk, loose + 1);
	if (simdisk_roll(disk, 2)) {
		for (size_t at = file->synced, n; at < file->data.len; at += n) {
			n = SIMDISK_BLOCK - at % SIMDISK_BLOCK;
			if (n > file->data.len - at)
				n = file->data.len - at;
			if (simdisk_roll(disk, 4) == 0)
				memset(file->data.data + at, 0, n);
		}
	}
	file->synced = file->data.len;
}

void simdisk_cut_power(struct simdisk *disk)
{
	size_t kept = simdisk_roll(disk, disk->change_count + 1);

	for (size_t i = 0; i < disk->user_count; i++)
		simdisk_user_kill(disk->users[i]);
	if (kept && disk->changes[kept - 1].with_next)
		kept++;
	simdisk_sync_changes(disk, kept);
	simdisk_forget_changes(disk);
	simdisk_names_done(&disk->now);
	for (size_t i = 0; i < disk->synced.count; i++) {
		simdisk_tear(disk, disk->synced.list[i].file);
		simdisk_set(&disk->now, disk->synced.list[i].name, disk->synced.list[i].file);
	}
}
