#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config_private.h"
#include "escape.h"
#include "pattern.h"

const char *config_place(char out[CONFIG_PLACE_SIZE], const char *file, unsigned line)
{
	char number[16] = "";

	if (line)
		(void)snprintf(number, sizeof number, ":%u", line);
	(void)snprintf(out, CONFIG_PLACE_SIZE, "%.*s%s", (int)(CONFIG_PLACE_SIZE - sizeof number),
		       file, number);
	return out;
}

int config_fail(struct config_parser *p, int code, const char *fmt, ...)
{
	char place[CONFIG_PLACE_SIZE];
	char text[ERRMSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return err_set(p->msg, code, "%s: %s", config_place(place, p->file, p->line), text);
}

int config_do_nothing(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	(void)p;
	(void)k;
	(void)rest;
	return 0;
}

int config_do_ignored(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	struct config_words words;
	int rc = config_words_parse(p, k, rest, SIZE_MAX, &words);

	if (rc < 0)
		return rc;
	if (!k->harmless || pattern_list_match(words.word[0], k->harmless, true) <= 0)
		config_note_ignored(p, config_keyword_index(k), k->name);
	config_words_done(&words);
	return 0;
}

int config_do_host(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	struct config_words words;
	int rc = config_words_parse(p, k, rest, SIZE_MAX, &words);
	uint32_t cond;

	if (rc < 0)
		return rc;
	cond = config_add_cond(p, CONFIG_HOST);
	p->config->conds[cond].patterns = words;
	return 0;
}

int config_do_ignore_unknown(struct config_parser *p, const struct config_keyword *k,
			     const char *rest)
{
	struct buf *list = &p->config->ignore_unknown;
	struct config_words words;
	int rc = config_words_parse(p, k, rest, 1, &words);

	if (rc < 0)
		return rc;
	if (list->len + strlen(words.word[0]) + 1 > CONFIG_IGNORE_LIST) {
		rc = config_fail(p, ERR_LIMIT, "%s names too much; use wildcards", k->name);
	} else {
		if (list->len)
			buf_add_char(list, ',');
		buf_add_str(list, words.word[0]);
	}
	config_words_done(&words);
	return rc;
}

static int parse_unknown(struct config_parser *p, const char *name)
{
	struct buf *list = &p->config->ignore_unknown;
	char shown[CONFIG_NAME_SIZE];

	if (list->len && pattern_list_match(name, buf_cstr(list), true) > 0)
		return 0;
	(void)escape_str(shown, sizeof shown, name);
	if (p->option)
		return config_fail(p, ERR_SYNTAX, "ssh_config knows no \"%s\"; correct it", shown);
	return config_fail(
		p, ERR_SYNTAX,
		"unknown keyword \"%s\"; correct it, or put \"IgnoreUnknown %s\" above it", shown,
		shown);
}

static bool config_keyword_is_structure(const struct config_keyword *k)
{
	return k->parse == config_do_host || k->parse == config_do_match ||
	       k->parse == config_do_include;
}

/* line: without its end and the blanks before that. */
int config_parse_line(struct config_parser *p, const char *line)
{
	char name[CONFIG_NAME_SIZE];
	const struct config_keyword *k;
	size_t len;

	line += strspn(line, " \t\r\f");
	if (!*line || *line == '#')
		return 0;
	len = strcspn(line, " \t\r=");
	(void)snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name),
		       line);
	k = config_keyword_find(name);
	if (!k)
		return parse_unknown(p, name);
	line += len + strspn(line + len, " \t\r");
	if (*line == '=')
		line += 1 + strspn(line + 1, " \t\r");
	if (!*line)
		return config_fail(p, ERR_SYNTAX, "%s needs an argument", k->name);
	if (p->option && config_keyword_is_structure(k))
		return config_fail(p, ERR_SYNTAX, "%s is for files; use -F", k->name);
	return k->parse(p, k, line);
}

static int parse_raw_line(struct config_parser *p, const char *data, size_t len)
{
	char *line;
	int rc;

	if (memchr(data, '\0', len))
		return config_fail(p, ERR_SYNTAX, "a NUL byte; is this a text file?");
	while (len && strchr(" \t\r\f", data[len - 1]))
		len--;
	line = xstrndup(data, len);
	rc = config_parse_line(p, line);
	free(line);
	return rc;
}

int config_parse_buffer(struct ssh_config *c, const struct config_source *source, const char *data,
			size_t len, struct errmsg *msg)
{
	struct config_parser p = {.config = c, .source = *source, .cond = source->cond, .msg = msg};
	const char *end = data + len;
	int rc = 0;

	/* Settings point at the name for as long as the configuration lives. */
	c->files = xrealloc(c->files, c->file_count + 1, sizeof *c->files);
	p.file = c->files[c->file_count++] = xstrdup(source->name);
	config_add_segment(c, p.cond);
	while (!rc && data < end) {
		const char *eol = memchr(data, '\n', (size_t)(end - data));

		if (!eol)
			eol = end;
		p.line++;
		rc = parse_raw_line(&p, data, (size_t)(eol - data));
		data = eol < end ? eol + 1 : end;
	}
	return rc;
}
