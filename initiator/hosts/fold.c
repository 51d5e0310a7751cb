#include "fold.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "hostlist_private.h"

/* Numbers of a name that are tried, counted from its end; bounds the work for odd names. */
#define FOLD_NUMBERS_MAX 16u

struct fold_name {
	const char *text;
	size_t len;
	size_t from, to;   /* the part whose numbers may be folded: no user, no port, no IPv6 */
	size_t at, digits; /* the number that is being tried */
	uint64_t value;
	size_t pad;    /* its length if it begins with a zero, else 0 */
	uint64_t hash; /* of what surrounds it */
};

struct fold_run {
	uint64_t lo, hi; /* lo > hi: nothing */
	size_t pad;
};

struct fold_piece {
	const char *first; /* the name that decides the place of the piece */
	char *text;	   /* owned; NULL: the piece is the name itself */
};

/* One folding. */
struct fold {
	struct fold_name *names; /* not folded yet; the tail holds those that are being tried */
	size_t count;
	char *texts;
	uint8_t *seen; /* how many names have a hash: 0, 1 or more; a power of two long */
	size_t seen_size;
	struct fold_piece *pieces;
	size_t piece_count;
};

static int fold_by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int fold_by_first(const void *a, const void *b)
{
	const struct fold_piece *x = a, *y = b;

	return strverscmp(x->first, y->first);
}

static int fold_by_size(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Compares what surrounds the number. */
static int fold_by_frame(const struct fold_name *x, const struct fold_name *y)
{
	size_t x_tail = x->at + x->digits, y_tail = y->at + y->digits;
	int order = fold_by_size(x->at, y->at);

	if (!order)
		order = memcmp(x->text, y->text, x->at);
	if (!order)
		order = fold_by_size(x->len - x_tail, y->len - y_tail);
	if (!order)
		order = memcmp(x->text + x_tail, y->text + y_tail, x->len - x_tail);
	return order;
}

static int fold_by_number(const void *a, const void *b)
{
	const struct fold_name *x = a, *y = b;
	int order = fold_by_frame(x, y);

	if (!order)
		order = fold_by_size(x->pad, y->pad);
	return order ? order : fold_by_size(x->value, y->value);
}

static size_t fold_digits(uint64_t value)
{
	size_t n = 1;

	for (; value >= 10; value /= 10)
		n++;
	return n;
}

static size_t fold_run_len(const struct fold_run *run)
{
	return run->pad ? run->pad : fold_digits(run->lo);
}

static int fold_by_place(const void *a, const void *b)
{
	const struct fold_run *x = a, *y = b;
	int order = fold_by_size(fold_run_len(x), fold_run_len(y));

	return order ? order : fold_by_size(x->lo, y->lo);
}

/* Finds the part whose numbers may be folded. */
static void fold_span(struct fold_name *name)
{
	const char *at = strrchr(name->text, '@'), *host = at ? at + 1 : name->text;
	const char *colon = strchr(host, ':');
	size_t n = colon ? (size_t)(colon - host) : strlen(host);

	name->from = name->to = (size_t)(host - name->text);
	if (colon && strchr(colon + 1, ':'))
		return;
	if (n <= LIMIT_HOST_NAME && name_bad_at(host, n) == n && !memchr(host, '%', n))
		name->to = name->from + n;
}

static bool fold_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Finds the next number before the one tried last. False if there is none. */
static bool fold_step(struct fold_name *name)
{
	size_t end = name->at, start;

	while (end > name->from && !fold_is_digit(name->text[end - 1]))
		end--;
	for (start = end; start > name->from && fold_is_digit(name->text[start - 1]);)
		start--;
	name->at = start;
	name->digits = end - start;
	return name->digits != 0;
}

/* Reads the number. False if it is one that brackets cannot hold. */
static bool fold_value(struct fold_name *name)
{
	name->value = 0;
	for (size_t i = 0; i < name->digits; i++) {
		name->value = name->value * 10 + (uint64_t)(name->text[name->at + i] - '0');
		if (name->value > RANGE_NUMBER_MAX)
			return false;
	}
	name->pad = name->digits > 1 && name->text[name->at] == '0' ? name->digits : 0;
	return true;
}

/* Runs of numbers that follow one another. names are sorted; runs has room for n. */
static size_t fold_runs(const struct fold_name *names, size_t n, struct fold_run *runs)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		struct fold_run *last = count ? &runs[count - 1] : NULL;

		if (last && last->pad == names[i].pad && last->hi + 1 == names[i].value)
			last->hi = names[i].value;
		else
			runs[count++] =
				(struct fold_run){names[i].value, names[i].value, names[i].pad};
	}
	return count;
}

