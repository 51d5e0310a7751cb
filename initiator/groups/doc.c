#include "doc.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "alloc.h"
#include "limits.h"
#include "names.h"

struct doc_open {
	uint32_t node, last; /* the last child so far */
};

/* A document while it is read. */
struct doc_reader {
	struct doc *doc;
	const char *path;
	struct errmsg *msg;
	struct doc_open open[LIMIT_YAML_DEPTH];
	size_t depth;
	struct names anchors; /* the names are texts of the document */
	uint32_t *anchored;   /* the node of each; the last one of a name counts */
};

const struct doc_node *doc_at(const struct doc *doc, uint32_t index)
{
	const struct doc_node *node = &doc->nodes[index];

	return node->kind == DOC_ALIAS ? &doc->nodes[node->first] : node;
}

uint32_t doc_first(const struct doc_node *node)
{
	return node->kind == DOC_MAP || node->kind == DOC_LIST ? node->first : DOC_NONE;
}

uint32_t doc_next(const struct doc *doc, uint32_t index)
{
	return doc->nodes[index].next;
}

bool doc_is(const struct doc_node *node, const char *text)
{
	return node->kind == DOC_TEXT && node->len == strlen(text) &&
	       memcmp(node->text, text, node->len) == 0;
}

static const struct doc_node *doc_get_own(const struct doc *doc, const struct doc_node *map,
					  const char *key)
{
	const struct doc_node *found = NULL;

	if (map->kind != DOC_MAP)
		return NULL;
	for (uint32_t i = map->first; i != DOC_NONE; i = doc_next(doc, doc_next(doc, i)))
		if (doc_is(doc_at(doc, i), key))
			found = doc_at(doc, doc_next(doc, i));
	return found;
}

/* Of maps that are merged, those one level down: what they merge in turn is not looked at. */
const struct doc_node *doc_get(const struct doc *doc, const struct doc_node *map, const char *key)
{
	const struct doc_node *found = doc_get_own(doc, map, key), *merge;

	if (found)
		return found;
	merge = doc_get_own(doc, map, "<<");
	if (!merge || merge->kind != DOC_LIST)
		return merge ? doc_get_own(doc, merge, key) : NULL;
	for (uint32_t i = merge->first; i != DOC_NONE && !found; i = doc_next(doc, i))
		found = doc_get_own(doc, doc_at(doc, i), key);
	return found;
}

const char *doc_kind_name(enum doc_kind kind)
{
	static const char *const names[] = {"nothing", "a text", "a map", "a list", "an alias"};

	return names[kind];
}

static int doc_fail(struct doc_reader *r, int code, size_t line, const char *what)
{
	return err_set(r->msg, code, "%s:%zu: %s", r->path, line, what);
}

/* A node, as the next child of what is open. */
static int doc_add(struct doc_reader *r, enum doc_kind kind, size_t line, uint32_t *ret)
{
	struct doc *doc = r->doc;
	uint32_t index = doc->count;

	if (index >= LIMIT_YAML_NODES)
		return err_set(r->msg, ERR_LIMIT, "%s:%zu: more than %u values", r->path, line,
			       LIMIT_YAML_NODES);
	if (index == doc->size) {
		doc->size = doc->size ? doc->size * 2 : 64;
		doc->nodes = xrealloc(doc->nodes, doc->size, sizeof *doc->nodes);
	}
	doc->nodes[index] = (struct doc_node){
		.kind = kind, .line = (uint32_t)line, .first = DOC_NONE, .next = DOC_NONE};
	doc->count++;
	if (r->depth) {
		struct doc_open *parent = &r->open[r->depth - 1];

		if (parent->last == DOC_NONE)
			doc->nodes[parent->node].first = index;
		else
			doc->nodes[parent->last].next = index;
		parent->last = index;
	}
	*ret = index;
	return 0;
}

static int doc_anchor(struct doc_reader *r, const yaml_char_t *name, uint32_t node, size_t line)
{
	const char *text = (const char *)name;
	size_t n = name ? strlen(text) : 0;
	uint32_t number;

	if (!name)
		return 0;
	number = names_find(&r->anchors, text, n);
	if (number == NAMES_NONE) {
		if (r->anchors.count >= LIMIT_YAML_ANCHORS)
			return doc_fail(r, ERR_LIMIT, line, "too many anchors (&name)");
		number = names_add(&r->anchors, arena_text(&r->doc->texts, text, n), n);
		r->anchored = xrealloc(r->anchored, r->anchors.count, sizeof *r->anchored);
	}
	r->anchored[number] = node;
	return 0;
}

