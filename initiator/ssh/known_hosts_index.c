#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "known_hosts_private.h"

static int index_compare_bytes(const void *a, size_t a_len, const void *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int index_compare_names(const void *a, const void *b, void *arg)
{
	const struct known_hosts *kh = arg;
	const struct known_name *x = a, *y = b;
	int order = index_compare_bytes(known_bytes(kh, x->name), x->len, known_bytes(kh, y->name),
					y->len);

	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static int index_compare_blobs(const void *a, const void *b, void *arg)
{
	const struct known_hosts *kh = arg;
	const uint32_t *x = a, *y = b;
	const struct known_line *p = &kh->lines[*x], *q = &kh->lines[*y];
	int order = index_compare_bytes(known_bytes(kh, p->blob), p->blob_len,
					known_bytes(kh, q->blob), q->blob_len);

	if (!order)
		order = (p->marker == KNOWN_PLAIN) - (q->marker == KNOWN_PLAIN);
	return order ? order : (*x > *y) - (*x < *y);
}

static size_t index_count_names(const struct known_hosts *kh)
{
	size_t count = 0;

	for (uint32_t i = 0; i < kh->line_count; i++) {
		const char *names = known_text(kh, kh->lines[i].names);

		if (kh->lines[i].kind != KNOWN_LITERAL)
			continue;
		count++;
		for (; *names; names++)
			count += *names == ',';
	}
	return count;
}

static void index_add_names(struct known_hosts *kh, uint32_t line)
{
	uint32_t at = kh->lines[line].names, end = at + kh->lines[line].names_len;

	while (at < end) {
		uint32_t len = (uint32_t)strcspn(known_text(kh, at), ",");

		if (len)
			kh->names[kh->name_count++] = (struct known_name){at, len, line};
		at += len + 1;
	}
}

static void index_count_kinds(struct known_hosts *kh)
{
	uint32_t walked = 0, hashed = 0;

	for (uint32_t i = 0; i < kh->line_count; i++) {
		walked += kh->lines[i].kind == KNOWN_WALKED;
		hashed += kh->lines[i].kind == KNOWN_HASHED;
	}
	kh->walked = xcalloc(walked, sizeof *kh->walked);
	kh->hashed = xcalloc(hashed, sizeof *kh->hashed);
	kh->names = xcalloc(index_count_names(kh), sizeof *kh->names);
}

void known_index_build(struct known_hosts *kh)
{
	index_count_kinds(kh);
	for (uint32_t i = 0; i < kh->line_count; i++) {
		switch ((enum known_kind)kh->lines[i].kind) {
		case KNOWN_LITERAL:
			index_add_names(kh, i);
			break;
		case KNOWN_WALKED:
			kh->walked[kh->walked_count++] = i;
			break;
		case KNOWN_HASHED:
			kh->hashed[kh->hashed_count++] = i;
			break;
		}
	}
	qsort_r(kh->names, kh->name_count, sizeof *kh->names, index_compare_names, kh);
	qsort_r(kh->hashed, kh->hashed_count, sizeof *kh->hashed, index_compare_blobs, kh);
	known_types_build(kh);
	known_memo_build(kh);
}

static int index_name_order(const struct known_hosts *kh, size_t i, const char *name, size_t len)
{
	return index_compare_bytes(known_bytes(kh, kh->names[i].name), kh->names[i].len, name, len);
}

const struct known_name *known_index_names(const struct known_hosts *kh, const char *name,
					   size_t *ret_count)
{
	size_t low = 0, high = kh->name_count, len = strlen(name), end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index_name_order(kh, middle, name, len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < kh->name_count && index_name_order(kh, end, name, len) == 0; end++)
		;
	*ret_count = end - low;
	return kh->names + low;
}

static int index_blob_order(const struct known_hosts *kh, size_t i, const uint8_t *blob, size_t len)
{
	const struct known_line *line = &kh->lines[kh->hashed[i]];

	return index_compare_bytes(known_bytes(kh, line->blob), line->blob_len, blob, len);
}

/* The first hashed line whose key is not below this one; after: not at it, either. */
static size_t index_blob_bound(const struct known_hosts *kh, const uint8_t *blob, size_t blob_len,
			       bool after)
{
	size_t low = 0, high = kh->hashed_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index_blob_order(kh, middle, blob, blob_len) < (int)after)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const uint32_t *known_index_blob(const struct known_hosts *kh, const uint8_t *blob, size_t blob_len,
				 size_t *ret_count)
{
	size_t first = index_blob_bound(kh, blob, blob_len, false);

	/* Thousands may share a key. */
	*ret_count = index_blob_bound(kh, blob, blob_len, true) - first;
	return kh->hashed + first;
}
