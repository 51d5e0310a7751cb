/* The files of muster.conf and its profiles, and the environment: which there are, in what order.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "config_private.h"
#include "fd.h"
#include "limits.h"

static const char config_suffix[] = ".conf";

/* --- one file -------------------------------------------------------------------------------- */

/* A user's file by which somebody else could have commands run: as OpenSSH judges its own. */
static int config_owner(const char *path, const struct stat *st, struct errmsg *msg)
{
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return err_set(msg, ERR_DENIED,
			       "%s: belongs to user %u: it must be yours or root's", path,
			       (unsigned)st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return err_set(msg, ERR_DENIED,
			       "%s: others may write it (mode %04o): chmod go-w, so that nobody "
			       "else decides what you run",
			       path, (unsigned)(st->st_mode & 07777));
	return 0;
}

/* 1: there is none. */
static int config_read_whole(struct buf *text, const char *path, bool judge_owner,
			     struct errmsg *msg)
{
	int fd = fd_open_file(path), rc = 0;
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 1;
	if (fd < 0)
		return err_set(msg, ERR_SYS, "cannot read %s: %s", path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		rc = err_set(msg, ERR_SYS, "cannot read %s: it is no regular file", path);
	if (rc == 0 && judge_owner)
		rc = config_owner(path, &st, msg);
	if (rc == 0) {
		rc = fd_read_rest(fd, text, LIMIT_CONFIG);
		if (rc == ERR_SYS)
			(void)err_set(msg, rc, "cannot read %s: %s", path, strerror(errno));
		else if (rc)
			(void)err_set(msg, rc, "cannot read %s: more than %u bytes", path,
				      LIMIT_CONFIG);
	}
	fd_close(&fd);
	return rc;
}

int config_read(struct config *config, const char *path, struct errmsg *msg)
{
	struct buf text = {0};
	int rc = config_read_whole(&text, path, false, msg);

	if (rc == 0)
		rc = config_parse(config, (const char *)text.data, text.len, path, msg);
	buf_done(&text);
	return rc == 1 ? 0 : rc;
}

/* profile: whose file it is; NULL: nobody's. */
static int config_file(struct config_reader *r, const char *path, const char *profile,
		       struct errmsg *msg)
{
	struct buf text = {0};
	struct errmsg here = {{0}};
	int rc = config_read_whole(&text, path, r->level == CONFIG_BY_USER, &here);

	r->path = path;
	r->section = profile ? xstrdup(profile) : NULL;
	r->idle = profile && (!r->profile || strcmp(r->profile, profile) != 0);
	if (rc == 0) {
		rc = config_read_text(r, (const char *)text.data, text.len, msg);
	} else if (rc == 1) {
		rc = 0;
	} else {
		rc = config_fault(r, rc, &here);
		if (rc && msg)
			*msg = here;
	}
	free(r->section);
	r->section = NULL;
	buf_done(&text);
	return rc;
}

/* --- folders --------------------------------------------------------------------------------- */

static int config_is_conf(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name), m = sizeof config_suffix - 1;

	return *entry->d_name != '.' && n > m && strcmp(entry->d_name + n - m, config_suffix) == 0;
}

/* A file of the folder profiles: its name is that of the profile. */
static int config_profile_file(struct config_reader *r, const char *path, const char *file,
			       struct errmsg *msg)
{
	char *name = xstrndup(file, strlen(file) - (sizeof config_suffix - 1));
	int rc = 0;

	if (config_is_profile(name)) {
		if (r->loading->profiles)
			buf_addf(r->loading->profiles, "%s\n", name);
		if (r->loading->all || (r->profile && strcmp(r->profile, name) == 0))
			rc = config_file(r, path, name, msg);
	}
	free(name);
	return rc;
}

static int config_folder(struct config_reader *r, const char *dir, bool profiles,
			 struct errmsg *msg)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, config_is_conf, alphasort), rc = 0;

	if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (n < 0) {
		struct errmsg here;

		rc = err_set(&here, ERR_SYS, "cannot read %s: %s", dir, strerror(errno));
		if (msg)
			*msg = here;
		return config_fault(r, rc, &here);
	}
	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", dir, entries[i]->d_name);

		if (rc == 0 && profiles)
			rc = config_profile_file(r, path, entries[i]->d_name, msg);
		else if (rc == 0)
			rc = config_file(r, path, NULL, msg);
		free(path);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

static int config_dir(struct config_reader *r, const char *dir, enum config_level level,
		      struct errmsg *msg)
{
	char *file = xasprintf("%s/muster.conf", dir), *parts = xasprintf("%s.d", file);
	char *profiles = xasprintf("%s/profiles", dir);
	int rc;

	r->level = level;
	rc = config_file(r, file, NULL, msg);
	if (rc == 0)
		rc = config_folder(r, parts, false, msg);
	if (rc == 0)
		rc = config_folder(r, profiles, true, msg);
	free(profiles);
	free(parts);
	free(file);
	return rc;
}

char *config_user_dir(void)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (base && *base == '/')
		return xasprintf("%s/muster", base);
	if (home && *home == '/')
		return xasprintf("%s/.config/muster", home);
	return NULL;
}

char *config_user_path(void)
{
	char *dir = config_user_dir();
	char *path = dir ? xasprintf("%s/muster.conf", dir) : NULL;

	free(dir);
	return path;
}

const char *config_profile(const char *option)
{
	const char *env = getenv("MUSTER_PROFILE");

	return option ? option : env && *env ? env : NULL;
}