static int doc_on_alias(struct doc_reader *r, const char *name, size_t line)
{
	uint32_t node, number = names_find(&r->anchors, name, strlen(name)), target;
	int rc;

	if (number == NAMES_NONE)
		return doc_fail(r, ERR_SYNTAX, line, "an alias (*name) without its anchor (&name)");
	target = r->anchored[number];
	for (size_t i = 0; i < r->depth; i++)
		if (r->open[i].node == target)
			return doc_fail(r, ERR_SYNTAX, line, "an alias inside of its own anchor");
	rc = doc_add(r, DOC_ALIAS, line, &node);
	if (rc == 0)
		r->doc->nodes[node].first = target;
	return rc;
}

static bool doc_is_null(const char *text, size_t n)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

	for (size_t i = 0; i < ARRAY_LEN(nulls); i++)
		if (strlen(nulls[i]) == n && memcmp(nulls[i], text, n) == 0)
			return true;
	return false;
}

static int doc_on_scalar(struct doc_reader *r, const yaml_event_t *event, size_t line)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t n = event->data.scalar.length;
	bool null = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && doc_is_null(text, n);
	uint32_t node;
	int rc = doc_add(r, null ? DOC_NULL : DOC_TEXT, line, &node);

	if (rc)
		return rc;
	if (!null) {
		r->doc->nodes[node].text = arena_text(&r->doc->texts, text, n);
		r->doc->nodes[node].len = (uint32_t)n;
	}
	return doc_anchor(r, event->data.scalar.anchor, node, line);
}

static int doc_on_open(struct doc_reader *r, enum doc_kind kind, const yaml_char_t *anchor,
		       size_t line)
{
	uint32_t node;
	int rc;

	if (r->depth == LIMIT_YAML_DEPTH)
		return doc_fail(r, ERR_LIMIT, line, "nested too deeply");
	rc = doc_add(r, kind, line, &node);
	if (rc)
		return rc;
	r->open[r->depth++] = (struct doc_open){node, DOC_NONE};
	return doc_anchor(r, anchor, node, line);
}

/* *end: the document has come to its end. */
static int doc_on_event(struct doc_reader *r, const yaml_event_t *event, bool *end)
{
	size_t line = event->start_mark.line + 1;

	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return doc_on_scalar(r, event, line);
	case YAML_ALIAS_EVENT:
		return doc_on_alias(r, (const char *)event->data.alias.anchor, line);
	case YAML_MAPPING_START_EVENT:
		return doc_on_open(r, DOC_MAP, event->data.mapping_start.anchor, line);
	case YAML_SEQUENCE_START_EVENT:
		return doc_on_open(r, DOC_LIST, event->data.sequence_start.anchor, line);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		r->depth--;
		return 0;
	case YAML_DOCUMENT_END_EVENT:
	case YAML_STREAM_END_EVENT:
		*end = true;
		return 0;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_START_EVENT:
		break;
	}
	return 0;
}

static int doc_read(struct doc_reader *r, yaml_parser_t *parser)
{
	bool end = false;
	int rc = 0;

	while (rc == 0 && !end) {
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event)) {
			size_t line = (parser->problem_mark.line ? parser->problem_mark.line
								 : parser->mark.line) +
				      1;

			return doc_fail(r, ERR_SYNTAX, line,
					parser->problem ? parser->problem : "no YAML");
		}
		rc = doc_on_event(r, &event, &end);
		yaml_event_delete(&event);
	}
	return rc;
}

int doc_parse(struct doc *ret, const char *text, size_t n, const char *path, struct errmsg *msg)
{
	struct doc_reader reader = {.doc = ret, .path = path, .msg = msg};
	yaml_parser_t parser;
	uint32_t node;
	int rc;

	*ret = (struct doc){0};
	if (!yaml_parser_initialize(&parser))
		alloc_die(sizeof parser);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	rc = doc_read(&reader, &parser);
	yaml_parser_delete(&parser);
	names_done(&reader.anchors);
	free(reader.anchored);
	reader.depth = 0;
	if (rc == 0 && !ret->count)
		rc = doc_add(&reader, DOC_NULL, 1, &node);
	return rc;
}

void doc_done(struct doc *doc)
{
	free(doc->nodes);
	arena_done(&doc->texts);
	*doc = (struct doc){0};
}
