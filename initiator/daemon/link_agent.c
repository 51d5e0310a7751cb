/* The agent on the target (remote.h, track/), and the way back to plain exec where there can be
 * none. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "alloc.h"
#include "clock.h"
#include "keep.h"
#include "link_private.h"
#include "remote.h"
#include "results_wait.h"
#include "schemas.h"
#include "store.h"
#include "track.h"

/* Lives until all is acknowledged, which may be after the end of the command. */
struct link_track {
	struct link *link;
	struct track *track;
	struct remote_task *task;
	struct event *timer;
	struct results_wait ack; /* for the store, with ack_seq */
	uint64_t ack_seq;
	uint64_t taken;	 /* the last frame that was */
	uint64_t before; /* the one before it that was taken */
	uint64_t flushed;
	bool ended; /* the end was told */
};

/* --- letting go ------------------------------------------------------------------------------ */

static void link_track_free(struct link_track *lt)
{
	lt->link->track = NULL;
	results_unwait(&run_daemon(lt->link->run)->budget.waits, &lt->ack);
	event_free(lt->timer);
	track_free(lt->track);
	free(lt);
}

static void link_track_consider(struct link_track *lt)
{
	if (lt->ended && track_is_settled(lt->track))
		link_track_free(lt);
}

void link_agent_free(struct link *link, bool park)
{
	if (!link->track)
		return;
	track_drop(link->track->track, !park);
	link_track_free(link->track);
}

/* --- acknowledging ---------------------------------------------------------------------------- */

static void link_on_durable(void *arg, bool durable)
{
	struct link_track *lt = arg;
	uint64_t seq = lt->ack_seq;

	if (!durable)
		return;
	track_on_stored(lt->track, seq);
	if (lt->flushed > seq)
		link_agent_flush(lt->link);
	link_track_consider(lt);
}

/* One question at a time: what comes meanwhile is acknowledged with the next. */
static void link_ask_durable(struct link_track *lt)
{
	struct store *store = run_store(lt->link->run);

	if (lt->ack.ticket || !track_is_durable(lt->track))
		return;
	if (!store) {
		track_on_stored(lt->track, lt->flushed);
		return;
	}
	lt->ack.fn = link_on_durable;
	lt->ack.arg = lt;
	lt->ack_seq = lt->flushed;
	(void)results_wait(&run_daemon(lt->link->run)->budget.waits, store, &lt->ack);
}

void link_agent_store(struct link *link)
{
	struct link_track *lt = link->track;

	/* Records tell nothing of the end, which is stored behind them: it must come again if that
	 * is not. */
	results_flush(link->results,
		      track_is_durable(lt->track) ? (lt->ended ? lt->before : lt->taken) : 0);
	if (lt->taken > lt->flushed)
		lt->flushed = lt->taken;
}

void link_agent_flush(struct link *link)
{
	link_agent_store(link);
	link_ask_durable(link->track);
}

/* --- what the track wants --------------------------------------------------------------------- */

static void link_track_on_open(void *arg, uint64_t task, uint64_t can, const char *note)
{
	struct link_track *lt = arg;

	track_on_open(lt->track, task, can, note);
}

static int link_track_on_frame(void *arg, const struct frame *frame, struct errmsg *msg)
{
	struct link_track *lt = arg;

	return track_on_frame(lt->track, frame, msg);
}

static void link_track_on_burst_end(void *arg)
{
	struct link_track *lt = arg;

	if (lt->ended)
		return;
	link_on_burst_end(lt->link);
}

static void link_track_on_lost(void *arg, enum cause cause, const char *text)
{
	struct link_track *lt = arg;
	struct run *run = lt->link->run;
	struct child *child = lt->link->child;
	bool ended = lt->ended;

	lt->task = NULL;
	track_on_lost(lt->track, cause, text);
	if (ended)
		link_track_consider(lt);
	else
		run_tell_child(run, child); /* if only that it was looked for in vain */
}

static void link_track_on_no_agent(void *arg, const char *why)
{
	struct link_track *lt = arg;

	lt->task = NULL;
	track_on_no_agent(lt->track, why);
}

