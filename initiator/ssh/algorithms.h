/*
 * Which key exchanges, ciphers and MACs are offered to servers: ours, cheap ones among the safe, or
 * those that a user names. CBC ciphers and SHA-1 are offered only where they are named.
 */
#ifndef MUSTER_ALGORITHMS_H
#define MUSTER_ALGORITHMS_H

#include "err.h"

enum algorithm_kind { ALGORITHM_KEX, ALGORITHM_CIPHER, ALGORITHM_MAC };

/*
 * Judges a list as a user gives it, names with commas. NULL is fine. ERR_SYNTAX with msg, which
 * names the word that cannot be and those that can. what: what the list is of, for msg. To be asked
 * before anything is connected; any thread.
 */
int algorithms_check(enum algorithm_kind kind, const char *list, const char *what,
		     struct errmsg *msg);

/* The list that was given, or ours. */
const char *algorithms_offer(enum algorithm_kind kind, const char *list);

#endif
