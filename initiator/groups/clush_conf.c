#include "clush_conf.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "files.h"
#include "limits.h"
#include "load.h"

#define CONF_SECONDS_MAX 100000000ul

/* A file while it is read. What was read of it is taken option by option. */
struct conf {
	struct clush *clush;
	const struct load_text *text;
	enum clush_conf how;
	struct errmsg *msg;
	struct buf section, key, value;
	unsigned line;	  /* where the option stands */
	bool has_section; /* else what comes belongs to none */
};

static const char *const conf_calls[] = {"map", "all", "list", "reverse"};

static void conf_put(char **to, const char *text)
{
	free(*to);
	*to = xstrdup(text);
}

static int conf_main(struct conf *c, const char *key, const char *value)
{
	if (c->how != CLUSH_CONF_MAIN)
		return 0;
	if (strcasecmp(key, "default") == 0)
		conf_put(&c->clush->standard, value);
	else if (strcasecmp(key, "confdir") == 0 || strcasecmp(key, "groupsdir") == 0)
		conf_put(&c->clush->confdir, value);
	else if (strcasecmp(key, "autodir") == 0)
		conf_put(&c->clush->autodir, value);
	return 0;
}

/* The directory of the file. */
static char *conf_dir(const struct conf *c)
{
	const char *slash = strrchr(c->text->path, '/');

	return slash ? xstrndup(c->text->path, (size_t)(slash - c->text->path)) : xstrdup(".");
}

/* The source of this name that a section is about; made if it is new. */
static int conf_source(struct conf *c, const char *name, size_t n, struct clush_source **ret)
{
	struct clush *clush = c->clush;
	char *where;
	int rc;

	for (size_t i = 0; i < clush->count; i++) {
		struct clush_source *source = &clush->sources[i];

		if (strlen(source->name) == n && memcmp(source->name, name, n) == 0 &&
		    (c->how == CLUSH_CONF_MAIN || strcmp(source->file, c->text->path) == 0)) {
			*ret = source;
			conf_put(&source->file, c->text->path);
			return 0;
		}
	}
	where = xasprintf("%s:%u", c->text->path, c->line);
	rc = clush_add(clush, name, n, where, ret, c->msg);
	free(where);
	if (rc)
		return rc;
	(*ret)->file = xstrdup(c->text->path);
	if (c->how == CLUSH_CONF_MORE)
		(*ret)->dir = conf_dir(c);
	return 0;
}

static int conf_cache_time(struct conf *c, struct clush_source *source, const char *value)
{
	char *end;
	unsigned long seconds = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || seconds > CONF_SECONDS_MAX) {
		(void)err_set(c->msg, ERR_SYNTAX, "cache_time: '%.60s' is no number of seconds",
			      value);
		return load_fail(c->text, c->line, ERR_SYNTAX, c->msg);
	}
	source->cache_ms = (uint64_t)seconds * 1000;
	return 0;
}

/* An option of a source, or (key NULL) that there is this section. */
static int conf_of_source(struct conf *c, const char *name, size_t n, const char *key,
			  const char *value)
{
	struct clush_source *source;
	int rc = conf_source(c, name, n, &source);

	if (rc || !key)
		return rc;
	if (strcasecmp(key, "cache_time") == 0)
		return conf_cache_time(c, source, value);
	for (size_t i = 0; i < CLUSH_CALL_COUNT; i++)
		if (strcasecmp(key, conf_calls[i]) == 0)
			conf_put(&source->calls[i], value);
	return 0;
}

/* [one,two] are two sources with the same options. */
static int conf_take(struct conf *c, const char *key, const char *value)
{
	const char *name = buf_cstr(&c->section);
	int rc = 0;

	if (strcmp(name, "Main") == 0)
		return key ? conf_main(c, key, value) : 0;
	while (rc == 0 && *name) {
		size_t n = strcspn(name, ",");

		if (n)
			rc = conf_of_source(c, name, n, key, value);
		name += n + (name[n] == ',');
	}
	return rc;
}

/* The option that was read, with all its lines. */
static int conf_flush(struct conf *c)
{
	int rc;

	if (!c->key.len)
		return 0;
	while (c->value.len && c->value.data[c->value.len - 1] == '\n')
		c->value.len--;
	rc = conf_take(c, buf_cstr(&c->key), buf_cstr(&c->value));
	buf_clear(&c->key);
	buf_clear(&c->value);
	return rc;
}

static int conf_fail(struct conf *c, unsigned line, const char *what)
{
	(void)err_set(c->msg, ERR_SYNTAX, "%s", what);
	return load_fail(c->text, line, ERR_SYNTAX, c->msg);
}

static int conf_section(struct conf *c, const struct load_line *line)
{
	const char *close = memchr(line->data, ']', line->n);

	if (!close || close == line->data + 1)
		return conf_fail(c, line->number, "no [section]: the ']' or the name is missing");
	buf_clear(&c->section);
	buf_add(&c->section, line->data + 1, (size_t)(close - line->data) - 1);
	c->has_section = true;
	c->line = line->number;
	return conf_take(c, NULL, NULL);
}

static int conf_line(struct conf *c, const struct load_line *line, bool indented)
{
	size_t n = 0, rest;
	int rc;

	if (indented && c->key.len) { /* goes on with the option */
		buf_addf(&c->value, "\n%.*s", (int)line->n, line->data);
		return 0;
	}
	rc = conf_flush(c);
	if (rc)
		return rc;
	if (*line->data == '[')
		return conf_section(c, line);
	while (n < line->n && line->data[n] != ':' && line->data[n] != '=')
		n++;
	if (n == line->n || !n)
		return conf_fail(c, line->number, "this is no 'option: value'");
	if (!c->has_section)
		return conf_fail(c, line->number, "an option above all [sections]");
	rest = n + 1;
	while (n && (line->data[n - 1] == ' ' || line->data[n - 1] == '\t'))
		n--;
	while (rest < line->n && (line->data[rest] == ' ' || line->data[rest] == '\t'))
		rest++;
	buf_add(&c->key, line->data, n);
	buf_add(&c->value, line->data + rest, line->n - rest);
	c->line = line->number;
	return 0;
}

static int conf_read(struct conf *c)
{
	struct load_line line = {0};
	size_t at = 0, begin;
	int rc = 0;

	while (rc == 0 && (begin = at, load_next(c->text, &at, &line))) {
		bool indented = c->text->data[begin] == ' ' || c->text->data[begin] == '\t';

		if (!line.n) {
			if (c->key.len)
				buf_add_char(&c->value, '\n');
			continue;
		}
		if (memchr(line.data, '\0', line.n))
			return conf_fail(c, line.number, "a NUL byte: this is no text");
		if (*line.data != '#' && *line.data != ';')
			rc = conf_line(c, &line, indented);
	}
	return rc ? rc : conf_flush(c);
}

int clush_conf(struct clush *clush, const char *path, enum clush_conf how, struct errmsg *msg)
{
	struct buf content = {0};
	int rc = files_read(path, LIMIT_CONFIG, &content, msg);
	const struct load_text text = {(const char *)content.data, content.len, path};
	struct conf conf = {.clush = clush, .text = &text, .how = how, .msg = msg};

	if (rc == 0)
		rc = conf_read(&conf);
	buf_done(&conf.section);
	buf_done(&conf.key);
	buf_done(&conf.value);
	buf_done(&content);
	return rc;
}
