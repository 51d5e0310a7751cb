#include "simfleet_agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "alloc.h"
#include "frame.h"
#include "limits.h"
#include "message.h"
#include "peer.h"
#include "simfleet_task.h"

#define SIM_AGENT_PID 4710u

struct sim_agent {
	struct sim_channel *ch;
	struct peer *peer;
	struct sim_task **tasks;
	size_t count, size;
};

/* --- tasks ----------------------------------------------------------------------------------- */

static size_t sim_agent_find(const struct sim_agent *a, uint64_t id)
{
	size_t i = 0;

	while (i < a->count && sim_task_id(a->tasks[i]) != id)
		i++;
	return i;
}

static void sim_agent_remove(struct sim_agent *a, size_t i)
{
	sim_task_free(a->tasks[i]);
	a->tasks[i] = a->tasks[--a->count];
}

static void sim_agent_add(struct sim_agent *a, struct sim_task *task)
{
	if (!task)
		return;
	if (a->count == a->size) {
		a->size = a->size ? a->size * 2 : 1;
		a->tasks = xrealloc(a->tasks, a->size, sizeof(struct sim_task *));
	}
	a->tasks[a->count++] = task;
}

static void sim_agent_pump(struct sim_channel *ch)
{
	struct sim_agent *a = ch->arg;

	for (size_t i = a->count; i > 0; i--)
		if (sim_task_pump(a->tasks[i - 1]))
			sim_agent_remove(a, i - 1);
}

static bool sim_agent_has_more(const struct sim_channel *ch)
{
	const struct sim_agent *a = ch->arg;

	for (size_t i = 0; i < a->count; i++)
		if (sim_task_has_more(a->tasks[i]))
			return true;
	return false;
}

/* --- messages -------------------------------------------------------------------------------- */

static int sim_agent_on_open(struct sim_agent *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_open_msg m;
	int rc = task_open_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	if (sim_agent_find(a, m.task) < a->count)
		rc = err_set(msg, ERR_PROTO, "task %llu is there already",
			     (unsigned long long)m.task);
	else if (m.durable)
		sim_task_refuse(a->ch, m.task, TASK_REFUSED, "a simulated host keeps nothing");
	else if (a->count == LIMIT_TASKS)
		sim_task_refuse(a->ch, m.task, TASK_REFUSED,
				"too many commands at once on this host");
	else
		sim_agent_add(a, sim_task_new(a->ch, &m));
	task_open_done(&m);
	return rc;
}

static int sim_agent_on_attach(struct sim_agent *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_attach_msg m;
	int rc = task_attach_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	sim_task_refuse(a->ch, m.task, TASK_GONE, NULL);
	task_attach_done(&m);
	return 0;
}

static int sim_agent_on_stdin(struct sim_agent *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_stdin_msg m;
	int rc = task_stdin_get(&m, frame->body, frame->len, msg);
	size_t i;

	if (rc)
		return rc;
	i = sim_agent_find(a, m.task);
	if (i < a->count)
		sim_task_input(a->tasks[i], m.len);
	task_stdin_done(&m);
	return 0;
}

static int sim_agent_on_signal(struct sim_agent *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_signal_msg m;
	int rc = task_signal_get(&m, frame->body, frame->len, msg);
	size_t i;

	if (rc)
		return rc;
	i = sim_agent_find(a, m.task);
	if (i < a->count && sim_task_signal(a->tasks[i], m.signal))
		sim_agent_remove(a, i);
	task_signal_done(&m);
	return 0;
}

static int sim_agent_on_credit(struct sim_agent *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_credit_msg m;
	int rc = task_credit_get(&m, frame->body, frame->len, msg);
	size_t i;

	if (rc)
		return rc;
	i = sim_agent_find(a, m.task);
	if (i < a->count && sim_task_credit(a->tasks[i], m.bytes))
		sim_agent_remove(a, i);
	task_credit_done(&m);
	return 0;
}

static int sim_agent_on_ping(struct sim_agent *a, const struct frame *frame, struct errmsg *msg)
{
	struct buf *out = sim_channel_out(a->ch, false);
	size_t begin = frame_begin(out);

	(void)msg;
	buf_add(out, frame->body, frame->len);
	return frame_end(out, begin, MSG_PING, 0, 0);
}

/* Of durable runs, of which there are none. */
static int sim_agent_on_late(struct sim_agent *a, const struct frame *frame, struct errmsg *msg)
{
	(void)a;
	(void)frame;
	(void)msg;
	return 0;
}

