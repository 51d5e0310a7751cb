/* Names to addresses, off the loop: getaddrinfo(3) on helper threads. */
#ifndef MUSTER_RESOLVE_H
#define MUSTER_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "engine.h"

#define RESOLVE_MAX 8u /* addresses that are tried */

struct resolve_result {
	int error; /* EAI_*, 0 for success */
	size_t count;
	struct {
		struct sockaddr_storage addr;
		socklen_t len;
	} at[RESOLVE_MAX];
};

struct resolve;

/* result is valid during the call, after which the handle is gone. */
typedef void resolve_fn(void *arg, const struct resolve_result *result);

/* A numeric address? Fills *ret and returns 1; 0 if it is a name. Never blocks. */
int resolve_numeric(const char *name, uint16_t port, struct resolve_result *ret);

/* Asks; fn is called from the loop, later. */
struct resolve *resolve_start(struct ssh_engine *engine, const char *name, uint16_t port,
			      resolve_fn *fn, void *arg);

/* Leaves the addresses of one family (AF_INET, AF_INET6; AF_UNSPEC: all); where there is none, it
 * is an error. */
void resolve_keep(struct resolve_result *result, int family);

/* No thread has begun with it. NULL: no. */
bool resolve_is_queued(const struct resolve *resolve);

/* fn will not be called. The thread may go on for a while. NULL is fine. */
void resolve_cancel(struct resolve *resolve);

#endif
