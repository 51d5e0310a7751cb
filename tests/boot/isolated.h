/*
 * A target with directories of its own: its home is /home, and its tmp, vartmp and run are /tmp,
 * /var/tmp and /run/user, in a mount namespace that ends with the login. Needs root.
 */
#ifndef MUSTER_TEST_ISOLATED_H
#define MUSTER_TEST_ISOLATED_H

#include "harness.h"

/* 0, or 77 after saying why the tests are skipped. */
int isolated_possible(void);

/* cmocka's setup and teardown; *state is the target. */
int isolated_setup(void **state);
int isolated_teardown(void **state);

/*
 * For target->isolate, alone or at the beginning of another. Of etc, passwd, shadow, group, sudoers
 * and doas.conf stand in for those of the computer, where the target has them.
 */
void isolated_enter(const struct target *target);

/* In the child: as mount(8); a failure ends it. */
void isolated_bind(const struct target *target, const char *name, const char *path);
void isolated_tmpfs(const char *path, const char *options);
void isolated_remount(const char *path, unsigned long flags);

/* Owner and mode of a file below the root. */
void isolated_own(const struct target *target, const char *name, uid_t uid, mode_t mode);
void isolated_mkdir(const struct target *target, const char *name, uid_t uid, mode_t mode);

#endif
