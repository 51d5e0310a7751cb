#include "guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "db.h"
#include "fd.h"

#define GUARD_LOCK "lock"
/* Who has it may be on the way out: killed a moment ago, or about to leave, which it says behind
 * its pid. */
#define GUARD_LEAVING	 " leaving"
#define GUARD_DYING_NS	 UINT64_C(500000000)
#define GUARD_LEAVING_NS UINT64_C(30000000000)
#define GUARD_PAUSE_NS	 10000000

static int guard_sys(const char *path, const char *name, const char *what, struct errmsg *msg)
{
	bool denied = errno == EACCES || errno == EPERM || errno == EROFS;

	return err_set(msg, denied ? ERR_DENIED : ERR_SYS, "cannot use the store %s: %s%s%s: %s",
		       path, what, *name ? " " : "", name, err_text(ERR_SYS));
}

/* Whether a file is as we make them. */
static int guard_judge(const struct stat *st, const char *path, const char *name,
		       struct errmsg *msg)
{
	const char *slash = *name ? "/" : "";

	if (st->st_uid != geteuid())
		return err_set(msg, ERR_DENIED,
			       "cannot use the store %s: %s%s%s belongs to uid %u, not to %u; give "
			       "it back (chown), or use another store",
			       path, path, slash, name, (unsigned)st->st_uid, (unsigned)geteuid());
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return err_set(msg, ERR_DENIED,
			       "cannot use the store %s: %s%s%s is neither a file nor a "
			       "directory; remove it",
			       path, path, slash, name);
	if (st->st_mode & 077)
		return err_set(msg, ERR_DENIED,
			       "cannot use the store %s: %s%s%s is open to others (mode %04o); "
			       "chmod go= it",
			       path, path, slash, name, (unsigned)st->st_mode & 07777);
	return 0;
}

static int guard_opendir(int *ret, int at, const char *name, const char *path, struct errmsg *msg)
{
	const char *shown = at == AT_FDCWD ? "" : name;
	struct stat st;
	int fd, r;

	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return guard_sys(path, shown, "cannot make", msg);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return guard_sys(path, shown, "cannot open", msg);
	r = fstat(fd, &st) < 0 ? guard_sys(path, shown, "cannot look at", msg)
			       : guard_judge(&st, path, shown, msg);
	if (r == 0 && faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		r = guard_sys(path, shown, "cannot write to", msg);
	if (r < 0)
		(void)close(fd);
	else
		*ret = fd;
	return r;
}

int guard_open(int *ret_dir, const char *path, struct errmsg *msg)
{
	return guard_opendir(ret_dir, AT_FDCWD, path, path, msg);
}

/* --- the lock ------------------------------------------------------------------------------- */

struct guard_holder {
	long pid; /* 0: not known */
	bool leaving;
};

static struct guard_holder guard_holder(int fd)
{
	char text[32] = "", *end = text;
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	struct guard_holder holder = {.pid = n > 0 ? strtol(text, &end, 10) : 0};

	holder.leaving = strncmp(end, GUARD_LEAVING, sizeof GUARD_LEAVING - 1) == 0;
	return holder;
}

static int guard_held(int fd, const char *path, struct errmsg *msg)
{
	long pid = guard_holder(fd).pid;

	if (pid > 0)
		return err_set(msg, ERR_EXISTS,
			       "the store %s is used by another daemon, pid %ld; stop that one, "
			       "or use another store",
			       path, pid);
	return err_set(msg, ERR_EXISTS,
		       "the store %s is used by another daemon; stop that one, or use another "
		       "store",
		       path);
}

/* Who waits for the lock reads this at any moment: it is never empty in between. */
static int guard_write_pid(int fd, const char *more)
{
	char text[64];
	int n = snprintf(text, sizeof text, "%ld%s\n", (long)getpid(), more);

	if (pwrite(fd, text, (size_t)n, 0) < 0 || ftruncate(fd, n) < 0)
		return ERR_SYS;
	return 0;
}

/* As flock. */
static int guard_take(int fd)
{
	uint64_t begin_ns = clock_mono_ns(), ns;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return -1;
		ns = guard_holder(fd).leaving ? GUARD_LEAVING_NS : GUARD_DYING_NS;
		if (clock_mono_ns() - begin_ns > ns) {
			errno = EWOULDBLOCK;
			return -1;
		}
		(void)nanosleep(&(struct timespec){.tv_nsec = GUARD_PAUSE_NS}, NULL);
	}
	return 0;
}

