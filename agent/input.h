/* What comes for the stdin of a command, until the command takes it. */
#ifndef MUSTER_INPUT_H
#define MUSTER_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define INPUT_ROOM (256u << 10)

struct input {
	int fd;	      /* non-blocking; -1: none, or closed */
	bool is_tty;  /* a terminal stays open at the end of the input, and is told of it */
	bool ended;   /* nothing follows */
	bool partial; /* the last byte that was written ends no line */
	struct buf buf;
	size_t at;
	uint64_t taken; /* by the command, or in vain as it has closed its stdin */
	uint64_t told;
};

/* Takes fd over. */
void input_init(struct input *in, int fd, bool is_tty);
void input_done(struct input *in);

/* Returns 0; ERR_LIMIT with msg beyond INPUT_ROOM; ERR_ORDER with msg behind the end. */
int input_add(struct input *in, const void *data, size_t len, bool end, struct errmsg *msg);

/* True if input_write has something to do. */
bool input_wants(const struct input *in);

/* Writes what the command takes now. Never fails: what nobody reads is taken. */
void input_write(struct input *in);

/* True if the initiator should hear again how much was taken. It then counts as told. */
bool input_has_news(struct input *in);

#endif
