/* The directory that stands for a target: harness.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "fd.h"
#include "harness.h"

#define SYSTEM_PATH "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
#define AGENT_SIZE  100000u /* more than a socket or pipe takes at once */

static const char agent_script[] =
	"#!/bin/sh\n"
	"[ \"$1\" = --version ] && { echo muster-agent 0; : >\"$HOME/tried\"; exit 0; }\n"
	"echo \"AGENT $(umask)\"\n"
	"while read -r line; do echo \"got $line\"; done\n"
	"exit 0\n";

static void target_path(char *out, size_t size, const struct target *target, const char *name)
{
	assert_true(snprintf(out, size, "%s/%s", target->root, name) < (int)size);
}

static void target_write_bytes(const struct target *target, const char *name, const void *data,
			       size_t len, mode_t mode)
{
	char path[512];
	int fd;

	target_path(path, sizeof path, target, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, data, len), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

void target_write(const struct target *target, const char *name, const char *text, mode_t mode)
{
	target_write_bytes(target, name, text, strlen(text), mode);
}

bool target_read(const struct target *target, const char *name, char **ret_text)
{
	struct buf text = {0};
	char path[512];

	target_path(path, sizeof path, target, name);
	if (fd_read_file(&text, path, 16u << 20) < 0) {
		assert_int_equal(errno, ENOENT);
		return false;
	}
	if (ret_text)
		*ret_text = buf_take_str(&text);
	buf_done(&text);
	return true;
}

int target_count(const struct target *target, const char *name)
{
	char path[512];
	DIR *dir;
	int n = 0;

	target_path(path, sizeof path, target, name);
	dir = opendir(path);
	if (!dir)
		return -1;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

const char *target_cached(const struct target *target, const char *directory)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/agent-%s-%.16s", directory, target->arch, target->sha256);
	return path;
}

void target_agent(struct target *target, const void *data, size_t len)
{
	char command[256];
	FILE *sum;

	buf_clear(&target->agent);
	buf_add(&target->agent, data, len);
	snprintf(command, sizeof command, "sha256sum <'%s/agent'", target->root);
	target_write_bytes(target, "agent", data, len, 0600);
	sum = popen(command, "r");
	assert_non_null(sum);
	assert_int_equal(fread(target->sha256, 1, 64, sum), 64);
	pclose(sum);
	target->payload = (struct payload){target->arch, target->agent.data, len, target->sha256};
}

void target_make(struct target *target)
{
	static const char *const folders[] = {"home", "bin", "tmp", "vartmp", "run", "etc"};
	struct buf script = {0};
	struct utsname uts;
	char path[512];

	*target = (struct target){.root = "/tmp/test-boot-XXXXXX"};
	assert_non_null(mkdtemp(target->root));
	assert_int_equal(chmod(target->root, 0755), 0);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		target_path(path, sizeof path, target, folders[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	target_path(target->home, sizeof target->home, target, "home");
	target_path(target->bin, sizeof target->bin, target, "bin");
	target->path = xasprintf("%s:" SYSTEM_PATH, target->bin);
	assert_int_equal(uname(&uts), 0);
	snprintf(target->arch, sizeof target->arch, "%.64s", uts.machine);
	buf_add_str(&script, agent_script);
	while (script.len < AGENT_SIZE)
		buf_add_str(&script, "# so that it has the size of an agent\n");
	target_agent(target, script.data, script.len);
	buf_done(&script);
}

static int target_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void target_remove(struct target *target)
{
	assert_int_equal(nftw(target->root, target_unlink, 16, FTW_DEPTH | FTW_PHYS), 0);
	buf_done(&target->agent);
	free(target->path);
}

const char *tool_find(const char *name)
{
	static const char *const folders[] = {"/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin",
					      "/sbin"};
	static char path[128];

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof path, "%s/%s", folders[i], name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

char *target_run(const struct target *target, const char *const *argv, const char *text)
{
	const char *full[16] = {NULL};
	struct buf out = {0};
	int fds[2], status;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	for (; argv[n]; n++)
		full[n] = argv[n];
	full[n] = text;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], 1);
		close(0);
		open("/dev/null", O_RDONLY);
		closefrom(3);
		if (target->isolate)
			target->isolate(target);
		setenv("HOME", target->home, 1);
		setenv("PATH", target->path, 1);
		unsetenv("XDG_CACHE_HOME");
		execvp(full[0], (char *const *)(uintptr_t)full);
		_exit(99);
	}
	close(fds[1]);
	while ((got = read(fds[0], buf_room(&out, 4096), 4096)) > 0)
		out.len += (size_t)got;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return buf_take_str(&out);
}
