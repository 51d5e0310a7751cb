/* A password that a command writes, as that of a password manager. */
#ifndef MUSTER_SECRET_COMMAND_H
#define MUSTER_SECRET_COMMAND_H

#include "err.h"

/*
 * Runs text by sh with nothing as its input, and takes the first line that it writes. It has the
 * terminal and standard error as we have, and LIMIT_ASK_MS. name: of the option, for msg. Returns
 * 0; ERR_SYS (it cannot be run, or failed), ERR_TIMEOUT, ERR_NOTFOUND (nothing was written),
 * ERR_LIMIT with msg. *ret is freed by secret_free.
 */
int secret_command(char **ret, const char *text, const char *name, struct errmsg *msg);

#endif
