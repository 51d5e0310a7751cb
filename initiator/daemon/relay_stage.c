#include "relay_stage.h"

#include <stdlib.h>

#include "alloc.h"
#include "copy_msg.h"
#include "copy_push.h"
#include "copy_tell.h"
#include "escape.h"
#include "relay_private.h"

#define STAGE_TASK 1u /* there is no other on this connection */

struct relay_stage {
	struct relay *relay;
	struct copy_plan_wait found;
	struct copy_push *push; /* NULL: the gateway has not asked for it so far */
	bool asked;
	uint64_t told_ms;
};

bool relay_stage_is_wanted(const struct relay *relay)
{
	const struct job_open_msg *open = run_open(relay_run(relay));

	return open->builtin == JOB_COPY && !(open->copy_flags & JOB_COPY_PULL);
}

void relay_stage_free(struct relay_stage *stage)
{
	if (!stage)
		return;
	copy_plan_unwait(&stage->found);
	copy_push_free(stage->push);
	free(stage);
}

/* --- what there is -------------------------------------------------------------------------- */

/* It cannot be copied at all, by whichever way. */
static void stage_refuse(struct relay *relay, const char *why)
{
	struct outcome outcome = {.cause = CAUSE_REFUSED, .exit_code = -1};
	struct relay_member *m;

	(void)escape_str(outcome.text, sizeof outcome.text, why);
	relay_free_later(relay);
	while ((m = relay->to_send)) {
		relay_remove(relay, m);
		link_relay_end(m, &outcome);
	}
}

static void stage_ask(struct relay_stage *stage)
{
	struct relay *relay = stage->relay;
	const struct copy_plan *plan = *run_copy(relay_run(relay));
	struct copy_open_msg m = {.task = STAGE_TASK};
	struct buf body = {0};

	if (relay->dead)
		return;
	if (copy_plan_fault(plan)) {
		stage_refuse(relay, copy_plan_fault(plan));
		return;
	}
	stage->asked = true;
	m.to = (char *)(uintptr_t)relays_stage_key(relay->relays, relay->gateway); /* only read */
	copy_open_put(&body, &m);
	relay_send(relay, MSG_COPY_OPEN, &body);
	buf_done(&body);
}

static void stage_on_found(void *arg)
{
	stage_ask(arg);
}

void relay_stage_begin(struct relay *relay)
{
	struct run *run = relay_run(relay);
	const struct job_open_msg *open = run_open(run);
	struct relay_stage *stage = xcalloc(1, sizeof *stage);
	struct copy_plan **plan = run_copy(run);

	stage->relay = relay;
	stage->found.fn = stage_on_found;
	stage->found.arg = stage;
	relay->stage = stage;
	relay_tick_soon(relay);
	if (!*plan)
		*plan = copy_plan_new(daemon_copies(run_daemon(run)), open->copy_from,
				      open->copy_from_count, open->copy_flags & JOB_COPY_RECURSE);
	if (copy_plan_is_ready(*plan))
		stage_ask(stage);
	else
		copy_plan_wait(*plan, &stage->found);
}

/* --- what the gateway is told --------------------------------------------------------------- */

static void stage_on_send(void *arg, struct buf *frames)
{
	struct relay_stage *stage = arg;

	relay_send_frames(stage->relay, frames);
}

/* Each host is to hear of it, and so the gateway does. What it cannot keep itself it says once
 * more, as an error of it all. */
static void stage_on_say(void *arg, bool is_error, const char *name, const char *text)
{
	struct relay_stage *stage = arg;
	struct copy_entry_msg m = {.task = STAGE_TASK,
				   .index = 1,
				   .kind = is_error ? FILE_TROUBLE : FILE_SPECIAL,
				   .name = (char *)(uintptr_t)name, /* only read, as the next */
				   .text = (char *)(uintptr_t)text};
	struct buf body = {0};

	copy_entry_put(&body, &m);
	relay_send(stage->relay, MSG_COPY_ENTRY, &body);
	buf_done(&body);
}

/* One of its hosts stands for all of them. */
static void stage_progress(struct relay_stage *stage)
{
	struct relay *relay = stage->relay;
	const struct job_open_msg *open = run_open(relay_run(relay));
	uint64_t now = relay_now_ms();

	if (open->background || !relay->to_send || now < stage->told_ms + COPY_TELL_MS)
		return;
	stage->told_ms = now;
	copy_tell_progress(relay->to_send->link, copy_push_tally(stage->push),
			   *run_copy(relay_run(relay)));
}

/* --- what it says --------------------------------------------------------------------------- */

static int stage_on_open(struct relay_stage *stage, const struct frame *frame, struct errmsg *msg)
{
	static const struct copy_push_ops ops = {.send = stage_on_send, .say = stage_on_say};
	struct run *run = relay_run(stage->relay);
	struct copy_open_msg m;
	int rc = copy_open_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	copy_open_done(&m);
	if (stage->push)
		return err_set(msg, ERR_PROTO, "it asks for the files twice");
	stage->told_ms = relay_now_ms();
	stage->push = copy_push_new(&(struct copy_push_spec){.plan = *run_copy(run),
							     .pool = daemon_copies(run_daemon(run)),
							     .window = LIMIT_COPY_STAGE,
							     .ops = &ops,
							     .arg = stage});
	copy_push_begin(stage->push, STAGE_TASK);
	return 0;
}

static int stage_on_end(struct relay_stage *stage, struct errmsg *msg)
{
	struct relay *relay = stage->relay;

	if (stage->push && !copy_push_is_over(stage->push))
		return err_set(msg, ERR_PROTO, "it has all of the files before their end");
	relay->stage = NULL;
	relay->has_stage = true;
	relay_stage_free(stage);
	relay_send_request(relay);
	return 0;
}

int relay_stage_on_frame(struct relay *relay, const struct frame *frame, struct errmsg *msg)
{
	struct relay_stage *stage = relay->stage;
	int rc;

	if (!stage || !stage->asked || (!stage->push && frame->type == MSG_COPY_ANSWER) ||
	    (!stage->push && frame->type == MSG_COPY_CREDIT))
		return err_set(msg, ERR_PROTO, "message %u of a copy that there is not",
			       frame->type);
	if (frame->type == MSG_COPY_OPEN)
		return stage_on_open(stage, frame, msg);
	if (frame->type == MSG_COPY_END)
		return stage_on_end(stage, msg);
	rc = copy_push_on_frame(stage->push, frame, msg);
	stage_progress(stage);
	return rc;
}
