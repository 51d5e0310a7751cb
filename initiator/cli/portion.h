/* --shard I/N: a part of the hosts, for programs that run muster many times side by side. */
#ifndef MUSTER_PORTION_H
#define MUSTER_PORTION_H

#include <stdbool.h>

#include "err.h"
#include "hostlist.h"

/* Every of-th host, from the index-th on; index counts from 0 to of - 1. */
struct portion {
	size_t index, of;
};

/* "I/N". Returns 0, or ERR_SYNTAX or ERR_RANGE with msg, which names the option and the cure. */
int portion_parse(struct portion *ret, const char *text, struct errmsg *msg);

/*
 * Leaves the hosts of the portion. The same expression gives the same order, and so the portions
 * 0/N to N-1/N have no host in common, and are all hosts together. True if hosts were there and
 * none is left; text then says so in a line for people.
 */
bool portion_take(const struct portion *portion, struct hostlist *hosts, struct errmsg *text);

#endif
