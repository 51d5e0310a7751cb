#include "load.h"

#include <string.h>

static bool load_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

bool load_next(const struct load_text *text, size_t *at, struct load_line *line)
{
	const char *eol;

	if (*at >= text->n)
		return false;
	eol = memchr(text->data + *at, '\n', text->n - *at);
	line->data = text->data + *at;
	line->n = eol ? (size_t)(eol - line->data) : text->n - *at;
	line->number++;
	*at += line->n + 1;
	while (line->n && load_blank(line->data[line->n - 1]))
		line->n--;
	while (line->n && load_blank(*line->data)) {
		line->data++;
		line->n--;
	}
	return true;
}

int load_fail(const struct load_text *text, unsigned line, int code, struct errmsg *msg)
{
	struct errmsg what;

	if (!msg)
		return code;
	what = *msg;
	return err_set(msg, code, "%s:%u: %s", text->path, line, what.text);
}

static bool load_starts(const struct load_line *line, const char *word)
{
	size_t n = strlen(word);

	return line->n > n && strncasecmp(line->data, word, n) == 0 &&
	       (load_blank(line->data[n]) || line->data[n] == '=');
}

/* "[name]" and nothing else, or a comment behind it; a name that is no range or address. */
static bool load_is_section(const struct load_line *line)
{
	const char *close = line->n && *line->data == '[' ? memchr(line->data, ']', line->n) : NULL;
	size_t behind;

	if (!close)
		return false;
	behind = (size_t)(close + 1 - line->data);
	while (behind < line->n && load_blank(line->data[behind]))
		behind++;
	return behind == line->n || line->data[behind] == '#' || line->data[behind] == ';';
}

/* What the first lines that say something look like; hosts and INI differ by what is anywhere. */
enum load_kind load_guess(const struct load_text *text)
{
	struct load_line line = {0};
	bool first = true;
	size_t at = 0;

	while (load_next(text, &at, &line)) {
		if (!line.n || *line.data == '#' || *line.data == ';')
			continue;
		if (first) {
			if (*line.data == '{')
				return LOAD_LIST;
			if ((line.n >= 3 && memcmp(line.data, "---", 3) == 0) ||
			    line.data[line.n - 1] == ':' || memmem(line.data, line.n, ": ", 2))
				return LOAD_YAML;
			if (load_starts(&line, "Host") || load_starts(&line, "Match") ||
			    load_starts(&line, "Include"))
				return LOAD_SSH;
		}
		first = false;
		if (load_is_section(&line) || memchr(line.data, '=', line.n))
			return LOAD_INI;
		/* A range of Ansible, and not [::1]:22. */
		if (memchr(line.data + 1, '[', line.n - 1) && memchr(line.data, ':', line.n))
			return LOAD_INI;
	}
	return LOAD_HOSTS;
}
