#include "local_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "err.h"

#define SCAN_PATH_SIZE 64
#define SCAN_READ_SIZE (16u << 10)
#define SCAN_MARKER    "MUSTER_RUN="
#define SCAN_ID_MAX    256u
/* Numbers are given out in order, but not made visible in quite the same. */
#define SCAN_PID_MARGIN 64

void local_scan_init(struct local_scan *scan, const char *run_id)
{
	size_t name = strlen(SCAN_MARKER), id = strlen(run_id);

	if (id > SCAN_ID_MAX)
		abort();
	*scan = (struct local_scan){.marker_len = name + id + 2};
	scan->marker = xcalloc(1, scan->marker_len);
	memcpy(scan->marker + 1, SCAN_MARKER, name);
	memcpy(scan->marker + 1 + name, run_id, id);
}

void local_scan_done(struct local_scan *scan)
{
	free(scan->marker);
	free(scan->pids);
	*scan = (struct local_scan){0};
}

void local_scan_reset(struct local_scan *scan, pid_t session)
{
	scan->session = session;
	scan->newest = session;
}

/* The number that a name in /proc is; 0: none. */
static pid_t scan_pid(const char *name)
{
	long pid = 0;

	for (; *name >= '0' && *name <= '9' && pid < INT32_MAX / 10; name++)
		pid = pid * 10 + (*name - '0');
	return *name ? 0 : (pid_t)pid;
}

int local_scan_begin(struct local_scan *scan, bool only_young)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;

	scan->count = 0;
	scan->lost = 0;
	scan->only_young = only_young;
	scan->newest_before = scan->newest - SCAN_PID_MARGIN;
	if (!dir)
		return ERR_SYS;
	while ((entry = readdir(dir)) != NULL) {
		pid_t pid = scan_pid(entry->d_name);

		if (pid <= 0)
			continue;
		if (scan->count == scan->size) {
			scan->size = scan->size ? scan->size * 2 : 256;
			scan->pids = xrealloc(scan->pids, scan->size, sizeof *scan->pids);
		}
		scan->pids[scan->count++] = pid;
	}
	(void)closedir(dir);
	if (!scan->count)
		return ERR_SYS;
	scan->newest = scan->pids[scan->count - 1];
	return 0;
}

static int scan_open(pid_t pid, const char *name)
{
	char path[SCAN_PATH_SIZE];

	(void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

bool local_scan_stat(pid_t pid, struct local_stat *ret)
{
	char text[512];
	const char *p;
	int parent, fd = scan_open(pid, "stat");
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof text - 1);
	(void)close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	/* PID (NAME) STATE PPID ...: the name may hold anything, but nothing behind it has a ')'.
	 */
	p = strrchr(text, ')');
	if (!p || p[1] != ' ' || !p[2] || sscanf(p + 3, "%d", &parent) != 1)
		return false;
	ret->state = p[2];
	ret->parent = (pid_t)parent;
	return true;
}

enum scan_verdict { SCAN_NO, SCAN_YES, SCAN_LOST };

/* The environment is read in pieces that overlap. It may be large, but the kernel bounds it. */
static enum scan_verdict scan_environment(const struct local_scan *scan, pid_t pid)
{
	char text[SCAN_READ_SIZE];
	size_t keep = 1;
	bool any = false, found = false;
	struct local_stat stat;
	int fd = scan_open(pid, "environ");

	if (fd < 0)
		return errno == EACCES || errno == EPERM ? SCAN_NO : SCAN_LOST;
	text[0] = '\0'; /* as other variables have it before them */
	while (!found) {
		ssize_t n = read(fd, text + keep, sizeof text - keep);
		size_t len;

		if (n <= 0)
			break;
		any = true;
		len = keep + (size_t)n;
		found = memmem(text, len, scan->marker, scan->marker_len) != NULL;
		if (len < sizeof text)
			break;
		keep = scan->marker_len - 1;
		memmove(text, text + len - keep, keep);
	}
	(void)close(fd);
	if (found)
		return SCAN_YES;
	if (any)
		return SCAN_NO;
	/* A zombie has none. Ours are leaders of other runs, kept as this one's (local_kill.c). */
	return local_scan_stat(pid, &stat) && stat.parent == getpid() ? SCAN_NO : SCAN_LOST;
}

static enum scan_verdict scan_judge(const struct local_scan *scan, pid_t pid)
{
	pid_t session = getsid(pid);
	struct local_stat stat;

	if (session < 0)
		return SCAN_LOST;
	/* 0: a kernel thread, or one from outside of our PID namespace. */
	if (session == 0 || pid == getpid())
		return SCAN_NO;
	if (session != scan->session)
		return scan_environment(scan, pid);
	if (!local_scan_stat(pid, &stat) || stat.state == 'Z' || stat.state == 'X')
		return SCAN_LOST;
	return SCAN_YES;
}

bool local_scan_step(struct local_scan *scan, size_t max, local_scan_fn *fn, void *arg)
{
	while (scan->count && max) {
		pid_t pid = scan->pids[--scan->count];
		enum scan_verdict verdict;

		if (scan->only_young && pid <= scan->newest_before) {
			scan->count = 0;
			break;
		}
		verdict = scan_judge(scan, pid);
		max--;
		if (verdict == SCAN_YES)
			fn(arg, pid);
		else if (verdict == SCAN_LOST && pid > scan->newest_before)
			scan->lost++;
	}
	return !scan->count;
}
