/*
 * Which key exchanges, ciphers, MACs and kinds of keys are offered to servers: ours, cheap ones
 * among the safe, or those that a user names. CBC ciphers and SHA-1 are offered only where they are
 * named.
 */
#ifndef MUSTER_ALGORITHMS_H
#define MUSTER_ALGORITHMS_H

#include "err.h"

enum algorithm_kind {
	ALGORITHM_KEX,
	ALGORITHM_CIPHER,
	ALGORITHM_MAC,
	ALGORITHM_HOST_KEY,
	ALGORITHM_PUBKEY, /* with which a user's keys sign */
	ALGORITHM_COUNT
};

/*
 * Judges a list as a user gives it, names with commas. NULL is fine. ERR_SYNTAX with msg, which
 * names the word that cannot be and those that can. what: what the list is of, for msg. To be asked
 * before anything is connected; any thread.
 */
int algorithms_check(enum algorithm_kind kind, const char *list, const char *what,
		     struct errmsg *msg);

/*
 * A list of ssh_config(5): names with commas, or behind '+' more than ours, behind '-' patterns of
 * what is left out of ours, behind '^' what comes before ours. What libssh does not know is left
 * out, and so are host certificates. *ret is the caller's to free. ERR_SYNTAX with msg, which names
 * the list, if nothing is left. Any thread; some ten microseconds.
 */
int algorithms_assemble(enum algorithm_kind kind, const char *list, const char *what, char **ret,
			struct errmsg *msg);

/* The list that was given, or ours. */
const char *algorithms_offer(enum algorithm_kind kind, const char *list);

#endif
