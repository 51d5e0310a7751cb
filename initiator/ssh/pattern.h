/* Patterns of ssh_config(5), section PATTERNS: '*' is any text, '?' one byte, '!' in front negates.
 */
#ifndef MUSTER_PATTERN_H
#define MUSTER_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/* True if text matches the first len bytes of pattern. fold: ASCII letters of either case are
 * equal. Takes at most as many steps as text and pattern multiplied have bytes. */
bool pattern_match(const char *text, const char *pattern, size_t len, bool fold);

/*
 * A list separated by commas. Returns 1 if a pattern matches, -1 if a negated one does (whatever
 * else matches), 0 if none does.
 */
int pattern_list_match(const char *text, const char *list, bool fold);

/* True if text holds no '*', no '?' and no leading '!', so that it matches itself alone. */
bool pattern_is_literal(const char *text);

#endif
