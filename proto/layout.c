#include "layout.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "limits.h"

#define LAYOUT_RUNS_MAX 4096u /* runs in a field */

static const void *layout_member(const void *m, size_t at)
{
	return (const char *)m + at;
}

static void *layout_slot(void *m, size_t at)
{
	return (char *)m + at;
}

/* Pointers of any type pass through here, which typed access to a void * would not allow. */
static void *layout_load_pointer(const void *m, size_t at)
{
	void *p;

	memcpy(&p, layout_member(m, at), sizeof p);
	return p;
}

static void layout_store_array(void *m, const struct layout_field *f, void *array, size_t count)
{
	memcpy(layout_slot(m, f->at), &array, sizeof array);
	memcpy(layout_slot(m, f->count_at), &count, sizeof count);
}

static size_t layout_count(const struct layout_field *f, const void *m)
{
	const size_t *count = layout_member(m, f->count_at);

	return *count;
}

/* --- put ---------------------------------------------------------------------------------- */

static size_t layout_run_length(const uint64_t *ids, size_t count)
{
	size_t n = 1;

	while (n < count && ids[n] == ids[n - 1] + 1 && ids[n])
		n++;
	return n;
}

static void layout_put_runs(struct buf *out, const uint64_t *ids, size_t count)
{
	size_t runs = 0;

	for (size_t i = 0; i < count; i += layout_run_length(ids + i, count - i))
		runs++;
	wire_put_array(out, 2 * runs);
	for (size_t i = 0, n; i < count; i += n) {
		n = layout_run_length(ids + i, count - i);
		wire_put_u64(out, ids[i]);
		wire_put_u64(out, n);
	}
}

static void layout_put_bin(struct buf *out, const uint8_t *data, size_t len)
{
	if (data)
		wire_put_bin(out, data, len);
	else
		wire_put_nil(out);
}

static void layout_put_strs(struct buf *out, char *const *strs, size_t count)
{
	wire_put_array(out, count);
	for (size_t i = 0; i < count; i++)
		wire_put_str(out, strs[i]);
}

static void layout_put_rows(struct buf *out, const struct layout_field *f, const void *m)
{
	const void *rows = layout_load_pointer(m, f->at);
	size_t count = layout_count(f, m);

	wire_put_array(out, count);
	for (size_t i = 0; i < count; i++)
		layout_put(out, f->row, layout_member(rows, i * f->row->size));
}

static void layout_put_field(struct buf *out, const struct layout_field *f, const void *m)
{
	const void *p = layout_member(m, f->at);

	switch ((enum layout_kind)f->kind) {
	case LAYOUT_U64:
		wire_put_u64(out, *(const uint64_t *)p);
		break;
	case LAYOUT_I64:
		wire_put_i64(out, *(const int64_t *)p);
		break;
	case LAYOUT_BOOL:
		wire_put_bool(out, *(const bool *)p);
		break;
	case LAYOUT_STR:
	case LAYOUT_SECRET:
		wire_put_str(out, *(char *const *)p);
		break;
	case LAYOUT_TEXT:
		wire_put_str_cut(out, *(char *const *)p, (size_t)f->max);
		break;
	case LAYOUT_BIN:
		layout_put_bin(out, *(uint8_t *const *)p, layout_count(f, m));
		break;
	case LAYOUT_STRS:
		layout_put_strs(out, *(char **const *)p, layout_count(f, m));
		break;
	case LAYOUT_RUNS:
		layout_put_runs(out, *(uint64_t *const *)p, layout_count(f, m));
		break;
	case LAYOUT_ROWS:
		layout_put_rows(out, f, m);
		break;
	}
}

void layout_put(struct buf *out, const struct layout *layout, const void *m)
{
	wire_put_array(out, layout->count);
	for (size_t i = 0; i < layout->count; i++)
		layout_put_field(out, &layout->fields[i], m);
}

/* --- get ---------------------------------------------------------------------------------- */

static char *layout_get_str(struct wire_in *in, const struct layout_field *f)
{
	char *text = wire_get_str(in, f->name, (size_t)f->max);

	if (f->need && (!text || !*text))
		wire_fault(in, ERR_PROTO, f->name, "is required and may not be empty");
	return text;
}

static void layout_get_bin(struct wire_in *in, const struct layout_field *f, void *m)
{
	size_t len = 0;
	const uint8_t *data = wire_get_bytes(in, f->name, (size_t)f->max, &len, NULL);
	uint8_t *copy;

	if (!data)
		return;
	copy = xmalloc(len ? len : 1);
	memcpy(copy, data, len);
	layout_store_array(m, f, copy, len);
}

static void layout_get_strs(struct wire_in *in, const struct layout_field *f, void *m)
{
	size_t count = wire_enter(in, f->name, (size_t)f->max);
	char **strs = count ? xcalloc(count, sizeof *strs) : NULL;

	for (size_t i = 0; i < count; i++) {
		strs[i] = wire_get_str(in, f->name, LIMIT_COMMAND);
		if (!strs[i])
			wire_fault(in, ERR_PROTO, f->name, "has an element that is nil");
	}
	wire_leave(in);
	layout_store_array(m, f, strs, count);
}

static uint64_t *layout_get_numbers(struct wire_in *in, const char *name, size_t max,
				    size_t *ret_count)
{
	size_t count = wire_enter(in, name, max);
	uint64_t *ids = count ? xcalloc(count, sizeof *ids) : NULL;

	for (size_t i = 0; i < count; i++)
		ids[i] = wire_get_u64(in, name, UINT64_MAX);
	wire_leave(in);
	*ret_count = count;
	return ids;
}

