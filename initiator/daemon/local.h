/*
 * A command on this computer, without SSH: its own process group and session, its output through
 * pipes, ended as a whole (TERM to everything that it has started, then KILL). Under the loop,
 * non-blocking. The counterpart of ssh/conn.h, with events of the same shape.
 *
 * What it has started is what carries its MUSTER_RUN in the environment, or is in its session.
 */
#ifndef MUSTER_LOCAL_H
#define MUSTER_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limits.h"
#include "loop.h"

struct local;

enum local_end {
	LOCAL_END_EXITED, /* 127, as in sh: there is no such command; 126: it cannot be executed */
	LOCAL_END_SIGNALLED,
	LOCAL_END_REFUSED, /* nothing was started: text says why */
	LOCAL_END_TIMEOUT,
	LOCAL_END_STOPPED
};

struct local_result {
	enum local_end end;
	bool began;
	int exit_code;		       /* of EXITED, else -1 */
	char signal[16];	       /* of SIGNALLED, without "SIG" */
	char text[LIMIT_OUTCOME_TEXT]; /* what else there is to say; harmless on a terminal */
};

struct local_spec {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in path */
	const char *directory;	 /* absolute; NULL: home. Where it is missing: REFUSED */
	const char *run_id;	 /* MUSTER_RUN in the environment: marks everything it starts */
	const char *home;	 /* NULL: the user's */
	const char *path;	 /* PATH for the command; NULL: a default */
	uint64_t run_timeout_ms; /* without the time in which it was suspended; 0: none */
	uint64_t stop_grace_ms;	 /* 0: the default, 10 s */
};

struct local_events {
	/* The command has been started. */
	void (*running)(void *arg);
	/* Bytes of its output; len > 0. Comes in bursts: burst_end follows each burst. */
	void (*data)(void *arg, bool is_error, const void *data, size_t len);
	void (*burst_end)(void *arg);
	/* All that was running is stopped, or goes on again. */
	void (*suspended)(void *arg, bool suspended);
	/* The last event; it is gone when this returns. */
	void (*end)(void *arg, const struct local_result *result);
};

/* Starts. spec is copied, events must outlive it. No event comes before it returns. */
struct local *local_start(struct loop *loop, const struct local_spec *spec,
			  const struct local_events *events, void *arg);

/*
 * Asks for the end: TERM to all of it (once to each), KILL when the grace is over, then the end
 * STOPPED; within the grace and some seconds in any case. A command that ends with 0 nevertheless
 * has EXITED. Again: no effect.
 */
void local_stop(struct local *local);

/* SIGSTOP to the whole tree, or SIGCONT. No effect on one that is being stopped. */
void local_suspend(struct local *local, bool suspend);

/* Stops reading (back-pressure) or goes on. What is in the pipes when it was stopped and has ended
 * comes all the same: nothing that was written is lost, and it is little. */
void local_hold(struct local *local, bool hold);

/* Ends it at once, with KILL and without an event. NULL is fine. Not from inside an event of it. */
void local_free(struct local *local);

#endif