/*
 * 10 looks the same padded to two digits or not at all. Where a padded run ends just before it
 * (at 09) and an unpadded one begins with it, the numbers of that length join the padded run.
 */
static void fold_join_runs(struct fold_run *runs, size_t count)
{
	size_t plain = 0, next = 0;

	while (plain < count && !runs[plain].pad)
		plain++;
	for (size_t i = plain; i < count; i++) {
		uint64_t first = runs[i].hi + 1, last = first * 10 - 1;

		if (fold_digits(first) != runs[i].pad || fold_digits(runs[i].hi) == runs[i].pad)
			continue;
		while (next < plain && (runs[next].lo > runs[next].hi || runs[next].lo < first))
			next++;
		if (next == plain || runs[next].lo != first)
			continue;
		runs[i].hi = runs[next].hi < last ? runs[next].hi : last;
		runs[next].lo = runs[i].hi + 1;
	}
}

static void fold_print_number(struct buf *out, uint64_t value, size_t pad)
{
	for (size_t n = fold_digits(value); n < pad; n++)
		buf_add_char(out, '0');
	buf_addf(out, "%llu", (unsigned long long)value);
}

static void fold_print_runs(struct buf *out, const struct fold_run *runs, size_t count)
{
	bool comma = false;

	for (size_t i = 0; i < count; i++) {
		if (runs[i].lo > runs[i].hi)
			continue;
		if (comma)
			buf_add_char(out, ',');
		comma = true;
		fold_print_number(out, runs[i].lo, runs[i].pad);
		if (runs[i].lo < runs[i].hi) {
			buf_add_char(out, '-');
			fold_print_number(out, runs[i].hi, runs[i].pad);
		}
	}
}

/* Makes one piece of n >= 2 names that differ in the number alone. */
static void fold_group(struct fold *f, const struct fold_name *names, size_t n)
{
	struct fold_run *runs = xcalloc(n, sizeof *runs);
	size_t count = fold_runs(names, n, runs), tail = names->at + names->digits;
	const char *first = names->text;
	struct buf out = {0};

	for (size_t i = 1; i < n; i++)
		if (strverscmp(names[i].text, first) < 0)
			first = names[i].text;
	fold_join_runs(runs, count);
	qsort(runs, count, sizeof *runs, fold_by_place);
	buf_add(&out, names->text, names->at);
	buf_add_char(&out, '[');
	fold_print_runs(&out, runs, count);
	buf_add_char(&out, ']');
	buf_add(&out, names->text + tail, names->len - tail);
	f->pieces[f->piece_count++] = (struct fold_piece){first, buf_take_str(&out)};
	free(runs);
}

/* Moves the names whose next number can be tried to the tail. Returns where it begins. */
static size_t fold_split(struct fold *f)
{
	size_t tail = f->count;

	for (size_t i = 0; i < tail;) {
		struct fold_name name = f->names[i];

		if (!fold_step(&name)) {
			f->pieces[f->piece_count++] = (struct fold_piece){name.text, NULL};
			f->names[i] = f->names[--tail];
			f->names[tail] = f->names[--f->count];
		} else if (fold_value(&name)) {
			f->names[i] = f->names[--tail];
			f->names[tail] = name;
		} else {
			f->names[i++] = name;
		}
	}
	return tail;
}

