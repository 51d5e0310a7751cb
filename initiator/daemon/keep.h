/*
 * What the store keeps of a job (docs/protocol.md, section 15): its request as it came, the state
 * of its children, the columns of its rows, its input. Nothing secret: passwords are not in it.
 */
#ifndef MUSTER_KEEP_H
#define MUSTER_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent_msg.h"
#include "buf.h"
#include "control_msg.h"
#include "job.h"
#include "plan.h"
#include "results.h"
#include "store.h"

/* struct store_child.step */
enum keep_step { KEEP_QUEUED, KEEP_AWAY, KEEP_ENDED };
/* struct store_child.flags */
#define KEEP_ASKED    1u /* the command may have been started */
#define KEEP_STOPPING 2u
#define KEEP_ONCE     4u /* the same, and it ends with us: it is not begun again */
#define KEEP_WAITS    8u /* its host could not be reached, and is tried again */
/* When that was (of one that waits: when its host was first tried), in the rest of the flags. */
#define KEEP_TIME_SHIFT 8
static inline uint64_t keep_time(uint64_t wall_ns)
{
	return wall_ns / 1000000000u << KEEP_TIME_SHIFT;
}

static inline uint64_t keep_time_ns(uint64_t flags)
{
	return (flags >> KEEP_TIME_SHIFT) * 1000000000u;
}

/* struct store_job.wish */
enum keep_wish { KEEP_NONE, KEEP_HOLD, KEEP_STOP };
/* store_put_note's kind */
enum keep_note {
	KEEP_SCHEMA = 1,
	KEEP_INPUT,
	KEEP_INPUT_END,
	KEEP_THROTTLE,
	KEEP_RELEASED,
	KEEP_COPY_SAID, /* keep_copy.h, as the next */
	KEEP_COPY_END,
	KEEP_COPY_PLACE
};

/* The request as bytes: JOB_OPEN and JOB_TARGETS, as frames. */
void keep_request(struct buf *out, const struct job_open_msg *open,
		  const struct plan_request *targets);
/* And back. 0, or ERR_* with msg; both are then empty. */
int keep_request_get(const void *data, size_t len, struct job_open_msg *ret_open,
		     struct plan_request *ret_targets, struct errmsg *msg);

void keep_job(struct store *store, struct job *job, const struct buf *request);
void keep_job_state(struct store *store, const struct job *job);
/* flags: KEEP_*, but STOPPING, which its state says. results: NULL: it has none. */
void keep_child(struct store *store, const struct child *child, uint64_t flags,
		const struct results *results);

/* Columns that the child's agent numbers as in m, and we as id. remote_seq: of their frame. */
void keep_schema(struct store *store, const struct job *job, const struct child *child, uint64_t id,
		 const struct task_schema_msg *m, uint64_t remote_seq);
int keep_schema_get(const void *data, size_t len, uint64_t *ret_id, struct task_schema_msg *ret,
		    struct errmsg *msg);

void keep_input(struct store *store, const struct job *job, const void *data, size_t len);
void keep_input_end(struct store *store, const struct job *job);

/* Its canary does not keep the others waiting any more. */
void keep_released(struct store *store, const struct job *job);

/* Outweighs that of the request. */
void keep_throttle(struct store *store, const struct job *job, uint64_t throttle);
int keep_throttle_get(const void *data, size_t len, uint64_t *ret, struct errmsg *msg);

#endif
