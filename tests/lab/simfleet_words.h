/* The words of a scenario file: quotes, comments, lines. */
#ifndef MUSTER_SIMFLEET_WORDS_H
#define MUSTER_SIMFLEET_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

struct sim_words {
	const char *path; /* borrowed */
	const char *at;	  /* borrowed text, up to its NUL */
	unsigned line;
	struct buf word;
	bool quoted; /* the word was */
	bool peeked;
	bool at_end; /* of the statement, when peeked */
};

/* Before the first statement. */
void sim_words_init(struct sim_words *w, const char *path, const char *text);
void sim_words_done(struct sim_words *w);

/* True if another statement begins: past line ends, semicolons and comments. */
bool sim_words_begin(struct sim_words *w);

/* The next word of the statement, valid until the next call; NULL at its end. A fault sets msg and
 * *ret_rc. */
const char *sim_words_next(struct sim_words *w, int *ret_rc, struct errmsg *msg);

/* Passes over the next word if it is this one. */
bool sim_words_skip(struct sim_words *w, const char *word);

/* Formats "PATH:LINE: ..." and returns ERR_SYNTAX. */
int sim_words_fail(const struct sim_words *w, struct errmsg *msg, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A number, at most max, with K, M or G behind it, or for a time ms, s or m. what: for the fault.
 */
int sim_words_number(struct sim_words *w, const char *what, uint64_t max, uint64_t *ret,
		     struct errmsg *msg);
int sim_words_time(struct sim_words *w, const char *what, uint64_t *ret_ms, struct errmsg *msg);

#endif
