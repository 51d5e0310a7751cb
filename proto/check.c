#include "check.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "limits.h"
#include "utf8.h"

#define CHECK_NS_MAX 999999999u

/* What a first byte says about its object. */
enum check_kind {
	CHECK_SCALAR, /* nothing but the size matters */
	CHECK_STR,
	CHECK_EXT,
	CHECK_ARRAY,
	CHECK_MAP,
	CHECK_BAD
};

/* Of the first bytes 0xc0 to 0xdf: kind, bytes of the length or count field, fixed payload. */
static const struct {
	uint8_t kind;
	uint8_t field;
	uint8_t payload;
} check_forms[32] = {
	/* nil, reserved, false, true */
	{CHECK_SCALAR, 0, 0},
	{CHECK_BAD, 0, 0},
	{CHECK_SCALAR, 0, 0},
	{CHECK_SCALAR, 0, 0},
	/* bin, ext */
	{CHECK_SCALAR, 1, 0},
	{CHECK_SCALAR, 2, 0},
	{CHECK_SCALAR, 4, 0},
	{CHECK_EXT, 1, 0},
	{CHECK_EXT, 2, 0},
	{CHECK_EXT, 4, 0},
	/* float, uint, int */
	{CHECK_SCALAR, 0, 4},
	{CHECK_SCALAR, 0, 8},
	{CHECK_SCALAR, 0, 1},
	{CHECK_SCALAR, 0, 2},
	{CHECK_SCALAR, 0, 4},
	{CHECK_SCALAR, 0, 8},
	{CHECK_SCALAR, 0, 1},
	{CHECK_SCALAR, 0, 2},
	{CHECK_SCALAR, 0, 4},
	{CHECK_SCALAR, 0, 8},
	/* fixext */
	{CHECK_EXT, 0, 1},
	{CHECK_EXT, 0, 2},
	{CHECK_EXT, 0, 4},
	{CHECK_EXT, 0, 8},
	{CHECK_EXT, 0, 16},
	/* str, array, map */
	{CHECK_STR, 1, 0},
	{CHECK_STR, 2, 0},
	{CHECK_STR, 4, 0},
	{CHECK_ARRAY, 2, 0},
	{CHECK_ARRAY, 4, 0},
	{CHECK_MAP, 2, 0},
	{CHECK_MAP, 4, 0},
};

struct check_key {
	uint32_t at;
	uint32_t len;
};

/* An array or map that is not whole yet. */
struct check_level {
	size_t left; /* objects that are still to come; a pair of a map counts two */
	size_t key_count;
	bool is_map;
	struct check_key keys[LIMIT_MAP_KEYS];
};

struct check {
	const uint8_t *data;
	size_t n;
	size_t at; /* of the object that is looked at */
	size_t nodes;
	size_t depth;
	struct check_level levels[LIMIT_MSG_DEPTH];
	struct errmsg *msg;
};

/* One object's head: where its payload begins, and how long it is or how many it holds. */
struct check_head {
	enum check_kind kind;
	size_t payload_at;
	uint64_t count;
};

static int check_fault(const struct check *c, int code, const char *rule)
{
	return err_set(c->msg, code, "body of %zu bytes, byte %zu: %s", c->n, c->at, rule);
}

static int check_read_head(const struct check *c, struct check_head *head)
{
	uint8_t first = c->data[c->at];
	size_t field, at = c->at + 1;

	*head = (struct check_head){.kind = CHECK_SCALAR, .payload_at = at};
	if (first <= 0x7f || first >= 0xe0)
		return 0;
	if (first <= 0xbf) {
		head->kind = first <= 0x8f ? CHECK_MAP : first <= 0x9f ? CHECK_ARRAY : CHECK_STR;
		head->count = first & (first <= 0x9f ? 0x0fu : 0x1fu);
		return 0;
	}
	head->kind = (enum check_kind)check_forms[first - 0xc0].kind;
	head->count = check_forms[first - 0xc0].payload;
	field = check_forms[first - 0xc0].field;
	if (field > c->n - at)
		return check_fault(c, ERR_PROTO, "the body ends inside a length");
	for (; field; field--)
		head->count = head->count << 8 | c->data[at++];
	head->payload_at = at;
	if (head->kind == CHECK_BAD)
		return check_fault(c, ERR_PROTO, "0xc1 begins no msgpack object");
	return 0;
}

