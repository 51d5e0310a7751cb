/* What the daemon wants to know of the user while results are written: asked on the terminal when
 * all that came before is there. */
#ifndef MUSTER_ANSWERING_H
#define MUSTER_ANSWERING_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "control.h"
#include "err.h"
#include "out.h"

/* Embedded, until out is gone. The caller sets the first five. */
struct answering {
	struct control *control;
	struct out *out;
	const bool *over; /* nobody wants to know any more */
	/* rc: ERR_CLOSED: a signal came instead of an answer; or what login_on_ask returns. */
	void (*failed)(void *arg, int rc, const struct errmsg *msg);
	void *arg;
	struct buf body; /* of the question; its own */
};

/* A JOB_ASK: the caller has handed all that it has on to out. 0, or ERR_PROTO with msg: there is a
 * question without an answer already. */
int answering_begin(struct answering *answering, const void *body, size_t len, struct errmsg *msg);

#endif
