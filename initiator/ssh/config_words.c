#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config_private.h"

#define PASSWD_BUFFER (16u << 10)

static bool words_is_escape(const char *s, char quote)
{
	return s[0] == '\\' &&
	       (s[1] == '\'' || s[1] == '"' || s[1] == '\\' || (!quote && s[1] == ' '));
}

/* Copies one word to out and returns where it ends; NULL if a quote is not closed. */
static const char *words_one(const char *s, struct buf *out)
{
	char quote = 0;

	buf_clear(out);
	for (; *s; s++) {
		if (words_is_escape(s, quote)) {
			buf_add_char(out, *++s);
		} else if (!quote && (*s == ' ' || *s == '\t')) {
			break;
		} else if (!quote && (*s == '"' || *s == '\'')) {
			quote = *s;
		} else if (quote && *s == quote) {
			quote = 0;
		} else {
			buf_add_char(out, *s);
		}
	}
	return quote ? NULL : s;
}

int config_words_split(struct config_words *ret, const char *text)
{
	struct config_words words = {0};
	struct buf one = {0};
	size_t size = 0;

	for (;;) {
		text += strspn(text, " \t");
		if (!*text || *text == '#')
			break;
		text = words_one(text, &one);
		if (!text) {
			buf_done(&one);
			config_words_done(&words);
			return ERR_SYNTAX;
		}
		if (words.count == size) {
			size = size ? size * 2 : 1;
			words.word = xrealloc(words.word, size, sizeof *words.word);
		}
		words.word[words.count++] = xstrdup(buf_cstr(&one));
	}
	buf_done(&one);
	*ret = words;
	return 0;
}

void config_words_done(struct config_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->word[i]);
	free(words->word);
	*words = (struct config_words){0};
}

int config_words_parse(struct config_parser *p, const struct config_keyword *k, const char *rest,
		       size_t max, struct config_words *ret)
{
	struct config_words words;
	int rc = 0;

	if (config_words_split(&words, rest) < 0)
		return config_fail(p, ERR_SYNTAX, "%s: a quote is not closed; add it", k->name);
	if (words.count == 0)
		rc = config_fail(p, ERR_SYNTAX, "%s needs an argument", k->name);
	else if (words.count > max)
		rc = config_fail(p, ERR_SYNTAX,
				 "%s takes at most %zu argument%s, not %zu; quote blanks", k->name,
				 max, max == 1 ? "" : "s", words.count);
	for (size_t i = 0; !rc && i < words.count; i++) {
		if (!*words.word[i])
			rc = config_fail(p, ERR_SYNTAX, "%s has an empty argument", k->name);
	}
	if (rc < 0)
		config_words_done(&words);
	else
		*ret = words;
	return rc;
}

char *config_tilde(const char *home, const char *path)
{
	size_t len = strcspn(path, "/");
	struct passwd entry, *found = NULL;
	char *name, *buffer, *result;

	if (*path != '~')
		return xstrdup(path);
	if (len == 1)
		return xasprintf("%s%s", home, path + 1);
	name = xstrndup(path + 1, len - 1);
	buffer = xmalloc(PASSWD_BUFFER);
	if (getpwnam_r(name, &entry, buffer, PASSWD_BUFFER, &found) == 0 && found)
		result = xasprintf("%s%s", entry.pw_dir, path + len);
	else
		result = xstrdup(path);
	free(buffer);
	free(name);
	return result;
}

char *config_words_tilde(const struct config_parser *p, const char *path)
{
	if (path[0] == '~' && path[1] && path[1] != '/')
		config_trace_unsure(p->config); /* who knows where users come from */
	return config_tilde(p->config->home, path);
}
