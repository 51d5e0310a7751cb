/* The text of a file of muster.conf, and where its values are kept. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config_private.h"

#define CONFIG_NAME_MAX	    64u
#define CONFIG_NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

static const char config_option[] = "option.";

/* --- what is kept ---------------------------------------------------------------------------- */

int config_keep(uint32_t *ret, struct config *config, const char *text, struct errmsg *msg)
{
	uint32_t len = (uint32_t)strlen(text) + 1;

	if (!config->used)
		config->used = 1; /* 0 is none */
	/* Paths come again and again. */
	for (uint32_t i = 1; i < config->used; i += (uint32_t)strlen(config->arena + i) + 1)
		if (strcmp(config->arena + i, text) == 0) {
			*ret = i;
			return 0;
		}
	if (len > CONFIG_ARENA - config->used)
		return err_set(msg, ERR_LIMIT, "the settings are more than %u KiB in all",
			       CONFIG_ARENA >> 10);
	memcpy(config->arena + config->used, text, len);
	*ret = config->used;
	config->used += len;
	return 0;
}

int config_put(struct config *config, enum config_key key, uint64_t value, const char *text,
	       const struct config_text *at, struct errmsg *msg)
{
	struct config_text here = *at;
	char *both = NULL;
	int rc;

	if (config->keys[key].given && config->keys[key].at.level > at->level)
		return 0;
	if (config->keys[key].given && config->keys[key].at.level == at->level &&
	    config_is_repeated(key))
		both = xasprintf("%s\n%s", config_written(config, key), text);
	rc = config_keep(&here.text, config, both ? both : text, msg);
	free(both);
	if (rc)
		return rc;
	config->keys[key].value = value;
	config->keys[key].given = true;
	config->keys[key].at = here;
	return 0;
}

/* What a lower level has said of it is no more. *ret: a higher one has said something. */
static void config_make_way(bool *ret, struct config *config, const char *name,
			    enum config_level level)
{
	size_t n = 0;

	*ret = false;
	for (size_t i = 0; i < config->extra_count; i++) {
		const struct config_extra *extra = &config->extras[i];
		bool same = strcmp(config_at(config, extra->name), name) == 0;

		*ret = *ret || (same && extra->at.level > level);
		if (!same || extra->at.level >= level)
			config->extras[n++] = *extra;
	}
	config->extra_count = n;
}

int config_put_extra(struct config *config, const char *name, const char *text,
		     const struct config_text *at, struct errmsg *msg)
{
	struct config_extra extra = {.at = *at};
	bool outweighed;
	int rc;

	config_make_way(&outweighed, config, name, at->level);
	if (outweighed)
		return 0;
	if (config->extra_count == CONFIG_EXTRAS)
		return err_set(msg, ERR_LIMIT, "more than %u lines of option.NAME", CONFIG_EXTRAS);
	rc = config_keep(&extra.name, config, name, msg);
	if (rc == 0)
		rc = config_keep(&extra.at.text, config, text, msg);
	if (rc == 0)
		config->extras[config->extra_count++] = extra;
	return rc;
}

void config_origin(struct buf *out, const struct config *config, const struct config_text *at)
{
	const char *path = config_at(config, at->path);

	switch (at->level) {
	case CONFIG_BY_NOBODY:
		buf_add_str(out, "default");
		break;
	case CONFIG_BY_SYSTEM:
	case CONFIG_BY_USER:
		buf_addf(out, "%s:%u", path, at->line);
		break;
	case CONFIG_BY_SYSTEM_PROFILE:
	case CONFIG_BY_USER_PROFILE:
		buf_addf(out, "profile %s (%s:%u)", config_at(config, config->profile), path,
			 at->line);
		break;
	case CONFIG_BY_ENVIRONMENT:
		buf_addf(out, "environment %s", path);
		break;
	}
}

/* --- lines ----------------------------------------------------------------------------------- */

bool config_is_profile(const char *name)
{
	size_t n = strlen(name);

	return n && n <= CONFIG_NAME_MAX && *name != '.' && strspn(name, CONFIG_NAME_LETTERS) == n;
}

static int config_unknown(const struct config_reader *r, const char *name, struct errmsg *msg)
{
	struct buf names = {0};
	int rc;

	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
		buf_addf(&names, "%s%s", i ? ", " : "", config_key_name((enum config_key)i));
	rc = err_set(msg, ERR_SYNTAX, "%s:%u: '%.*s' is none of %s", r->path, r->line, CONFIG_SHOWN,
		     name, buf_cstr(&names));
	buf_done(&names);
	return rc;
}

/* The level of a line, and where it stands. */
static int config_here(struct config_text *ret, const struct config_reader *r, struct errmsg *msg)
{
	*ret = (struct config_text){.line = r->line, .level = r->level};
	if (r->section)
		ret->level = r->level == CONFIG_BY_SYSTEM ? CONFIG_BY_SYSTEM_PROFILE
							  : CONFIG_BY_USER_PROFILE;
	return config_keep(&ret->path, r->config, r->path, msg);
}

static int config_set_key(struct config_reader *r, enum config_key key, const char *text,
			  struct errmsg *msg)
{
	char *what = xasprintf("%s:%u: %s", r->path, r->line, config_key_name(key));
	struct config_text at;
	uint64_t value = 0;
	int rc = config_judge(&value, key, text, what, msg);

