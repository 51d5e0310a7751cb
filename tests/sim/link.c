/* One run as the initiator follows it: struct track between the connection and the log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "keeper.h"
#include "message.h"

/* Above it hosts are held back until what came is on the disk. */
#define LINK_QUEUE (16u << 10)

struct link {
	struct keeper *k;
	struct world *w;
	struct run *run;
	struct track *track;
	struct remote_task *task;
	struct row row; /* as it will be */
	struct slot timer;
	struct record_batch batch; /* since the last flush */
	bool waits;		   /* for the log */
	uint64_t asked_seq;	   /* of that */
	uint64_t taken, flushed;
	uint64_t notes;
	bool running, away, ended, suspended, slow, full, parked;
};

struct run *link_run(const struct link *link)
{
	return link->run;
}

bool link_has_ended(const struct link *link)
{
	return link->ended;
}

void link_free(struct link *link, bool drop)
{
	if (!link)
		return;
	if (drop)
		track_drop(link->track, false);
	journal_forget(link->k->journal, link);
	world_cancel(link->w, &link->timer);
	track_free(link->track);
	record_batch_done(&link->batch);
	link->run->link = NULL;
	free(link);
}

static void link_consider(struct link *link)
{
	if (link->ended && track_is_settled(link->track)) {
		world_trace(link->w, "run %zu: is let go of", link->run->index);
		link_free(link, false);
	}
}

static void link_put_row(struct link *link)
{
	journal_put_row(link->k->journal, link->run, &link->row);
}

/* --- storing ---------------------------------------------------------------------------------- */

static void link_flush(struct link *link);

static void link_on_durable(void *arg)
{
	struct link *link = arg;
	uint64_t seq = link->asked_seq;

	link->waits = false;
	track_on_stored(link->track, seq);
	if (link->flushed > seq)
		link_flush(link);
	link_consider(link);
}

static void link_set_hold(struct link *link)
{
	track_hold(link->track, link->slow || link->full);
}

static void link_flush(struct link *link)
{
	journal_add(link->k->journal, link->run, link->taken, &link->batch);
	record_batch_clear(&link->batch);
	if (link->taken > link->flushed)
		link->flushed = link->taken;
	link->full = journal_pending(link->k->journal) > LINK_QUEUE;
	if (!link->ended)
		link_set_hold(link);
	if (link->waits)
		return;
	link->waits = true;
	link->asked_seq = link->flushed;
	journal_when_durable(link->k->journal, link_on_durable, link);
	if (link->w->sabotage == SABOTAGE_ACK_EARLY)
		track_on_stored(link->track, link->flushed);
}

static void link_add(struct link *link, const struct record *record)
{
	struct item item;

	record_batch_add(&link->batch, record);
	if (item_get(link->run, record, &item))
		items_add(link->run, &item);
}

/* --- what the track wants --------------------------------------------------------------------- */

static void link_do_connect(void *arg)
{
	struct link *link = arg;

	link->parked = false;
	link->task = remote_start(link->k, link);
	remote_task_begin(link->task);
}

static void link_do_send(void *arg, enum message_type type, struct buf *body)
{
	struct link *link = arg;
	struct task_ack_msg m = {0};

	if (type == MSG_TASK_ACK && task_ack_get(&m, body->data, body->len, NULL) == 0 &&
	    m.seq > link->run->sent_ack)
		link->run->sent_ack = m.seq;
	world_trace(link->w, "run %zu: -> %s %llu", link->run->index, message_name((uint8_t)type),
		    (unsigned long long)(type == MSG_TASK_ACK ? m.seq : 0));
	remote_task_send(link->task, (uint8_t)type, body);
}

static void link_do_leave(void *arg, enum track_leave how, bool shun)
{
	struct link *link = arg;

	remote_task_leave(link->task, how, shun);
	link->task = NULL;
	link->parked = how == TRACK_LEAVE_DETACH && !shun;
}

static void link_on_timer(void *arg)
{
	struct link *link = arg;

	track_on_timer(link->track);
	link_consider(link);
}

