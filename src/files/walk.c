#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "fd.h"

struct walk_level {
	DIR *dir;
	size_t path_len; /* of the folder */
	size_t name_len;
};

struct walk {
	const char *const *paths;
	size_t count;
	size_t next;
	size_t top; /* bytes of path that are the name given */
	bool recurse;
	struct walk_level levels[WALK_DEPTH];
	size_t depth;
	bool enter; /* the folder that was told last */
	struct buf path;
	struct buf name;
	char link[PATH_MAX];
};

struct walk *walk_new(const char *const *paths, size_t count, bool recurse)
{
	struct walk *walk = xcalloc(1, sizeof *walk);

	walk->paths = paths;
	walk->count = count;
	walk->recurse = recurse;
	return walk;
}

void walk_free(struct walk *walk)
{
	if (!walk)
		return;
	while (walk->depth)
		(void)closedir(walk->levels[--walk->depth].dir);
	buf_done(&walk->path);
	buf_done(&walk->name);
	free(walk);
}

char *walk_name(const char *path)
{
	size_t end = strlen(path), begin;

	while (end && path[end - 1] == '/')
		end--;
	for (begin = end; begin && path[begin - 1] != '/';)
		begin--;
	if (begin == end || (end - begin == 1 && path[begin] == '.') ||
	    (end - begin == 2 && path[begin] == '.' && path[begin + 1] == '.'))
		return NULL;
	return xstrndup(path + begin, end - begin);
}

char *walk_home(const char *path)
{
	const char *home = getenv("HOME");
	bool tilde = path[0] == '~' && (!path[1] || path[1] == '/');
	struct buf text = {0};

	if (path[0] == '/')
		return xstrdup(path);
	buf_add_str(&text, home && *home ? home : "/");
	path += tilde;
	if (!tilde)
		buf_add_char(&text, '/');
	buf_add_str(&text, path);
	return buf_take_str(&text);
}

