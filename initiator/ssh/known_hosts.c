#include "known_hosts.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "known_hosts_private.h"
#include "pattern.h"

/* So many HMACs, some 100 us, may be made on the event loop. */
#define KNOWN_HASHED_FAST 256u

struct known_check {
	struct known_query query;
	const char *type;
	const uint8_t *blob;
	size_t blob_len;
	enum known_verdict verdict;
	struct known_where where;
};

/* What outweighs what, all files taken together. */
static int check_rank(enum known_verdict verdict)
{
	switch (verdict) {
	case KNOWN_REVOKED:
		return 5;
	case KNOWN_MATCH:
		return 4;
	case KNOWN_CHANGED:
		return 3;
	case KNOWN_OTHER:
		return 2;
	case KNOWN_CA_ONLY:
		return 1;
	case KNOWN_UNKNOWN:
	case KNOWN_ERROR:
		break;
	}
	return 0;
}

static bool check_same_key(const struct known_check *c, const struct known_hosts *kh,
			   const struct known_line *line)
{
	return line->blob_len == c->blob_len &&
	       memcmp(known_bytes(kh, line->blob), c->blob, c->blob_len) == 0;
}

/* The verdict of a line that is for this name. */
static enum known_verdict check_line(const struct known_check *c, const struct known_hosts *kh,
				     const struct known_line *line)
{
	bool same = check_same_key(c, kh, line);

	switch ((enum known_marker)line->marker) {
	case KNOWN_REVOKED_KEY:
		return same ? KNOWN_REVOKED : KNOWN_UNKNOWN;
	case KNOWN_CA_KEY:
		return KNOWN_CA_ONLY;
	case KNOWN_PLAIN:
		break;
	}
	if (same)
		return KNOWN_MATCH;
	return strcmp(known_type(known_text(kh, line->type)), c->type) == 0 ? KNOWN_CHANGED
									    : KNOWN_OTHER;
}

static void check_judge(struct known_check *c, const struct known_hosts *kh, uint32_t index)
{
	const struct known_line *line = &kh->lines[index];
	enum known_verdict verdict = check_line(c, kh, line);

	if (check_rank(verdict) <= check_rank(c->verdict))
		return;
	c->verdict = verdict;
	c->where = (struct known_where){kh->path, line->number};
}

/* All that can be found fast: plain lines, patterns, and hashed lines with this key. */
static void check_file(struct known_check *c, const struct known_hosts *kh)
{
	size_t count;
	const struct known_name *names = known_index_names(kh, c->query.name, &count);
	const uint32_t *hashed;

	for (size_t i = 0; i < count; i++)
		check_judge(c, kh, names[i].line);
	for (uint32_t i = 0; i < kh->walked_count; i++) {
		const char *list = known_text(kh, kh->lines[kh->walked[i]].names);

		if (pattern_list_match(c->query.name, list, false) > 0)
			check_judge(c, kh, kh->walked[i]);
	}
	hashed = known_index_blob(kh, c->blob, c->blob_len, &count);
	for (size_t i = 0; i < count; i++) {
		const struct known_line *line = &kh->lines[hashed[i]];

		/* Hosts may share a key: no HMAC where the line could change nothing. */
		if (check_rank(check_line(c, kh, line)) <= check_rank(c->verdict))
			continue;
		if (known_query_hash_is(&c->query, kh, line))
			check_judge(c, kh, hashed[i]);
	}
}

/* An HMAC for each hashed line: only a refusal is made more precise by it. */
static void check_file_hashed(struct known_check *c, const struct known_hosts *kh)
{
	for (uint32_t i = 0; i < kh->line_count; i++) {
		const struct known_line *line = &kh->lines[i];

		if (line->kind != KNOWN_HASHED ||
		    check_rank(c->verdict) >= check_rank(KNOWN_CHANGED))
			continue;
		if (known_query_hash_is(&c->query, kh, line))
			check_judge(c, kh, i);
	}
}

static void check_name(struct known_check *c, const struct known_hosts *const *files, size_t count,
		       bool thorough)
{
	for (size_t i = 0; i < count; i++)
		check_file(c, files[i]);
	for (size_t i = 0; thorough && i < count; i++)
		check_file_hashed(c, files[i]);
	/* Nothing outweighs a revocation; all else may have missed one. */
	if (c->query.failed && c->verdict != KNOWN_REVOKED) {
		c->verdict = KNOWN_ERROR;
		c->where = (struct known_where){0};
	}
}