int guard_lock(int *ret_lock, int dir, const char *path, struct errmsg *msg)
{
	int fd = openat(dir, GUARD_LOCK,
			O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
	struct stat st;
	int r;

	if (fd < 0)
		return guard_sys(path, GUARD_LOCK, "cannot open", msg);
	r = fstat(fd, &st) < 0 ? guard_sys(path, GUARD_LOCK, "cannot look at", msg)
			       : guard_judge(&st, path, GUARD_LOCK, msg);
	if (r == 0 && guard_take(fd) < 0)
		r = errno == EWOULDBLOCK ? guard_held(fd, path, msg)
					 : guard_sys(path, GUARD_LOCK, "cannot lock", msg);
	/* Who holds it is for people: where there is no room to say so it is still held. */
	if (r == 0 && guard_write_pid(fd, "") < 0 && errno != ENOSPC)
		r = guard_sys(path, GUARD_LOCK, "cannot write to", msg);
	if (r < 0)
		(void)close(fd);
	else
		*ret_lock = fd;
	return r;
}

void guard_leaving(int lock)
{
	/* Where there is no room to say so, who comes meanwhile is refused. */
	(void)guard_write_pid(lock, GUARD_LEAVING);
}

/* --- files ---------------------------------------------------------------------------------- */

static int guard_check_all(int dir, const char *path, struct errmsg *msg)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (!list) {
		r = guard_sys(path, "", "cannot list it", msg);
		fd_close(&fd);
		return r;
	}
	while (r == 0 && (entry = readdir(list)) != NULL) {
		if (strcmp(entry->d_name, "..") == 0 || strcmp(entry->d_name, ".") == 0)
			continue;
		/* What goes meanwhile was not ours to keep. */
		if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			r = guard_judge(&st, path, entry->d_name, msg);
	}
	(void)closedir(list);
	return r;
}

int guard_touch(int dir, const char *name, const char *path, struct errmsg *msg)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);

	if (fd < 0)
		return guard_sys(path, name, "cannot open", msg);
	(void)close(fd);
	return 0;
}

int guard_files(int *ret_frames, int dir, const char *path, struct errmsg *msg)
{
	int frames, r = guard_check_all(dir, path, msg);

	if (r == 0)
		r = guard_opendir(&frames, dir, GUARD_FRAMES, path, msg);
	if (r < 0)
		return r;
	r = guard_check_all(frames, path, msg);
	if (r == 0)
		r = guard_touch(dir, DB_NAME, path, msg);
	/* The names of what was made here. */
	if (r == 0 && fsync(dir) < 0)
		r = guard_sys(path, "", "cannot sync it", msg);
	if (r < 0)
		(void)close(frames);
	else
		*ret_frames = frames;
	return r;
}

int guard_aside(int dir, const char *path, char *ret_name, size_t size, struct errmsg *msg)
{
	static const char *const suffixes[] = {"-wal", "-shm", ""};
	char when[CLOCK_RFC3339_SIZE];

	(void)clock_rfc3339(when, clock_wall_ns());
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		char from[64], to[128];

		(void)snprintf(from, sizeof from, DB_NAME "%s", suffixes[i]);
		(void)snprintf(to, sizeof to, DB_NAME ".damaged-%s%s", when, suffixes[i]);
		if (renameat(dir, from, dir, to) < 0 && errno != ENOENT)
			return guard_sys(path, from, "cannot rename", msg);
		(void)snprintf(ret_name, size, "%s", to);
	}
	if (fsync(dir) < 0)
		return guard_sys(path, "", "cannot sync it", msg);
	return 0;
}