#define WALK_READ (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* One step at a time: the flags of openat(2) say nothing of links on the way. */
static int walk_open_below(const char *path, size_t top)
{
	char *copy = xstrdup(path), *part = copy + top, *slash;
	int at, fd = -1;

	while (*part == '/')
		*part++ = '\0';
	at = open(copy, O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (at >= 0 && (slash = strchr(part, '/')) != NULL) {
		int next;

		*slash = '\0';
		next = openat(at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		fd_close(&at);
		at = next;
		part = slash + 1;
	}
	if (at >= 0)
		fd = openat(at, part, WALK_READ | O_NOFOLLOW);
	fd_close(&at);
	free(copy);
	return fd;
}

int walk_open(const char *path, size_t top, struct stat *ret_st)
{
	int fd = path[top] ? walk_open_below(path, top) : open(path, WALK_READ);

	if (fd < 0)
		return ERR_SYS;
	if (fstat(fd, ret_st) == 0 && S_ISREG(ret_st->st_mode))
		return fd;
	fd_close(&fd);
	errno = EINVAL;
	return ERR_SYS;
}

/* --- what a name stands for ----------------------------------------------------------------- */

static const char *walk_special(mode_t mode)
{
	return S_ISFIFO(mode)	? "a FIFO"
	       : S_ISSOCK(mode) ? "a socket"
	       : S_ISBLK(mode)	? "a block device"
	       : S_ISCHR(mode)	? "a character device"
				: "no file of a known kind";
}

void walk_fill(struct file_entry *ret, const struct stat *st)
{
	ret->mode = st->st_mode & 0777;
	ret->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
	ret->size = 0;
	ret->text = NULL;
	if (S_ISREG(st->st_mode)) {
		ret->kind = FILE_PLAIN;
		ret->size = (uint64_t)st->st_size;
	} else if (S_ISDIR(st->st_mode)) {
		ret->kind = FILE_FOLDER;
	} else if (S_ISLNK(st->st_mode)) {
		ret->kind = FILE_LINK;
	} else {
		ret->kind = FILE_SPECIAL;
		ret->text = walk_special(st->st_mode);
	}
}

void walk_times(struct timespec ret[2], int64_t mtime_ns)
{
	int64_t seconds = mtime_ns / 1000000000, rest = mtime_ns % 1000000000;

	if (rest < 0) {
		seconds--;
		rest += 1000000000;
	}
	ret[0] = (struct timespec){.tv_nsec = UTIME_OMIT};
	ret[1] = (struct timespec){.tv_sec = seconds, .tv_nsec = rest};
}

static void walk_trouble(struct file_entry *ret, const char *text)
{
	ret->kind = FILE_TROUBLE;
	ret->text = text;
}

/* What leads to the name at hand: the folder that it is in, which is open, and its name there. */
static int walk_at(struct walk *walk, const char **ret_name)
{
	const struct walk_level *level = walk->depth ? &walk->levels[walk->depth - 1] : NULL;
	const char *path = buf_cstr(&walk->path);

	*ret_name = level ? path + level->path_len + 1 : path;
	return level ? dirfd(level->dir) : AT_FDCWD;
}

static void walk_look(struct walk *walk, struct file_entry *ret)
{
	const char *name;
	int at = walk_at(walk, &name);
	struct stat st;
	ssize_t n;

	ret->name = buf_cstr(&walk->name);
	if (walk->path.len >= PATH_MAX) {
		walk_trouble(ret, strerror(ENAMETOOLONG));
		return;
	}
	if (fstatat(at, name, &st, walk->depth ? AT_SYMLINK_NOFOLLOW : 0) < 0) {
		walk_trouble(ret, strerror(errno));
		return;
	}
	walk_fill(ret, &st);
	if (ret->kind == FILE_LINK) {
		n = readlinkat(at, name, walk->link, sizeof walk->link - 1);
		if (n < 0) {
			walk_trouble(ret, strerror(errno));
			return;
		}
		walk->link[n] = '\0';
		ret->text = walk->link;
	}
	if (ret->kind == FILE_FOLDER && !walk->recurse)
		walk_trouble(ret, "is a folder: these are copied with --recurse");
	walk->enter = ret->kind == FILE_FOLDER;
}

/* --- where it stands ------------------------------------------------------------------------ */

static void walk_cut(struct buf *text, size_t len)
{
	text->len = len;
}

/* Goes into the folder that was told last. False: it cannot be read, which ret says. */
static bool walk_enter(struct walk *walk, struct file_entry *ret)
{
	struct walk_level *level;
	const char *name;
	int at = walk_at(walk, &name), fd;

	walk->enter = false;
	ret->name = buf_cstr(&walk->name);
	if (walk->depth == WALK_DEPTH) {
		walk_trouble(ret, "too many folders in one another");
		return false;
	}
	level = &walk->levels[walk->depth];
	/* It may have become a link in the meantime; one that was named may be one. */
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (walk->depth ? O_NOFOLLOW : 0));
	level->dir = fd < 0 ? NULL : fdopendir(fd);
	if (!level->dir) {
		walk_trouble(ret, strerror(errno));
		fd_close(&fd);
		return false;
	}
	level->path_len = walk->path.len;
	level->name_len = walk->name.len;
	walk->depth++;
	return true;
}

static bool walk_next_source(struct walk *walk)
{
	const char *path;
	char *name;

	if (walk->next == walk->count)
		return false;
	path = walk->paths[walk->next++];
	name = walk_name(path);
	walk_cut(&walk->path, 0);
	walk_cut(&walk->name, 0);
	buf_add_str(&walk->path, path);
	buf_add_str(&walk->name, name ? name : path);
	walk->top = walk->path.len;
	free(name);
	return true;
}

/* The next one in the folder at hand. False: there is none, and it is closed; *ret_error says
 * whether that is because it cannot be read any further. */
static bool walk_next_in(struct walk *walk, int *ret_error)
{
	struct walk_level *level = &walk->levels[walk->depth - 1];
	struct dirent *e;

	do {
		errno = 0;
		e = readdir(level->dir);
	} while (e && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
	*ret_error = e ? 0 : errno;
	walk_cut(&walk->path, level->path_len);
	walk_cut(&walk->name, level->name_len);
	if (!e) {
		(void)closedir(level->dir);
		walk->depth--;
		return false;
	}
	buf_add_char(&walk->path, '/');
	buf_add_char(&walk->name, '/');
	buf_add_str(&walk->path, e->d_name);
	buf_add_str(&walk->name, e->d_name);
	return true;
}

size_t walk_top(const struct walk *walk)
{
	return walk->top;
}

bool walk_next(struct walk *walk, struct file_entry *ret, const char **ret_path)
{
	int error = 0;

	*ret = (struct file_entry){0};
	if (walk->enter && !walk_enter(walk, ret)) {
		*ret_path = buf_cstr(&walk->path);
		return true;
	}
	while (walk->depth && !walk_next_in(walk, &error) && !error)
		;
	if (error) {
		ret->name = buf_cstr(&walk->name);
		*ret_path = buf_cstr(&walk->path);
		walk_trouble(ret, strerror(error));
		return true;
	}
	if (!walk->depth && !walk_next_source(walk))
		return false;
	walk_look(walk, ret);
	*ret_path = buf_cstr(&walk->path);
	return true;
}
