/*
 * Typed put and get of message bodies. A body is one array of fields in the order
 * of docs/protocol.md. Fields may be added at the end in later versions: a reader skips those that
 * it does not know, and gives the default for optional ones that are absent (or nil).
 */
#ifndef MUSTER_WIRE_H
#define MUSTER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

/* --- put: appends msgpack to a buffer ---------------------------------------------------- */

void wire_put_array(struct buf *out, size_t count);
void wire_put_nil(struct buf *out);
void wire_put_bool(struct buf *out, bool v);
void wire_put_u64(struct buf *out, uint64_t v);
void wire_put_i64(struct buf *out, int64_t v);
/* NULL is put as nil; text that is not valid UTF-8 is put as bin. */
void wire_put_str(struct buf *out, const char *text);
/* The same, but a longer text is cut at a character to at most max bytes (at
 * least 3), and ends in "...". */
void wire_put_str_cut(struct buf *out, const char *text, size_t max);
/* str if valid UTF-8, else bin. */
void wire_put_text(struct buf *out, const void *data, size_t len);
void wire_put_bin(struct buf *out, const void *data, size_t len);

/* --- get: walks a checked body ----------------------------------------------------------- */

struct wire_in;

/*
 * Checks (check_body) and unpacks a body, whose outermost array is then open. *ret_in borrows
 * data, which must outlive it; freed by wire_in_free. Returns 0, ERR_PROTO or ERR_LIMIT.
 */
int wire_in_new(struct wire_in **ret_in, const void *data, size_t len, struct errmsg *msg);
void wire_in_free(struct wire_in *in);

/*
 * The getters take the next field of the innermost open array. They never fail one by one: the
 * first fault (wrong type, out of range, missing field) is kept and zero, NULL or false returned
 * from then on; wire_in_end reports it. name: the field's, for the error. Static.
 */
uint64_t wire_get_u64(struct wire_in *in, const char *name, uint64_t max);
int64_t wire_get_i64(struct wire_in *in, const char *name);
bool wire_get_bool(struct wire_in *in, const char *name);
/* str or bin without NUL bytes, at most max bytes; nil gives NULL. The caller frees it. */
char *wire_get_str(struct wire_in *in, const char *name, size_t max);
/* str or bin of at most max bytes, borrowed from data. *ret_is_text (may be NULL): true for str. */
const uint8_t *wire_get_bytes(struct wire_in *in, const char *name, size_t max, size_t *ret_len,
			      bool *ret_is_text);
/* Opens a nested array of at most max elements and returns its length; wire_leave closes it
 * (skipping what was not read). */
size_t wire_enter(struct wire_in *in, const char *name, size_t max);
void wire_leave(struct wire_in *in);
/* True if the open array has another field that is not nil: for optional fields. A nil is skipped
 * by wire_skip or by the getter of a string. */
bool wire_has(const struct wire_in *in);
/* Passes over the next field, if there is one. */
void wire_skip(struct wire_in *in);

/* A fault that the caller has found in the values of a field, kept like those above. */
void wire_fault(struct wire_in *in, int code, const char *name, const char *rule);

/* 0, or the first fault with msg naming the field. */
int wire_in_end(const struct wire_in *in, struct errmsg *msg);

#endif
