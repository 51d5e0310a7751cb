/*
 * What the OpenSSH client is called with: the job's own options and files, and above them what a
 * job needs: no question, no forwarding, no shared connection, and a mark that says that the
 * command has begun.
 */
#ifndef MUSTER_CLIENT_ARGV_H
#define MUSTER_CLIENT_ARGV_H

#include <stddef.h>

#include "conn.h"

/* A line that the other side says on both streams just before the command, with its NUL. */
#define CLIENT_MARK_SIZE 32u

struct client_argv {
	char **argv; /* ends in NULL, as the next */
	char **envp;
	size_t argc, envc;
};

/* A new mark, which nobody can guess; it ends in a newline. */
void client_mark(char mark[static CLIENT_MARK_SIZE]);

/*
 * program: the path of ssh. spec: its target was planned by the OpenSSH client. command: exec text
 * (command.h), a simple command with "exec" before it or not; NULL: spec's subsystem. mark NULL:
 * the command alone. connect_timeout_s: at least 1. Freed by client_argv_done.
 */
void client_argv_make(struct client_argv *ret, const char *program, const struct conn_spec *spec,
		      const char *command, const char *mark, unsigned connect_timeout_s);
void client_argv_done(struct client_argv *args);

#endif
