#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define LOG_LINE_MAX 1024

static const char *const log_names[LOG_LEVEL_COUNT] = {"error", "warn", "info", "debug"};

static atomic_int log_fd = STDERR_FILENO;
static atomic_int log_max = LOG_WARN;
static atomic_bool log_dated;

void log_open(int fd, enum log_level level, bool dated)
{
	log_fd = fd;
	log_max = (int)level;
	log_dated = dated;
}

int log_level_parse(const char *name)
{
	for (int i = 0; i < LOG_LEVEL_COUNT; i++)
		if (strcmp(name, log_names[i]) == 0)
			return i;
	return -1;
}

bool log_on(enum log_level level)
{
	return (int)level <= log_max;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[LOG_LINE_MAX], when[CLOCK_RFC3339_SIZE];
	int saved = errno, n, more;
	va_list ap;

	if (!log_on(level))
		return;
	if (log_dated)
		n = snprintf(line, sizeof line, "%s %s: ", clock_rfc3339(when, clock_wall_ns()),
			     log_names[level]);
	else
		n = snprintf(line, sizeof line, "muster: ");
	va_start(ap, fmt);
	more = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
	va_end(ap);
	n = more < 0 ? n : n + more;
	if (n > (int)sizeof line - 2)
		n = (int)sizeof line - 2;
	line[n++] = '\n';
	if (write(log_fd, line, (size_t)n) < 0) {
		/* There is nowhere left to say it. */
	}
	errno = saved;
}
