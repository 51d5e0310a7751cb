/* A child that is a copy: connections until it is done, or nobody waits any longer. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "link_copy_private.h"
#include "track.h"

#define LINK_COPY_START_MS     30000u
#define LINK_COPY_GRACE_MS     10000u
#define LINK_COPY_DELAY_MS     1000u
#define LINK_COPY_DELAY_MAX_MS 30000u
#define LINK_COPY_FAULTS       3u

uint64_t link_copy_clock_ms(void)
{
	return clock_mono_ns() / 1000000u;
}

bool link_copy_is_pull(const struct link_copy *lc)
{
	return run_open(lc->link->run)->copy_flags & JOB_COPY_PULL;
}

struct work_pool *link_copy_pool(const struct link *link)
{
	return daemon_copies(run_daemon(link->run));
}

static void link_copy_set_timer(struct link_copy *lc, uint64_t ms)
{
	struct timeval tv = loop_ms(ms);

	(void)event_add(lc->timer, &tv);
}

void link_copy_fault(struct link_copy *lc, enum link_copy_event event, enum cause cause,
		     const char *text)
{
	lc->outcome = (struct outcome){.cause = cause, .exit_code = -1};
	(void)snprintf(lc->outcome.text, sizeof lc->outcome.text, "%s", text);
	link_copy_step(lc, event);
}

/* --- the end -------------------------------------------------------------------------------- */

static void link_copy_free(struct link_copy *lc)
{
	copy_plan_unwait(&lc->found);
	link_copy_files_free(lc);
	free(lc->lines);
	event_free(lc->timer);
	event_free(lc->until);
	free(lc);
}

static void link_copy_do_end(struct link_copy *lc)
{
	struct link *link = lc->link;
	struct outcome outcome = lc->outcome;

	outcome.began = lc->began;
	if (lc->stopping && outcome.cause != CAUSE_EXITED)
		outcome = (struct outcome){
			.cause = CAUSE_STOPPED, .exit_code = -1, .began = lc->began};
	remote_task_leave(lc->task, TRACK_LEAVE_ENDED, false);
	link->live->handle = NULL;
	link_copy_forget(lc);
	link_copy_free(lc);
	link_end(link, &outcome);
}

static void link_copy_do_break(struct link_copy *lc)
{
	remote_task_leave(lc->task, lc->began ? TRACK_LEAVE_KILL : TRACK_LEAVE_FREE, false);
	lc->task = NULL;
	link_copy_do_end(lc);
}

/* --- connections ---------------------------------------------------------------------------- */

static void link_copy_on_open(void *arg, uint64_t task, uint64_t can, const char *note)
{
	struct link_copy *lc = arg;

	(void)note;
	lc->number = task;
	lc->can = can;
	link_copy_step(lc, LINK_COPY_EV_OPEN);
}

static int link_copy_on_end(struct link_copy *lc, const struct frame *frame, struct errmsg *msg)
{
	struct task_end_msg m;
	int rc = task_end_get(&m, frame->body, frame->len, msg);
	bool done;

	if (rc)
		return rc;
	track_outcome(&lc->outcome, &m);
	done = m.kind == TASK_EXITED;
	if (done &&
	    (lc->state != LINK_COPY_RUNNING || (lc->push && !copy_push_is_over(lc->push)))) {
		task_end_done(&m);
		return err_set(msg, ERR_PROTO, "the end of a copy before its end");
	}
	if (m.kind == TASK_REFUSED)
		link_copy_refused(lc, m.text ? m.text : "the host does not say why");
	task_end_done(&m);
	/* The agent says nothing more of it. */
	remote_task_leave(lc->task, TRACK_LEAVE_ENDED, false);
	lc->task = NULL;
	if (done && lc->pull) {
		copy_pull_end(lc->pull);
		return 0;
	}
	if (done && lc->push)
		link_copy_settle(lc);
	link_copy_step(lc, LINK_COPY_EV_END);
	return 0;
}

static int link_copy_on_frame(void *arg, const struct frame *frame, struct errmsg *msg)
{
	struct link_copy *lc = arg;
	bool runs = lc->state == LINK_COPY_RUNNING;

	if (frame->type == MSG_TASK_END && lc->state != LINK_COPY_CONNECTING)
		return link_copy_on_end(lc, frame, msg);
	if (frame->type == MSG_TASK_RUNNING && lc->state == LINK_COPY_ASKED) {
		link_copy_step(lc, LINK_COPY_EV_RUNNING);
		return 0;
	}
	if (frame->type == MSG_TASK_STATE && runs) {
		struct task_state_msg m;
		int rc = task_state_get(&m, frame->body, frame->len, msg);

		if (rc == 0 && !lc->stopping && lc->link->live->suspend_asked == m.suspended)
			link_on_suspended(lc->link, m.suspended);
		return rc;
	}
	if (!runs)
		return err_set(msg, ERR_PROTO, "message %u before the copy runs", frame->type);
	return link_copy_on_files(lc, frame, msg);
}

