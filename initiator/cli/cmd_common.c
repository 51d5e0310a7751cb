#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "cmd.h"
#include "escape.h"
#include "exit.h"
#include "fd.h"

__attribute__((format(printf, 2, 0))) static void cmd_say(const char *prefix, const char *fmt,
							  va_list ap)
{
	char text[2048], safe[4096];
	struct buf line = {0};

	(void)vsnprintf(text, sizeof text, fmt, ap);
	/* It may quote what somebody else wrote. */
	buf_addf(&line, "muster%s%s: %s\n", *prefix ? " " : "", prefix,
		 escape_str(safe, sizeof safe, text));
	(void)fd_write_all(STDERR_FILENO, line.data, line.len);
	buf_done(&line);
}

int cmd_usage(const struct cmd *cmd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cmd_say(cmd ? cmd->name : "", fmt, ap);
	va_end(ap);
	fprintf(stderr, "Try 'muster%s%s --help'.\n", cmd ? " " : "", cmd ? cmd->name : "");
	return EXIT_USAGE;
}

int cmd_error(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cmd_say("", fmt, ap);
	va_end(ap);
	return status;
}

int cmd_print(struct buf *text)
{
	int status = EXIT_OK;

	/* A reader who has gone away (| head -1) has what it wants. */
	if (fd_write_all(STDOUT_FILENO, text->data, text->len) != 0 && errno != EPIPE)
		status = cmd_error(EXIT_INTERNAL, "cannot write to standard output: %s",
				   strerror(errno));
	buf_done(text);
	return status;
}

const char *cmd_daemon_name(const struct cmd_globals *globals)
{
	const char *name = globals->daemon ? globals->daemon : getenv("MUSTER_DAEMON");

	return name && *name ? name : "default";
}

static const char *cmd_env(const char *name)
{
	return getenv(name);
}

bool cmd_colour(const struct cmd_globals *globals, int fd)
{
	enum colour_when when = COLOUR_AUTO;

	if (globals->color && strcmp(globals->color, "always") == 0)
		when = COLOUR_ALWAYS;
	else if (globals->color && strcmp(globals->color, "never") == 0)
		when = COLOUR_NEVER;
	return style_colour(when, isatty(fd) == 1, cmd_env);
}

int cmd_control_error(int code, const char *text)
{
	return cmd_error(code == ERR_SYNTAX ? EXIT_USAGE : EXIT_NO_DAEMON, "%s", text);
}

int cmd_ssh_config(const struct cmd *cmd, const char *given, char **ret)
{
	*ret = NULL;
	if (!given)
		return EXIT_OK;
	/* As ssh -F: the file must be there. */
	if (strcmp(given, "none") == 0)
		*ret = xstrdup(given);
	else
		*ret = realpath(given, NULL);
	return *ret ? EXIT_OK : cmd_usage(cmd, "-F: %s: no such file that can be read", given);
}
