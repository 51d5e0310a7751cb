/*
 * What the OpenSSH client means by what it says: it ends with 255 for every failure of its own, and
 * its words are all there is to tell them apart (ssh(1), EXIT STATUS). Pure.
 */
#ifndef MUSTER_CLIENT_WORDS_H
#define MUSTER_CLIENT_WORDS_H

#include <stdbool.h>

#include "conn.h"

/* The end of what it has said is looked at. */
#define CLIENT_SAID_MAX 4096u

/*
 * It has ended with 255 before the command began: fills end, text and trouble. said: its last
 * lines. t: whose names make the text that of a connection over libssh, so that failures fold.
 */
void client_words_failure(const char *said, const struct plan_target *t, struct conn_result *ret);

/* It has ended with 255 after the command began: true if that was the end of the connection, with
 * the text; false: it is the command's own status, or a signal's. */
bool client_words_lost(const char *said, struct conn_result *ret);

/* The end with a text, harmless on a terminal. */
void client_words_end(struct conn_result *ret, enum conn_end end, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
