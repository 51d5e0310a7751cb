#include "copy_msg.h"

#include "fields.h"

#define COPY_HASH	 8u
#define COPY_KINDS	 5u
#define COPY_VERDICTS	 4u
#define COPY_MODE_MAX	 0777u
#define COPY_DATA_FIELDS 6u

_Static_assert(LIMIT_COPY_PIECE + 256u <= LIMIT_FRAME_BODY, "COPY_DATA fits into a frame");
_Static_assert(LIMIT_COPY_SOURCES * 256u <= LIMIT_FRAME_BODY, "COPY_OPEN fits into a frame");

static void copy_verify_task(struct wire_in *in, uint64_t task)
{
	if (!task)
		wire_fault(in, ERR_PROTO, "task", "is 0, which is no task");
}

static void copy_verify_index(struct wire_in *in, uint64_t task, uint64_t index)
{
	copy_verify_task(in, task);
	if (!index)
		wire_fault(in, ERR_PROTO, "index", "is 0, which is no file");
}

static void copy_verify_hash(struct wire_in *in, const uint8_t *hash, size_t len)
{
	if (hash && len != COPY_HASH)
		wire_fault(in, ERR_PROTO, "hash", "has not 8 bytes");
}

static const struct layout_field copy_open_msg_fields[] = {
	NEED_U64(copy_open_msg, task),
	BOOL(copy_open_msg, pull),
	BOOL(copy_open_msg, recurse),
	BOOL(copy_open_msg, checksum),
	BOOL(copy_open_msg, several),
	STR(copy_open_msg, to, LIMIT_OPTION_TEXT),
	LIST(copy_open_msg, STRS, from, from_count, LIMIT_COPY_SOURCES),
	U64(copy_open_msg, window, UINT64_MAX),
	U64(copy_open_msg, place, COPY_PLACES - 1),
};

static void copy_open_verify(struct wire_in *in, const void *body)
{
	const struct copy_open_msg *m = body;

	copy_verify_task(in, m->task);
	if (m->pull != (m->from_count > 0))
		wire_fault(in, ERR_PROTO, "from", "goes with pull, and only that");
	if (m->pull == (m->to != NULL))
		wire_fault(in, ERR_PROTO, "to", "does not go with pull, and is needed without");
	if (m->place && (m->pull || m->several))
		wire_fault(in, ERR_PROTO, "place", "goes with one thing that comes");
	if (m->to && !*m->to)
		wire_fault(in, ERR_PROTO, "to", "is empty");
	for (size_t i = 0; i < m->from_count; i++)
		if (!*m->from[i])
			wire_fault(in, ERR_PROTO, "from", "has an empty path");
}

MESSAGE_DEFINE(copy_open, "COPY_OPEN", copy_open_verify)

static const struct layout_field copy_entry_msg_fields[] = {
	NEED_U64(copy_entry_msg, task),
	NEED_U64(copy_entry_msg, index),
	FIELD(copy_entry_msg, U64, kind, .max = COPY_KINDS, .need = true),
	NEED_STR(copy_entry_msg, name, LIMIT_OPTION_TEXT),
	U64(copy_entry_msg, mode, COPY_MODE_MAX),
	I64(copy_entry_msg, mtime_ns, 0),
	U64(copy_entry_msg, size, INT64_MAX),
	STR(copy_entry_msg, text, LIMIT_OPTION_TEXT),
	LIST(copy_entry_msg, BIN, hash, hash_len, COPY_HASH),
};

static void copy_entry_verify(struct wire_in *in, const void *body)
{
	const struct copy_entry_msg *m = body;

	copy_verify_index(in, m->task, m->index);
	copy_verify_hash(in, m->hash, m->hash_len);
	if (!m->kind)
		wire_fault(in, ERR_PROTO, "kind", "is 0, which is none");
}

MESSAGE_DEFINE(copy_entry, "COPY_ENTRY", copy_entry_verify)

static const struct layout_field copy_data_msg_fields[COPY_DATA_FIELDS] = {
	NEED_U64(copy_data_msg, task),
	NEED_U64(copy_data_msg, index),
	LIST(copy_data_msg, BIN, data, len, LIMIT_COPY_PIECE),
	BOOL(copy_data_msg, end),
	LIST(copy_data_msg, BIN, hash, hash_len, COPY_HASH),
	BOOL(copy_data_msg, failed),
};

