#include "wildcard.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "escape.h"
#include "utf8.h"

/* Bytes that are no UTF-8 count as characters from here on, above all real ones. */
#define WILDCARD_RAW	0x110000u
#define WILDCARD_DIGITS 20u /* of UINT64_MAX */
#define WILDCARD_STATES (WILDCARD_MAX + 1u)
#define WILDCARD_WORDS	((WILDCARD_STATES + 63u) / 64u)
#define WILDCARD_SHOWN	80u

/*
 * The pattern is a row of tokens, each a set of characters; state i is "i tokens have matched". All
 * states that are possible after some text are one set of bits, so a character costs the same few
 * words whatever came before: there is no going back. Characters that no token tells apart are one
 * class, with one mask of the tokens that accept it.
 */
struct wildcard {
	size_t tokens;
	size_t words;	 /* of a set of states */
	uint64_t *stars; /* states with a star: any character leaves them as they are */
	size_t classes;
	uint32_t *starts;    /* the first character of each class, ascending */
	uint64_t *masks;     /* for each class: words */
	uint16_t ascii[128]; /* the class of these, in the case that does not matter */
};

/* One range of characters of one token. */
struct wildcard_range {
	size_t token;
	uint32_t first, last;
};

/* While a pattern is read. A byte makes at most one token and two ranges (its other case). */
struct wildcard_reader {
	const char *pattern, *at, *end;
	size_t tokens;
	size_t range_count;
	uint64_t stars[WILDCARD_WORDS];
	uint64_t negated[WILDCARD_WORDS]; /* tokens that accept what is in none of their ranges */
	struct wildcard_range ranges[2 * WILDCARD_MAX];
};

static void wildcard_set(uint64_t *bits, size_t i)
{
	bits[i / 64] |= (uint64_t)1 << (i % 64);
}

static void wildcard_clear(uint64_t *bits, size_t i)
{
	bits[i / 64] &= ~((uint64_t)1 << (i % 64));
}