static void check_all(struct known_check *c, const struct known_hosts *const *files, size_t count,
		      const char *name, uint16_t port, int alias, bool thorough)
{
	struct known_check plain = *c;
	bool has_port = !alias && port && port != 22;

	known_query_init(&c->query, name, port, has_port);
	check_name(c, files, count, thorough);
	known_query_done(&c->query);
	if (!has_port || c->verdict != KNOWN_UNKNOWN)
		return;
	known_query_init(&plain.query, name, port, false);
	check_name(&plain, files, count, false);
	known_query_done(&plain.query);
	/* A line for the plain name may vouch for the key or revoke it, and no more. */
	if (plain.verdict == KNOWN_MATCH || plain.verdict == KNOWN_REVOKED ||
	    plain.verdict == KNOWN_ERROR)
		*c = plain;
}

enum known_verdict known_hosts_check(const struct known_hosts *const *files, size_t count,
				     const char *name, uint16_t port, int alias, const char *type,
				     const uint8_t *blob, size_t blob_len,
				     struct known_where *ret_where)
{
	struct known_check c = {.type = known_type(type),
				.blob = blob,
				.blob_len = blob_len,
				.verdict = KNOWN_UNKNOWN};

	check_all(&c, files, count, name, port, alias, true);
	if (ret_where)
		*ret_where = c.where;
	return c.verdict;
}

bool known_hosts_check_fast(const struct known_hosts *const *files, size_t count, const char *name,
			    uint16_t port, int alias, const char *type, const uint8_t *blob,
			    size_t blob_len, enum known_verdict *ret_verdict,
			    struct known_where *ret_where)
{
	struct known_check c = {.type = known_type(type),
				.blob = blob,
				.blob_len = blob_len,
				.verdict = KNOWN_UNKNOWN};
	size_t hashed = 0;

	for (size_t i = 0; i < count; i++)
		hashed += files[i]->hashed_count;
	check_all(&c, files, count, name, port, alias, hashed <= KNOWN_HASHED_FAST);
	if (hashed > KNOWN_HASHED_FAST && c.verdict != KNOWN_MATCH && c.verdict != KNOWN_REVOKED &&
	    c.verdict != KNOWN_ERROR)
		return false;
	*ret_verdict = c.verdict;
	*ret_where = c.where;
	return true;
}

/* The lines of a file that are for a name. */
struct known_found {
	uint32_t *lines;
	size_t count, size;
};

static void found_add(struct known_found *f, uint32_t line)
{
	if (f->count == f->size) {
		f->size = f->size ? f->size * 2 : 8;
		f->lines = xrealloc(f->lines, f->size, sizeof *f->lines);
	}
	f->lines[f->count++] = line;
}

static int found_compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void found_fill(struct known_found *f, struct known_query *q, const struct known_hosts *kh)
{
	size_t count;
	const struct known_name *names = known_index_names(kh, q->name, &count);

	f->count = 0;
	for (size_t i = 0; i < count; i++)
		found_add(f, names[i].line);
	for (uint32_t i = 0; i < kh->walked_count; i++) {
		if (pattern_list_match(q->name, known_text(kh, kh->lines[kh->walked[i]].names),
				       false) > 0)
			found_add(f, kh->walked[i]);
	}
	for (uint32_t i = 0; kh->hashed_count <= KNOWN_HASHED_WALKED && i < kh->hashed_count; i++) {
		if (known_query_hash_is(q, kh, &kh->lines[kh->hashed[i]]))
			found_add(f, kh->hashed[i]);
	}
	if (f->count)
		qsort(f->lines, f->count, sizeof *f->lines, found_compare);
}

struct known_types {
	const char *type[KNOWN_TYPES];
	size_t count;
};

static void types_add(struct known_types *t, const char *type)
{
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->type[i], type) == 0)
			return;
	}
	if (t->count < KNOWN_TYPES)
		t->type[t->count++] = type;
}

static void types_of_name(struct known_types *t, const struct known_hosts *const *files,
			  size_t count, const char *name, uint16_t port, bool with_port)
{
	struct known_found found = {0};
	struct known_query query;

	known_query_init(&query, name, port, with_port);
	for (size_t i = 0; i < count; i++) {
		const struct known_hosts *kh = files[i];

		found_fill(&found, &query, kh);
		for (size_t n = 0; n < found.count; n++) {
			const struct known_line *line = &kh->lines[found.lines[n]];

			if (line->marker == KNOWN_PLAIN)
				types_add(t, known_type(known_text(kh, line->type)));
		}
	}
	known_query_done(&query);
	free(found.lines);
}

void known_hosts_types(const struct known_hosts *const *files, size_t count, const char *name,
		       uint16_t port, int alias, struct buf *out)
{
	bool has_port = !alias && port && port != 22;
	struct known_types types = {0};

	types_of_name(&types, files, count, name, port, has_port);
	if (has_port && types.count == 0)
		types_of_name(&types, files, count, name, port, false);
	for (size_t i = 0; i < types.count; i++) {
		if (i)
			buf_add_char(out, ',');
		buf_add_str(out, types.type[i]);
	}
}
