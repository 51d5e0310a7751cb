#include "value.h"

#include <string.h>

#define VALUE_EXT_TIME 0xffu /* -1 */
#define VALUE_NS_END   1000000000u

/* Of the first bytes 0xc0 to 0xdf: bytes of the length or count, or of the number itself. */
struct value_form {
	uint8_t kind;  /* enum value_kind; VALUE_FORM_BAD: none */
	uint8_t field; /* bytes of a length or count field */
	uint8_t fixed; /* bytes of a payload that has none */
};

#define VALUE_FORM_BAD 0xffu

static const struct value_form value_forms[32] = {
	/* nil, reserved, false, true */
	{VALUE_NIL, 0, 0},
	{VALUE_FORM_BAD, 0, 0},
	{VALUE_BOOL, 0, 0},
	{VALUE_BOOL, 0, 0},
	/* bin, ext */
	{VALUE_BIN, 1, 0},
	{VALUE_BIN, 2, 0},
	{VALUE_BIN, 4, 0},
	{VALUE_TIME, 1, 0},
	{VALUE_TIME, 2, 0},
	{VALUE_TIME, 4, 0},
	/* float, uint, int */
	{VALUE_FLOAT, 0, 4},
	{VALUE_FLOAT, 0, 8},
	{VALUE_UINT, 0, 1},
	{VALUE_UINT, 0, 2},
	{VALUE_UINT, 0, 4},
	{VALUE_UINT, 0, 8},
	{VALUE_INT, 0, 1},
	{VALUE_INT, 0, 2},
	{VALUE_INT, 0, 4},
	{VALUE_INT, 0, 8},
	/* fixext */
	{VALUE_TIME, 0, 1},
	{VALUE_TIME, 0, 2},
	{VALUE_TIME, 0, 4},
	{VALUE_TIME, 0, 8},
	{VALUE_TIME, 0, 16},
	/* str, array, map */
	{VALUE_STR, 1, 0},
	{VALUE_STR, 2, 0},
	{VALUE_STR, 4, 0},
	{VALUE_ARRAY, 2, 0},
	{VALUE_ARRAY, 4, 0},
	{VALUE_MAP, 2, 0},
	{VALUE_MAP, 4, 0},
};

/* The head of an object: its payload is n bytes at p, or n elements or pairs that begin there. */
struct value_head {
	enum value_kind kind;
	uint8_t first;
	uint64_t n;
	const uint8_t *p;
};

struct value_in value_in(const void *data, size_t len)
{
	const uint8_t *p = data;

	return (struct value_in){p, len ? p + len : p};
}

