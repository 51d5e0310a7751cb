/*
 * A program that carries the bytes of a connection (ssh_config(5), ProxyCommand): /bin/sh -c
 * COMMAND (which begins with "exec"), with one end of a socketpair as its stdin and stdout, in a
 * process group of its own. What it says on stderr goes to the log, and the first line of that into
 * the text of a failure.
 */
#ifndef MUSTER_PROXY_COMMAND_H
#define MUSTER_PROXY_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "loop.h"

struct proxies;
struct proxy_command;

/*
 * Waits for the programs that connections have let go of: TERM to their group, KILL after two
 * seconds. On the main loop.
 */
struct proxies *proxies_new(struct loop *loop);
/* How many have not ended. */
size_t proxies_count(const struct proxies *proxies);
/* Kills those that are left, and waits for them; after all that called proxy_command_free, and what
 * they posted. NULL is fine. */
void proxies_free(struct proxies *proxies);

/*
 * Starts it, on the thread of loop. label: the host, for the log. *ret_fd: the connection,
 * non-blocking, the caller's. NULL with errno: it cannot be started. proxies NULL: it is killed and
 * waited for at once when it is let go of.
 */
struct proxy_command *proxy_command_start(struct loop *loop, struct proxies *proxies,
					  const char *command, const char *label, int *ret_fd);

/* "ProxyCommand: " and the first line that it has said on stderr, else how it has ended. False:
 * neither is known. The text is harmless on a terminal. */
bool proxy_command_why(struct proxy_command *proxy, char *text, size_t size);

/* Ends it. Does not wait. NULL is fine. */
void proxy_command_free(struct proxy_command *proxy);

#endif
