#include <inttypes.h>
#include <msgpack/unpack.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "check.h"
#include "limits.h"
#include "wire.h"

/* An open array: what is still to be read of it. */
struct wire_level {
	const msgpack_object *next;
	const msgpack_object *end;
};

struct wire_in {
	msgpack_unpacked unpacked;
	struct wire_level levels[LIMIT_MSG_DEPTH];
	size_t depth;
	int fault; /* the first one; nothing is read after it */
	struct errmsg msg;
};

static const char *wire_type_name(const msgpack_object *o)
{
	switch (o->type) {
	case MSGPACK_OBJECT_NIL:
		return "nil";
	case MSGPACK_OBJECT_BOOLEAN:
		return "bool";
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return "int";
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		return "float";
	case MSGPACK_OBJECT_STR:
		return "str";
	case MSGPACK_OBJECT_BIN:
		return "bin";
	case MSGPACK_OBJECT_ARRAY:
		return "array";
	case MSGPACK_OBJECT_MAP:
		return "map";
	case MSGPACK_OBJECT_EXT:
		return "ext";
	}
	return "?";
}

int wire_in_new(struct wire_in **ret_in, const void *data, size_t len, struct errmsg *msg)
{
	struct wire_in *in;
	const msgpack_object *root;
	size_t off = 0;
	int r = check_body(data, len, msg);

	if (r < 0)
		return r;
	in = xcalloc(1, sizeof *in);
	msgpack_unpacked_init(&in->unpacked);
	if (msgpack_unpack_next(&in->unpacked, data, len, &off) != MSGPACK_UNPACK_SUCCESS) {
		wire_in_free(in);
		return err_set(msg, ERR_PROTO, "body of %zu bytes: cannot be unpacked", len);
	}
	root = &in->unpacked.data;
	if (root->type != MSGPACK_OBJECT_ARRAY) {
		r = err_set(msg, ERR_PROTO, "the body is of type %s, not an array of fields",
			    wire_type_name(root));
		wire_in_free(in);
		return r;
	}
	in->levels[0].next = root->via.array.ptr;
	in->levels[0].end = root->via.array.ptr + root->via.array.size;
	in->depth = 1;
	*ret_in = in;
	return 0;
}

void wire_in_free(struct wire_in *in)
{
	if (!in)
		return;
	msgpack_unpacked_destroy(&in->unpacked);
	free(in);
}

void wire_fault(struct wire_in *in, int code, const char *name, const char *rule)
{
	if (!in->fault)
		in->fault = err_set(&in->msg, code, "field %s: %s", name, rule);
}

static void wire_fault_type(struct wire_in *in, const char *name, const char *wanted,
			    const msgpack_object *o)
{
	if (!in->fault)
		in->fault = err_set(&in->msg, ERR_PROTO, "field %s: is of type %s, not %s", name,
				    wire_type_name(o), wanted);
}

static void wire_fault_size(struct wire_in *in, const char *name, size_t size, size_t max)
{
	if (!in->fault)
		in->fault = err_set(&in->msg, ERR_LIMIT,
				    "field %s: has size %zu, at most %zu is "
				    "allowed",
				    name, size, max);
}

/* The next field, or NULL (a fault) if there is none. */
static const msgpack_object *wire_next(struct wire_in *in, const char *name)
{
	struct wire_level *level = &in->levels[in->depth - 1];

	if (in->fault)
		return NULL;
	if (level->next == level->end) {
		wire_fault(in, ERR_PROTO, name, "is missing");
		return NULL;
	}
	return level->next++;
}

uint64_t wire_get_u64(struct wire_in *in, const char *name, uint64_t max)
{
	const msgpack_object *o = wire_next(in, name);

	if (!o)
		return 0;
	if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER) {
		wire_fault_type(in, name, "a number that is not negative", o);
		return 0;
	}
	if (o->via.u64 > max) {
		in->fault = err_set(&in->msg, ERR_PROTO,
				    "field %s: is %" PRIu64 ", at most %" PRIu64 " is allowed",
				    name, o->via.u64, max);
		return 0;
	}
	return o->via.u64;
}

