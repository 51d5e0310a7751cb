#include "spooldir.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"
#include "logind.h"

#define SPOOLDIR_FILE_MAX (2u << 20) /* of a spec: beyond all limits of TASK_OPEN */
#define SPOOLDIR_OPEN	  (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* --- places --------------------------------------------------------------------------------- */

/* File systems of other computers, where locks are of little worth: NFS, SMB, CIFS, SMB2, AFS,
 * Ceph, Lustre, GPFS, FUSE, 9P; statfs(2). */
static const uint32_t spooldir_remote[] = {
	0x6969,	    0x517b,	0xff534d42, 0xfe534d42, 0x5346414f,
	0x00c36400, 0x0bd00bd0, 0x47504653, 0x65735546, 0x01021997,
};

static bool spooldir_is_local(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(spooldir_remote); i++)
		if ((uint32_t)fs.f_type == spooldir_remote[i]) {
			errno = EREMOTE;
			return false;
		}
	return true;
}

/* That there is this directory is known for good, whoever made it. */
static bool spooldir_sync_name(int dir)
{
	int above = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = above >= 0 && fsync(above) == 0;

	fd_close(&above);
	return good;
}

/* A directory of ours in another, made if it is not there, and closed to all others. */
static int spooldir_into(int at, const char *name, bool make)
{
	struct stat st;
	int fd;

	if (make && mkdirat(at, name, 0700) == 0 && fsync(at) < 0)
		return -1;
	fd = openat(at, name, SPOOLDIR_OPEN);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0) {
		if (st.st_uid != geteuid())
			errno = EPERM;
		else if ((st.st_mode & 0777) == 0700 || fchmod(fd, 0700) == 0)
			return fd;
	}
	fd_close(&fd);
	return -1;
}

/* Makes what is missing of a path. Each step is root's or ours, and others cannot write there. */
static bool spooldir_walk(char *path, bool make)
{
	struct stat st;

	for (char *end = path; *end;) {
		char after;

		end = end + 1 + strcspn(end + 1, "/");
		after = *end;
		*end = '\0';
		if (make && mkdir(path, 0700) == 0) {
			int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

			if (fd >= 0)
				(void)spooldir_sync_name(fd);
			fd_close(&fd);
		}
		if (stat(path, &st) < 0)
			return false;
		*end = after;
		errno = EPERM;
		if ((st.st_uid && st.st_uid != geteuid()) ||
		    (st.st_mode & (S_IWOTH | S_ISVTX)) == S_IWOTH)
			return false;
	}
	return true;
}

/* PATH/NAME/ID, or -1 with errno. */
static int spooldir_place(char *path, const char *name, const char *id, bool make)
{
	int top, mid = -1, fd = -1;

	if (!spooldir_walk(path, make))
		return -1;
	top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top >= 0 && spooldir_is_local(top))
		mid = spooldir_into(top, name, make);
	if (mid >= 0)
		fd = spooldir_into(mid, id, make);
	fd_close(&top);
	fd_close(&mid);
	if (fd >= 0 && faccessat(fd, ".", W_OK, 0) < 0)
		fd_close(&fd);
	return fd;
}

/* The name is that of a directory: nothing that comes from elsewhere makes it more. */
static char *spooldir_machine(void)
{
	char *id = spooldir_line("/etc/machine-id");
	struct utsname name;

	if (!*id && uname(&name) == 0) {
		free(id);
		id = xstrdup(name.nodename);
	}
	for (char *c = id; *c; c++)
		if (!isalnum((unsigned char)*c))
			*c = '_';
	if (*id)
		return id;
	free(id);
	return xstrdup("unknown");
}

static int spooldir_home(const char *id)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path;
	int fd;

	if (state && *state == '/') {
		path = xstrdup(state);
	} else {
		errno = ENOENT;
		if (!home || *home != '/' || access(home, F_OK) < 0)
			return -1;
		path = xasprintf("%s/.local/state", home);
	}
	fd = spooldir_place(path, "muster", id, true);
	free(path);
	return fd;
}

static int spooldir_var(const char *id, bool make)
{
	char path[] = "/var/tmp", name[32];

	(void)snprintf(name, sizeof name, "muster-%u", (unsigned)geteuid());
	return spooldir_place(path, name, id, make);
}

