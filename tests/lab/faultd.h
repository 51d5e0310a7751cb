/* What faultd.c (servers, loop) and faultd_conn.c (one connection) share. */
#ifndef MUSTER_FAULTD_H
#define MUSTER_FAULTD_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tcp.h"

#define NEVER UINT64_MAX

/* What a server says, and what it does then. */
struct script {
	const char *name;
	const char *text;
	size_t size;
	uint64_t step_ms;
	bool closes;
	bool repeats;
};

enum limit { LIMIT_COUNT, LIMIT_DROP, LIMIT_DELAY, LIMIT_STALL };

struct listener {
	int fd;
	const char *mode;
	char name[128];	      /* the address and port that it has */
	bool chosen;	      /* the kernel chose the port */
	struct script script; /* without a name: a proxy */
	enum limit limit;
	uint64_t value;
	uint64_t count;
	struct tcp_address target;
};

struct conn;

/*
 * Takes over fd. Returns NULL when the connection is over already. The listener is borrowed until
 * conn_free, which accepts NULL.
 */
struct conn *conn_new(int fd, const struct listener *from);
void conn_free(struct conn *c);

/* Fills polls[0] and polls[1], which conn_run reads. Returns when it must be run at the latest. */
uint64_t conn_arm(struct conn *c, struct pollfd *polls, uint64_t now);

/* Does what can be done without waiting. Returns false when the connection is over. */
bool conn_run(struct conn *c, const struct pollfd *polls, uint64_t now);

#endif
