/*
 * The part of a host with an agent that runs on an I/O thread (line_side.h): the bootstrap, then
 * the frames of the agent, cut and checked. What it tells is enum remote_told.
 */
#ifndef MUSTER_REMOTE_IO_H
#define MUSTER_REMOTE_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "boot.h"
#include "line_side.h"

/* What it tells the main loop. Frames come as data: whole ones, which frame_parse_checked takes. */
enum remote_told {
	REMOTE_TOLD_BOOTING,  /* the text runs there */
	REMOTE_TOLD_READY,    /* the agent runs: the password is not looked at any more */
	REMOTE_TOLD_OPEN,     /* struct remote_told_open, then its texts */
	REMOTE_TOLD_NO_AGENT, /* none of these is followed by anything: why */
	REMOTE_TOLD_BECOME,
	REMOTE_TOLD_BROKEN, /* it broke the rules: what it did */
	REMOTE_TOLD_LATE    /* it did not come up in time */
};

struct remote_told_open {
	uint64_t can;	/* AGENT_CAN_* */
	size_t program; /* bytes of its name and version, which follow; 0: it has not said */
	bool note;	/* a text follows behind that, without a NUL */
};

/* What the side is begun with; freed by it. Its nonce is made by the side. */
struct remote_order {
	struct boot_spec spec; /* its strings are these */
	char *become_user;
	struct locked *password;
	uint64_t start_timeout_ms; /* from the login to HELLO */
};

extern const struct line_side remote_side;

/* The text to execute, which the caller frees: for the line's spec. NULL for a subsystem. Not from
 * an I/O thread. */
char *remote_order_command(struct remote_order *order);

void remote_order_wipe(struct remote_order *order);

#endif
