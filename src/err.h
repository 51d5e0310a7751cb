/*
 * Error codes and error texts.
 *
 * A function that can fail returns 0 or a negative ERR_*. What a person should read goes into a
 * struct errmsg, which the caller owns and may pass as NULL.
 */
#ifndef MUSTER_ERR_H
#define MUSTER_ERR_H

enum {
	ERR_OK = 0,
	ERR_FIRST_ = -64,
#define ERR_ROW(name, text) name,
#include "err.def"
#undef ERR_ROW
};

#define ERRMSG_MAX 512

/* One line for a person: what was wrong, where, and the cure. Never ends in a newline. */
struct errmsg {
	char text[ERRMSG_MAX];
};

/* The name of an error code, such as "ERR_LIMIT"; "ERR_?" for a number that is none. Static. */
const char *err_name(int code);

/* The text of an error code; for ERR_SYS, that of errno. Static or thread-local storage. */
const char *err_text(int code);

/*
 * Formats into msg (NULL: does nothing) and returns code, so that a failure is one statement:
 * return err_set(msg, ERR_SYNTAX, "...", ...). Cuts at ERRMSG_MAX - 1 bytes, but not
 * inside a character; drops newlines at the end. Keeps errno.
 */
int err_set(struct errmsg *msg, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
