/*
 * The OpenSSH client as a process: in a session of its own, without a terminal, with a socket as
 * its stdin and stdout and a pipe as its stderr. It dies with the thread that has started it.
 */
#ifndef MUSTER_CLIENT_PROC_H
#define MUSTER_CLIENT_PROC_H

#include <stdbool.h>
#include <sys/types.h>

#include "engine.h"

struct client_proc {
	pid_t pid; /* 0: none, or reaped */
	int exit;  /* readable when it has ended: pidfd_open(2); -1: none. As the next two ours, and
		      non-blocking */
	int io;	   /* its stdin and stdout */
	int errors; /* its stderr */
};

#define CLIENT_PROC_NONE ((struct client_proc){.exit = -1, .io = -1, .errors = -1})

/* The absolute path of ssh by PATH, to be freed; NULL: there is none. Looked up each time, as a few
 * calls of access(2) are nothing beside a process. */
char *client_proc_find(void);

/* Returns 0, or errno: of exec(2) too. Comes back when the process has begun with the program. */
int client_proc_start(struct client_proc *proc, char *const argv[], char *const envp[]);

/* Ends it and its group, and exit becomes readable. */
void client_proc_signal(const struct client_proc *proc);

/* After exit was readable: ends what it has left in its process group, and reaps it. Returns the
 * status, of waitpid(2). */
int client_proc_reap(struct client_proc *proc);

/* Ends it and its group if that has not happened, and closes all. A helper thread waits for the
 * end. Again: no effect. */
void client_proc_done(struct client_proc *proc, struct ssh_engine *engine);

#endif