static int check_ext(const struct check *c, struct check_head *head)
{
	if (head->payload_at == c->n)
		return check_fault(c, ERR_PROTO, "the body ends before the type of an extension");
	if (c->data[head->payload_at++] != 0xff)
		return check_fault(c, ERR_PROTO, "only extension -1 (timestamp) is allowed");
	if (head->count != 4 && head->count != 8 && head->count != 12)
		return check_fault(c, ERR_PROTO, "a timestamp has 4, 8 or 12 bytes");
	return 0;
}

static uint32_t check_nanoseconds(const struct check *c, const struct check_head *head)
{
	const uint8_t *p = c->data + head->payload_at;
	uint32_t word;

	if (head->count == 4)
		return 0;
	word = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	return head->count == 8 ? word >> 2 : word;
}

/* An object without others inside; moves behind it. */
static int check_leaf(struct check *c, struct check_head *head)
{
	int r;

	if (head->kind == CHECK_EXT) {
		r = check_ext(c, head);
		if (r < 0)
			return r;
	}
	if (head->count > c->n - head->payload_at)
		return check_fault(c, ERR_PROTO, "a length is larger than what is left");
	if (head->kind == CHECK_STR && !utf8_valid(c->data + head->payload_at, (size_t)head->count))
		return check_fault(c, ERR_PROTO, "a str is not valid UTF-8");
	if (head->kind == CHECK_EXT && check_nanoseconds(c, head) > CHECK_NS_MAX)
		return check_fault(c, ERR_PROTO, "a timestamp has more than 999999999 nanoseconds");
	c->at = head->payload_at + (size_t)head->count;
	return 0;
}

/* An array or map; moves behind its head, with a new level open. */
static int check_open(struct check *c, const struct check_head *head)
{
	bool is_map = head->kind == CHECK_MAP;
	uint64_t count = head->count * (is_map ? 2 : 1);
	struct check_level *level;

	if (count > c->n - head->payload_at)
		return check_fault(c, ERR_PROTO, "a count is larger than what is left");
	if (is_map && head->count > LIMIT_MAP_KEYS)
		return check_fault(c, ERR_LIMIT, "a map has too many keys");
	if (count > LIMIT_MSG_NODES - c->nodes)
		return check_fault(c, ERR_LIMIT, "the body has too many objects");
	if (c->depth == LIMIT_MSG_DEPTH)
		return check_fault(c, ERR_LIMIT, "arrays and maps are nested too deep");
	c->nodes += (size_t)count;
	level = &c->levels[c->depth++];
	level->left = (size_t)count;
	level->is_map = is_map;
	level->key_count = 0;
	c->at = head->payload_at;
	return 0;
}

/* The key that begins at the given byte and ends before the current one. */
static int check_key(struct check *c, struct check_level *level, size_t begin)
{
	struct check_key key = {(uint32_t)begin, (uint32_t)(c->at - begin)};

	for (size_t i = 0; i < level->key_count; i++) {
		const struct check_key *other = &level->keys[i];

		if (other->len == key.len &&
		    memcmp(c->data + other->at, c->data + begin, key.len) == 0) {
			c->at = begin;
			return check_fault(c, ERR_PROTO, "a map has the same key twice");
		}
	}
	level->keys[level->key_count++] = key;
	return 0;
}

static int check_object(struct check *c)
{
	struct check_level *level = c->depth ? &c->levels[c->depth - 1] : NULL;
	bool is_key = level && level->is_map && level->left % 2 == 0;
	size_t begin = c->at;
	struct check_head head;
	int r;

	if (c->at == c->n)
		return check_fault(c, ERR_PROTO, "the body ends before its last object");
	r = check_read_head(c, &head);
	if (r < 0)
		return r;
	if (level)
		level->left--;
	if (head.kind == CHECK_ARRAY || head.kind == CHECK_MAP)
		return is_key ? check_fault(c, ERR_PROTO, "a key is an array or a map")
			      : check_open(c, &head);
	r = check_leaf(c, &head);
	if (r < 0 || !is_key)
		return r;
	return check_key(c, level, begin);
}

int check_body(const void *data, size_t n, struct errmsg *msg)
{
	struct check c; /* 33 KB, of which only the open levels are written */
	int r;

	c.data = data;
	c.n = n;
	c.at = 0;
	c.nodes = 1;
	c.depth = 0;
	c.msg = msg;
	if (n > LIMIT_FRAME_BODY)
		return check_fault(&c, ERR_LIMIT, "the body is too long");
	do {
		r = check_object(&c);
		if (r < 0)
			return r;
		while (c.depth && !c.levels[c.depth - 1].left)
			c.depth--;
	} while (c.depth);
	return c.at == n ? 0 : check_fault(&c, ERR_PROTO, "there is something behind the object");
}
