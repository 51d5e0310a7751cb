/*
 * A run: a job (job/) joined with the plan and the connections that carry it out (ssh/), and with
 * the client that reads its results.
 */
#ifndef MUSTER_RUN_H
#define MUSTER_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "control_msg.h"
#include "job.h"
#include "plan.h"

struct client;
struct daemon;
struct run;

/*
 * Makes the job and takes plan and open over (open is then empty). client reads the results; NULL:
 * nobody does. Nothing starts before run_start. The registry owns it.
 */
struct run *run_new(struct daemon *daemon, struct client *client, struct job_open_msg *open,
		    struct plan *plan, const char *const *locations, size_t count);
void run_start(struct run *run);
void run_free(struct run *run); /* NULL is fine */

/* Stops the job. Finished: no effect. */
void run_stop(struct run *run);

/* The client is gone: a synchronous job is stopped. */
void run_detach(struct run *run);

struct job *run_job(const struct run *run);

/* Connections are still being taken down: not to be freed yet. */
bool run_is_busy(const struct run *run);

/* --- for link.c --------------------------------------------------------------------------- */

struct daemon *run_daemon(const struct run *run);
const struct plan_target *run_target(const struct run *run, size_t index);
const struct job_open_msg *run_open(const struct run *run);

/* Sends a batch of records to the client and empties it. Returns the sequence number after it. */
uint64_t run_send_records(struct run *run, uint64_t child_id, uint64_t first_seq,
			  struct record_batch *batch);

/* True while the client does not keep up: links hold their hosts back. */
bool run_is_held(const struct run *run);

#endif
