/* The hosts that an ssh_config names: ssh_config(5), Host and Include. What it says of them is
 * read where connections are made. */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "fd.h"
#include "limits.h"
#include "load.h"

struct ssh_load {
	struct inv *inv;
	const char *home;
	struct errmsg *msg;
	unsigned depth;
	size_t bytes; /* of all files */
	unsigned files;
};

static int ssh_text(struct ssh_load *s, const struct load_text *text);

/* The next word of a line: blanks or quotes end it; '=' stands behind the first one, perhaps. */
static bool ssh_word(const struct load_line *line, size_t *at, const char **ret, size_t *ret_len)
{
	size_t i = *at;

	while (i < line->n && strchr(" \t\r", line->data[i]))
		i++;
	if (i == line->n || line->data[i] == '#')
		return false;
	if (line->data[i] == '"') {
		const char *close = memchr(line->data + i + 1, '"', line->n - i - 1);

		*ret = line->data + i + 1;
		*ret_len = close ? (size_t)(close - *ret) : line->n - i - 1;
		*at = close ? i + *ret_len + 2 : line->n;
		return true;
	}
	*ret = line->data + i;
	while (i < line->n && !strchr(" \t\r", line->data[i]))
		i++;
	*ret_len = (size_t)(line->data + i - *ret);
	*at = i;
	return true;
}

static int ssh_file(struct ssh_load *s, const char *path)
{
	struct buf content = {0};
	int rc = fd_read_file(&content, path, LIMIT_SSH_CONFIG);

	s->bytes += content.len;
	if (rc == ERR_SYS && errno == ENOENT)
		rc = 0;
	else if (rc == ERR_SYS)
		rc = err_set(s->msg, rc, "cannot read %s: %s", path, strerror(errno));
	else if (rc || s->bytes > LIMIT_SSH_CONFIG || ++s->files > LIMIT_INVENTORY_FILES)
		rc = err_set(s->msg, ERR_LIMIT, "%s: more than %u bytes or %u files in all", path,
			     LIMIT_SSH_CONFIG, LIMIT_INVENTORY_FILES);
	else
		rc = ssh_text(s,
			      &(struct load_text){(const char *)content.data, content.len, path});
	buf_done(&content);
	return rc;
}

/* Relative to ~/.ssh; a pattern may stand for many files. */
static int ssh_include(struct ssh_load *s, const struct load_text *text, unsigned line,
		       const char *word, size_t n)
{
	char *pattern;
	glob_t found;
	int rc = 0;

	if (s->depth == LIMIT_SSH_CONFIG_DEPTH) {
		(void)err_set(s->msg, ERR_LIMIT, "more than %u files include one another",
			      LIMIT_SSH_CONFIG_DEPTH);
		return load_fail(text, line, ERR_LIMIT, s->msg);
	}
	if (*word != '/' && !s->home)
		return 0;
	if (n > 1 && word[0] == '~' && word[1] == '/')
		pattern = xasprintf("%s%.*s", s->home, (int)n - 1, word + 1);
	else if (*word == '/')
		pattern = xstrndup(word, n);
	else
		pattern = xasprintf("%s/.ssh/%.*s", s->home, (int)n, word);
	if (glob(pattern, 0, NULL, &found) == 0) {
		s->depth++;
		for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++)
			rc = ssh_file(s, found.gl_pathv[i]);
		s->depth--;
		globfree(&found);
	}
	free(pattern);
	return rc;
}

static int ssh_line(struct ssh_load *s, const struct load_text *text, struct load_line *line)
{
	size_t keyword = 0, at, n;
	const char *word;
	bool host, include;
	int rc = 0;

	while (keyword < line->n && !strchr(" \t=", line->data[keyword]))
		keyword++;
	host = keyword == 4 && strncasecmp(line->data, "Host", 4) == 0;
	include = keyword == 7 && strncasecmp(line->data, "Include", 7) == 0;
	if (!host && !include)
		return 0;
	at = keyword;
	while (at < line->n && strchr(" \t", line->data[at]))
		at++;
	if (at < line->n && line->data[at] == '=')
		at++;
	while (rc == 0 && ssh_word(line, &at, &word, &n)) {
		uint32_t id;

		if (include && n) {
			rc = ssh_include(s, text, line->number, word, n);
		} else if (host && n && !memchr(word, '*', n) && !memchr(word, '?', n) &&
			   *word != '!') {
			rc = inv_host(s->inv, word, n, &id, s->msg);
			if (rc)
				rc = load_fail(text, line->number, rc, s->msg);
		}
	}
	return rc;
}

/* Calls itself by way of Include, LIMIT_SSH_CONFIG_DEPTH deep at most. */
static int ssh_text(struct ssh_load *s, const struct load_text *text)
{
	struct load_line line = {0};
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && load_next(text, &at, &line))
		if (line.n && *line.data != '#')
			rc = ssh_line(s, text, &line);
	return rc;
}

int load_ssh(struct inv *inv, const struct load_text *text, const char *home, struct errmsg *msg)
{
	struct ssh_load s = {.inv = inv, .home = home, .msg = msg};

	return ssh_text(&s, text);
}
