/*
 * What commands have said, in files of one directory. A file is: a line with our name and the
 * version, the lengths of key and text and a sum of both; the key; the text. It counts if all of
 * that is right and the key is the same byte by byte, so that nothing else can be taken for it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "fd.h"
#include "limits.h"
#include "upcall.h"

#define CACHE_SUFFIX	 ".inventory"
#define CACHE_HEAD	 128u
#define CACHE_KEPT_NS	 (UINT64_C(24) * 3600 * 1000000000) /* files that are older go */
#define CACHE_LOOKED_MAX 10000u /* files, when old ones are looked for */
#define NS_PER_MS	 UINT64_C(1000000)

static uint64_t cache_sum(uint64_t sum, const void *data, size_t n)
{
	const unsigned char *at = data;

	for (size_t i = 0; i < n; i++)
		sum = (sum ^ at[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static char *cache_path(const char *dir, const struct buf *key)
{
	return xasprintf("%s/%016jx" CACHE_SUFFIX, dir,
			 (uintmax_t)cache_sum(UINT64_C(0xcbf29ce484222325), key->data, key->len));
}

static int cache_head(char head[CACHE_HEAD], const struct buf *key, const void *text, size_t n)
{
	uint64_t sum = cache_sum(cache_sum(1, key->data, key->len), text, n);

	return snprintf(head, CACHE_HEAD, "muster inventory 1 %zu %zu %016jx\n", key->len, n,
			(uintmax_t)sum);
}

/* Ours alone: nobody else could have written it, or can read it. */
static bool cache_is_ours(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & 077);
}

static bool cache_dir_ok(const char *dir)
{
	struct stat st;

	return lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && cache_is_ours(&st);
}

static bool cache_is_young(const struct stat *st, uint64_t max_ns)
{
	uint64_t now = clock_wall_ns();
	uint64_t then =
		(uint64_t)st->st_mtim.tv_sec * 1000 * NS_PER_MS + (uint64_t)st->st_mtim.tv_nsec;

	return then <= now && now - then <= max_ns;
}

static bool cache_take(const struct buf *file, const struct buf *key, struct buf *out)
{
	const uint8_t *eol = file->len ? memchr(file->data, '\n', file->len) : NULL;
	size_t head_len = eol ? (size_t)(eol + 1 - file->data) : 0, n;
	char head[CACHE_HEAD];
	const uint8_t *text;

	if (!head_len || file->len - head_len < key->len ||
	    memcmp(eol + 1, key->data, key->len) != 0)
		return false;
	text = eol + 1 + key->len;
	n = file->len - head_len - key->len;
	if (cache_head(head, key, text, n) != (int)head_len ||
	    memcmp(head, file->data, head_len) != 0)
		return false;
	buf_add(out, text, n);
	return true;
}

bool upcall_cache_get(const char *dir, const struct buf *key, uint64_t max_ms, struct buf *out)
{
	char *path = cache_path(dir, key);
	int fd =
		cache_dir_ok(dir) ? open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
	uint64_t max_ns = max_ms > UINT64_MAX / NS_PER_MS ? UINT64_MAX : max_ms * NS_PER_MS;
	struct buf file = {0};
	struct stat st;
	bool found = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && cache_is_ours(&st) &&
		     cache_is_young(&st, max_ns) &&
		     fd_read_rest(fd, &file, (size_t)LIMIT_INVENTORY + LIMIT_EXPR) == 0 &&
		     cache_take(&file, key, out);

	buf_done(&file);
	fd_close(&fd);
	free(path);
	return found;
}

/* Files that nobody has made anew for a day, and halves of files. */
static void cache_sweep(const char *dir)
{
	DIR *all = opendir(dir);
	struct dirent *entry;
	unsigned looked = 0;

	while (all && looked++ < CACHE_LOOKED_MAX && (entry = readdir(all))) {
		struct stat st;

		if (strstr(entry->d_name, CACHE_SUFFIX) &&
		    fstatat(dirfd(all), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && !cache_is_young(&st, CACHE_KEPT_NS))
			(void)unlinkat(dirfd(all), entry->d_name, 0);
	}
	if (all)
		(void)closedir(all);
}

/* dir and what is above it. */
static void cache_make_dir(const char *dir)
{
	char *path = xstrdup(dir);

	for (char *c = path + 1; *c; c++)
		if (*c == '/') {
			*c = '\0';
			(void)mkdir(path, 0700);
			*c = '/';
		}
	(void)mkdir(path, 0700);
	free(path);
}

void upcall_cache_put(const char *dir, const struct buf *key, const void *data, size_t n)
{
	char head[CACHE_HEAD], *path, *half;
	int head_len = cache_head(head, key, data, n), fd;

	cache_make_dir(dir);
	if (!cache_dir_ok(dir))
		return;
	path = cache_path(dir, key);
	half = xasprintf("%s.XXXXXX", path);
	fd = mkostemp(half, O_CLOEXEC); /* 0600 */
	if (fd >= 0) {
		if (fd_write_all(fd, head, (size_t)head_len) != 0 ||
		    fd_write_all(fd, key->data, key->len) != 0 || fd_write_all(fd, data, n) != 0 ||
		    rename(half, path) != 0)
			(void)unlink(half);
		fd_close(&fd);
		cache_sweep(dir);
	}
	free(half);
	free(path);
}