void spooldir_open(struct spooldir *ret)
{
	char *id = spooldir_machine();
	int error;

	*ret = (struct spooldir){.fds = {spooldir_home(id), -1}};
	error = errno;
	/* What was put there when the home was of no use is still found there. */
	ret->fds[1] = spooldir_var(id, ret->fds[0] < 0);
	free(id);
	if (!spooldir_is_usable(ret))
		ret->note = xasprintf("there is no place for durable runs: ~/.local/state/muster: "
				      "%s; /var/tmp/muster-%u: %s",
				      strerror(error), (unsigned)geteuid(), strerror(errno));
	else if (logind_kills())
		ret->note = xstrdup("KillUserProcesses=yes in logind.conf: durable runs end "
				    "with the last login session of their user");
}

void spooldir_done(struct spooldir *s)
{
	for (int i = 0; i < SPOOLDIR_PLACES; i++)
		fd_close(&s->fds[i]);
	free(s->note);
	s->note = NULL;
}

bool spooldir_is_usable(const struct spooldir *s)
{
	return s->fds[0] >= 0 || s->fds[1] >= 0;
}

/* --- runs ----------------------------------------------------------------------------------- */

#define SPOOLDIR_NAME_SIZE 80

static void spooldir_name(char *out, const char *instance)
{
	(void)snprintf(out, SPOOLDIR_NAME_SIZE, "job-%s", instance);
}

int spooldir_find(const struct spooldir *s, const char *instance)
{
	char name[SPOOLDIR_NAME_SIZE];
	int fd = -1;

	spooldir_name(name, instance);
	for (int i = 0; i < SPOOLDIR_PLACES && fd < 0; i++)
		if (s->fds[i] >= 0)
			fd = openat(s->fds[i], name, SPOOLDIR_OPEN);
	return fd;
}

int spooldir_make(struct spooldir *s, const char *instance, struct errmsg *msg)
{
	char name[SPOOLDIR_NAME_SIZE], *id;
	int fd = spooldir_find(s, instance);

	/* Who made it may have died before it was synced. */
	if (fd >= 0 && !spooldir_sync_name(fd))
		fd_close(&fd);
	spooldir_name(name, instance);
	for (int i = 0; i < SPOOLDIR_PLACES && fd < 0; i++) {
		if (s->fds[i] < 0 && i) {
			id = spooldir_machine();
			s->fds[i] = spooldir_var(id, true);
			free(id);
		}
		/* Two may do it at once, and then have the same. That it was made is known for
		 * good before anything is started. */
		if (s->fds[i] >= 0 && (mkdirat(s->fds[i], name, 0700) == 0 || errno == EEXIST) &&
		    fsync(s->fds[i]) == 0)
			fd = openat(s->fds[i], name, SPOOLDIR_OPEN);
	}
	if (fd >= 0)
		return fd;
	return err_set(msg, ERR_SYS, "cannot make a directory for a durable run: %s",
		       strerror(errno));
}

int spooldir_lock(int dir)
{
	int fd = openat(dir, ".", SPOOLDIR_OPEN);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		fd_close(&fd);
	return fd;
}

bool spooldir_has(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, 0) == 0;
}

int spooldir_read(int dir, const char *name, struct buf *out)
{
	char *path = xasprintf("/proc/self/fd/%d/%s", dir, name);
	int rc = fd_read_file(out, path, SPOOLDIR_FILE_MAX);

	free(path);
	return rc;
}

int spooldir_write(int dir, const char *name, const struct buf *data, bool sync)
{
	static const char fresh[] = "new";
	int fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool good = fd >= 0 && fd_write_all(fd, data->data, data->len) == 0 &&
		    (!sync || fdatasync(fd) == 0) && renameat(dir, fresh, dir, name) == 0 &&
		    (!sync || fsync(dir) == 0);

	fd_close(&fd);
	return good ? 0 : ERR_SYS;
}

char *spooldir_line(const char *path)
{
	struct buf text = {0};

	(void)fd_read_file(&text, path, 4096);
	text.len = text.len ? strcspn(buf_cstr(&text), "\n") : 0;
	return buf_take_str(&text);
}

/* A container has the boot of its host: its first process tells one from the next. */
void spooldir_boot(struct buf *out)
{
	char *id = spooldir_line("/proc/sys/kernel/random/boot_id");
	char *stat = spooldir_line("/proc/1/stat");
	const char *at = strrchr(stat, ')');

	/* Behind the name the time at which it began is the 20th word, proc(5). */
	for (int i = 0; at && i < 20; i++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	buf_addf(out, "%s %.*s", id, at ? (int)strcspn(at, " ") : 0, at ? at : "");
	free(id);
	free(stat);
}
