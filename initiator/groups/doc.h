/*
 * A YAML or JSON document as a tree, read by libyaml. An alias is a reference and no copy, so that
 * a short file cannot become large; depth and the number of nodes have caps (limits.h).
 */
#ifndef MUSTER_DOC_H
#define MUSTER_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"

#define DOC_NONE UINT32_MAX

enum doc_kind { DOC_NULL, DOC_TEXT, DOC_MAP, DOC_LIST, DOC_ALIAS };

struct doc_node {
	const char *text; /* DOC_TEXT, with a NUL behind it; may contain others */
	uint32_t len;
	uint32_t line;	/* from 1 */
	uint32_t first; /* DOC_MAP: a key, its value, a key, ...; DOC_ALIAS: what it stands for */
	uint32_t next;	/* of the same parent */
	enum doc_kind kind;
};

struct doc {
	struct doc_node *nodes;
	uint32_t count, size;
	struct arena texts;
};

/*
 * Reads the first document of the n bytes; node 0 is its root, DOC_NULL for none. path is for
 * messages. Returns 0, or ERR_SYNTAX or ERR_LIMIT with msg, which begins with PATH:LINE. *ret is
 * freed by doc_done, after a failure too.
 */
int doc_parse(struct doc *ret, const char *text, size_t n, const char *path, struct errmsg *msg);
void doc_done(struct doc *doc);

/* The node at an index, or what it is an alias of. */
const struct doc_node *doc_at(const struct doc *doc, uint32_t index);

/* The children of a map or list: for (i = node->first; i != DOC_NONE; i = doc_next(doc, i)). In a
 * map, the value of key i is doc_next(doc, i). Of other nodes: none. */
uint32_t doc_first(const struct doc_node *node);
uint32_t doc_next(const struct doc *doc, uint32_t index);

/* True if the node is this text. */
bool doc_is(const struct doc_node *node, const char *text);

/* The value of a key of a map, the last one if there are several, merge keys ("<<") included; NULL:
 * none, or no map. */
const struct doc_node *doc_get(const struct doc *doc, const struct doc_node *map, const char *key);

/* "a text", "a list", ...: for messages. */
const char *doc_kind_name(enum doc_kind kind);

#endif