static const struct remote_events link_remote_events = {
	.open = link_track_on_open,
	.frame = link_track_on_frame,
	.burst_end = link_track_on_burst_end,
	.lost = link_track_on_lost,
	.no_agent = link_track_on_no_agent,
};

static void link_do_connect(void *arg)
{
	struct link_track *lt = arg;
	struct link *link = lt->link;
	const struct job_open_msg *open = run_open(link->run);
	struct remote_spec spec = {
		.target = open->local ? NULL : run_target(link->run, child_index(link->child)),
		.job = open,
		.password = run_password(link->run),
		.login = run_login(link->run)};

	/* Well before it is: so that this is in the store by then. */
	if (track_is_durable(lt->track))
		run_keep_asked(link->run, link->child);
	lt->task = remote_start(run_daemon(link->run)->remotes, &spec, &link_remote_events, lt);
	remote_task_begin(lt->task);
}

static void link_do_send(void *arg, enum message_type type, struct buf *body)
{
	struct link_track *lt = arg;

	remote_task_send(lt->task, type, body);
}

static void link_do_leave(void *arg, enum track_leave how, bool shun)
{
	struct link_track *lt = arg;

	remote_task_leave(lt->task, how, shun);
	lt->task = NULL;
}

static void link_do_timer(void *arg, uint64_t ms)
{
	struct link_track *lt = arg;
	struct timeval tv;

	if (ms == TRACK_NEVER) {
		(void)event_del(lt->timer);
		return;
	}
	tv = loop_ms(ms);
	(void)event_add(lt->timer, &tv);
}

static void link_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct link_track *lt = arg;

	(void)fd;
	(void)what;
	track_on_timer(lt->track);
}

static uint64_t link_clock_ms(void *arg)
{
	(void)arg;
	return clock_mono_ns() / 1000000u;
}

static uint64_t link_wall_ns(void *arg)
{
	(void)arg;
	return clock_wall_ns();
}

static uint64_t link_random(void *arg)
{
	uint64_t n = 0;

	(void)arg;
	if (getrandom(&n, sizeof n, GRND_NONBLOCK) < 0)
		n = clock_mono_ns();
	return n;
}

static uint64_t link_epoch(void *arg)
{
	struct link_track *lt = arg;

	return ++run_daemon(lt->link->run)->last_epoch;
}

static void link_put_open(void *arg, struct buf *body, const struct task_open_msg *own)
{
	struct link_track *lt = arg;

	link_task_open(lt->link, body, own);
}

/* --- what the track tells ----------------------------------------------------------------------
 */

static void link_tell_running(void *arg)
{
	link_on_running(((struct link_track *)arg)->link);
}

static void link_tell_record(void *arg, const struct record *record)
{
	link_on_record(((struct link_track *)arg)->link, record);
}

static uint64_t link_tell_schema(void *arg, const struct task_schema_msg *m, uint64_t seq)
{
	struct link_track *lt = arg;
	struct link *link = lt->link;
	uint64_t id = schemas_intern(run_schemas(link->run), m->name, m->columns, m->column_count);

	if (run_store(link->run)) {
		/* What came before it stands before it. */
		link_agent_flush(link);
		keep_schema(run_store(link->run), child_job(link->child), link->child, id, m,
			    track_is_durable(lt->track) ? seq : 0);
	}
	return id;
}

static void link_tell_taken(void *arg, uint64_t seq)
{
	struct link_track *lt = arg;

	lt->before = lt->taken;
	lt->taken = seq;
}

static void link_tell_note(void *arg, const char *text)
{
	link_warn(((struct link_track *)arg)->link, text);
}

static void link_tell_suspended(void *arg, bool suspended)
{
	link_on_suspended(((struct link_track *)arg)->link, suspended);
}

static void link_tell_lost(void *arg)
{
	struct link_track *lt = arg;

	child_on_disconnected(lt->link->child, clock_wall_ns());
}

static void link_tell_back(void *arg)
{
	struct link_track *lt = arg;

	child_on_reconnected(lt->link->child, clock_wall_ns());
}

static void link_tell_session(void *arg, const struct task_session_msg *m)
{
	link_session_on_left(((struct link_track *)arg)->link, m);
}

