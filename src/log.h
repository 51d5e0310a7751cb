/*
 * Diagnostics. stdout never sees them: results belong there. The CLI logs to stderr, the daemon
 * to its log file. Remote bytes must pass escape_str() first.
 */
#ifndef MUSTER_LOG_H
#define MUSTER_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_LEVEL_COUNT };

/* Where lines go: fd stays the caller's. dated: each line begins with the UTC time and level. */
void log_open(int fd, enum log_level level, bool dated);

/* The level by its name ("error", "warn", "info", "debug"); -1 if there is none. */
int log_level_parse(const char *name);

/* True if a line of this level is written: guards what is costly to format. */
bool log_on(enum log_level level);

/* Writes one line. Thread-safe: a line is one write(2). Longer than 1 KiB is cut. */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                    \
	do {                                              \
		if (log_on(LOG_DEBUG))                    \
			log_line(LOG_DEBUG, __VA_ARGS__); \
	} while (0)

#endif
