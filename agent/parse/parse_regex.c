/*
 * regex: the groups of a POSIX extended regular expression are columns. ere.h does the matching.
 */
#include <stdlib.h>
#include <string.h>

#include "cell.h"
#include "columns.h"
#include "ere.h"
#include "gather.h"
#include "give.h"
#include "kind.h"
#include "limits.h"
#include "wire.h"

struct parse_regex {
	struct parse parse;
	struct gather lines;
	struct columns columns;
	struct ere *ere;
	bool whole; /* no groups: the match itself is the column */
	struct buf line;
};

/* Where the bracket expression that begins at at ends: after its last bracket, or at the end. */
static const char *regex_bracket(const char *at)
{
	at++;
	if (*at == '^')
		at++;
	if (*at == ']')
		at++;
	while (*at && *at != ']') {
		const char *kind = *at == '[' && at[1] && strchr(":.=", at[1]) ? at + 1 : NULL;

		if (kind) {
			/* "[:alpha:]" inside of it has a bracket of its own. */
			const char *close = kind + 1;

			while (*close && (close[0] != *kind || close[1] != ']'))
				close++;
			at = *close ? close + 1 : at;
		}
		at++;
	}
	return *at ? at + 1 : at;
}

static int regex_name(struct parse_regex *s, const char **at, struct errmsg *msg)
{
	const char *name = *at + strlen("(?<");
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_-.");

	if (!len || name[len] != '>')
		return err_set(msg, ERR_SYNTAX,
			       "pattern: the name of a group, as in (?<name>...), is made of "
			       "letters, digits and _-.");
	if (len > LIMIT_COLUMN_NAME || !columns_add(&s->columns, (const uint8_t *)name, len))
		return err_set(msg, ERR_RANGE,
			       "pattern: at most %u groups with names of %u characters",
			       LIMIT_COLUMNS, LIMIT_COLUMN_NAME);
	*at = name + len + 1;
	return 0;
}

/* After an opening parenthesis is put: who is it? */
static int regex_group(struct parse_regex *s, const char **at, struct errmsg *msg)
{
	char number[16];
	struct buf b = {0};
	bool added;

	if (!strncmp(*at, "(?<", 3))
		return regex_name(s, at, msg);
	if ((*at)[1] == '?')
		return err_set(msg, ERR_SYNTAX,
			       "pattern: (? is only known as (?<name>...); write ( for a group");
	buf_addf(&b, "%zu", s->columns.count + 1);
	memcpy(number, b.data, b.len);
	added = columns_add(&s->columns, (const uint8_t *)number, b.len);
	buf_done(&b);
	if (!added)
		return err_set(msg, ERR_RANGE, "pattern: more than %u groups", LIMIT_COLUMNS);
	++*at;
	return 0;
}

/* Writes the pattern without the names of its groups, and finds the columns. */
static int regex_rewrite(struct parse_regex *s, const char *pattern, struct buf *out,
			 struct errmsg *msg)
{
	const char *at = pattern;
	int r = 0;

	while (*at && !r) {
		const char *from = at;

		if (*at == '(') {
			buf_add_char(out, '(');
			r = regex_group(s, &at, msg);
			continue;
		}
		if (*at == '\\' && at[1] >= '1' && at[1] <= '9')
			return err_set(msg, ERR_SYNTAX,
				       "pattern, character %zu: \\%c refers back to a group, which "
				       "may take forever; write what it should match",
				       (size_t)(at - pattern) + 1, at[1]);
		if (*at == '[')
			at = regex_bracket(at);
		else
			at += *at == '\\' && at[1] ? 2 : 1;
		buf_add(out, from, (size_t)(at - from));
	}
	return r;
}

static int parse_regex_begin(struct parse *p, const char *argument, struct errmsg *msg)
{
	struct parse_regex *s = (struct parse_regex *)p;
	struct buf pattern = {0};
	int r;

	if (!argument || !*argument)
		return err_set(msg, ERR_SYNTAX, "a pattern is missing; write regex:PATTERN");
	if (strlen(argument) > LIMIT_PATTERN)
		return err_set(msg, ERR_RANGE, "pattern: %zu bytes, at most %u are allowed",
			       strlen(argument), LIMIT_PATTERN);
	r = regex_rewrite(s, argument, &pattern, msg);
	if (r == 0)
		r = ere_new(&s->ere, buf_cstr(&pattern), msg);
	buf_done(&pattern);
	if (r < 0)
		return r;
	s->whole = s->columns.count == 0;
	if (s->whole)
		(void)columns_add(&s->columns, (const uint8_t *)"0", 1);
	return 0;
}

static void regex_row(struct parse_regex *s, const struct ere_span *matches, const uint8_t *line,
		      size_t len)
{
	struct buf *out = &s->parse.value;

	columns_row_begin(&s->columns, &s->parse);
	for (size_t i = 0; i < s->columns.count; i++) {
		const struct ere_span *m = &matches[s->whole ? 0 : i + 1];
		size_t n = m->end - m->begin;

		if (m->begin == ERE_NONE)
			wire_put_nil(out);
		else if (n)
			cell_put(out, line + m->begin, n);
		else
			wire_put_text(out, line, 0);
	}
	columns_row_give(&s->columns, &s->parse, line, len);
}

static void regex_line(struct parse *p, const uint8_t *line, size_t len)
{
	struct parse_regex *s = (struct parse_regex *)p;
	struct ere_span matches[LIMIT_COLUMNS + 1];
	size_t n = gather_chomp(line, len);
	const char *why = NULL;

	if (n > LIMIT_RECORD_VALUE) {
		why = "the line is too long for a pattern";
	} else if (n && memchr(line, '\0', n)) {
		why = "the line has a NUL byte";
	} else {
		buf_clear(&s->line);
		buf_add(&s->line, line, n);
		if (!ere_find(s->ere, s->line.data, n, matches, s->columns.count + 1))
			why = "the line does not match the pattern";
	}
	if (why)
		give_unparsed(p, why, line, len);
	else
		regex_row(s, matches, s->line.data, n);
}

static void parse_regex_add(struct parse *p, const uint8_t *data, size_t len)
{
	gather_add(&((struct parse_regex *)p)->lines, p, data, len, regex_line);
}

static void parse_regex_end(struct parse *p)
{
	gather_end(&((struct parse_regex *)p)->lines, p, regex_line);
}

static void parse_regex_done(struct parse *p)
{
	struct parse_regex *s = (struct parse_regex *)p;

	ere_free(s->ere);
	gather_done(&s->lines);
	columns_done(&s->columns);
	buf_done(&s->line);
}

static size_t parse_regex_pending(const struct parse *p)
{
	return gather_pending(&((const struct parse_regex *)p)->lines);
}

const struct parse_kind parse_regex_kind = {.size = sizeof(struct parse_regex),
					    .takes_argument = true,
					    .begin = parse_regex_begin,
					    .add = parse_regex_add,
					    .end = parse_regex_end,
					    .done = parse_regex_done,
					    .pending = parse_regex_pending};