/* How many ids the pairs stand for; 0 with a fault if that is too many or cannot be. */
static size_t layout_runs_total(struct wire_in *in, const struct layout_field *f,
				const uint64_t *pairs, size_t count)
{
	uint64_t total = 0;

	if (count % 2)
		wire_fault(in, ERR_PROTO, f->name, "has a run without a length");
	for (size_t i = 0; i + 1 < count; i += 2) {
		if (!pairs[i + 1] || pairs[i] > UINT64_MAX - (pairs[i + 1] - 1))
			wire_fault(in, ERR_PROTO, f->name, "has a run of an impossible length");
		if (pairs[i + 1] > f->max - total) {
			wire_fault(in, ERR_LIMIT, f->name, "has too many ids");
			return 0;
		}
		total += pairs[i + 1];
	}
	return wire_in_end(in, NULL) < 0 ? 0 : (size_t)total;
}

static void layout_get_runs(struct wire_in *in, const struct layout_field *f, void *m)
{
	size_t count, total, n = 0;
	uint64_t *pairs = layout_get_numbers(in, f->name, 2 * LAYOUT_RUNS_MAX, &count);
	uint64_t *ids;

	total = layout_runs_total(in, f, pairs, count);
	ids = total ? xcalloc(total, sizeof *ids) : NULL;
	for (size_t i = 0; n < total; i += 2)
		for (uint64_t k = 0; k < pairs[i + 1]; k++)
			ids[n++] = pairs[i] + k;
	free(pairs);
	layout_store_array(m, f, ids, total);
}

static void layout_get_fields(struct wire_in *in, const struct layout *layout, void *m);

/* Not a recursion that input could deepen: a row holds no rows. */
static void layout_get_rows(struct wire_in *in, const struct layout_field *f, void *m)
{
	size_t count = wire_enter(in, f->name, (size_t)f->max);
	void *rows = count ? xcalloc(count, f->row->size) : NULL;

	for (size_t i = 0; i < count; i++) {
		(void)wire_enter(in, f->row->name, LIMIT_MSG_NODES);
		layout_get_fields(in, f->row, layout_slot(rows, i * f->row->size));
		wire_leave(in);
	}
	wire_leave(in);
	layout_store_array(m, f, rows, count);
}

static void layout_get_field(struct wire_in *in, const struct layout_field *f, void *m)
{
	void *p = layout_slot(m, f->at);

	switch ((enum layout_kind)f->kind) {
	case LAYOUT_U64:
		*(uint64_t *)p = wire_get_u64(in, f->name, f->max);
		break;
	case LAYOUT_I64:
		*(int64_t *)p = wire_get_i64(in, f->name);
		break;
	case LAYOUT_BOOL:
		*(bool *)p = wire_get_bool(in, f->name);
		break;
	case LAYOUT_STR:
	case LAYOUT_TEXT:
	case LAYOUT_SECRET:
		*(char **)p = layout_get_str(in, f);
		break;
	case LAYOUT_BIN:
		layout_get_bin(in, f, m);
		break;
	case LAYOUT_STRS:
		layout_get_strs(in, f, m);
		break;
	case LAYOUT_RUNS:
		layout_get_runs(in, f, m);
		break;
	case LAYOUT_ROWS:
		layout_get_rows(in, f, m);
		break;
	}
}

/* m is all zero, which is what absent fields are unless the table says otherwise. */
static void layout_get_fields(struct wire_in *in, const struct layout *layout, void *m)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct layout_field *f = &layout->fields[i];

		if (f->need || wire_has(in)) {
			layout_get_field(in, f, m);
			continue;
		}
		wire_skip(in);
		if (f->kind == LAYOUT_I64)
			*(int64_t *)layout_slot(m, f->at) = f->absent;
	}
}

int layout_get(const struct layout *layout, void *ret_m, const void *data, size_t len,
	       struct errmsg *msg)
{
	struct errmsg inner;
	struct wire_in *in = NULL;
	int r;

	memset(ret_m, 0, layout->size);
	r = wire_in_new(&in, data, len, &inner);
	if (r < 0)
		return err_set(msg, r, "message %s: %s", layout->name, inner.text);
	layout_get_fields(in, layout, ret_m);
	if (layout->verify && wire_in_end(in, NULL) == 0)
		layout->verify(in, ret_m);
	r = wire_in_end(in, &inner);
	wire_in_free(in);
	if (r < 0) {
		layout_done(layout, ret_m);
		return err_set(msg, r, "message %s: %s", layout->name, inner.text);
	}
	return 0;
}

/* --- done --------------------------------------------------------------------------------- */

static void layout_wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void layout_done_strs(char **strs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(strs[i]);
	free(strs);
}

static void layout_done_rows(const struct layout_field *f, void *m)
{
	void *rows = layout_load_pointer(m, f->at);

	for (size_t i = 0; i < layout_count(f, m); i++)
		layout_done(f->row, layout_slot(rows, i * f->row->size));
	free(rows);
}

void layout_done(const struct layout *layout, void *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < layout->count; i++) {
		const struct layout_field *f = &layout->fields[i];

		switch ((enum layout_kind)f->kind) {
		case LAYOUT_U64:
		case LAYOUT_I64:
		case LAYOUT_BOOL:
			break;
		case LAYOUT_SECRET:
			layout_wipe(layout_load_pointer(m, f->at));
			break;
		case LAYOUT_STR:
		case LAYOUT_TEXT:
		case LAYOUT_BIN:
		case LAYOUT_RUNS:
			free(layout_load_pointer(m, f->at));
			break;
		case LAYOUT_STRS:
			layout_done_strs(layout_load_pointer(m, f->at), layout_count(f, m));
			break;
		case LAYOUT_ROWS:
			layout_done_rows(f, m);
			break;
		}
	}
	memset(m, 0, layout->size);
}
