/* Which key types are known for a name: known_hosts_types. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "known_hosts_private.h"
#include "pattern.h"

/* Among types that are as frequent, the cheap ones first. */
static unsigned types_rank(const char *name)
{
	static const char *const cheap[] = {"ssh-ed25519", "ecdsa-sha2-nistp256"};

	for (unsigned i = 0; i < ARRAY_LEN(cheap); i++) {
		if (strcmp(name, cheap[i]) == 0)
			return i;
	}
	return ARRAY_LEN(cheap);
}

static int types_compare(const void *a, const void *b)
{
	const struct known_hashed_type *x = a, *y = b;
	unsigned p = types_rank(x->name), q = types_rank(y->name);

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return p != q ? (p > q) - (p < q) : strcmp(x->name, y->name);
}

static void types_count(struct known_hosts *kh, const char *name)
{
	size_t i = 0;

	while (i < kh->hashed_type_count && strcmp(kh->hashed_types[i].name, name) != 0)
		i++;
	if (i == KNOWN_TYPES)
		return;
	if (i == kh->hashed_type_count)
		kh->hashed_types[kh->hashed_type_count++].name = name;
	kh->hashed_types[i].count++;
}

void known_types_build(struct known_hosts *kh)
{
	for (uint32_t i = 0; i < kh->line_count && !kh->has_ca; i++)
		kh->has_ca = kh->lines[i].marker == KNOWN_CA_KEY;
	for (uint32_t i = 0; i < kh->hashed_count; i++) {
		const struct known_line *line = &kh->lines[kh->hashed[i]];

		if (line->marker == KNOWN_PLAIN)
			types_count(kh, known_type(known_text(kh, line->type)));
	}
	if (kh->hashed_type_count)
		qsort(kh->hashed_types, kh->hashed_type_count, sizeof *kh->hashed_types,
		      types_compare);
}

/* True if the hashed lines are tried; false if they count for any name. */
static bool types_are_tried(const struct known_hosts *kh, size_t hashed_max)
{
	return kh->hashed_count <= KNOWN_HASHED_FEW ||
	       (kh->hashed_type_count > 1 && kh->hashed_count <= hashed_max);
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

static void found_fill(struct known_found *f, struct known_query *q, const struct known_hosts *kh,
		       bool hashed)
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
	for (uint32_t i = 0; hashed && i < kh->hashed_count; i++) {
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

static void types_add_hashed(struct known_types *t, const struct known_hosts *kh)
{
	for (size_t i = 0; i < kh->hashed_type_count; i++)
		types_add(t, kh->hashed_types[i].name);
}

static void types_of_name(struct known_types *t, const struct known_hosts *const *files,
			  size_t count, const char *name, uint16_t port, bool with_port,
			  size_t hashed_max)
{
	struct known_found found = {0};
	struct known_query query;

	known_query_init(&query, name, port, with_port);
	for (size_t i = 0; i < count; i++) {
		const struct known_hosts *kh = files[i];

		found_fill(&found, &query, kh, types_are_tried(kh, hashed_max));
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
		       uint16_t port, int alias, size_t hashed_max, struct buf *out)
{
	bool has_port = !alias && port && port != 22;
	struct known_types types = {0};

	types_of_name(&types, files, count, name, port, has_port, hashed_max);
	if (has_port && types.count == 0)
		types_of_name(&types, files, count, name, port, false, hashed_max);
	for (size_t i = 0; i < count; i++) {
		if (!types_are_tried(files[i], hashed_max))
			types_add_hashed(&types, files[i]);
	}
	for (size_t i = 0; i < types.count; i++) {
		if (i)
			buf_add_char(out, ',');
		buf_add_str(out, types.type[i]);
	}
}

static bool types_have_ca(const struct known_hosts *const *files, size_t count, const char *name,
			  uint16_t port, bool with_port)
{
	struct known_found found = {0};
	struct known_query query;
	bool is_ca = false;

	known_query_init(&query, name, port, with_port);
	for (size_t i = 0; i < count && !is_ca; i++) {
		if (!files[i]->has_ca)
			continue;
		found_fill(&found, &query, files[i], files[i]->hashed_count <= KNOWN_HASHED_FEW);
		for (size_t n = 0; n < found.count; n++)
			is_ca |= files[i]->lines[found.lines[n]].marker == KNOWN_CA_KEY;
	}
	known_query_done(&query);
	free(found.lines);
	return is_ca;
}

bool known_hosts_have_ca(const struct known_hosts *const *files, size_t count, const char *name,
			 uint16_t port, int alias)
{
	bool has_port = !alias && port && port != 22;
	bool any = false;

	for (size_t i = 0; i < count; i++)
		any |= files[i]->has_ca;
	return any && (types_have_ca(files, count, name, port, has_port) ||
		       (has_port && types_have_ca(files, count, name, port, false)));
}
