/*
 * Patterns for names and commands: '*' is any text, '?' one character, [a-z] one of these, [!a-z]
 * one of all others; nothing else is special. ASCII letters are equal in either case. In brackets a
 * ']' that comes first, and a '-' that comes first or last, stand for themselves: so [[] is a '['.
 * A byte that is no UTF-8 counts as one character.
 */
#ifndef MUSTER_WILDCARD_H
#define MUSTER_WILDCARD_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define WILDCARD_MAX 512u /* bytes of a pattern */

struct wildcard;

/* True if there is a '*', '?' or '[' in it. */
bool wildcard_is(const char *text);

/* ERR_SYNTAX or ERR_LIMIT with msg. Freed by wildcard_free. */
int wildcard_new(struct wildcard **ret, const char *pattern, struct errmsg *msg);
void wildcard_free(struct wildcard *wildcard); /* NULL is fine */

/* True if the pattern matches the len bytes as a whole. Linear in them whatever the pattern is. */
bool wildcard_match(const struct wildcard *wildcard, const char *text, size_t len);

/* True if it matches any text that is the prefix (ASCII) and after it 1 to 20 digits. */
bool wildcard_match_numbered(const struct wildcard *wildcard, const char *prefix);

#endif