static void link_copy_on_burst_end(void *arg)
{
	struct link_copy *lc = arg;

	if (lc->state != LINK_COPY_RUNNING)
		return;
	link_copy_keep_often(lc);
	link_copy_progress(lc);
	if (lc->news)
		link_on_burst_end(lc->link);
	lc->news = false;
}

/* Whether another connection may help. */
static bool link_copy_may_return(const struct link_copy *lc, enum cause cause)
{
	return lc->began && !lc->stopping && cause != CAUSE_HOST_KEY && cause != CAUSE_AUTH &&
	       cause != CAUSE_BECOME && cause != CAUSE_NO_AGENT && lc->faults < LINK_COPY_FAULTS;
}

static void link_copy_on_lost(void *arg, enum cause cause, const char *text)
{
	struct link_copy *lc = arg;

	lc->task = NULL;
	lc->faults += cause == CAUSE_AGENT_LOST;
	link_copy_fault(lc, link_copy_may_return(lc, cause) ? LINK_COPY_EV_LOST : LINK_COPY_EV_END,
			cause, text);
}

static void link_copy_on_no_agent(void *arg, const char *why)
{
	struct link_copy *lc = arg;
	char *text = xasprintf("it is needed to copy: %s", why);

	lc->task = NULL;
	link_copy_fault(lc, LINK_COPY_EV_END, CAUSE_NO_AGENT, text);
	free(text);
}

static void link_copy_do_connect(struct link_copy *lc)
{
	static const struct remote_events events = {
		.open = link_copy_on_open,
		.frame = link_copy_on_frame,
		.burst_end = link_copy_on_burst_end,
		.lost = link_copy_on_lost,
		.no_agent = link_copy_on_no_agent,
	};
	struct link *link = lc->link;
	struct remote_spec spec = {.target = run_target(link->run, child_index(link->child)),
				   .job = run_open(link->run),
				   .password = run_password(link->run),
				   .login = run_login(link->run)};

	lc->task = remote_start(run_daemon(link->run)->remotes, &spec, &events, lc);
	remote_task_begin(lc->task);
}

/* --- the way -------------------------------------------------------------------------------- */

static void link_copy_do_found(struct link_copy *lc)
{
	const struct copy_plan *plan = *run_copy(lc->link->run);

	if (!link_copy_is_pull(lc) && copy_plan_fault(plan)) {
		link_copy_fault(lc, LINK_COPY_EV_END, CAUSE_REFUSED, copy_plan_fault(plan));
		return;
	}
	link_copy_files_new(lc);
	link_copy_do_connect(lc);
}

static void link_copy_do_ask(struct link_copy *lc)
{
	if (lc->stopping) {
		link_copy_fault(lc, LINK_COPY_EV_BREAK, CAUSE_STOPPED, "");
		return;
	}
	if (!(lc->can & AGENT_CAN_COPY)) {
		link_copy_fault(lc, LINK_COPY_EV_BREAK, CAUSE_NO_AGENT,
				"the agent there is of another release, which cannot copy");
		return;
	}
	link_copy_ask(lc);
	link_copy_set_timer(lc, LINK_COPY_START_MS);
}

static void link_copy_do_run(struct link_copy *lc)
{
	const struct job_open_msg *open = run_open(lc->link->run);
	bool again = lc->began;

	if (lc->stopping)
		return; /* its end comes */
	(void)event_del(lc->timer);
	lc->began = true;
	lc->away_until_ms = 0;
	lc->delay_ms = LINK_COPY_DELAY_MS;
	if (again) {
		child_on_reconnected(lc->link->child, clock_wall_ns());
	} else {
		lc->begin_ms = lc->told_ms = link_copy_clock_ms();
		if (open->run_timeout_ms) {
			struct timeval tv = loop_ms(open->run_timeout_ms);

			(void)event_add(lc->until, &tv);
		}
		link_on_running(lc->link);
	}
	link_copy_files_begin(lc);
	if (lc->link->live->suspend_asked && lc->task) {
		struct task_signal_msg m = {.task = lc->number, .signal = TASK_SUSPEND};
		struct buf body = {0};

		task_signal_put(&body, &m);
		remote_task_send(lc->task, MSG_TASK_SIGNAL, &body);
	}
}

