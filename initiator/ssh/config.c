#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "config_private.h"
#include "limits.h"
#include "pattern.h"

#define CONFIG_SYSTEM_FILE "/etc/ssh/ssh_config"

struct ssh_config *config_new(const char *home)
{
	struct ssh_config *c = xcalloc(1, sizeof *c);
	struct config_parser root = {.config = c};

	c->home = xstrdup(home);
	c->bytes_left = LIMIT_SSH_CONFIG;
	c->files_left = CONFIG_FILES;
	(void)config_add_cond(&root, CONFIG_ALWAYS);
	return c;
}

void ssh_config_hold(struct ssh_config *c)
{
	atomic_fetch_add(&c->holds, 1);
}

bool ssh_config_is_of(const struct ssh_config *c, const char *path, const char *home)
{
	bool same = path && c->path ? strcmp(path, c->path) == 0 : !path && !c->path;

	return same && strcmp(home, c->home) == 0;
}

size_t ssh_config_size(const struct ssh_config *c)
{
	return LIMIT_SSH_CONFIG - c->bytes_left;
}

void ssh_config_free(struct ssh_config *c)
{
	if (!c || atomic_fetch_sub(&c->holds, 1))
		return;
	for (size_t i = 0; i < c->setting_count; i++)
		config_words_done(&c->settings[i].words);
	for (uint32_t i = 0; i < c->cond_count; i++) {
		config_words_done(&c->conds[i].patterns);
		for (size_t t = 0; t < c->conds[i].term_count; t++)
			free(c->conds[i].terms[t].list);
		free(c->conds[i].terms);
	}
	for (size_t i = 0; i < c->file_count; i++)
		free(c->files[i]);
	free(c->files);
	free(c->settings);
	free(c->conds);
	free(c->segments);
	free(c->literals);
	free(c->walked);
	buf_done(&c->ignore_unknown);
	free(c->ignored);
	free(c->home);
	free(c->path);
	config_trace_done(&c->trace);
	free(c);
}

const char *ssh_config_ignored(const struct ssh_config *c)
{
	return c->ignored;
}

static bool config_is_literal(const struct config_cond *cond)
{
	if (cond->kind != CONFIG_HOST)
		return false;
	for (size_t i = 0; i < cond->patterns.count; i++) {
		if (!pattern_is_literal(cond->patterns.word[i]))
			return false;
	}
	return true;
}

static int config_literal_compare(const void *a, const void *b)
{
	const struct config_literal *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->cond > y->cond) - (x->cond < y->cond);
}

void config_index(struct ssh_config *c)
{
	size_t literals = 0;

	for (uint32_t i = 0; i < c->cond_count; i++)
		literals += c->conds[i].patterns.count;
	c->literals = xcalloc(literals, sizeof *c->literals);
	c->walked = xcalloc(c->cond_count, sizeof *c->walked);
	for (uint32_t i = 0; i < c->cond_count; i++) {
		const struct config_cond *cond = &c->conds[i];

		if (!config_is_literal(cond)) {
			if (cond->kind != CONFIG_NEVER)
				c->walked[c->walked_count++] = i;
			continue;
		}
		for (size_t w = 0; w < cond->patterns.count; w++)
			c->literals[c->literal_count++] =
				(struct config_literal){cond->patterns.word[w], i};
	}
	qsort(c->literals, c->literal_count, sizeof *c->literals, config_literal_compare);
}

/* As ssh: who can write the file can make it run commands, such as ProxyCommand. */
static int config_check_owner(const char *path, struct errmsg *msg)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(msg, ERR_SYS, "cannot read %s: %s", path, strerror(errno));
	if (st.st_uid != 0 && st.st_uid != getuid())
		return err_set(msg, ERR_DENIED,
			       "%s belongs to user %u; it must belong to you or to root (chown)",
			       path, (unsigned)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(msg, ERR_DENIED,
			       "%s can be written by others; forbid that: chmod go-w %s", path,
			       path);
	return 0;
}

int config_read_file(struct ssh_config *c, const struct config_source *source, bool check_owner,
		     struct errmsg *msg)
{
	struct file_stamp stamp;
	struct buf text = {0};
	int rc = check_owner ? config_check_owner(source->name, msg) : 0;

	if (rc < 0)
		return rc;
	if (c->files_left == 0)
		return err_set(msg, ERR_LIMIT, "%s: more than %u files are included; use fewer",
			       source->name, CONFIG_FILES);
	rc = file_stamp_read(&stamp, &text, source->name, c->bytes_left);
	if (rc == ERR_LIMIT) {
		err_set(msg, rc, "%s: it and the files read before exceed %u MiB; use less",
			source->name, LIMIT_SSH_CONFIG >> 20);
	} else if (rc < 0) {
		err_set(msg, rc, "cannot read %s: %s", source->name, strerror(errno));
	} else {
		c->files_left--;
		c->bytes_left -= text.len;
		config_trace_file(c, source->name, &stamp);
		rc = config_parse_buffer(c, source, buf_cstr(&text), text.len, msg);
	}
	buf_done(&text);
	return rc;
}

static int config_read_if_there(struct ssh_config *c, const struct config_source *source,
				bool check_owner, struct errmsg *msg)
{
	struct file_stamp stamp;

	file_stamp_look(&stamp, source->name);
	if (stamp.kind == FILE_STAMP_MISSING) {
		config_trace_file(c, source->name, &stamp);
		return 0;
	}
	return config_read_file(c, source, check_owner, msg);
}

/* The files that ssh reads without -F. */
static int config_read_default(struct ssh_config *c, struct errmsg *msg)
{
	char *path = xasprintf("%s/.ssh/config", c->home);
	struct config_source user = {.name = path, .user = true};
	struct config_source global = {.name = CONFIG_SYSTEM_FILE};
	int rc = config_read_if_there(c, &user, true, msg);

	if (!rc)
		rc = config_read_if_there(c, &global, false, msg);
	free(path);
	return rc;
}

int ssh_config_load(struct ssh_config **ret, const char *path, const char *home, struct errmsg *msg)
{
	struct ssh_config *c = config_new(home);
	struct config_source given = {.name = path, .user = true};
	int rc = 0;

	c->path = path ? xstrdup(path) : NULL;
	if (!path)
		rc = config_read_default(c, msg);
	else if (strcasecmp(path, "none") != 0)
		rc = config_read_file(c, &given, false, msg);
	if (rc < 0) {
		ssh_config_free(c);
		return rc;
	}
	config_index(c);
	*ret = c;
	return 0;
}
