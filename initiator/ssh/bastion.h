/*
 * Bastions: hosts that connections to other hosts go through (ssh_config(5), ProxyJump). There is
 * one SSH session for each, which all connections of the daemon share, on one I/O thread. Such a
 * connection gets one end of a socketpair for its descriptor, and the bastion's thread carries the
 * bytes between the other end and a channel "direct-tcpip" (RFC 4254, section 7.2). A bastion may
 * be behind another one, in the same way.
 *
 * What a connection waits for comes through that descriptor, so that two threads never call one
 * another: BASTION_READY, then BASTION_OPEN, then the bytes of the host. The end of file before
 * that is a failure, and bastion_tie_end has told why before the descriptor shows it.
 */
#ifndef MUSTER_BASTION_H
#define MUSTER_BASTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn.h"
#include "shard.h"

struct bastions;
struct bastion_tie;

#define BASTION_READY 'b' /* it is logged in, and the channel is being opened */
#define BASTION_OPEN  'o' /* all that follows is the host's */

/* How bastions behave. Zero or NULL: the default of each. */
struct bastions_options {
	uint64_t linger_ms;	 /* how long a session that nobody uses stays: 60 s */
	size_t opening;		 /* channels of one bastion that are being opened at once: 64 */
	size_t channels;	 /* of one session; beyond it there is a second one: 4096 */
	size_t memory;		 /* bytes of one session that came and nobody takes: 256 MiB. Beyond
				    it nothing is read from the bastion until some were taken */
	struct proxies *proxies; /* for a bastion with a ProxyCommand (proxy_command.h) */
};

/* For the whole daemon, on its main loop. engine: where a session's place is counted. */
struct bastions *bastions_new(struct loop *loop, struct shards *shards, struct ssh_engine *engine,
			      const struct bastions_options *options);
/* Limits of sessions that are made from now on, as in bastions_options; 0: as it is. */
void bastions_limit(struct bastions *bastions, size_t opening, size_t channels, size_t memory);
/* Lets all of them go: before shards_free. Whoever asks from now on is told that it is over. */
void bastions_close(struct bastions *bastions);
/* After shards_free. NULL is fine. */
void bastions_free(struct bastions *bastions);

/* Sessions that are there or being made, and connections through them. For the main loop. */
size_t bastions_count(const struct bastions *bastions);
size_t bastions_users(const struct bastions *bastions);

/*
 * Asks for a connection to the target's host and port through its jump. From any thread; the target
 * is borrowed until the call returns, its plan is held as long as needed. *ret_fd: a socket,
 * non-blocking, the caller's; closing it is the end of it all. login: the password for the bastion,
 * too; held as long as needed; NULL: none. connect_timeout_ms: as in conn_spec, for the bastion's
 * own login. NULL with errno if there is no descriptor.
 */
struct bastion_tie *bastion_ask(struct bastions *bastions, const struct plan_target *target,
				struct secret_login *login, uint64_t connect_timeout_ms,
				int *ret_fd);

/* Whether the connection has failed, or was lost, at the bastion or on the way from there, and why.
 * The text names the bastion. From any thread. */
bool bastion_tie_end(struct bastion_tie *tie, struct conn_result *ret);

/* Lets go of it. NULL is fine. */
void bastion_tie_free(struct bastion_tie *tie);

#endif