static void link_copy_do_away(struct link_copy *lc)
{
	uint64_t now = link_copy_clock_ms();

	(void)event_del(lc->timer);
	link_copy_keep(lc);
	link_copy_files_pause(lc);
	if (!lc->away_until_ms) {
		lc->away_until_ms = now + link_copy_patience_ms(lc);
		child_on_disconnected(lc->link->child, clock_wall_ns());
	}
	if (now >= lc->away_until_ms) {
		lc->outcome.cause = CAUSE_LINK_LOST;
		link_copy_step(lc, LINK_COPY_EV_END);
		return;
	}
	link_copy_set_timer(lc, lc->delay_ms);
	lc->delay_ms = lc->delay_ms * 2 < LINK_COPY_DELAY_MAX_MS ? lc->delay_ms * 2
								 : LINK_COPY_DELAY_MAX_MS;
}

static void link_copy_do_stop(struct link_copy *lc)
{
	struct task_signal_msg m = {.task = lc->number, .signal = TASK_STOP};
	struct buf body = {0};

	task_signal_put(&body, &m);
	if (lc->task)
		remote_task_send(lc->task, MSG_TASK_SIGNAL, &body);
	else
		buf_done(&body);
	link_copy_set_timer(lc, LINK_COPY_GRACE_MS);
}

/* From the timer: nobody is told from inside of what is asked of us. */
static void link_copy_do_stop_soon(struct link_copy *lc)
{
	link_copy_set_timer(lc, 0);
}

/* --- the table ------------------------------------------------------------------------------ */

#define ROW(state, event, next_state, action_fn) \
	[LINK_COPY_##state][LINK_COPY_EV_##event] = {true, LINK_COPY_##next_state, action_fn}

static const struct {
	bool listed;
	enum link_copy_state next;
	void (*action)(struct link_copy *lc); /* after the state was entered */
} link_copy_rows[LINK_COPY_STATES][LINK_COPY_EVENTS] = {
	ROW(LOOKING, FOUND, CONNECTING, link_copy_do_found),
	ROW(LOOKING, FOUND_AGAIN, AGAIN, link_copy_do_found),
	ROW(LOOKING, END, OVER, link_copy_do_end),
	ROW(LOOKING, STOP, LOOKING, link_copy_do_stop_soon),
	ROW(LOOKING, BREAK, OVER, link_copy_do_break),
	ROW(CONNECTING, OPEN, ASKED, link_copy_do_ask),
	ROW(CONNECTING, END, OVER, link_copy_do_end),
	ROW(CONNECTING, BREAK, OVER, link_copy_do_break),
	ROW(CONNECTING, STOP, CONNECTING, link_copy_do_stop_soon),
	ROW(ASKED, RUNNING, RUNNING, link_copy_do_run),
	ROW(ASKED, LOST, AWAY, link_copy_do_away),
	ROW(ASKED, END, OVER, link_copy_do_end),
	ROW(ASKED, BREAK, OVER, link_copy_do_break),
	ROW(ASKED, STOP, ASKED, link_copy_do_stop),
	ROW(RUNNING, LOST, AWAY, link_copy_do_away),
	ROW(RUNNING, END, OVER, link_copy_do_end),
	ROW(RUNNING, BREAK, OVER, link_copy_do_break),
	ROW(RUNNING, STOP, RUNNING, link_copy_do_stop),
	ROW(AWAY, RETRY, AGAIN, link_copy_do_connect),
	ROW(AWAY, STOP, AWAY, link_copy_do_stop_soon),
	ROW(AWAY, END, OVER, link_copy_do_end),
	ROW(AWAY, BREAK, OVER, link_copy_do_break),
	ROW(AGAIN, OPEN, ASKED, link_copy_do_ask),
	ROW(AGAIN, LOST, AWAY, link_copy_do_away),
	ROW(AGAIN, END, OVER, link_copy_do_end),
	ROW(AGAIN, BREAK, OVER, link_copy_do_break),
	ROW(AGAIN, STOP, AGAIN, link_copy_do_stop_soon),
};

void link_copy_step(struct link_copy *lc, enum link_copy_event event)
{
	const enum link_copy_state from = lc->state;

	if (!link_copy_rows[from][event].listed)
		abort();
	lc->state = link_copy_rows[from][event].next;
	link_copy_rows[from][event].action(lc);
}

/* --- time ----------------------------------------------------------------------------------- */

static void link_copy_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct link_copy *lc = arg;

	(void)fd;
	(void)what;
	if (lc->ended)
		link_copy_step(lc, LINK_COPY_EV_END);
	else if (lc->stopping)
		link_copy_fault(lc, LINK_COPY_EV_BREAK, CAUSE_STOPPED, "");
	else if (lc->state == LINK_COPY_AWAY)
		link_copy_step(lc, LINK_COPY_EV_RETRY);
	else
		link_copy_fault(lc, LINK_COPY_EV_BREAK, CAUSE_AGENT_LOST,
				"the agent did not answer");
}

