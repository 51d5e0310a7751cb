/*
 * When a connection may begin, and whether one that failed is tried again. Pure: time and random
 * bits are parameters, and nothing is known of sockets.
 *
 * What is limited are logins in flight, from the first packet to the end of the authentication: a
 * connection that is logged in costs its server next to nothing. There are two limits, and both
 * adapt. One holds for all: it grows while logins succeed, and falls when many are dropped or when
 * this computer runs out of ports or descriptors. The other holds for a group, which is an address
 * or a bastion: sshd drops at random what exceeds its MaxStartups, and says nothing.
 *
 * A login that takes far longer than others do hangs, most likely, and costs nothing but the wait:
 * to the limit for all it counts no more. Its group, which may be why, is still limited by it.
 *
 * Who waits is served in order of asking, but for those whose group is full, who hold up nobody
 * else. All is O(log groups). For one thread.
 */
#ifndef MUSTER_PACER_H
#define MUSTER_PACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pacer;
struct pacer_group;

/* How a login ended. */
enum pacer_end {
	PACER_LOGIN,	     /* it did not fail */
	PACER_DROPPED,	     /* closed or reset before the login */
	PACER_REFUSED,	     /* nobody listens */
	PACER_UNREACHABLE,   /* no route, or no answer in time */
	PACER_LOCAL,	     /* this computer had no port, memory or descriptor for it */
	PACER_RESOLVE_AGAIN, /* the resolver had no answer just now */
	PACER_FINAL	     /* authentication, host key, unknown name, refused exec; ended by us */
};

struct pacer_limits {
	size_t start, min, max;	       /* logins in flight, in all */
	size_t group_start, group_max; /* and in one group; it falls to 1 */
	size_t hanging;		       /* beside these, logins that hang; 0: none */
};
extern const struct pacer_limits pacer_limits_default;

/*
 * A place in the queue; embedded by who asks, all zero but for the function. granted may be called
 * inside every function of this file that is given now, and may itself call them, and free what
 * it is a part of once it has given its place back.
 */
struct pacer_ticket {
	void (*granted)(void *arg);
	void *arg;
	/* The pacer's. */
	enum { PACER_TICKET_NONE, PACER_TICKET_WAITING, PACER_TICKET_HELD } state;
	struct pacer_ticket *next;
	struct pacer_ticket **prev;
	struct pacer_group *group;
	uint64_t asked;	     /* a number */
	uint64_t granted_ns; /* when */
	bool dropped;	     /* the last time: it is best kept for the next one */
	bool hangs;
};

/* limits: copied; NULL: the default. Freed by pacer_free, when no ticket waits or is held. */
struct pacer *pacer_new(const struct pacer_limits *limits);
void pacer_free(struct pacer *pacer); /* NULL is fine */

/* group: the address and port, or the bastion; copied. now: monotonic, nanoseconds. Again, while it
 * waits or is held: no effect. */
void pacer_ask(struct pacer *pacer, struct pacer_ticket *ticket, const char *group, uint64_t now);

/* Gives the place back: the login is over, and this is what came of it. Of a ticket that is not
 * held: as pacer_forget. */
void pacer_login_done(struct pacer *pacer, struct pacer_ticket *ticket, enum pacer_end end,
		      uint64_t now);

/* Leaves the queue, or gives the place back without a word on how it went. Again: no effect. */
void pacer_forget(struct pacer *pacer, struct pacer_ticket *ticket, uint64_t now);

/* To be called now and then while somebody waits: who hangs is known by the time alone. */
void pacer_look(struct pacer *pacer, uint64_t now);

/* For people, and for tests. */
size_t pacer_waiting(const struct pacer *pacer);
size_t pacer_in_flight(const struct pacer *pacer);
size_t pacer_limit(const struct pacer *pacer);
size_t pacer_group_count(const struct pacer *pacer); /* that are remembered */
/* How many logins in flight this group may have now. */
size_t pacer_group_limit(const struct pacer *pacer, const char *group);

/* --- trying again ---------------------------------------------------------------------------- */

/* What errno of a socket, or a result of getaddrinfo(3), means. Neither is 0. A login that was
 * begun and did not come to its end in time: PACER_UNREACHABLE. */
enum pacer_end pacer_end_of_errno(int error);
enum pacer_end pacer_end_of_resolver(int error);

#define PACER_NO_RETRY (-1)
/*
 * After how many milliseconds to ask again, or PACER_NO_RETRY. failed: how often it has failed
 * before, PACER_LOCAL apart from the others. retries: 1 + the number that the user has given, for
 * every kind but PACER_FINAL; 0: none was given, and what is certain to be worth it is tried again.
 * PACER_LOCAL is always: to be ended by the deadline of who asks. random: all bits.
 */
int64_t pacer_retry(enum pacer_end end, uint64_t failed, uint64_t retries, uint64_t random);

#endif
