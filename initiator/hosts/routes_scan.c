/* The lines of a topology, by the rules of Python's configparser, which ClusterShell reads it with.
 */
#include <string.h>

#include "alloc.h"
#include "routes_private.h"

/* Where a scan stands. */
struct routes_scan {
	struct routes *routes;
	struct errmsg *msg;
	enum routes_section section;
	bool seen[ROUTES_SECTION_COUNT];
	bool open;     /* a line may continue the last row */
	size_t indent; /* of the last row */
	size_t line;
};

static enum routes_section routes_section_of(const char *name, size_t len)
{
	static const struct {
		const char *name;
		enum routes_section section;
	} rows[] = {
		{"routes", ROUTES_ROUTES},
		{"Main", ROUTES_MAIN},
		{"DEFAULT", ROUTES_DEFAULT},
		{"here", ROUTES_HERE},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
			return rows[i].section;
	return ROUTES_OTHER;
}

/* ';' begins a comment at the start of a line alone, '#' anywhere: no host has one. */
static void routes_blank_comments(char *text, size_t len)
{
	for (size_t at = 0, n; at < len; at += n + 1) {
		const char *eol = memchr(text + at, '\n', len - at);
		const char *comment;
		size_t i = at;

		n = eol ? (size_t)(eol - text) - at : len - at;
		while (i < at + n && expr_is_space(text[i]))
			i++;
		comment = i < at + n && text[i] == ';' ? text + i : memchr(text + at, '#', n);
		if (comment)
			memset(text + (comment - text), ' ', n - (size_t)(comment - (text + at)));
	}
}

/*
 * Where left and right part: at a '='; else at the first ':' before a blank or the end, so that
 * there may be ports on the left; else at the first ':'. Never in brackets.
 */
static size_t routes_delimiter(const char *data, size_t n)
{
	size_t first = n, spaced = n;
	bool inside = false;

	for (size_t i = 0; i < n; i++) {
		if (data[i] == '[' || data[i] == ']')
			inside = data[i] == '[';
		if (inside)
			continue;
		if (data[i] == '=')
			return i;
		if (data[i] != ':')
			continue;
		if (first == n)
			first = i;
		if (spaced == n && (i + 1 == n || expr_is_space(data[i + 1])))
			spaced = i;
	}
	return spaced < n ? spaced : first;
}

static int routes_fail_line(struct routes_scan *s, const char *data, size_t n, const char *why)
{
	char shown[EXPR_QUOTE_SIZE];

	return err_set(s->msg, ERR_SYNTAX, "%s:%zu: '%s' %s", s->routes->file, s->line,
		       expr_quote(shown, data, n), why);
}

static int routes_heading(struct routes_scan *s, const char *data, size_t n)
{
	const char *close = memchr(data, ']', n);

	if (!close)
		return routes_fail_line(s, data, n, "is no heading; add the ']', as in [routes]");
	s->section = routes_section_of(data + 1, (size_t)(close - data) - 1);
	s->seen[s->section] = true;
	s->open = false;
	return 0;
}

static struct expr_text routes_side(const struct routes_scan *s, const char *data, size_t n,
				    size_t shift)
{
	while (n && expr_is_space(data[n - 1]))
		n--;
	return (struct expr_text){
		.data = data, .len = n, .file = s->routes->file, .line = s->line, .shift = shift};
}

/* indent: of data in its line. */
static int routes_row(struct routes_scan *s, const char *data, size_t n, size_t indent)
{
	struct routes *routes = s->routes;
	size_t at = routes_delimiter(data, n);
	struct route row = {.section = s->section, .parent = ROUTE_NONE};

	if (s->section == ROUTES_OTHER)
		return 0;
	if (s->section == ROUTES_NO_SECTION)
		return routes_fail_line(s, data, n,
					"stands above all headings; put a line [routes] there");
	if (at == n)
		return routes_fail_line(s, data, n, "has no ':'; write GATEWAYS: HOSTS");
	row.left = routes_side(s, data, at, indent);
	row.right = routes_side(s, data + at + 1, n - at - 1, indent + at + 1);
	if (!row.left.len)
		return routes_fail_line(s, data, n, "has nothing before the ':'");
	if (routes->count == routes->size) {
		routes->size = routes->size ? 2 * routes->size : 16;
		routes->rows = xrealloc(routes->rows, routes->size, sizeof *routes->rows);
	}
	routes->rows[routes->count++] = row;
	s->open = true;
	s->indent = indent;
	return 0;
}

static int routes_line(struct routes_scan *s, const char *data, size_t n)
{
	size_t indent = 0;

	while (n && expr_is_space(data[n - 1]))
		n--;
	while (indent < n && expr_is_space(data[indent]))
		indent++;
	if (indent == n)
		return 0;
	if (s->open && indent > s->indent) {
		struct expr_text *right = &s->routes->rows[s->routes->count - 1].right;

		right->len = (size_t)(data + n - right->data);
		return 0;
	}
	if (data[indent] == '[' && routes_delimiter(data + indent, n - indent) == n - indent)
		return routes_heading(s, data + indent, n - indent);
	return routes_row(s, data + indent, n - indent, indent);
}

/* Drops the rows of sections that do not count. */
static int routes_choose(struct routes_scan *s)
{
	struct routes *routes = s->routes;
	enum routes_section chosen = s->seen[ROUTES_ROUTES] ? ROUTES_ROUTES : ROUTES_MAIN;
	size_t kept = 0, lines = 0;

	for (size_t i = 0; i < routes->count; i++) {
		struct route *row = &routes->rows[i];

		if (row->section != chosen && row->section != ROUTES_DEFAULT &&
		    row->section != ROUTES_HERE)
			continue;
		lines += row->section != ROUTES_HERE;
		routes->rows[kept++] = *row;
	}
	routes->count = kept;
	if (!s->seen[chosen])
		return err_set(s->msg, ERR_SYNTAX,
			       "%s: there is no [routes]; put it above the lines", routes->file);
	if (!lines)
		return err_set(s->msg, ERR_SYNTAX,
			       "%s: no line under [routes]; write one: GATEWAYS: HOSTS",
			       routes->file);
	return 0;
}

int routes_scan(struct routes *routes, size_t len, struct errmsg *msg)
{
	struct routes_scan s = {.routes = routes, .msg = msg};
	const char *text = routes->text;
	/* Editors of other systems begin UTF-8 files with this mark. */
	size_t at = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	int rc = 0;

	routes_blank_comments(routes->text, len);
	for (size_t n; rc == 0 && at < len; at += n + 1) {
		const char *eol = memchr(text + at, '\n', len - at);

		n = eol ? (size_t)(eol - text) - at : len - at;
		s.line++;
		rc = routes_line(&s, text + at, n);
	}
	return rc ? rc : routes_choose(&s);
}