static void link_copy_on_until(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	link_copy_fault(arg, LINK_COPY_EV_BREAK, CAUSE_TIMEOUT, "run");
}

static void link_copy_on_found(void *arg)
{
	const struct link_copy *lc = arg;

	link_copy_step(arg, lc->began ? LINK_COPY_EV_FOUND_AGAIN : LINK_COPY_EV_FOUND);
}

/* --- as a transport of the link ------------------------------------------------------------- */

static void link_copy_stop(struct link *link)
{
	struct link_copy *lc = link->live->handle;

	if (lc->stopping)
		return;
	lc->stopping = true;
	copy_plan_unwait(&lc->found);
	link_copy_step(lc, LINK_COPY_EV_STOP);
}

static void link_copy_suspend(struct link *link, bool suspend)
{
	struct link_copy *lc = link->live->handle;
	struct task_signal_msg m = {.task = lc->number,
				    .signal = suspend ? TASK_SUSPEND : TASK_RESUME};
	struct buf body = {0};

	if (lc->state != LINK_COPY_RUNNING || !lc->task)
		return;
	task_signal_put(&body, &m);
	remote_task_send(lc->task, MSG_TASK_SIGNAL, &body);
}

/* What is told of it is bounded. */
static void link_copy_hold(struct link *link, bool hold)
{
	(void)link;
	(void)hold;
}

static void link_copy_leave(struct link *link)
{
	struct link_copy *lc = link->live->handle;

	link_copy_keep(lc);
	remote_task_leave(lc->task, lc->began ? TRACK_LEAVE_KILL : TRACK_LEAVE_FREE, false);
	link_copy_free(lc);
}

/* Also of one that was begun before a restart, from the first moment on. */
static const char *link_copy_trouble(const struct link *link)
{
	const struct link_copy *lc = link->live->handle;

	return lc->away_until_ms ? lc->outcome.text : NULL;
}

static void link_copy_wake(struct link *link)
{
	struct link_copy *lc = link->live->handle;

	if (lc->state == LINK_COPY_AWAY)
		link_copy_set_timer(lc, 0);
}

static const struct link_transport link_copy = {.stop = link_copy_stop,
						.suspend = link_copy_suspend,
						.hold = link_copy_hold,
						.free = link_copy_leave,
						.trouble = link_copy_trouble,
						.wake = link_copy_wake};

static void link_copy_look(struct link_copy *lc)
{
	const struct job_open_msg *open = run_open(lc->link->run);
	struct copy_plan **plan = run_copy(lc->link->run);

	if (!*plan)
		*plan = copy_plan_new(link_copy_pool(lc->link), open->copy_from,
				      open->copy_from_count, open->copy_flags & JOB_COPY_RECURSE);
	if (copy_plan_is_ready(*plan))
		link_copy_on_found(lc);
	else
		copy_plan_wait(*plan, &lc->found);
}

void link_copy_start(struct link *link)
{
	struct event_base *base = loop_base(run_daemon(link->run)->loop);
	struct link_copy *lc = xcalloc(1, sizeof *lc);

	lc->link = link;
	lc->found.fn = link_copy_on_found;
	lc->found.arg = lc;
	lc->delay_ms = LINK_COPY_DELAY_MS;
	lc->timer = evtimer_new(base, link_copy_on_timer, lc);
	lc->until = evtimer_new(base, link_copy_on_until, lc);
	if (!lc->timer || !lc->until)
		abort();
	link->live->transport = &link_copy;
	link->live->handle = lc;
	link_copy_take_past(lc);
	if (lc->ended)
		link_copy_set_timer(lc, 0);
	else if (link_copy_is_pull(lc))
		link_copy_on_found(lc);
	else
		link_copy_look(lc);
}
