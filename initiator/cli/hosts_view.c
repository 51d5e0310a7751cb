#include "hosts_view.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "alloc.h"
#include "fold.h"
#include "hosts_range.h"

/* One printing. */
struct hosts_print {
	const struct hosts_view *view;
	struct buf *out;
	struct errmsg *msg;
	double autostep; /* in numbers */
	size_t parts;	 /* that were printed */
	int rc;
};

void hosts_view_separator(struct buf *out, const char *text)
{
	static const char codes[] = "ntr0\\", means[] = "\n\t\r\0\\";

	for (; *text; text++) {
		const char *code = *text == '\\' && text[1] ? strchr(codes, text[1]) : NULL;

		buf_add_char(out, code ? means[code - codes] : *text);
		text += code != NULL;
	}
}

/* Appends the name as the format wants it; "%%" is a '%', "%s" the name. */
static void hosts_add_formatted(struct buf *out, const char *format, const char *name)
{
	for (const char *p = format; *p; p++) {
		if (*p == '%' && p[1] == 's')
			buf_add_str(out, name);
		else
			buf_add_char(out, *p);
		p += *p == '%';
	}
}

int hosts_view_format(struct hosts_view *view, const char *text, struct errmsg *msg)
{
	size_t names = 0;

	for (const char *p = text; *p; p++) {
		if (*p != '%')
			continue;
		if (*++p != 's' && *p != '%')
			return err_set(msg, ERR_SYNTAX,
				       "--output-format: '%s': after a '%%' stands 's', for the "
				       "name, or another '%%'",
				       text);
		names += *p == 's';
	}
	if (names != 1)
		return err_set(
			msg, ERR_SYNTAX,
			"--output-format: '%s' must have one '%%s', which is the name, as in "
			"'%%s-ipmi'",
			text);
	view->format = text;
	return 0;
}

/* The names in text, each with a NUL behind it. The caller frees the array. */
static const char **hosts_names(const struct buf *text, size_t n)
{
	const char **names = xcalloc(n + 1, sizeof *names);
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		names[i] = (const char *)text->data + at;
		at += strlen(names[i]) + 1;
	}
	return names;
}

/* Makes the names what the format makes of them. The caller frees both. */
static const char **hosts_format_all(const char *format, const char *const *names, size_t n,
				     struct buf *text)
{
	for (size_t i = 0; i < n; i++) {
		hosts_add_formatted(text, format, names[i]);
		buf_add_char(text, '\0');
	}
	return hosts_names(text, n);
}

static void hosts_print_names(const struct hosts_print *p, const char *const *names, size_t n)
{
	size_t separator_len = p->view->separator_len;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(names[i]);
		uint8_t *to = buf_room(p->out, len + separator_len);

		memcpy(to, names[i], len);
		memcpy(to + len, p->view->separator, separator_len);
		p->out->len += len + (i + 1 < n ? separator_len : 0);
	}
	/* Of nothing nothing is shown, so that the lines are as many as the hosts. */
	if (n)
		buf_add_char(p->out, '\n');
}

/* Names in order, each once: what fold_expand makes of them. The caller frees both. */
static const char **hosts_sort(const char *const *names, size_t *n, struct buf *text)
{
	struct fold *fold = fold_new(names, *n);

	*n = fold_count(fold);
	fold_expand(fold, text);
	fold_free(fold);
	return hosts_names(text, *n);
}

/* One a line. A part has an order of its own: it depends on all names that it has. */
static void hosts_print_expanded(struct hosts_print *p, const char *const *names, size_t n)
{
	struct buf text = {0}, formatted = {0};
	const char **sorted = NULL, **made = NULL;

	if (!fold_is_sorted(names, n))
		names = sorted = hosts_sort(names, &n, &text);
	if (p->view->format)
		made = hosts_format_all(p->view->format, names, n, &formatted);
	hosts_print_names(p, made ? made : names, n);
	free(made);
	free(sorted);
	buf_done(&formatted);
	buf_done(&text);
}

static void hosts_print_folded(struct hosts_print *p, const char *const *names, size_t n)
{
	const struct fold_how how = {p->autostep, p->view->axes, p->view->axis_count};
	struct fold *fold = fold_new(names, n);

	fold_print(fold, &how, p->out);
	fold_free(fold);
	buf_add_char(p->out, '\n');
}

