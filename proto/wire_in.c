#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "check.h"
#include "limits.h"
#include "value.h"
#include "wire.h"

#define WIRE_NIL 0xc0u

/*
 * A cursor over the checked bytes. Nothing is unpacked ahead, so a body costs no memory but that of
 * the strings that are taken from it.
 */
struct wire_in {
	struct value_in at;
	size_t left[LIMIT_MSG_DEPTH]; /* of each open array: objects that are still to be read */
	size_t depth;
	int fault; /* the first one; nothing is read after it */
	struct errmsg msg;
};

static const char *const wire_type_names[] = {
	[VALUE_NIL] = "nil",	 [VALUE_BOOL] = "bool", [VALUE_UINT] = "int", [VALUE_INT] = "int",
	[VALUE_FLOAT] = "float", [VALUE_STR] = "str",	[VALUE_BIN] = "bin",  [VALUE_TIME] = "ext",
	[VALUE_ARRAY] = "array", [VALUE_MAP] = "map",
};

int wire_in_new(struct wire_in **ret_in, const void *data, size_t len, struct errmsg *msg)
{
	struct wire_in *in;
	struct value_in at;
	struct value root;
	int r = check_body(data, len, msg);

	if (r < 0)
		return r;
	at = value_in(data, len);
	if (!value_next(&at, &root))
		return err_set(msg, ERR_PROTO, "body of %zu bytes: cannot be read", len);
	if (root.kind != VALUE_ARRAY)
		return err_set(msg, ERR_PROTO, "the body is of type %s, not an array of fields",
			       wire_type_names[root.kind]);
	in = xcalloc(1, sizeof *in);
	in->at = at;
	in->left[0] = root.count;
	in->depth = 1;
	*ret_in = in;
	return 0;
}

void wire_in_free(struct wire_in *in)
{
	free(in);
}

void wire_fault(struct wire_in *in, int code, const char *name, const char *rule)
{
	if (!in->fault)
		in->fault = err_set(&in->msg, code, "field %s: %s", name, rule);
}

static void wire_fault_type(struct wire_in *in, const char *name, const char *wanted,
			    const struct value *v)
{
	if (!in->fault)
		in->fault = err_set(&in->msg, ERR_PROTO, "field %s: is of type %s, not %s", name,
				    wire_type_names[v->kind], wanted);
}

static void wire_fault_size(struct wire_in *in, const char *name, size_t size, size_t max)
{
	if (!in->fault)
		in->fault = err_set(&in->msg, ERR_LIMIT,
				    "field %s: has size %zu, at most %zu is "
				    "allowed",
				    name, size, max);
}

/* The next field, of an array the head alone. False (a fault) if there is none. */
static bool wire_next(struct wire_in *in, const char *name, struct value *v)
{
	if (in->fault)
		return false;
	if (!in->left[in->depth - 1]) {
		wire_fault(in, ERR_PROTO, name, "is missing");
		return false;
	}
	in->left[in->depth - 1]--;
	if (!value_next(&in->at, v)) {
		wire_fault(in, ERR_PROTO, name, "cannot be read");
		return false;
	}
	return true;
}

uint64_t wire_get_u64(struct wire_in *in, const char *name, uint64_t max)
{
	struct value v;

	if (!wire_next(in, name, &v))
		return 0;
	if (v.kind != VALUE_UINT) {
		wire_fault_type(in, name, "a number that is not negative", &v);
		return 0;
	}
	if (v.u > max) {
		in->fault = err_set(&in->msg, ERR_PROTO,
				    "field %s: is %" PRIu64 ", at most %" PRIu64 " is allowed",
				    name, v.u, max);
		return 0;
	}
	return v.u;
}

int64_t wire_get_i64(struct wire_in *in, const char *name)
{
	struct value v;

	if (!wire_next(in, name, &v))
		return 0;
	if (v.kind == VALUE_INT)
		return v.i;
	if (v.kind != VALUE_UINT) {
		wire_fault_type(in, name, "a number", &v);
		return 0;
	}
	if (v.u > INT64_MAX) {
		wire_fault(in, ERR_PROTO, name, "does not fit into 64 bits with a sign");
		return 0;
	}
	return (int64_t)v.u;
}

bool wire_get_bool(struct wire_in *in, const char *name)
{
	struct value v;

	if (!wire_next(in, name, &v))
		return false;
	if (v.kind != VALUE_BOOL) {
		wire_fault_type(in, name, "a bool", &v);
		return false;
	}
	return v.b;
}

const uint8_t *wire_get_bytes(struct wire_in *in, const char *name, size_t max, size_t *ret_len,
			      bool *ret_is_text)
{
	struct value v;

	if (!wire_next(in, name, &v))
		return NULL;
	if (v.kind != VALUE_STR && v.kind != VALUE_BIN) {
		wire_fault_type(in, name, "a str or bin", &v);
		return NULL;
	}
	if (v.len > max) {
		wire_fault_size(in, name, v.len, max);
		return NULL;
	}
	*ret_len = v.len;
	if (ret_is_text)
		*ret_is_text = v.kind == VALUE_STR;
	return v.data;
}

char *wire_get_str(struct wire_in *in, const char *name, size_t max)
{
	const uint8_t *p;
	size_t len;

	if (!in->fault && in->left[in->depth - 1] && !wire_has(in)) {
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
	struct value v;

	if (!wire_next(in, name, &v))
		return 0;
	if (v.kind != VALUE_ARRAY) {
		wire_fault_type(in, name, "an array", &v);
		return 0;
	}
	if (v.count > max) {
		wire_fault_size(in, name, v.count, max);
		return 0;
	}
	/* check_body has bounded the depth. */
	in->left[in->depth++] = v.count;
	return v.count;
}

void wire_leave(struct wire_in *in)
{
	if (in->fault)
		return;
	while (in->left[in->depth - 1])
		wire_skip(in);
	in->depth--;
}

bool wire_has(const struct wire_in *in)
{
	return !in->fault && in->left[in->depth - 1] && *in->at.next != WIRE_NIL;
}

void wire_skip(struct wire_in *in)
{
	if (in->fault || !in->left[in->depth - 1])
		return;
	in->left[in->depth - 1]--;
	if (!value_skip(&in->at, NULL))
		wire_fault(in, ERR_PROTO, "?", "cannot be read");
}

int wire_in_end(const struct wire_in *in, struct errmsg *msg)
{
	return in->fault ? err_set(msg, in->fault, "%s", in->msg.text) : 0;
}
