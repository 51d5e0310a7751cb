/* What could stand where the cursor is, from the tables by which command lines are parsed. */
#ifndef MUSTER_COMPLETE_H
#define MUSTER_COMPLETE_H

#include "cmd.h"

/* What is offered, while it is gathered. */
struct complete {
	struct buf out;	    /* "TEXT\tDESCRIPTION" a line; ":files": and names of files */
	const char *prefix; /* what stands before the part that is completed: "--output=" */
	const char *word;   /* that part */
	size_t count;
	const struct cmd_globals *globals;
};

/* Offers prefix, head and text together, if they begin with what stands there. description: NULL:
 * none. More than COMPLETE_MAX are not looked at by anybody, and left out. */
#define COMPLETE_MAX 2000u
void complete_add(struct complete *c, const char *head, const char *text, const char *description);

/* What is offered for words, of which the last is not complete. Appended to out. */
void complete_words(struct buf *out, char **words, size_t count);

/* Words "a, b, c" or "a|b|c". */
void complete_list(struct complete *c, const char *words);

/* A word as bash has it, without its quotes; the last one may be open. The caller frees it. */
char *complete_unquote(const char *word);

/* --- what is asked of others: complete_ask.c. Each says nothing where there is nothing. --- */

enum complete_source {
	COMPLETE_JOBS,
	COMPLETE_SESSIONS,
	COMPLETE_HOSTS, /* host expressions */
	COMPLETE_DAEMONS
};

/* In a process of its own: after COMPLETE_MS without an answer there is none. No daemon is
 * started. */
#define COMPLETE_MS 1000u
void complete_ask(struct complete *c, enum complete_source source);

#endif
