#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "style.h"

/* The environment of the case at hand. */
static const char *no_color, *force, *clicolor, *term;

static const char *fake_env(const char *name)
{
	if (strcmp(name, "NO_COLOR") == 0)
		return no_color;
	if (strcmp(name, "CLICOLOR_FORCE") == 0)
		return force;
	if (strcmp(name, "CLICOLOR") == 0)
		return clicolor;
	return strcmp(name, "TERM") == 0 ? term : NULL;
}

static void each_over_the_next(void **state)
{
	static const struct {
		enum colour_when when;
		const char *no_color, *force, *clicolor, *term;
		bool is_tty, want;
	} rows[] = {
		{COLOUR_AUTO, NULL, NULL, NULL, "xterm", true, true},
		{COLOUR_AUTO, NULL, NULL, NULL, "xterm", false, false},
		{COLOUR_AUTO, NULL, NULL, NULL, NULL, true, true},
		{COLOUR_AUTO, NULL, NULL, NULL, "dumb", true, false},
		{COLOUR_AUTO, NULL, NULL, "1", "dumb", true, false},
		{COLOUR_AUTO, NULL, NULL, "1", "xterm", false, false},
		{COLOUR_AUTO, NULL, NULL, "0", "xterm", true, false},
		{COLOUR_AUTO, NULL, NULL, "", "xterm", true, true},
		{COLOUR_AUTO, NULL, "1", "0", "dumb", false, true},
		{COLOUR_AUTO, NULL, "0", NULL, "xterm", false, false},
		{COLOUR_AUTO, NULL, "", NULL, "xterm", false, false},
		{COLOUR_AUTO, NULL, "0", "0", "xterm", true, false},
		{COLOUR_AUTO, "1", "1", "1", "xterm", true, false},
		{COLOUR_AUTO, "0", NULL, NULL, "xterm", true, false},
		{COLOUR_AUTO, "", "1", NULL, "xterm", false, true},
		{COLOUR_AUTO, "", NULL, NULL, "xterm", true, true},
		{COLOUR_ALWAYS, "1", NULL, "0", "dumb", false, true},
		{COLOUR_NEVER, NULL, "1", "1", "xterm", true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		no_color = rows[i].no_color;
		force = rows[i].force;
		clicolor = rows[i].clicolor;
		term = rows[i].term;
		if (style_colour(rows[i].when, rows[i].is_tty, fake_env) != rows[i].want)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_over_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