static void copy_data_verify(struct wire_in *in, const void *body)
{
	const struct copy_data_msg *m = body;

	copy_verify_index(in, m->task, m->index);
	copy_verify_hash(in, m->hash, m->hash_len);
	if (m->end != (m->hash != NULL))
		wire_fault(in, ERR_PROTO, "hash", "goes with the end, and only that");
}

MESSAGE_DEFINE(copy_data, "COPY_DATA", copy_data_verify)

/* wire.h borrows, and what was read is only read. */
static uint8_t *copy_data_bytes(struct wire_in *in, const char *name, size_t max, size_t *ret_len)
{
	if (wire_has(in))
		return (uint8_t *)(uintptr_t)wire_get_bytes(in, name, max, ret_len, NULL);
	wire_skip(in);
	return NULL;
}

static bool copy_data_flag(struct wire_in *in, const char *name)
{
	if (wire_has(in))
		return wire_get_bool(in, name);
	wire_skip(in);
	return false;
}

int copy_data_borrow(struct copy_data_msg *ret, const void *body, size_t len, struct errmsg *msg)
{
	struct copy_data_msg m = {0};
	struct wire_in *in;
	int rc = wire_in_new(&in, body, len, msg);

	if (rc)
		return rc;
	m.task = wire_get_u64(in, "task", UINT64_MAX);
	m.index = wire_get_u64(in, "index", UINT64_MAX);
	m.data = copy_data_bytes(in, "data", LIMIT_COPY_PIECE, &m.len);
	m.end = copy_data_flag(in, "end");
	m.hash = copy_data_bytes(in, "hash", COPY_HASH, &m.hash_len);
	m.failed = copy_data_flag(in, "failed");
	copy_data_verify(in, &m);
	rc = wire_in_end(in, msg);
	wire_in_free(in);
	if (rc == 0)
		*ret = m;
	return rc;
}

void copy_data_put_head(struct buf *out, uint64_t task, uint64_t index, size_t len)
{
	const uint8_t head[5] = {0xc6, (uint8_t)(len >> 24), (uint8_t)(len >> 16),
				 (uint8_t)(len >> 8), (uint8_t)len};

	wire_put_array(out, COPY_DATA_FIELDS);
	wire_put_u64(out, task);
	wire_put_u64(out, index);
	/* bin 32 of the msgpack specification; the bytes follow. */
	buf_add(out, head, sizeof head);
}

void copy_data_put_tail(struct buf *out, bool end, const uint8_t *hash)
{
	wire_put_bool(out, end);
	if (end)
		wire_put_bin(out, hash, COPY_HASH);
	else
		wire_put_nil(out);
	wire_put_bool(out, false);
}

static const struct layout_field copy_answer_msg_fields[] = {
	NEED_U64(copy_answer_msg, task),
	NEED_U64(copy_answer_msg, index),
	FIELD(copy_answer_msg, U64, verdict, .max = COPY_VERDICTS, .need = true),
	U64(copy_answer_msg, offset, INT64_MAX),
	TEXT(copy_answer_msg, text, LIMIT_OPTION_TEXT),
};

static void copy_answer_verify(struct wire_in *in, const void *body)
{
	const struct copy_answer_msg *m = body;

	copy_verify_task(in, m->task);
	if (!m->verdict)
		wire_fault(in, ERR_PROTO, "verdict", "is 0, which is none");
}

MESSAGE_DEFINE(copy_answer, "COPY_ANSWER", copy_answer_verify)

static const struct layout_field copy_credit_msg_fields[] = {
	NEED_U64(copy_credit_msg, task),
	NEED_U64(copy_credit_msg, bytes),
};

static void copy_credit_verify(struct wire_in *in, const void *body)
{
	const struct copy_credit_msg *m = body;

	copy_verify_task(in, m->task);
}

MESSAGE_DEFINE(copy_credit, "COPY_CREDIT", copy_credit_verify)

static const struct layout_field copy_end_msg_fields[] = {
	NEED_U64(copy_end_msg, task),
};

static void copy_end_verify(struct wire_in *in, const void *body)
{
	const struct copy_end_msg *m = body;

	copy_verify_task(in, m->task);
}

MESSAGE_DEFINE(copy_end, "COPY_END", copy_end_verify)
