/*
 * The daemon: holds the jobs of one user, runs them over SSH and answers on the control socket
 * (docs/protocol.md). One event loop; nothing on it blocks.
 */
#ifndef MUSTER_DAEMON_H
#define MUSTER_DAEMON_H

#include <stdint.h>

struct daemon_options {
	int listen_fd;		 /* a listening socket, which the daemon owns; -1: none */
	int control_fd;		 /* one client that is connected already (--ephemeral); -1: none */
	const char *socket_path; /* of listen_fd, to be removed at the end; NULL: not ours */
	const char *lock_path;	 /* held while the socket is removed; NULL: none */
	const char *version;	 /* "0.1.0" */
	uint64_t results_budget; /* bytes of unread results in memory; 0: the default */
	uint64_t results_share;	 /* of them, for one child; 0: the default */
	uint64_t linger_ms;	 /* an idle connection to an agent stays so long; 0: not at all */
	uint64_t idle_ms;	 /* leaves after so long without client and live job; 0: never */
	const char *store_path;	 /* a directory, whose parent is there; NULL: in memory only */
	const char *stage_path;	 /* a directory for files on their way; made; NULL: none pass */
	uint64_t store_size;	 /* bytes of all segments; 0: no limit */
	uint64_t results_stored; /* bytes of unread results of one child there; 0: no limit */
	uint64_t retain_age_ms;	 /* finished jobs go after so long; 0: never */
	uint64_t retain_size;	 /* bytes of all segments, above which the oldest go; 0: any */
	uint64_t retain_count;	 /* so many finished jobs stay; 0: no limit */
	uint64_t io_threads;	 /* at most, for connections; 0: one for each core */
	/* Of each bastion, see bastion.h; 0: the default. */
	uint64_t bastion_opening, bastion_channels, bastion_memory;
	uint64_t keepalive_ms; /* a connection that says nothing three times so long is lost */
	uint64_t reconnect_delay_ms; /* before the first attempt to connect again; 0: the default */
	uint64_t reconnect_timeout_ms; /* of jobs that do not say; 1: not at all */
	const char *settings;	       /* which of these were set, for people to compare; or NULL */
};

/*
 * Runs until it is told to stop, idle, or (without a listening socket) its client is gone. Returns
 * the exit status: 0, or 1 when it could not start.
 */
int daemon_main(const struct daemon_options *options);

#endif
