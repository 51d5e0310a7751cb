#include "keep.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "frame.h"
#include "limits.h"
#include "message.h"
#include "wire.h"

/* --- the request ---------------------------------------------------------------------------- */

static void keep_targets(struct buf *out, const struct plan_request *targets)
{
	for (size_t i = 0; i < targets->count;) {
		struct job_target list[CONTROL_TARGETS_BATCH];
		struct job_targets_msg m = {.targets = list};
		size_t begin;

		for (; m.count < CONTROL_TARGETS_BATCH && i < targets->count; i++) {
			const struct plan_host *h = &targets->hosts[i];

			list[m.count++] = (struct job_target){.host = h->host,
							      .hostname = h->hostname,
							      .user = h->user,
							      .port = h->port};
		}
		begin = frame_begin(out);
		job_targets_put(out, &m);
		if (frame_end(out, begin, MSG_JOB_TARGETS, 0, 0) != 0)
			abort(); /* so many fit */
	}
}

void keep_request(struct buf *out, const struct job_open_msg *open,
		  const struct plan_request *targets)
{
	size_t begin = frame_begin(out);

	job_open_put(out, open);
	if (frame_end(out, begin, MSG_JOB_OPEN, 0, 0) != 0)
		abort(); /* it came in a frame */
	keep_targets(out, targets);
}

static void keep_request_add(struct plan_request *targets, struct job_targets_msg *m)
{
	targets->hosts =
		xrealloc(targets->hosts, targets->count + m->count, sizeof *targets->hosts);
	for (size_t i = 0; i < m->count; i++) {
		struct job_target *t = &m->targets[i];

		targets->hosts[targets->count++] = (struct plan_host){.host = t->host,
								      .hostname = t->hostname,
								      .user = t->user,
								      .port = (uint16_t)t->port};
		*t = (struct job_target){0};
	}
}

static int keep_request_frame(const struct frame *frame, struct job_open_msg *open,
			      struct plan_request *targets, struct errmsg *msg)
{
	struct job_targets_msg m;
	int rc;

	if (frame->type == MSG_JOB_OPEN && !open->home && !open->argv && !open->script)
		return job_open_get(open, frame->body, frame->len, msg);
	if (frame->type != MSG_JOB_TARGETS)
		return err_set(msg, ERR_PROTO, "message %u is no part of a kept job", frame->type);
	rc = job_targets_get(&m, frame->body, frame->len, msg);
	if (rc == 0 && m.count > LIMIT_HOSTS - targets->count)
		rc = err_set(msg, ERR_LIMIT, "more than %u hosts", LIMIT_HOSTS);
	if (rc == 0)
		keep_request_add(targets, &m);
	job_targets_done(&m);
	return rc;
}

int keep_request_get(const void *data, size_t len, struct job_open_msg *ret_open,
		     struct plan_request *ret_targets, struct errmsg *msg)
{
	const uint8_t *at = data;
	int rc = 0;

	*ret_open = (struct job_open_msg){0};
	*ret_targets = (struct plan_request){0};
	while (rc == 0 && len) {
		struct frame frame;
		int64_t used = frame_parse(at, len, &frame, msg);

		if (used == 0)
			rc = err_set(msg, ERR_PROTO, "a kept job ends in the middle");
		else if (used < 0)
			rc = (int)used;
		else
			rc = keep_request_frame(&frame, ret_open, ret_targets, msg);
		at += used > 0 ? used : 0;
		len -= used > 0 ? (size_t)used : 0;
	}
	if (rc) {
		job_open_done(ret_open);
		plan_request_done(ret_targets);
	}
	return rc;
}

/* --- states --------------------------------------------------------------------------------- */

static void keep_fill_child(struct store_child *ret, const struct child *child, uint64_t flags,
			    const struct results *results, struct outcome *outcome)
{
	enum job_state state = child_state(child);

	*ret = (struct store_child){.id = child_id(child),
				    .step = state == JOB_STATE_NOT_STARTED ? KEEP_QUEUED
									   : KEEP_AWAY,
				    .flags = flags,
				    .exit_code = -1,
				    .begin_ns = child_begin_ns(child),
				    .end_ns = child_end_ns(child)};
	memcpy(ret->uuid, child_uuid(child)->bytes, sizeof ret->uuid);
	/* One that is stopped before it began is Stopping too. */
	if (state == JOB_STATE_STOPPING)
		ret->flags |= KEEP_STOPPING;
	if (!ret->begin_ns)
		ret->step = KEEP_QUEUED;
	if (results)
		results_read(results, ret->read);
	if (!child_outcome(child, outcome))
		return;
	ret->step = KEEP_ENDED;
	ret->cause = (uint64_t)outcome->cause;
	ret->exit_code = outcome->exit_code;
	ret->signal = outcome->signal[0] ? outcome->signal : NULL;
	ret->text = outcome->text[0] ? outcome->text : NULL;
}

