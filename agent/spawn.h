/* The way from a fork to the command: everything here runs in the child. */
#ifndef MUSTER_SPAWN_H
#define MUSTER_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

#include "agent_msg.h"

/* Where a command's descriptors come from: 0, 1, 2, ENV_NOTES_FD and ENV_SESSION_FD. */
#define SPAWN_FDS 5

/* Limits that the agent has changed for itself and a command gets back. */
struct spawn_limits {
	struct rlimit files;
	struct rlimit core;
};

struct spawn {
	const struct task_open_msg *open;
	char **env;
	int fds[SPAWN_FDS]; /* above 3; -1: /dev/null, or the terminal; the last: none */
	const char *tty;    /* its terminal, or NULL */
	struct spawn_limits limits;
};

/* What kept a command from being started. Travels through a pipe between two of our processes. */
struct spawn_fault {
	int step;  /* enum in spawn.c */
	int error; /* errno */
};

/*
 * Becomes the command. If that fails before there is one, a struct spawn_fault is written to
 * status_fd, which is closed by exec(3). That there is no such command, or that it may not be
 * run, is said as a shell does: on the error stream, with exit status 127 or 126.
 */
_Noreturn void spawn_child(const struct spawn *spawn, int status_fd);

/* Writes what the fault means for people. */
void spawn_fault_text(const struct spawn *spawn, const struct spawn_fault *fault, char *out,
		      size_t size);

#endif