static void hosts_print_part(struct hosts_print *p, const char *const *names, size_t n)
{
	p->parts++;
	switch (p->view->mode) {
	case HOSTS_COUNT:
		buf_addf(p->out, "%zu\n", n);
		break;
	case HOSTS_EXPAND:
		hosts_print_expanded(p, names, n);
		break;
	case HOSTS_FOLD:
		hosts_print_folded(p, names, n);
		break;
	case HOSTS_REGROUP:
		p->rc = p->view->regroup(p->view->regroup_arg, names, n, p->out, p->msg);
		buf_add_char(p->out, '\n');
		break;
	}
}

static void hosts_on_run(void *arg, struct buf *text, size_t n)
{
	struct hosts_print *p = arg;
	const char **names = hosts_names(text, n);

	if (!p->rc)
		hosts_print_part(p, names, n);
	free(names);
}

static void hosts_print_contiguous(struct hosts_print *p, const char *const *names, size_t n)
{
	struct fold *fold = fold_new(names, n);

	fold_contiguous(fold, hosts_on_run, p);
	fold_free(fold);
}

/* As even as can be; the first ones have one more. */
static void hosts_print_split(struct hosts_print *p, const char *const *names, size_t n)
{
	struct buf text = {0};
	const char **sorted = hosts_sort(names, &n, &text);
	uint64_t parts = p->view->split < n ? p->view->split : n;
	size_t at = 0;

	for (uint64_t i = 0; i < parts && !p->rc; i++) {
		size_t size = n / parts + (i < n % parts);

		hosts_print_part(p, sorted + at, size);
		at += size;
	}
	free(sorted);
	buf_done(&text);
}

static uint64_t hosts_random(uint64_t below)
{
	uint64_t limit = UINT64_MAX - UINT64_MAX % below, v;

	do
		while (getrandom(&v, sizeof v, 0) != (ssize_t)sizeof v)
			;
	while (v >= limit);
	return v % below;
}

/* Leaves pick of n names, any with the same chance, in their order. */
static size_t hosts_pick(const char **names, size_t n, uint64_t pick)
{
	uint64_t wanted = pick;
	size_t kept = 0;

	for (size_t i = 0; i < n && wanted; i++)
		if (hosts_random(n - i) < wanted) {
			names[kept++] = names[i];
			wanted--;
		}
	return kept;
}

/* All of the names that are to be shown, in parts. */
static void hosts_print_parts(struct hosts_print *p, const char *const *names, size_t n)
{
	if (p->view->autostep < 0) {
		p->autostep = (double)n * -p->view->autostep;
		if (p->autostep < p->view->autostep_min)
			p->autostep = p->view->autostep_min;
	}
	if (p->view->contiguous)
		hosts_print_contiguous(p, names, n);
	else if (p->view->split)
		hosts_print_split(p, names, n);
	if (!p->parts)
		hosts_print_part(p, names, n);
}

/* What is folded is what the format makes of the names. */
static void hosts_print_all(struct hosts_print *p, const char *const *names, size_t n)
{
	struct buf text = {0};
	const char **made;

	if (p->view->mode != HOSTS_FOLD || !p->view->format) {
		hosts_print_parts(p, names, n);
		return;
	}
	made = hosts_format_all(p->view->format, names, n, &text);
	hosts_print_parts(p, made, n);
	free(made);
	buf_done(&text);
}

int hosts_view_print(struct buf *out, const char *const *names, size_t n,
		     const struct hosts_view *view, struct errmsg *msg)
{
	struct hosts_print p = {.view = view, .out = out, .msg = msg, .autostep = view->autostep};
	const char **sorted;
	struct buf text = {0};

	if (!view->slice && !view->pick) {
		hosts_print_all(&p, names, n);
		return p.rc;
	}
	sorted = hosts_sort(names, &n, &text);
	if (view->slice)
		p.rc = hosts_slice(sorted, &n, view->slice, msg);
	if (!p.rc && view->pick)
		n = hosts_pick(sorted, n, view->pick);
	if (!p.rc)
		hosts_print_all(&p, sorted, n);
	free(sorted);
	buf_done(&text);
	return p.rc;
}
