/* From a pattern to a program. One pass, with a stack for open groups and no recursion. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "ere_private.h"

#define ERE_REPEAT_MAX 255u
#define ERE_NO_JUMP    SIZE_MAX

struct ere_group {
	size_t begin;  /* of its code */
	size_t branch; /* of the code of the alternative that is being read */
	size_t jump;   /* the last jump to its end; they are chained by arg */
	uint16_t slot;
};

struct ere_builder {
	struct ere *ere;
	const char *at;
	struct ere_group stack[ERE_DEPTH_MAX];
	size_t depth;
	size_t atom; /* where the code of the last piece begins; SIZE_MAX: nothing to repeat */
	int rc;
	struct errmsg *msg;
};

static void ere_fail(struct ere_builder *b, int code, const char *what)
{
	if (b->rc)
		return;
	if (*b->at)
		b->rc = err_set(b->msg, code, "pattern: %s, before '%.20s'", what, b->at);
	else
		b->rc = err_set(b->msg, code, "pattern: %s, at its end", what);
}

/* --- code ----------------------------------------------------------------------------------- */

static void ere_insert(struct ere_builder *b, size_t at, struct ere_code code)
{
	struct ere *e = b->ere;

	if (e->count == ERE_CODE_MAX) {
		ere_fail(b, ERR_RANGE, "the pattern is too large up to here");
		return;
	}
	memmove(e->code + at + 1, e->code + at, (e->count - at) * sizeof *e->code);
	e->code[at] = code;
	e->count++;
}

static void ere_append(struct ere_builder *b, struct ere_code code)
{
	ere_insert(b, b->ere->count, code);
}

/* A piece that takes one byte, or none. */
static void ere_piece(struct ere_builder *b, enum ere_op op, uint16_t arg)
{
	b->atom = b->ere->count;
	ere_append(b, (struct ere_code){.op = (uint8_t)op, .arg = arg});
}

static void ere_copy(struct ere_builder *b, const struct ere_code *code, size_t len)
{
	for (size_t i = 0; i < len && b->rc == 0; i++)
		ere_append(b, code[i]);
}

static void ere_optional(struct ere_builder *b, size_t at)
{
	int16_t len = (int16_t)(b->ere->count - at);

	ere_insert(b, at, (struct ere_code){.op = ERE_SPLIT, .x = 1, .y = (int16_t)(len + 1)});
}

static void ere_star(struct ere_builder *b, size_t at)
{
	int16_t len = (int16_t)(b->ere->count - at);

	ere_insert(b, at, (struct ere_code){.op = ERE_SPLIT, .x = 1, .y = (int16_t)(len + 2)});
	ere_append(b, (struct ere_code){.op = ERE_JUMP, .x = (int16_t)(-len - 1)});
}

static void ere_plus(struct ere_builder *b, size_t at)
{
	int16_t len = (int16_t)(b->ere->count - at);

	ere_append(b, (struct ere_code){.op = ERE_SPLIT, .x = (int16_t)-len, .y = 1});
}

/* x{2,4} is xx(x(x)?)?: behind an optional one everything that follows is skipped with it. */
static void ere_repeat_optional(struct ere_builder *b, const struct ere_code *copy, size_t len,
				uint32_t times)
{
	for (; times && b->rc == 0; times--) {
		size_t skipped = times * (len + 1);

		if (skipped > ERE_CODE_MAX)
			ere_fail(b, ERR_RANGE, "the pattern is too large up to here");
		ere_append(b, (struct ere_code){.op = ERE_SPLIT, .x = 1, .y = (int16_t)skipped});
		ere_copy(b, copy, len);
	}
}

/* max: UINT32_MAX for no end. */
static void ere_repeat(struct ere_builder *b, uint32_t min, uint32_t max)
{
	size_t at = b->atom, len = b->ere->count - at, last = at;
	struct ere_code *copy = xmalloc(len * sizeof *copy);

	memcpy(copy, b->ere->code + at, len * sizeof *copy);
	b->ere->count = at;
	for (uint32_t i = 0; i < min && b->rc == 0; i++) {
		last = b->ere->count;
		ere_copy(b, copy, len);
	}
	if (max != UINT32_MAX) {
		ere_repeat_optional(b, copy, len, max - min);
	} else if (min) {
		ere_plus(b, last);
	} else {
		ere_copy(b, copy, len);
		ere_star(b, at);
	}
	free(copy);
}

/* --- sets ----------------------------------------------------------------------------------- */

static void ere_set_add(struct ere_set *set, unsigned byte)
{
	set->bits[byte / 8] |= (uint8_t)(1u << byte % 8);
}

static void ere_set_invert(struct ere_set *set)
{
	for (size_t i = 0; i < sizeof set->bits; i++)
		set->bits[i] = (uint8_t)~set->bits[i];
}

