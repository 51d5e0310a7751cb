/* What muster hosts shows of a set: one a line, folded, counted, in parts. */
#ifndef MUSTER_HOSTS_VIEW_H
#define MUSTER_HOSTS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

enum hosts_mode { HOSTS_EXPAND, HOSTS_FOLD, HOSTS_COUNT, HOSTS_REGROUP };

#define HOSTS_AXES_MAX 64u

/* How. All zero shows one a line, but for separator and format. */
struct hosts_view {
	enum hosts_mode mode;
	const char *separator; /* between names that are expanded; not NULL */
	size_t separator_len;  /* in bytes, of which one may be NUL */
	const char *format;    /* "%s-ipmi", checked by hosts_format_check; NULL: the name itself */
	const char *slice;     /* "0-4/2,9": the indices of those that are shown; NULL: all */
	uint64_t pick;	       /* so many, at random; 0: all */
	uint64_t split;	       /* into so many parts; 0: one */
	bool contiguous;       /* into parts whose numbers follow one another */
	double autostep;       /* of fold.h; negative: minus parts of all names */
	unsigned autostep_min; /* numbers that make a step, where that part is fewer */
	long axes[HOSTS_AXES_MAX];
	size_t axis_count;
	/* HOSTS_REGROUP: appends n names folded into groups. Returns 0 or a negative ERR_*. */
	int (*regroup)(void *arg, const char *const *names, size_t n, struct buf *out,
		       struct errmsg *msg);
	void *regroup_arg;
};

/* Fill what the options say. Return 0, or ERR_SYNTAX or ERR_RANGE with msg. */
int hosts_view_autostep(struct hosts_view *view, const char *text, struct errmsg *msg);
int hosts_view_axes(struct hosts_view *view, const char *text, struct errmsg *msg);
int hosts_view_format(struct hosts_view *view, const char *text, struct errmsg *msg);

/* The text of --separator: \n, \t, \0, \\ stand for what they do in C. Appends to out. */
void hosts_view_separator(struct buf *out, const char *text);

/*
 * Appends the view of n names to out, in the order of fold.h, each once. Returns 0; ERR_SYNTAX or
 * ERR_RANGE for a bad slice, or what regroup returned, with msg.
 */
int hosts_view_print(struct buf *out, const char *const *names, size_t n,
		     const struct hosts_view *view, struct errmsg *msg);

#endif
