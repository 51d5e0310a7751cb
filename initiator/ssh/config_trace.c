/* What a configuration was made from: whether reading it again would give the same. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config_private.h"

void config_trace_file(struct ssh_config *c, const char *path, const struct file_stamp *stamp)
{
	struct config_trace *t = &c->trace;

	if (stamp->kind == FILE_STAMP_UNSURE)
		t->unsure = true;
	if (t->unsure)
		return;
	if (t->file_count == t->file_size) {
		t->file_size = t->file_size ? t->file_size * 2 : 8;
		t->files = xrealloc(t->files, t->file_size, sizeof *t->files);
	}
	t->files[t->file_count++] = (struct config_file){xstrdup(path), *stamp};
}

void config_trace_look(struct ssh_config *c, const char *path)
{
	struct file_stamp stamp;

	file_stamp_look(&stamp, path);
	config_trace_file(c, path, &stamp);
}

void config_trace_unsure(struct ssh_config *c)
{
	c->trace.unsure = true;
}

/* The names in their order, each with its NUL. */
static void trace_found(struct buf *out, const glob_t *found)
{
	for (size_t i = 0; i < found->gl_pathc; i++)
		buf_add(out, found->gl_pathv[i], strlen(found->gl_pathv[i]) + 1);
}

void config_trace_glob(struct ssh_config *c, const char *pattern, const glob_t *found)
{
	struct config_trace *t = &c->trace;

	if (t->unsure)
		return;
	if (t->glob_count == t->glob_size) {
		t->glob_size = t->glob_size ? t->glob_size * 2 : 4;
		t->globs = xrealloc(t->globs, t->glob_size, sizeof *t->globs);
	}
	t->globs[t->glob_count] = (struct config_glob){.pattern = xstrdup(pattern)};
	trace_found(&t->globs[t->glob_count++].found, found);
}

void config_trace_done(struct config_trace *t)
{
	for (size_t i = 0; i < t->file_count; i++)
		free(t->files[i].path);
	for (size_t i = 0; i < t->glob_count; i++) {
		free(t->globs[i].pattern);
		buf_done(&t->globs[i].found);
	}
	free(t->files);
	free(t->globs);
	*t = (struct config_trace){0};
}

static bool trace_glob_holds(const struct config_glob *g)
{
	glob_t found = {0};
	struct buf names = {0};
	int rc = glob(g->pattern, 0, NULL, &found);
	bool same = false;

	if (rc == 0 || rc == GLOB_NOMATCH) {
		trace_found(&names, &found);
		same = names.len == g->found.len &&
		       (!names.len || memcmp(names.data, g->found.data, names.len) == 0);
	}
	buf_done(&names);
	globfree(&found);
	return same;
}

bool ssh_config_is_settled(const struct ssh_config *c)
{
	return !c->trace.unsure;
}

bool ssh_config_is_current(const struct ssh_config *c)
{
	const struct config_trace *t = &c->trace;

	if (t->unsure)
		return false;
	for (size_t i = 0; i < t->file_count; i++) {
		if (!file_stamp_holds(&t->files[i].stamp, t->files[i].path))
			return false;
	}
	for (size_t i = 0; i < t->glob_count; i++) {
		if (!trace_glob_holds(&t->globs[i]))
			return false;
	}
	return true;
}