static void ere_put_set(struct ere_builder *b, const struct ere_set *set)
{
	struct ere *e = b->ere;

	if (e->set_count == ERE_SETS_MAX) {
		ere_fail(b, ERR_RANGE, "too many brackets");
		return;
	}
	e->sets = xrealloc(e->sets, e->set_count + 1, sizeof *e->sets);
	e->sets[e->set_count] = *set;
	ere_piece(b, ERE_SET, (uint16_t)e->set_count++);
}

static int ere_is_word(int c)
{
	return isalnum(c) || c == '_';
}

static const struct {
	const char *name;
	int (*is)(int c);
} ere_classes[] = {
	{"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
	{"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
	{"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
};

static void ere_set_class(struct ere_set *set, int (*is)(int c))
{
	for (int c = 0; c < 128; c++)
		if (is(c))
			ere_set_add(set, (unsigned)c);
}

/* [:name:] inside of brackets; at is behind its "[:". */
static void ere_class(struct ere_builder *b, struct ere_set *set)
{
	size_t len = strspn(b->at, "abcdefghijklmnopqrstuvwxyz");

	for (size_t i = 0; i < ARRAY_LEN(ere_classes); i++) {
		if (strlen(ere_classes[i].name) != len ||
		    strncmp(ere_classes[i].name, b->at, len) != 0 ||
		    strncmp(b->at + len, ":]", 2) != 0)
			continue;
		ere_set_class(set, ere_classes[i].is);
		b->at += len + 2;
		return;
	}
	ere_fail(b, ERR_SYNTAX, "there is no such class of characters");
}

/* One end of a range: a byte, or [.x.] or [=x=]. */
static unsigned ere_set_byte(struct ere_builder *b)
{
	unsigned byte = (unsigned char)*b->at;

	if (byte == '[' && (b->at[1] == '.' || b->at[1] == '=')) {
		if (!b->at[2] || b->at[3] != b->at[1] || b->at[4] != ']') {
			ere_fail(b, ERR_SYNTAX, "this stands for one character, as in [.-.]");
			return 0;
		}
		byte = (unsigned char)b->at[2];
		b->at += 4;
	}
	b->at++;
	return byte;
}

static void ere_set_range(struct ere_builder *b, struct ere_set *set)
{
	unsigned from = ere_set_byte(b), to = from;

	if (b->at[0] == '-' && b->at[1] && b->at[1] != ']') {
		b->at++;
		to = ere_set_byte(b);
		if (to < from)
			ere_fail(b, ERR_SYNTAX, "the range ends before it begins");
	}
	for (; from <= to; from++)
		ere_set_add(set, from);
}

static void ere_bracket(struct ere_builder *b)
{
	struct ere_set set = {{0}};
	bool inverted = *b->at == '^', first = true;

	b->at += inverted;
	for (; (*b->at != ']' || first) && b->rc == 0; first = false) {
		if (!*b->at) {
			ere_fail(b, ERR_SYNTAX, "the bracket has no end: ']' is missing");
		} else if (b->at[0] == '[' && b->at[1] == ':') {
			b->at += 2;
			ere_class(b, &set);
		} else {
			ere_set_range(b, &set);
		}
	}
	if (b->rc)
		return;
	b->at++;
	if (inverted)
		ere_set_invert(&set);
	ere_put_set(b, &set);
}

/* --- the pattern ------------------------------------------------------------------------------ */

static void ere_escape(struct ere_builder *b)
{
	static const struct {
		char letter;
		int (*is)(int c);
	} sets[] = {{'d', isdigit}, {'s', isspace}, {'w', ere_is_word}};
	static const char letters[] = "tnr", bytes[] = "\t\n\r";
	struct ere_set set = {{0}};
	unsigned char c = (unsigned char)*b->at;
	const char *letter = c ? strchr(letters, c) : NULL;

	if (!c) {
		ere_fail(b, ERR_SYNTAX, "nothing follows the backslash");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		if (tolower(c) != sets[i].letter)
			continue;
		ere_set_class(&set, sets[i].is);
		if (isupper(c))
			ere_set_invert(&set);
		b->at++;
		ere_put_set(b, &set);
		return;
	}
	if (!letter && isalnum(c)) {
		ere_fail(b, ERR_SYNTAX, "this letter or digit means nothing behind a backslash");
		return;
	}
	b->at++;
	ere_piece(b, ERE_BYTE, letter ? (uint16_t)bytes[letter - letters] : c);
}

static void ere_open(struct ere_builder *b)
{
	struct ere_group *g;

	if (b->depth == ERE_DEPTH_MAX) {
		ere_fail(b, ERR_RANGE, "too many groups in one another");
		return;
	}
	g = &b->stack[b->depth++];
	*g = (struct ere_group){
		.begin = b->ere->count, .jump = ERE_NO_JUMP, .slot = (uint16_t)b->ere->slot_count};
	b->ere->slot_count += 2;
	ere_append(b, (struct ere_code){.op = ERE_SAVE, .arg = g->slot});
	g->branch = b->ere->count;
	b->atom = SIZE_MAX;
}

/* Before an alternative stands the choice, behind it the jump over the others. */
static void ere_alternative(struct ere_builder *b)
{
	struct ere_group *g = &b->stack[b->depth - 1];
	size_t len = b->ere->count - g->branch;
	uint16_t back;

	ere_insert(b, g->branch,
		   (struct ere_code){.op = ERE_SPLIT, .x = 1, .y = (int16_t)(len + 2)});
	back = g->jump == ERE_NO_JUMP ? 0 : (uint16_t)(b->ere->count - g->jump);
	g->jump = b->ere->count;
	ere_append(b, (struct ere_code){.op = ERE_JUMP, .arg = back});
	g->branch = b->ere->count;
	b->atom = SIZE_MAX;
}

static void ere_close(struct ere_builder *b)
{
	struct ere_group g = b->stack[--b->depth];
	struct ere_code *code = b->ere->code;
	size_t at = g.jump;

	while (at != ERE_NO_JUMP && b->rc == 0) {
		uint16_t back = code[at].arg;

		code[at].x = (int16_t)(b->ere->count - at);
		at = back ? at - back : ERE_NO_JUMP;
	}
	ere_append(b, (struct ere_code){.op = ERE_SAVE, .arg = (uint16_t)(g.slot + 1)});
	b->atom = g.begin;
}

/* Behind '{': min, or min,max, or min, and '}'. */
static void ere_interval(struct ere_builder *b)
{
	unsigned long min, max;
	char *end;

	min = max = strtoul(b->at, &end, 10);
	if (*end == ',') {
		max = UINT32_MAX;
		if (isdigit((unsigned char)end[1]))
			max = strtoul(end + 1, &end, 10);
		else
			end++;
	}
	if (*end != '}')
		ere_fail(b, ERR_SYNTAX, "the repetition has no end: '}' is missing");
	else if (min > ERE_REPEAT_MAX || (max > ERE_REPEAT_MAX && max != UINT32_MAX))
		ere_fail(b, ERR_RANGE, "at most 255 repetitions");
	else if (min > max)
		ere_fail(b, ERR_SYNTAX, "the most is less than the least");
	else
		ere_repeat(b, (uint32_t)min, (uint32_t)max);
	b->at = end + (*end == '}');
}

static void ere_quantifier(struct ere_builder *b, char c)
{
	if (b->atom == SIZE_MAX) {
		ere_fail(b, ERR_SYNTAX, "there is nothing to repeat");
		return;
	}
	if (c == '*')
		ere_star(b, b->atom);
	else if (c == '?')
		ere_optional(b, b->atom);
	else if (c == '+')
		ere_plus(b, b->atom);
	else
		ere_interval(b);
}

static void ere_anchor(struct ere_builder *b, enum ere_op op)
{
	ere_piece(b, op, 0);
	b->atom = SIZE_MAX;
}

static void ere_next(struct ere_builder *b)
{
	char c = *b->at++;

	if (c == '(') {
		ere_open(b);
	} else if (c == ')' && b->depth == 1) {
		ere_fail(b, ERR_SYNTAX, "no group is open here; write \\) for the character");
	} else if (c == ')') {
		ere_close(b);
	} else if (c == '|') {
		ere_alternative(b);
	} else if (c == '[') {
		ere_bracket(b);
	} else if (c == '\\') {
		ere_escape(b);
	} else if (c == '.') {
		ere_piece(b, ERE_ANY, 0);
	} else if (c == '^' || c == '$') {
		ere_anchor(b, c == '^' ? ERE_BEGIN : ERE_END);
	} else if (strchr("*+?", c) || (c == '{' && isdigit((unsigned char)*b->at))) {
		ere_quantifier(b, c);
	} else {
		ere_piece(b, ERE_BYTE, (unsigned char)c);
	}
}

int ere_build(struct ere *ere, const char *pattern, struct errmsg *msg)
{
	struct ere_builder *b = xcalloc(1, sizeof *b);
	int rc;

	*b = (struct ere_builder){.ere = ere, .at = pattern, .msg = msg};
	ere->code = xcalloc(ERE_CODE_MAX, sizeof *ere->code);
	ere_open(b);
	while (*b->at && b->rc == 0)
		ere_next(b);
	if (b->depth > 1)
		ere_fail(b, ERR_SYNTAX, "a group has no end: ')' is missing");
	if (b->rc == 0)
		ere_close(b);
	ere_append(b, (struct ere_code){.op = ERE_MATCH});
	rc = b->rc;
	free(b);
	return rc;
}