static void link_do_timer(void *arg, uint64_t ms)
{
	struct link *link = arg;

	if (ms == TRACK_NEVER)
		world_cancel(link->w, &link->timer);
	else
		world_set(link->w, &link->timer, ms * MS, link_on_timer, link);
}

static uint64_t link_clock_ms(void *arg)
{
	return ((struct link *)arg)->w->now_us / MS;
}

static uint64_t link_wall_ns(void *arg)
{
	struct world *w = ((struct link *)arg)->w;

	return w->wall_ns + w->now_us * 1000;
}

static uint64_t link_random(void *arg)
{
	return world_roll(((struct link *)arg)->w, UINT64_MAX);
}

static uint64_t link_epoch(void *arg)
{
	struct keeper *k = ((struct link *)arg)->k;

	return k->generation << 32 | ++k->epochs;
}

static void link_put_open(void *arg, struct buf *body, const struct task_open_msg *own)
{
	static char command[] = "command";
	char *argv[] = {command};
	struct link *link = arg;
	struct task_open_msg m = *own;

	m.instance = link->run->uuid;
	m.argv = argv;
	m.argc = 1;
	m.run_timeout_ms = link->run->script.run_timeout_ms;
	m.spool_limit = link->run->script.limits.cap;
	m.spool_drop = link->run->script.drop;
	task_open_put(body, &m);
	link->run->crashed_open = !link->run->row.asked;
	link->row.asked = true;
	link_put_row(link);
}

/* --- what the track tells ----------------------------------------------------------------------
 */

static void link_tell_running(void *arg)
{
	struct link *link = arg;

	if (link->row.begun || link->running || link->ended)
		world_fail(link->w, "run %zu: is told to run again", link->run->index);
	link->running = true;
	link->row.begun = true;
	link_put_row(link);
}

static void link_tell_record(void *arg, const struct record *record)
{
	struct link *link = arg;

	if (link->ended || link->away || !link->row.begun)
		world_fail(link->w, "run %zu: a record at the wrong time", link->run->index);
	link_add(link, record);
}

static uint64_t link_tell_schema(void *arg, const struct task_schema_msg *m, uint64_t seq)
{
	struct link *link = arg;
	/* Of our own numbers: a run has others than the next. */
	uint64_t id = 1000 * (link->run->index + 1) + m->schema;

	link_flush(link);
	journal_add_schema(link->k->journal, link->run, seq, id);
	return id;
}

static void link_tell_taken(void *arg, uint64_t seq)
{
	struct link *link = arg;

	if (seq <= link->taken)
		world_fail(link->w, "run %zu: frame %llu is taken again", link->run->index,
			   (unsigned long long)seq);
	link->taken = seq;
}

static void link_tell_note(void *arg, const char *text)
{
	struct link *link = arg;
	struct record record = {
		.stream = STREAM_WARNING, .value = (const uint8_t *)text, .len = strlen(text)};

	world_trace(link->w, "run %zu: note: %s", link->run->index, text);
	link_add(link, &record);
}

static void link_tell_suspended(void *arg, bool suspended)
{
	struct link *link = arg;

	link->suspended = suspended;
}

static void link_tell_lost(void *arg)
{
	struct link *link = arg;

	if (link->away || !link->row.begun)
		world_fail(link->w, "run %zu: is told away again", link->run->index);
	link->away = true;
}

static void link_tell_back(void *arg)
{
	struct link *link = arg;

	if (!link->away)
		world_fail(link->w, "run %zu: is told back, and was not away", link->run->index);
	link->away = false;
}

static void link_tell_end(void *arg, const struct outcome *outcome)
{
	struct link *link = arg;

	if (link->ended)
		world_fail(link->w, "run %zu: ends again", link->run->index);
	world_trace(link->w, "run %zu: is told ended: %s %d %s", link->run->index,
		    cause_name(outcome->cause), outcome->exit_code, outcome->text);
	link->ended = true;
	link->row.ended = true;
	link->row.outcome = *outcome;
	/* Behind its last records. */
	journal_add(link->k->journal, link->run, link->taken, &link->batch);
	record_batch_clear(&link->batch);
	link_put_row(link);
	link_flush(link);
}

