/* The identities that an ssh-agent holds, asked for once a plan. */
#ifndef MUSTER_AGENT_LIST_H
#define MUSTER_AGENT_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct agent_identity {
	uint8_t *blob; /* public key, RFC 4253 section 6.6 */
	size_t len;
	char *comment;
	/* What the agent is asked to sign with, if that is another one: the key beneath a
	 * certificate of ours. Borrowed; NULL: blob. */
	const uint8_t *sign;
	size_t sign_len;
};

struct agent_list {
	struct agent_identity *at;
	size_t count; /* at most LIMIT_AGENT_KEYS */
};

/*
 * Asks the agent at a socket path, waiting at most timeout_ms (draft-miller-ssh-agent, section
 * 4.4). Blocks: call it off the event loop. Returns 0; ERR_SYS, ERR_TIMEOUT, ERR_PROTO with msg.
 */
int agent_list_load(struct agent_list *ret, const char *path, unsigned timeout_ms,
		    struct errmsg *msg);
void agent_list_done(struct agent_list *list);

/* Connects to an agent's socket. Returns the descriptor (close-on-exec, non-blocking) or ERR_SYS.
 * A connect(2) to a local socket does not wait. */
int agent_connect(const char *path);

#endif
