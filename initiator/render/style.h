/* How results look on this output: colour, escaping, labels. */
#ifndef MUSTER_STYLE_H
#define MUSTER_STYLE_H

#include <stdbool.h>

enum colour_when { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

struct render_style {
	bool colour; /* coloured labels */
	bool escape; /* a terminal reads it: make remote bytes harmless (escape.h) */
	bool labels; /* "host: " before each line */
};

/*
 * Whether to colour: --color over NO_COLOR (https://no-color.org: set and not empty) over
 * CLICOLOR_FORCE (set and not "0") over CLICOLOR ("0": no) over TERM=dumb (no) over is_tty.
 */
bool style_colour(enum colour_when when, bool is_tty, const char *(*env)(const char *name));

#endif
