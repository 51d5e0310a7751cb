/* Jobs, children and their states as messages. */
#ifndef MUSTER_REPLY_H
#define MUSTER_REPLY_H

#include "client.h"
#include "job.h"
#include "select.h"

/* GET_ROW of a job or a child, with every property. */
void reply_job(struct client *client, struct job *job);
void reply_child(struct client *client, const struct child *child);
void reply_item(struct client *client, const struct select_item *item);

/* CHILD_STATE; the other one: that its command may begin from now on. */
void reply_child_starting(struct client *client, const struct child *child);
void reply_child_state(struct client *client, const struct child *child);

/* PROBLEM: a line for stderr that argues for an exit status (0: a warning). */
void reply_problem(struct client *client, uint64_t exit_status, const char *text);
/* A warning PROBLEM for each line. NULL: none. */
void reply_notes(struct client *client, const char *text);

/* The worst exit status of muster that the ended children of an item argue for. */
uint64_t reply_exit_status(const struct select_item *item);

/* A WARNING for each line; NULL: none. */
void reply_warnings(struct client *client, const char *text);

#endif
