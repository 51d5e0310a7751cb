/* A password: asked on the terminal or read from a file, kept in memory as short as can be. */
#ifndef MUSTER_SECRET_H
#define MUSTER_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* No core of ours is written from now on: there is a password in memory. */
void secret_guard(void);

/*
 * Asks on the terminal of the process, /dev/tty, with echo off. prompt: with what stands before the
 * cursor. Returns 0; ERR_SYS (there is no terminal: instead is the option that needs none),
 * ERR_NOTFOUND (nothing was typed), ERR_CLOSED (a signal came), ERR_LIMIT with msg. A signal that
 * ends us finds the terminal as it was. *ret is freed by secret_free.
 */
int secret_ask(char **ret, const char *prompt, const char *instead, struct errmsg *msg);

/* The same, with an echo if that is wanted, and ERR_TIMEOUT after so many milliseconds; 0: never.
 */
int secret_ask_for(char **ret, const char *prompt, bool echo, uint64_t timeout_ms,
		   struct errmsg *msg);

/* A file that others may read is refused (ERR_DENIED), as is one of somebody else.
 * The first line of a file, or for "-" of standard input (asked for if that is a terminal, with
 * this prompt). name: of the option, for msg. The same errors. */
int secret_read(char **ret, const char *path, const char *name, const char *prompt,
		struct errmsg *msg);

/* The first line of text (size bytes, ends in NUL), which is wiped. what: it is of, for msg. The
 * same errors. */
int secret_take_line(char **ret, char *text, size_t size, const char *what, struct errmsg *msg);

void secret_free(char *secret); /* wipes it; NULL is fine */

#endif