static void link_tell_end(void *arg, const struct outcome *outcome)
{
	struct link_track *lt = arg;

	lt->ended = true;
	link_end(lt->link, outcome);
	/* The state of the child is in the queue of the store: behind it, the end is acknowledged.
	 */
	link_ask_durable(lt);
	link_track_consider(lt);
}

static void link_tell_no_agent(void *arg, const char *why)
{
	struct link_track *lt = arg;
	struct link *link = lt->link;
	const struct job_open_msg *open = run_open(link->run);
	struct outcome outcome = {.cause = CAUSE_NO_AGENT, .exit_code = -1};
	const char *what = NULL;
	bool can = link_plain_can(open, &what);
	bool inline_only = open->durable == JOB_DURABLE_ALWAYS;
	char *text;

	link_track_free(lt);
	link->live->handle = NULL;
	if (open->agent != JOB_AGENT_AUTO || open->local || open->session_count || !can ||
	    inline_only || link->live->stopping) {
		(void)snprintf(outcome.text, sizeof outcome.text, "%s%s%s%s",
			       can ? "" : "it is needed for ", can ? "" : what, can ? "" : ": ",
			       why);
		link_end(link, &outcome);
		return;
	}
	text = xasprintf("no agent: %s; the command runs without it, by plain exec", why);
	link_warn(link, text);
	free(text);
	link_plain_start(link);
	if (link->live && link->live->suspend_asked)
		link->live->transport->suspend(link, true);
}

static const struct track_ops link_track_ops = {
	.connect = link_do_connect,
	.send = link_do_send,
	.leave = link_do_leave,
	.timer = link_do_timer,
	.clock_ms = link_clock_ms,
	.wall_ns = link_wall_ns,
	.random = link_random,
	.epoch = link_epoch,
	.put_open = link_put_open,
	.running = link_tell_running,
	.record = link_tell_record,
	.schema = link_tell_schema,
	.taken = link_tell_taken,
	.note = link_tell_note,
	.suspended = link_tell_suspended,
	.lost = link_tell_lost,
	.back = link_tell_back,
	.end = link_tell_end,
	.no_agent = link_tell_no_agent,
	.session = link_tell_session,
};

/* --- as a transport of the link ------------------------------------------------------------------
 */

static void link_agent_stop(struct link *link)
{
	track_stop(link->track->track);
}

static void link_agent_suspend(struct link *link, bool suspend)
{
	track_suspend(link->track->track, suspend);
}

static void link_agent_hold(struct link *link, bool hold)
{
	track_hold(link->track->track, hold);
}

static void link_agent_feed(struct link *link)
{
	track_feed(link->track->track);
}

static const struct link_transport link_agent = {.stop = link_agent_stop,
						 .suspend = link_agent_suspend,
						 .hold = link_agent_hold,
						 .feed = link_agent_feed};

void link_agent_park(struct link *link)
{
	track_park(link->track->track);
}

void link_agent_wake(struct link *link)
{
	track_wake(link->track->track);
}

bool link_agent_is_looked_for(const struct link *link)
{
	return track_is_looked_for(link->track->track);
}

bool link_agent_is_waking(const struct link *link)
{
	return track_is_waking(link->track->track);
}

bool link_agent_is_durable(const struct link *link)
{
	return track_is_durable(link->track->track);
}

const char *link_agent_trouble(const struct link *link)
{
	return track_trouble(link->track->track);
}

void link_agent_start(struct link *link)
{
	struct daemon *daemon = run_daemon(link->run);
	struct link_track *lt = xcalloc(1, sizeof *lt);
	struct link_past *past = link->past;
	struct track_spec spec;

	lt->link = link;
	link_track_spec(link, &spec);
	lt->taken = lt->flushed = spec.last_seq;
	lt->timer = evtimer_new(loop_base(daemon->loop), link_on_timer, lt);
	if (!lt->timer)
		abort();
	lt->track = track_new(&spec, &link_track_ops, lt);
	link->track = lt;
	link->live->transport = &link_agent;
	link->live->handle = lt;
	track_start(lt->track, past && past->parked);
}