int64_t wire_get_i64(struct wire_in *in, const char *name)
{
	const msgpack_object *o = wire_next(in, name);

	if (!o)
		return 0;
	if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		return o->via.i64;
	if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER) {
		wire_fault_type(in, name, "a number", o);
		return 0;
	}
	if (o->via.u64 > INT64_MAX) {
		wire_fault(in, ERR_PROTO, name, "does not fit into 64 bits with a sign");
		return 0;
	}
	return (int64_t)o->via.u64;
}

bool wire_get_bool(struct wire_in *in, const char *name)
{
	const msgpack_object *o = wire_next(in, name);

	if (!o)
		return false;
	if (o->type != MSGPACK_OBJECT_BOOLEAN) {
		wire_fault_type(in, name, "a bool", o);
		return false;
	}
	return o->via.boolean;
}

/* The bytes of a str or bin; NULL if it is neither. An empty one need not have a pointer. */
static const char *wire_bytes(const msgpack_object *o, size_t *ret_len)
{
	const char *p;

	if (o->type == MSGPACK_OBJECT_STR) {
		*ret_len = o->via.str.size;
		p = o->via.str.ptr;
	} else if (o->type == MSGPACK_OBJECT_BIN) {
		*ret_len = o->via.bin.size;
		p = o->via.bin.ptr;
	} else {
		return NULL;
	}
	return p ? p : "";
}

const uint8_t *wire_get_bytes(struct wire_in *in, const char *name, size_t max, size_t *ret_len,
			      bool *ret_is_text)
{
	const msgpack_object *o = wire_next(in, name);
	const char *p;
	size_t len;

	if (!o)
		return NULL;
	p = wire_bytes(o, &len);
	if (!p) {
		wire_fault_type(in, name, "a str or bin", o);
		return NULL;
	}
	if (len > max) {
		wire_fault_size(in, name, len, max);
		return NULL;
	}
	*ret_len = len;
	if (ret_is_text)
		*ret_is_text = o->type == MSGPACK_OBJECT_STR;
	return (const uint8_t *)p;
}

char *wire_get_str(struct wire_in *in, const char *name, size_t max)
{
	const struct wire_level *level = &in->levels[in->depth - 1];
	const uint8_t *p;
	size_t len;

	if (!in->fault && level->next != level->end && !wire_has(in)) {
		wire_skip(in);
		return NULL;
	}
	p = wire_get_bytes(in, name, max, &len, NULL);
	if (!p)
		return NULL;
	if (memchr(p, 0, len)) {
		wire_fault(in, ERR_PROTO, name, "has a NUL byte");
		return NULL;
	}
	return xstrndup((const char *)p, len);
}

size_t wire_enter(struct wire_in *in, const char *name, size_t max)
{
	const msgpack_object *o = wire_next(in, name);
	struct wire_level *level;

	if (!o)
		return 0;
	if (o->type != MSGPACK_OBJECT_ARRAY) {
		wire_fault_type(in, name, "an array", o);
		return 0;
	}
	if (o->via.array.size > max) {
		wire_fault_size(in, name, o->via.array.size, max);
		return 0;
	}
	/* check_body has bounded the depth. */
	level = &in->levels[in->depth++];
	level->next = o->via.array.ptr;
	level->end = o->via.array.ptr + o->via.array.size;
	return o->via.array.size;
}

void wire_leave(struct wire_in *in)
{
	if (!in->fault)
		in->depth--;
}

bool wire_has(const struct wire_in *in)
{
	const struct wire_level *level = &in->levels[in->depth - 1];

	return !in->fault && level->next != level->end && level->next->type != MSGPACK_OBJECT_NIL;
}

void wire_skip(struct wire_in *in)
{
	struct wire_level *level = &in->levels[in->depth - 1];

	if (!in->fault && level->next != level->end)
		level->next++;
}

int wire_in_end(const struct wire_in *in, struct errmsg *msg)
{
	return in->fault ? err_set(msg, in->fault, "%s", in->msg.text) : 0;
}
