#include "isolated.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"

static void isolated_must(int rc, const char *what, const char *path)
{
	if (rc == 0)
		return;
	dprintf(2, "isolated: %s %s: %s\n", what, path, strerror(errno));
	_exit(98);
}

static void isolated_private(void)
{
	isolated_must(unshare(CLONE_NEWNS), "unshare", "");
	isolated_must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount", "/");
}

int isolated_possible(void)
{
	int status = -1;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("SKIPPED: needs root\n");
		return 77;
	}
	pid = fork();
	if (pid == 0) {
		isolated_private();
		isolated_tmpfs("/home", "size=4k,mode=755");
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
		print_message("SKIPPED: no mount namespaces here\n");
		return 77;
	}
	return 0;
}

int isolated_setup(void **state)
{
	struct target *target = xcalloc(1, sizeof *target);

	target_make(target);
	strcpy(target->home, "/home");
	isolated_own(target, "tmp", 0, 01777);
	isolated_own(target, "vartmp", 0, 01777);
	target->isolate = isolated_enter;
	*state = target;
	return 0;
}

int isolated_teardown(void **state)
{
	target_remove(*state);
	free(*state);
	return 0;
}

void isolated_bind(const struct target *target, const char *name, const char *path)
{
	char from[256];

	snprintf(from, sizeof from, "%s/%s", target->root, name);
	isolated_must(mount(from, path, NULL, MS_BIND, NULL), "bind", path);
}

void isolated_tmpfs(const char *path, const char *options)
{
	isolated_must(mount("none", path, "tmpfs", 0, options), "tmpfs", path);
}

void isolated_remount(const char *path, unsigned long flags)
{
	isolated_must(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | flags, NULL), "remount", path);
}

void isolated_enter(const struct target *target)
{
	static const char *const files[] = {"passwd", "shadow", "group", "sudoers", "doas.conf"};
	char name[32], path[32];

	isolated_private();
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(name, sizeof name, "etc/%s", files[i]);
		snprintf(path, sizeof path, "/etc/%s", files[i]);
		if (target_read(target, name, NULL))
			isolated_bind(target, name, path);
	}
	if (access("/run/user", F_OK) < 0) {
		isolated_tmpfs("/run", "mode=755");
		isolated_must(mkdir("/run/user", 0755), "mkdir", "/run/user");
	}
	isolated_bind(target, "home", "/home");
	isolated_bind(target, "vartmp", "/var/tmp");
	isolated_bind(target, "run", "/run/user");
	isolated_bind(target, "tmp", "/tmp"); /* the last: the others are below it */
}

void isolated_own(const struct target *target, const char *name, uid_t uid, mode_t mode)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", target->root, name);
	assert_int_equal(chown(path, uid, uid), 0);
	assert_int_equal(chmod(path, mode), 0);
}

void isolated_mkdir(const struct target *target, const char *name, uid_t uid, mode_t mode)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", target->root, name);
	assert_int_equal(mkdir(path, 0700), 0);
	isolated_own(target, name, uid, mode);
}