static bool wildcard_get(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

bool wildcard_is(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

/* The character at *at, which is moved past it. */
static uint32_t wildcard_char(const char **at, const char *end)
{
	const uint8_t *bytes = (const uint8_t *)*at;
	uint32_t c = WILDCARD_RAW + bytes[0];
	int len = 1;

	if (bytes[0] < 0x80)
		c = bytes[0];
	else
		len = utf8_decode(bytes, (size_t)(end - *at), &c);
	*at += len > 0 ? len : 1;
	return c;
}

static void wildcard_add_range(struct wildcard_reader *r, uint32_t first, uint32_t last)
{
	uint32_t upper_first = first > 'A' ? first : 'A', upper_last = last < 'Z' ? last : 'Z';

	r->ranges[r->range_count++] = (struct wildcard_range){r->tokens, first, last};
	/* Text is compared in small letters. */
	if (upper_first <= upper_last)
		r->ranges[r->range_count++] = (struct wildcard_range){
			r->tokens, upper_first + ('a' - 'A'), upper_last + ('a' - 'A')};
}

static int wildcard_bad(const struct wildcard_reader *r, const char *at, const char *what,
			struct errmsg *msg)
{
	char shown[WILDCARD_SHOWN];

	return err_set(
		msg, ERR_SYNTAX,
		"the pattern '%s' is malformed: the bracket at byte %zu %s; for the character "
		"'[' itself write [[]",
		escape_str(shown, sizeof shown, r->pattern), (size_t)(at - r->pattern) + 1, what);
}

/* After a '[': the members up to the ']'. */
static int wildcard_read_set(struct wildcard_reader *r, struct errmsg *msg)
{
	const char *bracket = r->at - 1, *first_member;

	if (r->at < r->end && *r->at == '!') {
		wildcard_set(r->negated, r->tokens);
		r->at++;
	}
	for (first_member = r->at; r->at < r->end;) {
		uint32_t first, last;

		if (*r->at == ']' && r->at != first_member) {
			r->at++;
			r->tokens++;
			return 0;
		}
		first = last = wildcard_char(&r->at, r->end);
		if (r->end - r->at >= 2 && r->at[0] == '-' && r->at[1] != ']') {
			r->at++;
			last = wildcard_char(&r->at, r->end);
		}
		if (last < first)
			return wildcard_bad(r, bracket, "has a range that ends before it begins",
					    msg);
		wildcard_add_range(r, first, last);
	}
	return wildcard_bad(r, bracket, "is never closed by a ']'", msg);
}

static int wildcard_read(struct wildcard_reader *r, struct errmsg *msg)
{
	while (r->at < r->end) {
		uint32_t c = wildcard_char(&r->at, r->end);
		int rc = 0;

		if (c == '*') {
			wildcard_set(r->stars, r->tokens);
		} else if (c == '?') {
			wildcard_set(r->negated, r->tokens++);
		} else if (c == '[') {
			rc = wildcard_read_set(r, msg);
		} else {
			wildcard_add_range(r, c, c);
			r->tokens++;
		}
		if (rc)
			return rc;
	}
	return 0;
}

static int wildcard_order(const void *va, const void *vb)
{
	const uint32_t *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

/* Cuts the characters wherever a range begins or has ended. */
static void wildcard_make_classes(struct wildcard *w, const struct wildcard_reader *r)
{
	size_t n = 0, kept = 1;

	w->starts = xcalloc(2 * r->range_count + 1, sizeof *w->starts);
	w->starts[n++] = 0;
	for (size_t i = 0; i < r->range_count; i++) {
		w->starts[n++] = r->ranges[i].first;
		w->starts[n++] = r->ranges[i].last + 1;
	}
	qsort(w->starts, n, sizeof *w->starts, wildcard_order);
	for (size_t i = 1; i < n; i++)
		if (w->starts[i] != w->starts[kept - 1])
			w->starts[kept++] = w->starts[i];
	w->classes = kept;
}

/* The class of a character: the last one that does not start after it. */
static size_t wildcard_class(const struct wildcard *w, uint32_t c)
{
	size_t lo = 1, hi = w->classes;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->starts[mid] <= c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo - 1;
}

static void wildcard_make_masks(struct wildcard *w, const struct wildcard_reader *r)
{
	w->masks = xcalloc(w->classes * w->words, sizeof *w->masks);
	for (size_t class = 0; class < w->classes; class ++)
		memcpy(w->masks + class * w->words, r->negated, w->words * sizeof *w->masks);
	for (size_t i = 0; i < r->range_count; i++) {
		const struct wildcard_range *range = &r->ranges[i];
		size_t class = wildcard_class(w, range->first);

		for (; class < w->classes && w->starts[class] <= range->last; class ++) {
			uint64_t *mask = w->masks + class * w->words;

			if (wildcard_get(r->negated, range->token))
				wildcard_clear(mask, range->token);
			else
				wildcard_set(mask, range->token);
		}
	}
	for (uint32_t c = 0; c < ARRAY_LEN(w->ascii); c++) {
		uint32_t folded = c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;

		w->ascii[c] = (uint16_t)wildcard_class(w, folded);
	}
}

int wildcard_new(struct wildcard **ret, const char *pattern, struct errmsg *msg)
{
	size_t len = strlen(pattern);
	char shown[WILDCARD_SHOWN];
	struct wildcard_reader *r;
	struct wildcard *w;
	int rc;

	if (len > WILDCARD_MAX)
		return err_set(msg, ERR_LIMIT,
			       "the pattern '%s...' has %zu bytes: it may have %u at most",
			       escape_str(shown, sizeof shown, pattern), len, WILDCARD_MAX);
	r = xcalloc(1, sizeof *r);
	r->pattern = r->at = pattern;
	r->end = pattern + len;
	rc = wildcard_read(r, msg);
	if (!rc) {
		w = xcalloc(1, sizeof *w);
		w->tokens = r->tokens;
		w->words = r->tokens / 64 + 1;
		w->stars = xcalloc(w->words, sizeof *w->stars);
		memcpy(w->stars, r->stars, w->words * sizeof *w->stars);
		wildcard_make_classes(w, r);
		wildcard_make_masks(w, r);
		*ret = w;
	}
	free(r);
	return rc;
}

void wildcard_free(struct wildcard *wildcard)
{
	if (!wildcard)
		return;
	free(wildcard->masks);
	free(wildcard->starts);
	free(wildcard->stars);
	free(wildcard);
}

/* One character that the tokens of mask accept. Returns false if no state is possible any more. */
static bool wildcard_step(const struct wildcard *w, uint64_t *states, const uint64_t *mask)
{
	uint64_t carry = 0, any = 0;

	for (size_t i = 0; i < w->words; i++) {
		uint64_t moved = states[i] & mask[i];

		states[i] = (states[i] & w->stars[i]) | moved << 1 | carry;
		carry = moved >> 63;
		any |= states[i];
	}
	return any != 0;
}

static const uint64_t *wildcard_mask(const struct wildcard *w, uint32_t c)
{
	size_t class = c < ARRAY_LEN(w->ascii) ? w->ascii[c] : wildcard_class(w, c);

	return w->masks + class * w->words;
}

bool wildcard_match(const struct wildcard *wildcard, const char *text, size_t len)
{
	const char *end = text + len;
	uint64_t states[WILDCARD_WORDS] = {1};

	while (text < end) {
		uint32_t c = wildcard_char(&text, end);

		if (!wildcard_step(wildcard, states, wildcard_mask(wildcard, c)))
			return false;
	}
	return wildcard_get(states, wildcard->tokens);
}

bool wildcard_match_numbered(const struct wildcard *wildcard, const char *prefix)
{
	uint64_t states[WILDCARD_WORDS] = {1}, digits[WILDCARD_WORDS] = {0};

	for (; *prefix; prefix++)
		if (!wildcard_step(wildcard, states, wildcard_mask(wildcard, (uint8_t)*prefix)))
			return false;
	/* All digits at once: what any of them could lead to. */
	for (uint32_t c = '0'; c <= '9'; c++)
		for (size_t i = 0; i < wildcard->words; i++)
			digits[i] |= wildcard_mask(wildcard, c)[i];
	for (size_t i = 0; i < WILDCARD_DIGITS; i++) {
		if (!wildcard_step(wildcard, states, digits))
			return false;
		if (wildcard_get(states, wildcard->tokens))
			return true;
	}
	return false;
}