/* FNV-1a. Names that collide cost time, not correctness. */
static uint64_t fold_hash(const struct fold_name *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < name->len; i++) {
		if (i == name->at)
			i += name->digits - 1;
		else
			hash = (hash ^ (uint8_t)name->text[i]) * UINT64_C(0x100000001b3);
	}
	return (hash ^ name->at) * UINT64_C(0x9e3779b97f4a7c15) >> 24;
}

/* Of the tail, moves the names that surely fold with no other to its front, and out of it. */
static size_t fold_drop_loners(struct fold *f, size_t from)
{
	memset(f->seen, 0, f->seen_size);
	for (size_t i = from; i < f->count; i++) {
		uint8_t *seen;

		f->names[i].hash = fold_hash(&f->names[i]);
		seen = &f->seen[f->names[i].hash & (f->seen_size - 1)];
		if (*seen < 2)
			++*seen;
	}
	for (size_t i = from; i < f->count; i++) {
		struct fold_name name = f->names[i];

		if (f->seen[name.hash & (f->seen_size - 1)] > 1)
			continue;
		f->names[i] = f->names[from];
		f->names[from++] = name;
	}
	return from;
}

/* Folds by one more number, counted from the end. */
static void fold_pass(struct fold *f)
{
	size_t from = fold_drop_loners(f, fold_split(f)), kept = from, end = f->count;

	if (from < end)
		qsort(f->names + from, end - from, sizeof *f->names, fold_by_number);
	while (from < end) {
		size_t to = from + 1;

		while (to < end && fold_by_frame(&f->names[from], &f->names[to]) == 0)
			to++;
		if (to - from > 1)
			fold_group(f, f->names + from, to - from);
		else
			f->names[kept++] = f->names[from];
		from = to;
	}
	f->count = kept;
}

/* The names without those that are there twice, copied so that they lie side by side. */
static void fold_start(struct fold *f, const char *const *names, size_t n)
{
	const char **sorted = xcalloc(n, sizeof *sorted);
	size_t bytes = 0;
	char *copy;

	for (size_t i = 0; i < n; i++)
		bytes += strlen(names[i]) + 1;
	copy = f->texts = xmalloc(bytes);
	memcpy(sorted, names, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, fold_by_text);
	f->names = xcalloc(n, sizeof *f->names);
	f->pieces = xcalloc(n, sizeof *f->pieces);
	for (f->seen_size = 16; f->seen_size < n * 4;)
		f->seen_size *= 2;
	f->seen = xmalloc(f->seen_size);
	for (size_t i = 0; i < n; i++) {
		struct fold_name *name = &f->names[f->count];

		if (i && strcmp(sorted[i], sorted[i - 1]) == 0)
			continue;
		name->text = copy;
		name->len = strlen(sorted[i]);
		copy = (char *)mempcpy(copy, sorted[i], name->len + 1);
		fold_span(name);
		name->at = name->to;
		f->count++;
	}
	free(sorted);
}

char *fold_names(const char *const *names, size_t n)
{
	struct fold f = {0};
	struct buf out = {0};

	if (!n)
		return xstrdup("");
	fold_start(&f, names, n);
	for (unsigned i = 0; i < FOLD_NUMBERS_MAX && f.count; i++)
		fold_pass(&f);
	for (size_t i = 0; i < f.count; i++)
		f.pieces[f.piece_count++] = (struct fold_piece){f.names[i].text, NULL};
	qsort(f.pieces, f.piece_count, sizeof *f.pieces, fold_by_first);
	for (size_t i = 0; i < f.piece_count; i++) {
		if (i)
			buf_add_char(&out, ',');
		buf_add_str(&out, f.pieces[i].text ? f.pieces[i].text : f.pieces[i].first);
		free(f.pieces[i].text);
	}
	free(f.pieces);
	free(f.names);
	free(f.seen);
	free(f.texts);
	return buf_take_str(&out);
}
