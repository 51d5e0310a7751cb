/*
 * The files that one host sends, on their way to the daemon that has asked for them by way of this
 * one (docs/protocol.md, 6.17). Nothing is kept here: what comes goes on, with the number that the
 * copy has there, and so do the answers. The host may send what the other side has room for, and no
 * more.
 */
#ifndef MUSTER_COPY_PASS_H
#define MUSTER_COPY_PASS_H

#include "client.h"
#include "err.h"
#include "frame.h"

struct copy_pass;
struct link;

/* The number of a copy towards who asked: the place of its child and, above that, which of its
 * beginnings it is. */
#define COPY_PASS_NUMBER(at, beginning) ((uint64_t)(beginning) << 32 | ((uint64_t)(at) + 1))
#define COPY_PASS_AT(number)		((size_t)((number)&UINT32_MAX) - 1)

/* send: frames for the host, taken over. window: bytes that it may have on their way. Until
 * copy_pass_free answers for the link's child come here. */
struct copy_pass *copy_pass_new(struct link *link, uint64_t window,
				void (*send)(void *arg, struct buf *frames), void *arg);
void copy_pass_free(struct copy_pass *pass); /* NULL is fine */

uint64_t copy_pass_window(const struct copy_pass *pass);

/* The copy begins, or begins again, with this number towards the host; it has stopped. */
void copy_pass_begin(struct copy_pass *pass, uint64_t task);
void copy_pass_pause(struct copy_pass *pass);

/* COPY_ENTRY, COPY_DATA of the host: 0, or ERR_* with msg: it is its fault. */
int copy_pass_on_frame(struct copy_pass *pass, const struct frame *frame, struct errmsg *msg);

/* COPY_ANSWER, COPY_CREDIT of a client. */
int copy_pass_on_answer(struct client *client, const struct frame *frame, struct errmsg *msg);

#endif
