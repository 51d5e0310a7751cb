/* The exit statuses of muster: documented in --help, muster(1) and docs/protocol.md section 10. */
#ifndef MUSTER_EXIT_H
#define MUSTER_EXIT_H

enum exit_status {
	EXIT_OK = 0,
	EXIT_INTERNAL = 1,
	EXIT_USAGE = 2,	      /* usage, malformed input, or no target */
	EXIT_STOPPED = 3,     /* timeout, signal, stopped */
	EXIT_UNREACHABLE = 4, /* no connection or no login */
	EXIT_REMOTE = 5,      /* a remote command failed */
	EXIT_INTERRUPTED = 130,
	EXIT_NO_DAEMON = 255
};

/* Where several apply: 1 wins over 2, 2 over 4, 4 over 3, and 3 over 5. */
int exit_worse(int a, int b);

#endif
