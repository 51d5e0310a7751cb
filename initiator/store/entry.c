#include "entry.h"

#include <string.h>

#include "message.h"

#define ENTRY_UUID 16u
#define ENTRY_BLOB 1u /* version of what a job is made up of */

_Static_assert(ENTRY_DATA_MAX + ENTRY_PREFIX_MAX <= (1u << 20), "fits into a frame");

static void entry_u64(struct buf *out, uint64_t v)
{
	uint8_t *p = buf_room(out, 8);

	for (size_t i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
	out->len += 8;
}

static void entry_u32(struct buf *out, uint32_t v)
{
	uint8_t *p = buf_room(out, 4);

	for (size_t i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
	out->len += 4;
}

static uint64_t entry_load(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static uint64_t entry_take(const uint8_t **p, size_t n)
{
	uint64_t v = entry_load(*p, n);

	*p += n;
	return v;
}

/* --- put ------------------------------------------------------------------------------------ */

static size_t entry_begin(struct buf *out, uint64_t mark)
{
	size_t begin = frame_begin(out);

	entry_u64(out, mark);
	return begin;
}

void entry_put_head(struct buf *out, uint64_t mark, uint64_t seq, const struct entry_head *head)
{
	size_t begin = entry_begin(out, mark);

	entry_u64(out, head->generation);
	entry_u64(out, head->last_id);
	(void)frame_end(out, begin, MSG_STORE_HEAD, 0, seq);
}

void entry_put_job(struct buf *out, uint64_t mark, uint64_t seq, const struct entry_job *job)
{
	size_t begin = entry_begin(out, mark);

	entry_u64(out, job->job);
	entry_u64(out, job->offset);
	entry_u64(out, job->total);
	buf_add(out, job->data, job->len);
	(void)frame_end(out, begin, MSG_STORE_JOB, 0, seq);
}

void entry_put_note(struct buf *out, uint64_t mark, uint64_t seq, const struct entry_note *note)
{
	size_t begin = entry_begin(out, mark);

	entry_u64(out, note->job);
	entry_u64(out, note->child);
	entry_u64(out, note->remote_seq);
	entry_u32(out, note->kind);
	if (note->len)
		buf_add(out, note->data, note->len);
	(void)frame_end(out, begin, MSG_STORE_NOTE, 0, seq);
}

void entry_put_frame(struct buf *out, uint64_t mark, uint64_t seq, const struct store_frame *frame)
{
	size_t begin = entry_begin(out, mark);

	entry_u64(out, frame->child);
	entry_u64(out, frame->first);
	entry_u64(out, frame->remote_seq);
	entry_u32(out, frame->count);
	for (size_t i = 0; i < STORE_STREAMS; i++)
		entry_u32(out, frame->streams[i]);
	if (frame->len)
		buf_add(out, frame->rows, frame->len);
	(void)frame_end(out, begin, MSG_STORE_FRAME, 0, seq);
}

void entry_put_gone(struct buf *out, uint64_t mark, uint64_t seq, uint64_t job)
{
	size_t begin = entry_begin(out, mark);

	entry_u64(out, job);
	(void)frame_end(out, begin, MSG_STORE_GONE, 0, seq);
}

void entry_put_synced(struct buf *out, uint64_t mark, uint64_t synced)
{
	size_t begin = entry_begin(out, mark);

	entry_u64(out, synced);
	(void)frame_end(out, begin, MSG_STORE_MARK, 0, 0);
}

/* --- get ------------------------------------------------------------------------------------ */

static size_t entry_fixed(uint8_t type)
{
	switch (type) {
	case MSG_STORE_HEAD:
		return 24;
	case MSG_STORE_JOB:
		return 32;
	case MSG_STORE_NOTE:
		return 36;
	case MSG_STORE_FRAME:
		return 36 + 4 * STORE_STREAMS;
	case MSG_STORE_GONE:
	case MSG_STORE_MARK:
		return 16;
	default:
		return 0;
	}
}

size_t entry_prefix(uint8_t type)
{
	return FRAME_HEADER_SIZE + entry_fixed(type);
}

bool entry_is(uint8_t type, size_t len)
{
	size_t fixed = entry_fixed(type);

	return fixed && len >= fixed;
}

uint64_t entry_mark(const uint8_t *body)
{
	return entry_load(body, 8);
}

uint64_t entry_owner(uint8_t type, const uint8_t *body)
{
	return type == MSG_STORE_HEAD || type == MSG_STORE_MARK ? 0 : entry_load(body + 8, 8);
}

void entry_get_head(struct entry_head *ret, const uint8_t *body)
{
	const uint8_t *p = body + 8;

	ret->generation = entry_take(&p, 8);
	ret->last_id = entry_take(&p, 8);
}

void entry_get_job(struct entry_job *ret, const uint8_t *body, size_t len)
{
	const uint8_t *p = body + 8;

	ret->job = entry_take(&p, 8);
	ret->offset = entry_take(&p, 8);
	ret->total = entry_take(&p, 8);
	ret->data = p;
	ret->len = len - (size_t)(p - body);
}

void entry_get_note(struct entry_note *ret, const uint8_t *body, size_t len)
{
	const uint8_t *p = body + 8;

	ret->job = entry_take(&p, 8);
	ret->child = entry_take(&p, 8);
	ret->remote_seq = entry_take(&p, 8);
	ret->kind = (uint32_t)entry_take(&p, 4);
	ret->data = p;
	ret->len = len - (size_t)(p - body);
}

void entry_get_frame(struct store_frame *ret, const uint8_t *body, size_t len)
{
	const uint8_t *p = body + 8;

	ret->child = entry_take(&p, 8);
	ret->first = entry_take(&p, 8);
	ret->remote_seq = entry_take(&p, 8);
	ret->count = (uint32_t)entry_take(&p, 4);
	for (size_t i = 0; i < STORE_STREAMS; i++)
		ret->streams[i] = (uint32_t)entry_take(&p, 4);
	ret->rows = p;
	ret->len = len - (size_t)(p - body);
}

uint64_t entry_get_synced(const uint8_t *body)
{
	return entry_load(body + 8, 8);
}

/* --- a whole job ---------------------------------------------------------------------------- */

void entry_put_blob(struct buf *out, const struct store_job *job,
		    const struct store_child *children)
{
	entry_u32(out, ENTRY_BLOB);
	entry_u32(out, job->hidden);
	entry_u64(out, job->id);
	entry_u64(out, job->child_count);
	buf_add(out, job->uuid, ENTRY_UUID);
	entry_u64(out, job->begin_ns);
	entry_u64(out, job->end_ns);
	entry_u64(out, job->wish);
	entry_u64(out, job->spec_len);
	if (job->spec_len)
		buf_add(out, job->spec, job->spec_len);
	for (uint64_t i = 0; i < job->child_count; i++)
		buf_add(out, children[i].uuid, ENTRY_UUID);
}

#define ENTRY_BLOB_FIXED (8u + 16u + ENTRY_UUID + 32u)

int entry_get_blob(struct entry_blob *ret, const uint8_t *data, size_t len)
{
	const uint8_t *p = data;
	struct store_job *job = &ret->job;
	uint64_t spec_len;

	*ret = (struct entry_blob){0};
	if (len < ENTRY_BLOB_FIXED || entry_take(&p, 4) != ENTRY_BLOB)
		return ERR_PROTO;
	job->hidden = entry_take(&p, 4) != 0;
	job->id = entry_take(&p, 8);
	job->child_count = entry_take(&p, 8);
	memcpy(job->uuid, p, ENTRY_UUID);
	p += ENTRY_UUID;
	job->begin_ns = entry_take(&p, 8);
	job->end_ns = entry_take(&p, 8);
	job->wish = entry_take(&p, 8);
	spec_len = entry_take(&p, 8);
	len -= ENTRY_BLOB_FIXED;
	if (spec_len > len || (len - spec_len) % ENTRY_UUID != 0 ||
	    (len - spec_len) / ENTRY_UUID != job->child_count)
		return ERR_PROTO;
	if (!job->id || job->id > INT64_MAX - job->child_count - 1)
		return ERR_PROTO;
	job->spec = p;
	job->spec_len = (size_t)spec_len;
	ret->uuids = p + spec_len;
	return 0;
}
