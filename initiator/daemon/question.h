/* What the user of a client is asked (docs/protocol.md, 6.15): one message there, one back, and a
 * deadline. */
#ifndef MUSTER_QUESTION_H
#define MUSTER_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "control_msg.h"
#include "locked.h"

struct question;

enum question_end {
	QUESTION_ANSWERED,
	QUESTION_NOBODY, /* there is no terminal, or nothing was typed */
	QUESTION_LATE	 /* LIMIT_ASK_MS are over */
};

/* Once, from the loop; the question is gone. answer: borrowed; NULL but for ANSWERED. */
typedef void question_fn(void *arg, enum question_end end, struct locked *answer);

/* kind: enum job_ask_kind. text: what stands before the cursor. echo: the answer may be seen. Never
 * NULL. */
struct question *question_ask(struct client *client, uint64_t kind, const char *text, bool echo,
			      question_fn *fn, void *arg);
/* Nobody wants to know any more. NULL is fine. */
void question_free(struct question *question);

/* JOB_ANSWER. To a question that has ended meanwhile: no effect. */
int question_on_answer(struct client *client, const struct frame *frame, struct errmsg *msg);

/* The client goes: all its questions end with NOBODY. */
void questions_end(struct question **questions);

#endif