static const struct {
	uint8_t type;
	int (*fn)(struct sim_agent *a, const struct frame *frame, struct errmsg *msg);
} sim_agent_messages[] = {
	{MSG_TASK_OPEN, sim_agent_on_open},	{MSG_TASK_STDIN, sim_agent_on_stdin},
	{MSG_TASK_SIGNAL, sim_agent_on_signal}, {MSG_TASK_CREDIT, sim_agent_on_credit},
	{MSG_TASK_ATTACH, sim_agent_on_attach}, {MSG_TASK_ACK, sim_agent_on_late},
	{MSG_TASK_DETACH, sim_agent_on_late},	{MSG_PING, sim_agent_on_ping},
};

static int sim_agent_on_message(void *arg, const struct frame *frame, struct errmsg *msg)
{
	for (size_t i = 0; i < ARRAY_LEN(sim_agent_messages); i++)
		if (sim_agent_messages[i].type == frame->type)
			return sim_agent_messages[i].fn(arg, frame, msg);
	return err_set(msg, ERR_PROTO, "an agent does nothing with message %u", frame->type);
}

static int sim_agent_on_hello(void *arg, const struct agent_hello_msg *hello, struct errmsg *msg)
{
	(void)arg;
	(void)hello;
	(void)msg;
	return 0;
}

static const struct peer_events sim_agent_events = {sim_agent_on_hello, sim_agent_on_message};

/* --- the role -------------------------------------------------------------------------------- */

static void sim_agent_feed(struct sim_channel *ch, const void *data, size_t len)
{
	struct sim_agent *a = ch->arg;
	struct errmsg msg;
	int rc = peer_feed(a->peer, data, len, &msg);

	if (!rc)
		return;
	if (rc != ERR_CLOSED)
		peer_put_error(sim_channel_out(ch, false), rc, msg.text);
	sim_channel_finish(ch, 1, NULL);
}

static void sim_agent_end(struct sim_channel *ch)
{
	sim_channel_finish(ch, 0, NULL);
}

static void sim_agent_free(struct sim_channel *ch)
{
	struct sim_agent *a = ch->arg;

	for (size_t i = 0; i < a->count; i++)
		sim_task_free(a->tasks[i]);
	free(a->tasks);
	peer_free(a->peer);
	free(a);
}

static const struct sim_role sim_agent_role = {
	.feed = sim_agent_feed,
	.end = sim_agent_end,
	.pump = sim_agent_pump,
	.has_more = sim_agent_has_more,
	.free = sim_agent_free,
};

static void sim_agent_put_hello(struct sim_channel *ch)
{
	struct utsname name = {0};
	char machine[40], boot[40], note[] = "a simulated host keeps nothing";
	struct agent_hello_msg m = {.pid = SIM_AGENT_PID,
				    .arch = name.machine,
				    .machine_id = machine,
				    .boot_id = boot,
				    .capabilities = AGENT_CAN_PTY | AGENT_CAN_SUSPEND,
				    .durable_note = note};

	(void)uname(&name);
	(void)snprintf(machine, sizeof machine, "%032zx", ch->conn->number);
	(void)snprintf(boot, sizeof boot, "00000000-0000-4000-8000-%012zx", ch->conn->number);
	peer_put_hello(sim_channel_out(ch, false), &m);
}

/* Nothing that begins like a frame. */
static void sim_agent_garbage(struct sim_channel *ch)
{
	struct buf *out = sim_channel_out(ch, false);

	for (unsigned i = 0; i < 4096; i++)
		buf_add_char(out, (char)(i * 37 + 1));
}

static void sim_agent_discard(struct sim_channel *ch, const void *data, size_t len)
{
	(void)ch;
	(void)data;
	(void)len;
}

static const struct sim_role sim_silent_role = {.feed = sim_agent_discard, .end = sim_agent_end};

void sim_agent_begin(struct sim_channel *ch)
{
	const struct sim_manner *m = ch->conn->manner;
	struct sim_agent *a;

	ch->conn->fleet->counts.agents++;
	if (m->agent_garbage || m->agent_hang) {
		ch->role = &sim_silent_role;
		if (m->agent_garbage)
			sim_agent_garbage(ch);
		return;
	}
	a = xcalloc(1, sizeof *a);
	a->ch = ch;
	a->peer = peer_new(PEER_AGENT, &sim_agent_events, a);
	ch->role = &sim_agent_role;
	ch->arg = a;
	sim_agent_put_hello(ch);
}
