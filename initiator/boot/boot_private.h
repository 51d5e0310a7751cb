/* Between boot.c and boot_fail.c. */
#ifndef MUSTER_BOOT_PRIVATE_H
#define MUSTER_BOOT_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot.h"
#include "boot_scan.h"
#include "buf.h"
#include "locked.h"

/* What is being awaited on the way to another user. */
enum boot_rise { RISE_LOGIN, RISE_ASKED, RISE_ANSWERED, RISE_THROUGH, RISE_COUNT };

/* The talk with the text. REPEAT: what was sent came damaged once. */
enum boot_talk { TALK_LOOKING, TALK_PUSHED, TALK_REPEAT, TALK_AGAIN, TALK_COUNT };

struct boot_stream {
	struct boot_scan scan;
	struct buf text; /* the first LIMIT_BOOT_TEXT bytes of what is not for us */
	char last[128];	 /* the beginning of its unfinished line */
	size_t last_len;
	bool asks; /* between BECOME and THROUGH */
};

struct boot {
	struct boot_spec spec;
	const struct boot_events *events;
	void *arg;
	struct boot_stream out, error;
	enum boot_rise rise;
	enum boot_talk talk;
	size_t heard; /* at most LIMIT_BOOT_NOISE */
	unsigned pushes;
	bool ended;
	struct locked *answer; /* the password and a newline, once it was sent */
	const uint8_t *rest;   /* of the bytes that are being fed, behind the line */
	size_t rest_len;
	struct buf joined;
};

/* Wipes and frees what was sent of the password. */
void boot_forget_answer(struct boot *boot);

/* The last event: why, the cure, and what the target said. */
void boot_fail(struct boot *boot, enum boot_end end, const char *why);

#endif