/* --- the environment ------------------------------------------------------------------------- */

static int config_variable(struct config_reader *r, enum config_key key, struct errmsg *msg)
{
	struct config_text at = {.level = CONFIG_BY_ENVIRONMENT};
	struct buf name = {0};
	const char *text;
	uint64_t value = 0;
	int rc = 0;

	config_key_variable(&name, key);
	text = getenv(buf_cstr(&name));
	if (text && *text)
		rc = config_judge(&value, key, text, buf_cstr(&name), msg);
	if (rc == 0 && text && *text)
		rc = config_keep(&at.path, r->config, buf_cstr(&name), msg);
	if (rc == 0 && text && *text)
		rc = config_put(r->config, key, value, text, &at, msg);
	buf_done(&name);
	return rc;
}

static int config_environment(struct config_reader *r, struct errmsg *msg)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < CONFIG_KEY_COUNT; i++) {
		struct errmsg here = {{0}};

		rc = config_fault(r, config_variable(r, (enum config_key)i, &here), &here);
		if (rc && msg)
			*msg = here;
	}
	return rc;
}

/* --- all ------------------------------------------------------------------------------------- */

static int config_line_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Each name once, in order. */
static void config_sort_names(struct buf *names)
{
	size_t count = 0, n = 0;
	char *text = xstrdup(buf_cstr(names)), **list = xcalloc(names->len + 1, sizeof *list);

	for (char *save = NULL, *at = strtok_r(text, "\n", &save); at;
	     at = strtok_r(NULL, "\n", &save))
		list[count++] = at;
	qsort(list, count, sizeof *list, config_line_order);
	buf_clear(names);
	for (; n < count; n++)
		if (!n || strcmp(list[n], list[n - 1]) != 0)
			buf_addf(names, "%s\n", list[n]);
	free(list);
	free(text);
}

static int config_no_profile(const char *profile, const struct buf *names, struct errmsg *msg)
{
	struct buf all = {0};
	int rc;

	for (size_t i = 0; i + 1 < names->len; i++)
		if (names->data[i] == '\n')
			buf_add_str(&all, ", ");
		else
			buf_add_char(&all, (char)names->data[i]);
	if (all.len)
		rc = err_set(msg, ERR_NOTFOUND, "there is no profile '%.64s', but %s", profile,
			     buf_cstr(&all));
	else
		rc = err_set(msg, ERR_NOTFOUND,
			     "there is no profile '%.64s', nor any other: make one with "
			     "'[profile %.64s]' in muster.conf",
			     profile, profile);
	buf_done(&all);
	return rc;
}

static bool config_has_line(const struct buf *names, const char *name)
{
	size_t len = strlen(name);

	for (size_t at = 0, n; at < names->len; at += n + 1) {
		const uint8_t *eol = memchr(names->data + at, '\n', names->len - at);

		n = eol ? (size_t)(eol - names->data) - at : names->len - at;
		if (n == len && memcmp(names->data + at, name, n) == 0)
			return true;
	}
	return false;
}

static int config_load_into(struct config_reader *r, struct errmsg *msg)
{
	struct buf *names = r->loading->profiles;
	char *user = config_user_dir();
	int rc = 0;

	if (r->profile && config_is_profile(r->profile))
		rc = config_keep(&r->config->profile, r->config, r->profile, msg);
	if (rc == 0)
		rc = config_dir(r, CONFIG_SYSTEM_DIR, CONFIG_BY_SYSTEM, msg);
	if (rc == 0 && user)
		rc = config_dir(r, user, CONFIG_BY_USER, msg);
	free(user);
	if (rc == 0)
		rc = config_environment(r, msg);
	config_sort_names(names);
	if (rc == 0 && r->profile && !config_has_line(names, r->profile)) {
		struct errmsg here = {{0}};

		rc = config_fault(r, config_no_profile(r->profile, names, &here), &here);
		if (rc && msg)
			*msg = here;
	}
	return rc;
}

/* What was said of faults by the way is an error in the end. */
static int config_end(struct config_reader *r, int rc, struct errmsg *msg)
{
	if (rc || !r->faults)
		return rc;
	if (msg)
		*msg = r->first;
	return ERR_SYNTAX;
}

int config_load(struct config *ret, const struct config_loading *loading, struct errmsg *msg)
{
	struct buf names = {0};
	struct config_loading how = *loading;
	struct config *config = xcalloc(1, sizeof *config);
	struct config_reader r = {.config = config, .profile = how.profile, .loading = &how};
	int rc;

	if (!how.profiles)
		how.profiles = &names;
	rc = config_end(&r, config_load_into(&r, msg), msg);
	if (rc == 0 || how.fault)
		*ret = *config;
	free(config);
	buf_done(&names);
	return rc;
}

int config_check(const char *path, const struct config_loading *loading, struct errmsg *msg)
{
	struct config *config = xcalloc(1, sizeof *config);
	struct config_reader r = {.config = config, .level = CONFIG_BY_USER, .loading = loading};
	struct errmsg here = {{0}};
	int rc;

	if (access(path, F_OK) != 0)
		rc = config_fault(
			&r, err_set(&here, ERR_SYS, "cannot read %s: %s", path, strerror(errno)),
			&here);
	else
		rc = config_file(&r, path, NULL, &here);
	rc = config_end(&r, rc, &here);
	if (rc && msg)
		*msg = here;
	free(config);
	return rc;
}
