/* The inside of a relay, for relay.c (its life), relay_send.c (what it is told) and relay_hear.c
 * (what it says). */
#ifndef MUSTER_RELAY_PRIVATE_H
#define MUSTER_RELAY_PRIVATE_H

#include "line.h"
#include "link_private.h"
#include "message.h"
#include "relay.h"
#include "relay_pull.h"
#include "relay_stage.h"
#include "relay_talk.h"

#define RELAY_TICK_MS 10000u /* a third of LIMIT_RELAY_LEASE_MS */
/* Of children that are held back, more than can be on its way from one that keeps to it. */
#define RELAY_HELD_MAX (16u << 20)

struct relay {
	struct relays *relays;
	size_t gateway;
	const char *name;     /* of the gateway; borrowed, as is the next */
	const char *hostname; /* without user and port */
	struct line *line;
	struct relay_talk *talk;
	struct event *timer;
	struct event *asking;	       /* soon, what is dirty is asked */
	struct relay_member *to_send;  /* members, until the request is sent */
	struct relay_member **members; /* then, by place; NULL: has ended or left */
	size_t count;
	size_t live;	     /* members that are left */
	size_t stopping;     /* of these */
	struct child *first; /* of its part */
	struct relay_member *dirty;
	uint64_t fed; /* input that was given */
	bool feed_ended;
	uint64_t heard_ms;
	uint64_t stop_ms; /* when all of it was asked to stop; 0: was not */
	uint64_t pings;
	bool pinged; /* and not answered so far */
	size_t held_bytes;
	bool line_held;
	unsigned warnings;
	char errors[LIMIT_OUTCOME_TEXT]; /* the last of what it wrote there */
	bool all_said; /* of a lost one: nothing is missing of what its daemon has said */
	struct relay_stage *stage; /* files that are on their way to it; NULL: none */
	bool has_stage;		   /* they are there as long as it is connected to */
	bool lost;		   /* the connection, and not what is at its end */
	bool lingers;		   /* all is done, but for has_stage */
	bool dead;
	bool queued; /* relay_free_deferred will come */
	bool freed;
};

extern const struct relay_talk_ops relay_talk_ops;
extern const struct line_events relay_line_events;

uint64_t relay_now_ms(void);
struct run *relay_run(const struct relay *relay);
/* Frees it, and tells relays; its line, or its talk, may be on the stack. */
void relay_free_later(struct relay *relay);
/* The gateway is lost, or not to be listened to any more. */
void relay_fail(struct relay *relay, const char *why);

/* PING and all that from now on. */
void relay_tick_soon(struct relay *relay);
/* Whole frames, taken over. */
void relay_send_frames(struct relay *relay, struct buf *frames);
void relay_send(struct relay *relay, enum message_type type, const struct buf *body);
void relay_send_request(struct relay *relay);
/* `muster relay` was started. */
void relay_started(struct relay *relay);
/* What is dirty, when it may be asked. */
void relay_send_asks(struct relay *relay);
void relay_send_ping(struct relay *relay);

#endif
