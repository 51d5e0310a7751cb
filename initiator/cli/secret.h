/* A password: asked on the terminal or read from a file, kept in memory as short as can be. */
#ifndef MUSTER_SECRET_H
#define MUSTER_SECRET_H

#include "err.h"

/* No core of ours is written from now on: there is a password in memory. */
void secret_guard(void);

/*
 * Asks on the terminal of the process, /dev/tty, with echo off. prompt: with what stands before the
 * cursor. Returns 0; ERR_SYS (there is no terminal), ERR_NOTFOUND (nothing was typed), ERR_LIMIT
 * with msg. A signal that ends us finds the terminal as it was. *ret is freed by secret_free.
 */
int secret_ask(char **ret, const char *prompt, struct errmsg *msg);

/* The first line of a file, or for "-" of standard input (asked for if that is a terminal, with
 * this prompt). name: of the option, for msg. The same errors. */
int secret_read(char **ret, const char *path, const char *name, const char *prompt,
		struct errmsg *msg);

void secret_free(char *secret); /* wipes it; NULL is fine */

#endif
