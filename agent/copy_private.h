/* The process of a copy: copy_child.c (messages), copy_take.c (files that come) and copy_give.c
 * (files that go). It may block anywhere, and ends when nobody is there any more. */
#ifndef MUSTER_COPY_PRIVATE_H
#define MUSTER_COPY_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent_msg.h"
#include "buf.h"
#include "copy_msg.h"
#include "err.h"

/* Between the agent and the process, in front of each body. */
struct copy_head {
	uint32_t len;
	uint32_t type; /* MSG_* */
};

struct copy_child {
	struct copy_open_msg open;
	int in;
	int out;
	struct buf got; /* of which this is used: */
	size_t used;
	struct buf said;
};

/* The whole life of the process. body: of COPY_OPEN. */
_Noreturn void copy_child_main(int in, int out, const void *body, size_t len);

/* Appends a message: body between the two. */
size_t copy_child_begin(struct copy_child *c);
void copy_child_end(struct copy_child *c, size_t begin, uint32_t type);
/* Hands on what was appended. */
void copy_child_flush(struct copy_child *c);

/* The next message; its body is borrowed until the next call. wait_ms: -1: as long as it takes.
 * Returns 1; 0: none in that time. Ends the process when there will be none. */
int copy_child_next(struct copy_child *c, int wait_ms, uint32_t *ret_type, const uint8_t **ret_body,
		    size_t *ret_len);

/* Says TASK_END, and ends. text: NULL: it went well, as far as that goes for files. */
_Noreturn void copy_child_over(struct copy_child *c, const char *text);

_Noreturn void copy_take(struct copy_child *c);
_Noreturn void copy_give(struct copy_child *c);

#endif