static uint64_t value_load(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* The objects whose kind and size are in their first byte. */
static void value_head_fix(struct value_head *head)
{
	uint8_t first = head->first;

	head->n = 0;
	if (first <= 0x7f) {
		head->kind = VALUE_UINT;
	} else if (first >= 0xe0) {
		head->kind = VALUE_INT;
	} else if (first <= 0x8f) {
		head->kind = VALUE_MAP;
		head->n = first & 0x0fu;
	} else if (first <= 0x9f) {
		head->kind = VALUE_ARRAY;
		head->n = first & 0x0fu;
	} else {
		head->kind = VALUE_STR;
		head->n = first & 0x1fu;
	}
}

/* False at the end, and where a length or count is larger than what is left. */
static inline bool value_get_head(const struct value_in *in, struct value_head *head)
{
	const struct value_form *form;
	size_t left;

	if (in->next == in->end)
		return false;
	head->first = *in->next;
	head->p = in->next + 1;
	left = (size_t)(in->end - head->p);
	if (head->first < 0xc0 || head->first >= 0xe0) {
		value_head_fix(head);
	} else {
		form = &value_forms[head->first - 0xc0];
		if (form->kind == VALUE_FORM_BAD || form->field > left)
			return false;
		head->kind = (enum value_kind)form->kind;
		head->n = form->field ? value_load(head->p, form->field) : form->fixed;
		head->p += form->field;
		left -= form->field;
		if (head->kind == VALUE_TIME)
			head->n++; /* the type of the extension */
	}
	return head->n <= (head->kind == VALUE_MAP ? left / 2 : left);
}

static void value_set_int(struct value *v, const struct value_head *head)
{
	unsigned unused = 64 - 8 * (unsigned)head->n;

	if (!head->n)
		v->i = (int8_t)head->first;
	else
		v->i = (int64_t)(value_load(head->p, (size_t)head->n) << unused) >> unused;
	if (v->i >= 0) {
		v->kind = VALUE_UINT;
		v->u = (uint64_t)v->i;
	}
}

static void value_set_float(struct value *v, const struct value_head *head)
{
	uint64_t bits = value_load(head->p, (size_t)head->n);
	uint32_t half = (uint32_t)bits;
	float f;

	if (head->n == sizeof f) {
		memcpy(&f, &half, sizeof f);
		v->f = (double)f;
	} else {
		memcpy(&v->f, &bits, sizeof v->f);
	}
}

static bool value_set_time(struct value *v, const struct value_head *head)
{
	const uint8_t *p = head->p + 1;
	uint64_t word;

	if (head->p[0] != VALUE_EXT_TIME)
		return false;
	switch (head->n - 1) {
	case 4:
		v->seconds = (int64_t)value_load(p, 4);
		return true;
	case 8:
		word = value_load(p, 8);
		v->nanoseconds = (uint32_t)(word >> 34);
		v->seconds = (int64_t)(word & ((UINT64_C(1) << 34) - 1));
		return v->nanoseconds < VALUE_NS_END;
	case 12:
		v->nanoseconds = (uint32_t)value_load(p, 4);
		v->seconds = (int64_t)value_load(p + 4, 8);
		return v->nanoseconds < VALUE_NS_END;
	default:
		return false;
	}
}

/* False for what is no value: an extension other than a timestamp. */
static bool value_set(struct value *v, const struct value_head *head)
{
	switch (head->kind) {
	case VALUE_NIL:
		return true;
	case VALUE_BOOL:
		v->b = head->first == 0xc3;
		return true;
	case VALUE_UINT:
		v->u = head->n ? value_load(head->p, (size_t)head->n) : head->first;
		return true;
	case VALUE_INT:
		value_set_int(v, head);
		return true;
	case VALUE_FLOAT:
		value_set_float(v, head);
		return true;
	case VALUE_STR:
	case VALUE_BIN:
		v->data = head->p;
		v->len = (size_t)head->n;
		return true;
	case VALUE_TIME:
		return value_set_time(v, head);
	case VALUE_ARRAY:
	case VALUE_MAP:
		v->count = (uint32_t)head->n;
		return true;
	}
	return false;
}

bool value_next(struct value_in *in, struct value *ret)
{
	struct value_head head;
	struct value v = {0};

	if (!value_get_head(in, &head))
		return false;
	v.kind = head.kind;
	if (!value_set(&v, &head))
		return false;
	in->next = head.p;
	if (head.kind != VALUE_ARRAY && head.kind != VALUE_MAP)
		in->next += head.n;
	*ret = v;
	return true;
}

bool value_skip(struct value_in *in, uint32_t *ret_nodes)
{
	struct value_in at = *in;
	struct value_head head;
	uint64_t left = 1; /* objects that are still to come */
	uint32_t nodes = 0;

	/* Each object takes a byte at least, so the loop ends with the bytes. */
	for (; left; left--, nodes++) {
		if (!value_get_head(&at, &head))
			return false;
		at.next = head.p;
		if (head.kind == VALUE_ARRAY)
			left += head.n;
		else if (head.kind == VALUE_MAP)
			left += 2 * head.n;
		else
			at.next += head.n;
	}
	*in = at;
	if (ret_nodes)
		*ret_nodes = nodes;
	return true;
}

/* --- put ---------------------------------------------------------------------------------- */

static void value_add_be(struct buf *out, uint64_t v, size_t bytes)
{
	uint8_t *p = buf_room(out, bytes);

	for (size_t i = bytes; i--; v >>= 8)
		p[i] = (uint8_t)v;
	out->len += bytes;
}

void value_put_time(struct buf *out, int64_t seconds, uint32_t nanoseconds)
{
	if (seconds < 0 || seconds >> 34) {
		value_add_be(out, 0xc70c00u | VALUE_EXT_TIME, 3);
		value_add_be(out, nanoseconds, 4);
		value_add_be(out, (uint64_t)seconds, 8);
	} else if (nanoseconds || seconds > (int64_t)UINT32_MAX) {
		value_add_be(out, 0xd700u | VALUE_EXT_TIME, 2);
		value_add_be(out, (uint64_t)nanoseconds << 34 | (uint64_t)seconds, 8);
	} else {
		value_add_be(out, 0xd600u | VALUE_EXT_TIME, 2);
		value_add_be(out, (uint64_t)seconds, 4);
	}
}

void value_put_float(struct buf *out, double f)
{
	uint64_t bits;

	memcpy(&bits, &f, sizeof bits);
	value_add_be(out, 0xcb, 1);
	value_add_be(out, bits, 8);
}

void value_put_map(struct buf *out, size_t pairs)
{
	if (pairs < 16) {
		value_add_be(out, 0x80u | pairs, 1);
	} else if (pairs <= UINT16_MAX) {
		value_add_be(out, 0xde, 1);
		value_add_be(out, pairs, 2);
	} else {
		value_add_be(out, 0xdf, 1);
		value_add_be(out, pairs, 4);
	}
}
