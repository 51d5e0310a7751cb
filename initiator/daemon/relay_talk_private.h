/* The inside of a talk, for relay_talk.c and relay_talk_copy.c (files). */
#ifndef MUSTER_RELAY_TALK_PRIVATE_H
#define MUSTER_RELAY_TALK_PRIVATE_H

#include "buf.h"
#include "frame.h"
#include "relay_talk.h"

enum talk_phase { TALK_GREETED_NOT, TALK_GREETED, TALK_ASKED, TALK_ACCEPTED, TALK_OVER };

struct talk_child {
	uint64_t next_seq;
	bool ended;
	bool may_begin; /* we were told that it may, or has */
};

/* Of columns: their number there, and ours. */
struct talk_schema {
	uint64_t theirs;
	uint64_t ours;
};

struct relay_talk {
	const struct relay_talk_ops *ops;
	void *arg;
	enum talk_phase phase;
	bool refused;
	bool files; /* they come from the children */
	struct buf in;
	size_t noise; /* bytes that came before HELLO */
	uint64_t job;
	uint64_t first_child;
	struct talk_child *children;
	size_t count;
	size_t ended;
	struct talk_schema *schemas; /* in order of theirs */
	size_t schema_count;
	size_t schema_size;
	size_t schema_bytes;
	struct errmsg *msg; /* of the call that is under way */
};

/* The place of a child that has not ended: 0, or ERR_PROTO with the talk's msg. */
int relay_talk_find(struct relay_talk *talk, uint64_t id, size_t *ret);

/* Messages of a copy, in the phases of the table. */
int relay_talk_on_stage(struct relay_talk *talk, const struct frame *frame);
int relay_talk_on_copy_open(struct relay_talk *talk, const struct frame *frame);
int relay_talk_on_copy_files(struct relay_talk *talk, const struct frame *frame);

#endif
