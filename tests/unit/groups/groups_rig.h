/* A home with files, and what groups say of it. */
#ifndef GROUPS_RIG_H
#define GROUPS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "groups.h"

struct rig {
	char dir[64];
	struct buf warnings;
	struct groups_options options;
	const char *spec;
};

static void rig_on_warning(void *ctx, const char *text)
{
	buf_addf(&((struct rig *)ctx)->warnings, "%s\n", text);
}

static inline int rig_setup(void **state)
{
	struct rig *rig = xcalloc(1, sizeof *rig);

	strcpy(rig->dir, "/tmp/muster-groups-XXXXXX");
	assert_non_null(mkdtemp(rig->dir));
	assert_int_equal(chdir(rig->dir), 0);
	assert_int_equal(setenv("HOME", rig->dir, 1), 0);
	assert_int_equal(setenv("CLUSTERSHELL_CFGDIR", rig->dir, 1), 0);
	assert_int_equal(setenv("DSHGROUP_PATH", "dsh", 1), 0);
	assert_int_equal(setenv("ANSIBLE_INVENTORY", "/nonexistent", 1), 0);
	(void)unsetenv("XDG_CONFIG_HOME");
	rig->options.warn = rig_on_warning;
	rig->options.warn_ctx = rig;
	*state = rig;
	return 0;
}

static inline int rig_teardown(void **state)
{
	struct rig *rig = *state;
	char *command = xasprintf("rm -rf '%s'", rig->dir);

	assert_int_equal(chdir("/"), 0);
	assert_int_equal(system(command), 0);
	buf_done(&rig->warnings);
	free(command);
	free(rig);
	return 0;
}

static inline void rig_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline struct groups *rig_open(struct rig *rig, const char *spec)
{
	rig->spec = spec;
	rig->options.specs = &rig->spec;
	rig->options.spec_count = spec ? 1 : 0;
	return groups_new(&rig->options);
}

/* What a group has, with blanks between; the text of the error if there is one. name "*": all. */
static inline char *rig_ask(struct groups *groups, const char *source, const char *name, int want)
{
	struct buf out = {0};
	struct errmsg msg = {""};
	int rc = strcmp(name, "*") == 0 ? groups_all(groups, source, &out, &msg)
					: groups_members(groups, source, name, &out, &msg);

	if (rc != want)
		fail_msg("%s: %d and not %d: %s", name, rc, want, msg.text);
	if (rc) {
		buf_clear(&out);
		buf_add_str(&out, msg.text);
	}
	for (size_t i = 0; i < out.len; i++)
		if (out.data[i] == '\n')
			out.data[i] = ' ';
	return buf_take_str(&out);
}

static inline void rig_expect(struct groups *groups, const char *source, const char *name,
			      const char *want)
{
	char *got = rig_ask(groups, source, name, 0);

	assert_string_equal(got, want);
	free(got);
}

static inline void rig_refuse(struct groups *groups, const char *source, const char *name, int code,
			      const char *part)
{
	char *got = rig_ask(groups, source, name, code);

	if (!strstr(got, part))
		fail_msg("'%s' is not in: %s", part, got);
	free(got);
}

/* The file is one inventory; asking for its hosts fails so. */
static inline void rig_bad(struct rig *rig, const char *path, const char *text, int code,
			   const char *part)
{
	struct groups *groups;

	rig_write(path, text);
	groups = rig_open(rig, path);
	rig_refuse(groups, NULL, "*", code, part);
	groups_free(groups);
}

static inline void rig_vars(struct groups *groups, const char *host, const char *want)
{
	struct groups_vars vars;
	struct errmsg msg = {""};
	struct buf got = {0};

	assert_int_equal(groups_load(groups, &msg), 0);
	if (groups_vars(groups, host, &vars, &msg) != 0)
		buf_add_str(&got, msg.text);
	else
		buf_addf(&got, "%s %s %u", vars.address ? vars.address : "-",
			 vars.user ? vars.user : "-", vars.port);
	if (!strstr(buf_cstr(&got), want))
		fail_msg("%s: %s, and not %s", host, buf_cstr(&got), want);
	buf_done(&got);
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

#endif
