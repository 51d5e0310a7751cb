/* The inside of a regular expression, for ere_build.c (pattern to program) and ere.c (program and
 * text to match). */
#ifndef MUSTER_ERE_PRIVATE_H
#define MUSTER_ERE_PRIVATE_H

#include "ere.h"

#define ERE_CODE_MAX  8192u
#define ERE_DEPTH_MAX 256u
#define ERE_SETS_MAX  512u
#define ERE_SLOTS_MAX (512u << 10) /* places of groups in all threads together */

enum ere_op {
	ERE_BYTE, /* arg */
	ERE_ANY,
	ERE_SET,   /* arg: number of the set */
	ERE_SPLIT, /* x first, then y; both relative */
	ERE_JUMP,  /* x */
	ERE_SAVE,  /* arg: slot */
	ERE_BEGIN,
	ERE_END,
	ERE_MATCH
};

struct ere_code {
	uint8_t op; /* enum ere_op */
	uint16_t arg;
	int16_t x, y; /* relative, so that code can be moved and copied */
};

struct ere_set {
	uint8_t bits[32];
};

/* One place in the program and what it has passed. */
struct ere_list {
	uint16_t *places; /* in order of preference */
	size_t count;
	uint32_t *slots; /* for each place of the program */
};

/* A step of the walk along code that takes no byte. */
struct ere_todo {
	uint16_t place; /* the program's length: restore the slot */
	uint16_t slot;
	uint32_t old;
};

struct ere {
	struct ere_code *code;
	size_t count;
	struct ere_set *sets;
	size_t set_count;
	size_t slot_count; /* 2 for the match and for each group */
	/* For ere_find. */
	struct ere_list now, next;
	uint32_t *seen; /* by place: in which step it was reached */
	uint32_t step;
	struct ere_todo *todo;
	uint32_t *walk; /* slots on the way */
	uint32_t *best;
};

/* Fills code, sets and slot_count. Returns 0, ERR_SYNTAX or ERR_RANGE with msg. */
int ere_build(struct ere *ere, const char *pattern, struct errmsg *msg);

#endif
