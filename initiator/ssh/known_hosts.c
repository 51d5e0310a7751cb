#include "known_hosts.h"

#include <stdint.h>
#include <string.h>

#include "known_hosts_private.h"
#include "pattern.h"

/* So many HMACs, some 100 us, may be made on the event loop. */
#define KNOWN_HASHED_FAST 256u

struct known_check {
	struct known_query query;
	const char *type;
	const uint8_t *blob;
	size_t blob_len;
	size_t budget; /* HMACs that may be made for lines with this key */
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

/* The hashed lines with this key, of which a name has one. */
static void check_file_key(struct known_check *c, const struct known_hosts *kh)
{
	struct known_search search = {.kh = kh, .query = &c->query, .budget = c->budget};
	size_t count, i;
	const uint32_t *hashed = known_index_blob(kh, c->blob, c->blob_len, &count);

	/* Those that revoke it, which come first. */
	for (i = 0; i < count && kh->lines[hashed[i]].marker != KNOWN_PLAIN; i++) {
		const struct known_line *line = &kh->lines[hashed[i]];

		if (check_rank(check_line(c, kh, line)) > check_rank(c->verdict) &&
		    known_query_hash_is(&c->query, kh, line))
			check_judge(c, kh, hashed[i]);
	}
	/* No HMAC where a line could change nothing. */
	if (i == count || check_rank(KNOWN_MATCH) <= check_rank(c->verdict))
		return;
	search.first = (size_t)(hashed - kh->hashed) + i;
	search.count = count - i;
	if (known_memo_find(&search))
		check_judge(c, kh, search.line);
	c->budget = search.budget;
}

/* All that can be found fast: plain lines, patterns, and hashed lines with this key. */
static void check_file(struct known_check *c, const struct known_hosts *kh)
{
	size_t count;
	const struct known_name *names = known_index_names(kh, c->query.name, &count);

	for (size_t i = 0; i < count; i++)
		check_judge(c, kh, names[i].line);
	for (uint32_t i = 0; i < kh->walked_count; i++) {
		const char *list = known_text(kh, kh->lines[kh->walked[i]].names);

		if (pattern_list_match(c->query.name, list, false) > 0)
			check_judge(c, kh, kh->walked[i]);
	}
	check_file_key(c, kh);
}

/* An HMAC for each hashed line: only a refusal is made more precise by it. */
static void check_file_hashed(struct known_check *c, const struct known_hosts *kh)
{
	for (uint32_t i = 0; i < kh->line_count; i++) {
		const struct known_line *line = &kh->lines[i];

		if (check_rank(c->verdict) >= check_rank(KNOWN_CHANGED))
			return;
		if (line->kind == KNOWN_HASHED && known_query_hash_is(&c->query, kh, line))
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
	/* Unless it is certain that there is no line with the port, the name alone says nothing. */
	if (!has_port || c->verdict != KNOWN_UNKNOWN || !thorough)
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
				.budget = SIZE_MAX,
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
	bool few;

	for (size_t i = 0; i < count; i++)
		hashed += files[i]->hashed_count;
	few = hashed <= KNOWN_HASHED_FAST;
	c.budget = few ? SIZE_MAX : KNOWN_HASHED_FAST;
	check_all(&c, files, count, name, port, alias, few);
	if (!few && c.verdict != KNOWN_MATCH && c.verdict != KNOWN_REVOKED &&
	    c.verdict != KNOWN_ERROR)
		return false;
	*ret_verdict = c.verdict;
	*ret_where = c.where;
	return true;
}

bool known_hosts_key_at(const struct known_hosts *const *files, size_t count,
			const struct known_where *where, const uint8_t **ret_blob, size_t *ret_len)
{
	for (size_t i = 0; where->path && i < count; i++)
		for (uint32_t k = 0;
		     strcmp(files[i]->path, where->path) == 0 && k < files[i]->line_count; k++) {
			const struct known_line *line = &files[i]->lines[k];

			if (line->number != where->line)
				continue;
			*ret_blob = known_bytes(files[i], line->blob);
			*ret_len = line->blob_len;
			return true;
		}
	return false;
}
