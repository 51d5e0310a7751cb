/* The agent of one connection (agent/agent.c): messages go to the holds that they are of. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "hold.h"
#include "message.h"
#include "peer.h"

#define AGENT_TASKS   16u /* more than the runs of a host, of which each can be asked for again */
#define AGENT_LATE_US SEC

struct agent {
	struct world *w;
	struct agent *next; /* of the host */
	struct hold_host host;
	struct peer *peer;
	struct hold *holds[AGENT_TASKS];
	size_t count;
	struct slot sweep, late;
	bool over, dying;
};

static void agent_free(struct agent *a, bool reset)
{
	struct agent **at = &a->host.host->agents;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	world_cancel(a->w, &a->sweep);
	world_cancel(a->w, &a->late);
	for (size_t i = 0; i < a->count; i++)
		hold_free(a->holds[i]);
	peer_free(a->peer);
	if (reset)
		duplex_reset(a->host.net, 1);
	else
		duplex_close(a->host.net, 1);
	if (a->dying)
		a->w->dying--;
	free(a);
}

/* What is over is let go of outside of its own callbacks. */
static void agent_on_sweep(void *arg)
{
	struct agent *a = arg;

	if (a->over) {
		agent_free(a, false);
		return;
	}
	for (size_t i = 0; i < a->count;) {
		if (!hold_is_over(a->holds[i])) {
			i++;
			continue;
		}
		hold_free(a->holds[i]);
		a->holds[i] = a->holds[--a->count];
	}
}

static void agent_sweep(struct agent *a)
{
	world_set(a->w, &a->sweep, 0, agent_on_sweep, a);
}

/* --- messages --------------------------------------------------------------------------------- */

static struct hold *agent_find(const struct agent *a, uint64_t task)
{
	for (size_t i = 0; i < a->count; i++)
		if (hold_task(a->holds[i]) == task && !hold_is_over(a->holds[i]))
			return a->holds[i];
	return NULL;
}

static int agent_add(struct agent *a, struct hold *hold)
{
	if (hold)
		a->holds[a->count++] = hold;
	return 0;
}

static int agent_on_open(struct agent *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_open_msg m;
	int rc = task_open_get(&m, frame->body, frame->len, msg);

	if (rc == 0) {
		if (agent_find(a, m.task) || a->count == AGENT_TASKS)
			world_fail(a->w, "task %llu is there already", (unsigned long long)m.task);
		else
			rc = agent_add(a, hold_open(&a->host, &m));
		task_open_done(&m);
	}
	return rc;
}

static int agent_on_attach(struct agent *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_attach_msg m;
	int rc = task_attach_get(&m, frame->body, frame->len, msg);

	if (rc == 0) {
		if (agent_find(a, m.task) || a->count == AGENT_TASKS)
			world_fail(a->w, "task %llu is there already", (unsigned long long)m.task);
		else
			rc = agent_add(a, hold_attach(&a->host, &m));
		task_attach_done(&m);
	}
	return rc;
}

static int agent_on_message(void *arg, const struct frame *frame, struct errmsg *msg)
{
	struct agent *a = arg;
	struct task_detach_msg m;
	struct hold *hold;
	struct buf out = {0}, body = {0};
	int rc = 0;

	agent_sweep(a);
	if (frame->type == MSG_TASK_OPEN)
		return agent_on_open(a, frame, msg);
	if (frame->type == MSG_TASK_ATTACH)
		return agent_on_attach(a, frame, msg);
	if (frame->type == MSG_PING) {
		buf_add(&body, frame->body, frame->len);
		sim_frame(&out, MSG_PING, 0, &body);
		duplex_write(a->host.net, 1, out.data, out.len);
		buf_done(&out);
		buf_done(&body);
		return 0;
	}
	/* Every such message begins with the task. */
	if (task_detach_get(&m, frame->body, frame->len, NULL) == 0) {
		hold = agent_find(a, m.task);
		rc = hold ? hold_on_message(hold, frame, msg) : 0;
	}
	return rc;
}

static int agent_on_hello(void *arg, const struct agent_hello_msg *hello, struct errmsg *msg)
{
	(void)arg;
	(void)hello;
	(void)msg;
	return 0;
}

static void agent_on_data(void *arg, const uint8_t *data, size_t len)
{
	struct agent *a = arg;
	struct errmsg msg;
	int rc;

	if (a->over)
		return;
	rc = peer_feed(a->peer, data, len, &msg);
	if (rc == 0)
		return;
	world_fail(a->w, "host %zu: the agent refuses what it is told: %s", a->host.host->index,
		   msg.text);
	a->over = true;
	agent_sweep(a);
}

static void agent_on_eof(void *arg)
{
	struct agent *a = arg;

	a->over = true;
	agent_sweep(a);
}

static void agent_on_room(void *arg)
{
	struct agent *a = arg;

	for (size_t i = 0; i < a->count && !a->over; i++)
		hold_on_room(a->holds[i]);
	agent_sweep(a);
}

/* --- its life --------------------------------------------------------------------------------- */

void agent_start(struct host *host, struct duplex *net)
{
	static const struct peer_events events = {.hello = agent_on_hello,
						  .message = agent_on_message};
	struct agent *a = xcalloc(1, sizeof *a);
	struct duplex_port port = {agent_on_data, agent_on_eof, agent_on_room, a};
	struct agent_hello_msg hello = {.capabilities = AGENT_CAN_DURABLE | AGENT_CAN_SUSPEND};
	struct buf out = {0};

	a->w = host->w;
	a->host = (struct hold_host){host, net, 1024u << world_roll(host->w, 7)};
	a->peer = peer_new(PEER_AGENT, &events, a);
	a->next = host->agents;
	host->agents = a;
	duplex_listen(net, 1, &port);
	peer_put_hello(&out, &hello);
	duplex_write(net, 1, out.data, out.len);
	buf_done(&out);
}

static void agent_on_late(void *arg)
{
	agent_free(arg, true);
}

void agent_kill(struct agent *a, bool late)
{
	if (!late || !a->count || a->dying) {
		agent_free(a, true);
		return;
	}
	hold_die(a->holds[world_roll(a->w, a->count)]);
	a->dying = true;
	a->w->dying++;
	world_set(a->w, &a->late, AGENT_LATE_US, agent_on_late, a);
}

size_t agents_dying(struct host *host)
{
	size_t n = 0;

	for (struct agent *a = host->agents, *next; a; a = next) {
		bool dead = false;

		next = a->next;
		for (size_t i = 0; a->dying && i < a->count; i++)
			dead = dead || hold_is_dead(a->holds[i]);
		if (!dead)
			continue;
		agent_free(a, true);
		n++;
	}
	return n;
}
