/*
 * The standard input for the commands of a job (--stdin): read as it comes and as there is room
 * for it, and handed on in pieces of at most LIMIT_STDIN_PIECE, LIMIT_STDIN in all.
 */
#ifndef MUSTER_INPUT_H
#define MUSTER_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "loop.h"

struct input;

struct input_events {
	/* A piece; with end it is the last and may be empty. */
	void (*piece)(void *arg, const void *data, size_t len, bool end);
	/* No more pieces for now: input_room tells when. */
	bool (*is_full)(void *arg);
	/* It cannot be read, or is too long: the last event. */
	void (*failed)(void *arg, const char *text);
};

/* Opens a file, or for "-" standard input. Returns 0, ERR_SYS, or ERR_LIMIT for a file that is
 * longer than LIMIT_STDIN, with msg. */
int input_open(int *ret_fd, const char *name, struct errmsg *msg);

/* Begins to read fd, which stays the caller's. name: for messages, borrowed. Freed by input_free,
 * not from inside piece or failed. */
struct input *input_new(struct loop *loop, int fd, const char *name,
			const struct input_events *events, void *arg);
void input_free(struct input *input); /* NULL is fine */

/* There is room again. NULL is fine. */
void input_room(struct input *input);

#endif