static void keep_fill_job(struct store_job *ret, const struct job *job)
{
	*ret = (struct store_job){.id = job_id(job),
				  .child_count = job_child_count(job),
				  .hidden = job_is_hidden(job),
				  .begin_ns = job_begin_ns(job),
				  .end_ns = job_end_ns(job),
				  .wish = job_state(job) == JOB_STATE_STOPPING ? KEEP_STOP
					  : job_is_held(job)		       ? KEEP_HOLD
									       : KEEP_NONE};
	memcpy(ret->uuid, job_uuid(job)->bytes, sizeof ret->uuid);
}

void keep_job(struct store *store, struct job *job, const struct buf *request)
{
	size_t count = job_child_count(job);
	struct store_child *children = xcalloc(count, sizeof *children);
	struct outcome outcome;
	struct store_job j;

	keep_fill_job(&j, job);
	j.spec = request->data;
	j.spec_len = request->len;
	for (size_t i = 0; i < count; i++)
		keep_fill_child(&children[i], job_child(job, i), 0, NULL, &outcome);
	store_put_job(store, &j, children);
	free(children);
}

void keep_job_state(struct store *store, const struct job *job)
{
	struct store_job j;

	keep_fill_job(&j, job);
	store_update_job(store, &j);
}

void keep_child(struct store *store, const struct child *child, uint64_t flags,
		const struct results *results)
{
	struct outcome outcome;
	struct store_child c;

	keep_fill_child(&c, child, flags, results, &outcome);
	store_update_child(store, &c);
}

/* --- notes ---------------------------------------------------------------------------------- */

void keep_schema(struct store *store, const struct job *job, const struct child *child, uint64_t id,
		 const struct task_schema_msg *m, uint64_t remote_seq)
{
	struct task_schema_msg own = *m;
	struct buf body = {0};

	/* The task's place takes our number. */
	own.task = id;
	task_schema_put(&body, &own);
	store_put_note(store, job_id(job), KEEP_SCHEMA, child_id(child), remote_seq, body.data,
		       body.len);
	buf_done(&body);
}

int keep_schema_get(const void *data, size_t len, uint64_t *ret_id, struct task_schema_msg *ret,
		    struct errmsg *msg)
{
	int rc = task_schema_get(ret, data, len, msg);

	if (rc == 0)
		*ret_id = ret->task;
	return rc;
}

void keep_input(struct store *store, const struct job *job, const void *data, size_t len)
{
	store_put_note(store, job_id(job), KEEP_INPUT, 0, 0, data, len);
}

void keep_input_end(struct store *store, const struct job *job)
{
	store_put_note(store, job_id(job), KEEP_INPUT_END, 0, 0, "", 0);
}

void keep_released(struct store *store, const struct job *job)
{
	store_put_note(store, job_id(job), KEEP_RELEASED, 0, 0, "", 0);
}

void keep_throttle(struct store *store, const struct job *job, uint64_t throttle)
{
	struct buf body = {0};

	wire_put_array(&body, 1);
	wire_put_u64(&body, throttle);
	store_put_note(store, job_id(job), KEEP_THROTTLE, 0, 0, body.data, body.len);
	buf_done(&body);
}

int keep_throttle_get(const void *data, size_t len, uint64_t *ret, struct errmsg *msg)
{
	struct wire_in *in;
	uint64_t throttle;
	int rc = wire_in_new(&in, data, len, msg);

	if (rc)
		return rc;
	throttle = wire_get_u64(in, "throttle", LIMIT_HOSTS);
	if (!throttle)
		wire_fault(in, ERR_PROTO, "throttle", "is 0");
	rc = wire_in_end(in, msg);
	wire_in_free(in);
	if (rc == 0)
		*ret = throttle;
	return rc;
}
