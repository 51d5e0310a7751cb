/* What a server wants to hear when it asks (RFC 4256): a password, or something else. Pure. */
#ifndef MUSTER_CONN_PROMPT_H
#define MUSTER_CONN_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

enum conn_prompt {
	CONN_PROMPT_PASSWORD, /* the one that the user has */
	CONN_PROMPT_HIDDEN,   /* that, if there is one; else a person */
	CONN_PROMPT_NEW,      /* another one from now on: the old one has expired */
	CONN_PROMPT_OTHER     /* a code, a choice, whatever a person has to read */
};

/*
 * echo: the answer may be seen. count: prompts of this round. What names a password is one, in
 * English; in other languages maybe a single prompt that hides its answer and names nothing else.
 */
enum conn_prompt conn_prompt_kind(const char *text, bool echo, size_t count);

#endif
