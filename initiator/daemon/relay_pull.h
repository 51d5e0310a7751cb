/*
 * The files of one host, as they come by its gateway (docs/protocol.md, 6.17): into a folder here,
 * or, where this is a gateway itself, on to who asked. Known to relay*.c and link_relay.c alone.
 */
#ifndef MUSTER_RELAY_PULL_H
#define MUSTER_RELAY_PULL_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "frame.h"

struct outcome;
struct relay_member;
struct relay_pull;

/* The gateway says that the copy begins, or begins again, with this number. */
void relay_pull_open(struct relay_member *m, uint64_t number, uint64_t window);
/* COPY_ENTRY, COPY_DATA: what is wrong with them is the host's fault, and ends its child. */
void relay_pull_on_frame(struct relay_member *m, uint64_t number, const struct frame *frame);
/* The gateway is lost, and another may follow. NULL is fine. */
void relay_pull_pause(struct relay_pull *pull);
/* The host has said all. True: its child ends by itself, when that is written; it is no member of
 * its relay any more. False: its end is *outcome. */
bool relay_pull_end(struct relay_member *m, struct outcome *outcome);
/* What it ends with in place of *outcome, if something has failed here. NULL is fine. */
void relay_pull_judge(const struct relay_pull *pull, struct outcome *outcome);
void relay_pull_free(struct relay_pull *pull); /* NULL is fine */

#endif
