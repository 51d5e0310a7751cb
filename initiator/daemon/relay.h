/*
 * One part of a job on one gateway: an SSH connection to `muster relay` there, over which we are a
 * client of the gateway's own daemon and run a synchronous job (docs/protocol.md, 6.14). What it
 * says goes to the links of the children as it comes; nothing is gathered.
 */
#ifndef MUSTER_RELAY_H
#define MUSTER_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link;
struct outcome;
struct plan_host;
struct plan_target;
struct relay;
struct relay_talk;
struct relays;

/* Known to relays*.c and relay*.c alone; relays.h has what others may do with it. */
struct relay_pull;
struct relay_member {
	struct link *link;
	struct relays *relays;
	struct relay_member *next; /* among those that wait, or that are to be sent */
	struct relay_member **prev;
	struct relay *relay;	    /* NULL: it waits for one */
	struct relay_member *dirty; /* the next one of which something is to be asked */
	size_t at;		    /* its place in the request, once that was sent */
	size_t held_bytes;	    /* that came all the same */
	bool began;		    /* as far as we were told */
	bool stop;
	bool hold;
	bool is_dirty;
	bool ask_stop;
	bool ask_hold; /* told last, if that was asked for */
	enum { MEMBER_ASK_NOTHING, MEMBER_ASK_SUSPEND, MEMBER_ASK_RESUME } ask;
	bool resuming;		 /* its child waits to hear that it goes on */
	bool away;		 /* a copy that has begun, and has lost its gateway */
	struct relay_pull *pull; /* files that come from it; NULL: none so far */
};

void member_insert(struct relay_member **list, struct relay_member *m);
void member_remove(struct relay_member *m); /* of the list in which it is, if it is in one */

/* Begins to connect. gateway: its number in relays, host: its name; borrowed. */
struct relay *relay_new(struct relays *relays, size_t gateway, const struct plan_host *host,
			const struct plan_target *target);
/* Ends the connection; the members are none of it any more, and are not told. Not from inside its
 * own calls. */
void relay_free(struct relay *relay);

size_t relay_gateway(const struct relay *relay);
bool relay_takes(const struct relay *relay); /* it has not sent its request so far */
void relay_add(struct relay *relay, struct relay_member *m);
/* The member is none of it any more. */
void relay_remove(struct relay *relay, struct relay_member *m);
void relay_feed(struct relay *relay);
/* A stop is to be asked of it, once; something else. */
void relay_stop(struct relay *relay, struct relay_member *m);
void relay_ask(struct relay *relay, struct relay_member *m);

/* --- relay_request.c ------------------------------------------------------------------------- */

struct buf;
struct errmsg;
struct run;
/* JOB_OPEN and JOB_TARGETS of these, in order, as frames. gateway: its name without user and port.
 * 0, or ERR_LIMIT with msg. */
int relay_request_put(struct buf *out, const struct run *run, const char *gateway,
		      struct relay_member *const *members, size_t count, struct errmsg *msg);

/* JOB_SECRET; the caller wipes all of out. */
void relay_secret_put(struct buf *out, const char *password, const char *login);

/* --- relay_ask.c ----------------------------------------------------------------------------- */

/* What is to be asked of it for single members, as frames: these are then asked. */
void relay_ask_put(struct buf *out, struct relay_member *dirty, const struct relay_talk *talk);

/* --- relays.c: what a relay tells ------------------------------------------------------------ */

struct run *relays_run(const struct relays *relays);
const struct plan_host *relays_host(const struct relays *relays, size_t index);
/* Under which the gateway keeps what the job copies. */
const char *relays_stage_key(struct relays *relays, size_t gateway);
/* A gateway was lost while it was sent files, before anything began there: whether it is worth
 * another attempt. */
bool relays_may_try_again(struct relays *relays, size_t gateway);
/* Whether children will start that it may be asked for. */
bool relays_has_more(const struct relays *relays);
/* It has done all it was asked for, or is lost: it is freed soon. */
void relays_on_over(struct relays *relays, struct relay *relay);
/* The gateway cannot be used any more: before the next. */
void relays_on_failed(struct relays *relays, size_t gateway, const char *why);
/* Its gateway has lost a member: it goes to another one, or ends. began: its command may have, and
 * is not begun again. True if it goes. */
bool relays_on_lost(struct relay_member *m, const char *why, bool began);

/* --- link_relay.c: what the links are told ---------------------------------------------------- */

struct record;
void link_relay_on_begun(struct relay_member *m);
void link_relay_on_state(struct relay_member *m, bool suspended);
/* Of a copy: the link to it is lost, there or here; it may come back. */
void link_relay_on_away(struct relay_member *m);
void link_relay_on_record(struct relay_member *m, const struct record *record);
void link_relay_end(struct relay_member *m, const struct outcome *outcome); /* frees the member */

#endif
