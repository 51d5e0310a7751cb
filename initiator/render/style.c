#include "style.h"

#include <stddef.h>
#include <string.h>

static bool style_is_set(const char *value)
{
	return value && *value;
}

bool style_colour(enum colour_when when, bool is_tty, const char *(*env)(const char *name))
{
	const char *value;

	if (when != COLOUR_AUTO)
		return when == COLOUR_ALWAYS;
	if (style_is_set(env("NO_COLOR")))
		return false;
	value = env("CLICOLOR_FORCE");
	if (style_is_set(value) && strcmp(value, "0") != 0)
		return true;
	value = env("CLICOLOR");
	if (value && strcmp(value, "0") == 0)
		return false;
	value = env("TERM");
	if (value && strcmp(value, "dumb") == 0)
		return false;
	return is_tty;
}
