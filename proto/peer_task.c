#include "message.h"
#include "peer.h"

enum task_order_state {
	TASK_EXPECT_RUNNING,  /* or TASK_END: it could not be started */
	TASK_EXPECT_ATTACHED, /* of a durable run, before that */
	TASK_EXPECT_OUTPUT,
	TASK_ENDED
};

static const struct task_order_row {
	uint8_t state; /* enum task_order_state */
	uint8_t type;
	uint8_t next;
} task_order_rows[] = {
	{TASK_EXPECT_ATTACHED, MSG_TASK_ATTACHED, TASK_EXPECT_RUNNING},
	{TASK_EXPECT_ATTACHED, MSG_TASK_DETACH, TASK_ENDED},
	{TASK_EXPECT_ATTACHED, MSG_TASK_END, TASK_ENDED},
	{TASK_EXPECT_RUNNING, MSG_TASK_DETACH, TASK_ENDED},
	{TASK_EXPECT_OUTPUT, MSG_TASK_DETACH, TASK_ENDED},
	{TASK_EXPECT_OUTPUT, MSG_TASK_GAP, TASK_EXPECT_OUTPUT},
	{TASK_EXPECT_RUNNING, MSG_TASK_RUNNING, TASK_EXPECT_OUTPUT},
	{TASK_EXPECT_RUNNING, MSG_TASK_END, TASK_ENDED},
	{TASK_EXPECT_OUTPUT, MSG_TASK_SCHEMA, TASK_EXPECT_OUTPUT},
	{TASK_EXPECT_OUTPUT, MSG_TASK_RECORDS, TASK_EXPECT_OUTPUT},
	{TASK_EXPECT_OUTPUT, MSG_TASK_STATE, TASK_EXPECT_OUTPUT},
	{TASK_EXPECT_OUTPUT, MSG_TASK_STDIN_ROOM, TASK_EXPECT_OUTPUT},
	{TASK_EXPECT_OUTPUT, MSG_TASK_SESSION, TASK_EXPECT_OUTPUT},
	{TASK_EXPECT_OUTPUT, MSG_TASK_END, TASK_ENDED},
};

/* What a run that ends with its connection knows nothing of. */
static bool task_order_is_durable(uint8_t type)
{
	return type == MSG_TASK_ATTACHED || type == MSG_TASK_DETACH || type == MSG_TASK_GAP;
}

static bool task_order_is_numbered(uint8_t type)
{
	return type == MSG_TASK_SCHEMA || type == MSG_TASK_RECORDS || type == MSG_TASK_GAP ||
	       type == MSG_TASK_END;
}

/* 1, 0 for a repeat, or what is wrong with the number. */
static int task_order_number(const struct task_order *order, const struct frame *frame,
			     const char *name, struct errmsg *msg)
{
	if (!task_order_is_numbered(frame->type))
		return frame->seq ? err_set(msg, ERR_PROTO,
					    "message %s: has number %llu, though it has none", name,
					    (unsigned long long)frame->seq)
				  : 1;
	if (!frame->seq || frame->seq == UINT64_MAX)
		return err_set(msg, ERR_PROTO, "message %s: number %llu is none", name,
			       (unsigned long long)frame->seq);
	if (frame->seq <= order->last)
		return 0;
	/* A gap says itself where it begins. */
	if (frame->seq != order->last + 1 && frame->type != MSG_TASK_GAP)
		return err_set(msg, ERR_PROTO,
			       "message %s: number %llu follows %llu: something between is missing",
			       name, (unsigned long long)frame->seq,
			       (unsigned long long)order->last);
	return 1;
}

int task_order_take(struct task_order *order, const struct frame *frame, struct errmsg *msg)
{
	const char *name = message_name(frame->type);
	int r = task_order_number(order, frame, name ? name : "?", msg);

	if (r <= 0)
		return r;
	for (size_t i = 0; i < sizeof task_order_rows / sizeof task_order_rows[0]; i++) {
		const struct task_order_row *row = &task_order_rows[i];

		if (row->state != order->state || row->type != frame->type ||
		    (task_order_is_durable(row->type) && !order->durable))
			continue;
		order->state = row->next;
		if (frame->seq)
			order->last = frame->seq;
		return 1;
	}
	return err_set(msg, ERR_PROTO, "message %s: may not come %s", name ? name : "?",
		       order->state == TASK_EXPECT_ATTACHED ? "before TASK_ATTACHED"
		       : order->state == TASK_ENDED	    ? "after the end of its task"
		       : order->state == TASK_EXPECT_OUTPUT ? "while its task runs"
							    : "before its task runs");
}

void task_order_attach(struct task_order *order, uint64_t last)
{
	*order = (struct task_order){.state = TASK_EXPECT_ATTACHED, .durable = true, .last = last};
}