static void link_tell_no_agent(void *arg, const char *why)
{
	struct outcome outcome = {.cause = CAUSE_NO_AGENT, .exit_code = -1};

	(void)why;
	link_tell_end(arg, &outcome);
}

static const struct track_ops link_ops = {
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
};

/* --- from the connection ------------------------------------------------------------------------
 */

void link_on_open(struct link *link, uint64_t task, uint64_t can)
{
	track_on_open(link->track, task, can, NULL);
}

int link_on_frame(struct link *link, const struct frame *frame, struct errmsg *msg)
{
	int rc;

	world_trace(link->w, "run %zu: <- %s %llu", link->run->index, message_name(frame->type),
		    (unsigned long long)frame->seq);
	rc = track_on_frame(link->track, frame, msg);
	if (rc)
		world_trace(link->w, "run %zu: %s", link->run->index, msg->text);
	return rc;
}

void link_on_burst_end(struct link *link)
{
	if (!link->ended)
		link_flush(link);
}

void link_on_lost(struct link *link, enum cause cause, const char *text)
{
	link->task = NULL;
	world_trace(link->w, "run %zu: the connection is lost: %s", link->run->index, text);
	track_on_lost(link->track, cause, text);
	link_consider(link);
}

/* --- what is asked for ---------------------------------------------------------------------------
 */

void link_stop(struct link *link)
{
	if (link->ended)
		return;
	link->row.stopping = true;
	link->run->stop_asked = true;
	link_put_row(link);
	track_stop(link->track);
}

void link_suspend(struct link *link, bool suspend)
{
	if (!link->ended)
		track_suspend(link->track, suspend);
}

void link_hold(struct link *link, bool hold)
{
	link->slow = hold;
	link->full = link->full && journal_pending(link->k->journal) > LINK_QUEUE;
	if (!link->ended)
		link_set_hold(link);
}

void link_park(struct link *link)
{
	track_park(link->track);
}

bool link_is_parked(const struct link *link)
{
	return link->parked;
}

void link_wake(struct link *link)
{
	track_wake(link->track);
}

void link_nurse(struct link *link)
{
	if (link->ended)
		return;
	link_hold(link, false);
	if (link->suspended)
		track_suspend(link->track, false);
	if (link->parked)
		track_wake(link->track);
}

void link_fed(struct link *link)
{
	track_feed(link->track);
}

void link_start(struct keeper *k, struct run *run)
{
	struct link *link = xcalloc(1, sizeof *link);
	struct found found;
	struct track_spec spec = {.instance = run->uuid,
				  .durable = true,
				  .must = true,
				  .detached = run->script.detached,
				  .window = run->script.window,
				  .run_timeout_ms = run->script.run_timeout_ms,
				  .reconnect_timeout_ms = run->script.reconnect_ms,
				  .feed = run->feed,
				  .begun = run->row.begun,
				  .asked = run->row.asked};

	journal_found(k->journal, run, &found);
	if (found.last_seq < run->sent_ack)
		world_fail(k->w, "run %zu: frame %llu was acknowledged, and the log ends at %llu",
			   run->index, (unsigned long long)run->sent_ack,
			   (unsigned long long)found.last_seq);
	link->k = k;
	link->w = k->w;
	link->run = run;
	link->row = run->row;
	link->away = run->row.begun;
	link->taken = link->flushed = spec.last_seq = found.last_seq;
	spec.schema_count = found.schema_count;
	if (found.schema_count) {
		spec.schema_ids = xcalloc(found.schema_count, sizeof *spec.schema_ids);
		memcpy(spec.schema_ids, found.schemas, found.schema_count * sizeof(uint64_t));
	}
	run->link = link;
	link->track = track_new(&spec, &link_ops, link);
	link->parked = run->row.asked && run->script.detached;
	track_start(link->track, link->parked);
	if (run->link && run->row.stopping)
		track_stop(link->track);
}