	free(what);
	if (rc)
		return rc;
	if (r->lines[key] && !config_is_repeated(key))
		return err_set(msg, ERR_EXISTS, "%s:%u: %s was set in line %u already", r->path,
			       r->line, config_key_name(key), r->lines[key]);
	r->lines[key] = r->line;
	if (r->idle)
		return 0;
	rc = config_here(&at, r, msg);
	return rc ? rc : config_put(r->config, key, value, text, &at, msg);
}

/* The key that stands for an option, as ssh-options for --ssh-option. */
static enum config_key config_key_of(const char *option)
{
	enum config_key key = config_key_find(option);

	if (key != CONFIG_KEY_COUNT && !config_key_is_daemon(key))
		return key;
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
		const char *name = config_key_option((enum config_key)i);

		if (name && strcmp(name, option) == 0)
			return (enum config_key)i;
	}
	return CONFIG_KEY_COUNT;
}

static int config_set(struct config_reader *r, const char *name, const char *text,
		      struct errmsg *msg)
{
	bool option = strncmp(name, config_option, sizeof config_option - 1) == 0 &&
		      name[sizeof config_option - 1];
	enum config_key key =
		option ? config_key_of(name + sizeof config_option - 1) : config_key_find(name);
	struct config_text at;
	int rc;

	if (key != CONFIG_KEY_COUNT)
		return config_set_key(r, key, text, msg);
	if (!option)
		return config_unknown(r, name, msg);
	if (r->idle)
		return 0;
	rc = config_here(&at, r, msg);
	return rc ? rc
		  : config_put_extra(r->config, name + sizeof config_option - 1, text, &at, msg);
}

/* Cuts blanks at both ends; changes the text. */
static char *config_trim(char *text)
{
	static const char blanks[] = " \t\r";
	size_t n;

	text += strspn(text, blanks);
	n = strlen(text);
	while (n && strchr(blanks, text[n - 1]))
		n--;
	text[n] = '\0';
	return text;
}

/* "[profile NAME]"; line is changed. */
static int config_section(struct config_reader *r, char *line, struct errmsg *msg)
{
	static const char word[] = "profile";
	size_t n = strlen(line);
	char *name;

	/* What follows a bad one is nobody's. */
	r->idle = true;
	memset(r->lines, 0, sizeof r->lines);
	name = line + 1 + strspn(line + 1, " \t");
	if (line[n - 1] != ']' || strncmp(name, word, sizeof word - 1) != 0)
		return err_set(msg, ERR_SYNTAX, "%s:%u: '%.*s' is no '[profile NAME]'", r->path,
			       r->line, CONFIG_SHOWN, line);
	line[n - 1] = '\0';
	name = config_trim(name + sizeof word - 1);
	if (!config_is_profile(name))
		return err_set(msg, ERR_SYNTAX,
			       "%s:%u: '%.*s' is no name of a profile (letters, digits, '-', '_', "
			       "'.'; at most %u)",
			       r->path, r->line, CONFIG_SHOWN, name, CONFIG_NAME_MAX);
	free(r->section);
	r->section = xstrdup(name);
	r->idle = !r->profile || strcmp(r->profile, name) != 0;
	if (r->loading && r->loading->profiles)
		buf_addf(r->loading->profiles, "%s\n", name);
	return 0;
}

/* line is changed. */
static int config_line(struct config_reader *r, char *line, struct errmsg *msg)
{
	char *value;

	line[strcspn(line, "#")] = '\0';
	line = config_trim(line);
	if (!*line)
		return 0;
	if (*line == '[')
		return config_section(r, line, msg);
	value = strchr(line, '=');
	if (!value)
		return err_set(msg, ERR_SYNTAX, "%s:%u: '%.*s' is no 'key = value'", r->path,
			       r->line, CONFIG_SHOWN, line);
	*value++ = '\0';
	return config_set(r, config_trim(line), config_trim(value), msg);
}

int config_fault(struct config_reader *r, int rc, struct errmsg *msg)
{
	if (rc == 0 || !r->loading || !r->loading->fault)
		return rc;
	r->loading->fault(r->loading->ctx, msg->text);
	if (!r->faults++)
		r->first = *msg;
	return 0;
}

int config_read_text(struct config_reader *r, const char *text, size_t len, struct errmsg *msg)
{
	struct errmsg here = {{0}};
	int rc = 0;

	r->line = 0;
	memset(r->lines, 0, sizeof r->lines);
	for (size_t at = 0, n; rc == 0 && at < len; at += n + 1) {
		const char *eol = memchr(text + at, '\n', len - at);
		char *line;

		n = eol ? (size_t)(eol - text) - at : len - at;
		r->line++;
		if (memchr(text + at, '\0', n)) {
			rc = err_set(&here, ERR_SYNTAX, "%s:%u: a NUL byte: this is no text",
				     r->path, r->line);
		} else {
			line = xstrndup(text + at, n);
			rc = config_line(r, line, &here);
			free(line);
		}
		rc = config_fault(r, rc, &here);
	}
	free(r->section);
	r->section = NULL;
	if (rc && msg)
		*msg = here;
	return rc;
}

int config_parse(struct config *config, const char *text, size_t len, const char *path,
		 struct errmsg *msg)
{
	struct config *made = xmalloc(sizeof *made);
	struct config_reader r = {.config = made, .path = path, .level = CONFIG_BY_USER};
	int rc;

	*made = *config;
	rc = config_read_text(&r, text, len, msg);
	if (rc == 0)
		*config = *made;
	free(made);
	return rc;
}
