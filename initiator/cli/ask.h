/* One request to the daemon and the messages that answer it. */
#ifndef MUSTER_ASK_H
#define MUSTER_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd.h"
#include "control.h"

enum ask_verdict {
	ASK_MORE, /* another message is to come */
	ASK_DONE, /* that was all */
	ASK_LEAVE /* that was all, and the daemon closes the connection */
};

/*
 * Takes a message; may raise *status (exit_worse). Returns a verdict, or a negative ERR_* with msg
 * for a message that cannot be.
 */
typedef int ask_fn(void *arg, uint8_t type, const void *body, size_t len, int *status,
		   struct errmsg *msg);

/* Sends the request: one message or several. */
typedef void ask_send_fn(void *arg, struct control *control);

/*
 * Sends a request to the daemon of globals and hands the answer to fn. PROBLEM, WARNING and ERROR
 * go to stderr and raise the status by themselves. Returns the exit status: EXIT_NO_DAEMON where
 * there is none (by mode) or it went away.
 */
int ask(const struct cmd *cmd, const struct cmd_globals *globals, enum control_mode mode,
	ask_send_fn *send, ask_fn *fn, void *arg);

/* The same for who sends more while the loop runs. */
struct ask_calls {
	void (*open)(void *arg, struct loop *loop, struct control *control);
	ask_fn *message;
	void (*close)(void *arg); /* before the loop is freed; only after open */
};
int ask_with(const struct cmd *cmd, const struct cmd_globals *globals, enum control_mode mode,
	     const struct ask_calls *calls, void *arg);

#endif
