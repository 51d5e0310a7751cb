/* Files of host expressions, and standard input. */
#include <stdlib.h>
#include <string.h>

#include "hostlist_private.h"

#define HOSTFILE_PATH_MAX LIMIT_OPTION_TEXT
#define HOSTFILE_STDIN	  "standard input"

/* Refuses a file that cannot or must not be read. */
static int hostfile_check(const char *path, const struct expr_text *text, size_t at,
			  struct expr_env *env)
{
	char shown[EXPR_QUOTE_SIZE];

	if (env->group_depth)
		return expr_fail(env, text, at, ERR_SYNTAX,
				 "a group cannot name files or standard input; name hosts");
	if (!env->from.read)
		return expr_fail(env, text, at, ERR_SYNTAX,
				 "files and standard input cannot be named here; name hosts");
	if (!path && env->stdin_read)
		return expr_fail(env, text, at, ERR_SYNTAX,
				 "standard input can be read only once; remove one '-'");
	if (path && !path[0])
		return expr_fail(env, text, at, ERR_SYNTAX,
				 "a file name must follow '^' here, as in ^hosts.txt");
	if (path && strlen(path) > HOSTFILE_PATH_MAX)
		return expr_fail(env, text, at, ERR_LIMIT, "the file name is longer than %u bytes",
				 HOSTFILE_PATH_MAX);
	for (size_t i = 0; path && i < env->depth; i++)
		if (strcmp(env->files[i], path) == 0)
			return expr_fail(env, text, at, ERR_SYNTAX,
					 "file '%s' is being read already; a file cannot contain "
					 "itself",
					 expr_quote(shown, path, strlen(path)));
	if (env->depth == HOSTFILE_DEPTH_MAX)
		return expr_fail(env, text, at, ERR_LIMIT,
				 "files are nested more than %u deep; name this one further up",
				 HOSTFILE_DEPTH_MAX);
	return expr_spend(env, text, at, EXPR_WORK_FILE);
}

static int hostfile_read(struct buf *out, const char *path, const struct expr_text *text, size_t at,
			 struct expr_env *env)
{
	struct errmsg why = {""};
	int rc;

	env->stdin_read |= !path;
	rc = env->from.read(env->from.read_ctx, path, out, &why);
	if (rc)
		return expr_fail(env, text, at, rc, "%s", why.text[0] ? why.text : err_text(rc));
	if (out->len > LIMIT_HOST_FILE)
		return expr_fail(env, text, at, ERR_LIMIT,
				 "the file is larger than %u bytes; split it", LIMIT_HOST_FILE);
	return expr_spend(env, text, at, out->len * (uint64_t)EXPR_WORK_BYTE);
}

/* A line that is one name and nothing else, as nearly all are. */
static bool hostfile_is_name(const struct expr_text *line)
{
	if (line->len > LIMIT_HOST_NAME)
		return false;
	for (size_t i = 0; i < line->len; i++) {
		char c = line->data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '.' || c == '_' || (i && c == '-')))
			return false;
	}
	return true;
}

/* One line, without what follows a '#'. An expression of its own: '!' reaches no other line. */
static int hostfile_line(struct hostlist *list, struct expr_text *line, struct expr_env *env)
{
	const char *comment = line->len ? memchr(line->data, '#', line->len) : NULL;
	struct hostlist *found;
	int rc;

	if (comment)
		line->len = (size_t)(comment - line->data);
	while (line->len && expr_is_space(line->data[line->len - 1]))
		line->len--;
	if (!line->len)
		return 0;
	if (hostfile_is_name(line))
		return item_eval_name(list, line, env);
	found = hostlist_new();
	rc = expr_eval(found, line, env);
	if (!rc)
		hostlist_move_all(list, found);
	if (!rc && hostlist_count(list) > env->left.hosts)
		rc = expr_fail_hosts(env, line, 0);
	hostlist_free(found);
	return rc;
}

static int hostfile_lines(struct hostlist *list, const struct buf *content, const char *name,
			  struct expr_env *env)
{
	const char *data = (const char *)content->data;
	size_t at = 0;
	int rc = 0;

	/* Editors of other systems begin UTF-8 files with this mark. */
	if (content->len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	for (size_t line = 1; !rc && at < content->len; line++) {
		const char *eol = memchr(data + at, '\n', content->len - at);
		size_t len = eol ? (size_t)(eol - data) - at : content->len - at;
		struct expr_text text = {.data = data + at, .len = len, .file = name, .line = line};

		rc = hostfile_line(list, &text, env);
		at += len + 1;
	}
	return rc;
}

int hostfile_eval(struct hostlist *list, const char *path, const struct expr_text *text, size_t at,
		  struct expr_env *env)
{
	const char *name = path ? path : HOSTFILE_STDIN;
	struct buf content = {0};
	int rc = hostfile_check(path, text, at, env);

	if (rc)
		return rc;
	rc = hostfile_read(&content, path, text, at, env);
	if (!rc) {
		env->files[env->depth++] = name;
		rc = hostfile_lines(list, &content, name, env);
		env->depth--;
	}
	buf_done(&content);
	return rc;
}
