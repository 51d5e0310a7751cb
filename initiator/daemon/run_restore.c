/* How the runs that the store keeps come back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "keep_copy.h"
#include "log.h"
#include "plan_settings.h"
#include "run_private.h"
#include "session.h"

/* A host remembers for a day what it ran (docs/protocol.md, section 14). */
#define RUN_MEMORY_NS (UINT64_C(20) * 3600 * 1000000000)

struct restoring {
	struct daemon *daemon;
	struct run *last; /* whose frame came last */
};

/* Begun, perhaps before that could be noted. */
static bool run_child_was_begun(const struct store_child *c)
{
	return c->step == KEEP_AWAY || (c->step == KEEP_QUEUED && c->flags & KEEP_ONCE);
}

/* For its host, and is not being connected to again. */
static bool run_child_waits(const struct store_child *c)
{
	return c->flags & KEEP_WAITS && !(c->flags & KEEP_ASKED);
}

static void child_saved_from(struct child_saved *ret, const struct store_child *c)
{
	*ret = (struct child_saved){
		.kind = c->step == KEEP_ENDED	 ? CHILD_SAVED_ENDED
			: run_child_was_begun(c) ? CHILD_SAVED_AWAY
			: run_child_waits(c)	 ? CHILD_SAVED_WAITING
						 : CHILD_SAVED_QUEUED,
		.since_ns = c->flags & KEEP_WAITS ? keep_time_ns(c->flags) : 0,
		.asked = c->flags & KEEP_ASKED,
		.begin_ns = c->begin_ns,
		.end_ns = c->end_ns,
		.outcome = {.cause = c->cause < CAUSE_COUNT ? (enum cause)c->cause : CAUSE_NONE,
			    .exit_code = (int)c->exit_code,
			    .began = c->begin_ns != 0}};
	memcpy(ret->uuid.bytes, c->uuid, sizeof ret->uuid.bytes);
	(void)snprintf(ret->outcome.signal, sizeof ret->outcome.signal, "%s",
		       c->signal ? c->signal : "");
	(void)snprintf(ret->outcome.text, sizeof ret->outcome.text, "%s", c->text ? c->text : "");
}

static struct job *run_restore_job(struct run *run, const struct store_job *j,
				   const struct store_child *children)
{
	static const char *const here[] = {"localhost"};
	struct child_saved *saved = xcalloc(j->child_count, sizeof *saved);
	const char **locations = xcalloc(j->child_count, sizeof(char *));
	struct rolling_spec rolling;
	struct uuid uuid;
	struct job_spec spec;
	struct job *job;

	run_job_spec(&spec, &run->open);
	spec.locations = run->open.local ? here : locations;
	spec.count = (size_t)j->child_count;
	spec.unslotted = relays_unslotted(run->relays);
	run_rollout_spec(&rolling, &run->open, spec.count);
	spec.rolling = &rolling;
	for (size_t i = 0; i < spec.count; i++) {
		child_saved_from(&saved[i], &children[i]);
		if (!run->open.local)
			locations[i] = run->targets.hosts[i].host;
	}
	memcpy(uuid.bytes, j->uuid, sizeof uuid.bytes);
	job = job_restore(&spec, j->id, &uuid, saved, j->end_ns, j->wish == KEEP_HOLD,
			  &run_transport, &run_observer, run);
	free(saved);
	free(locations);
	return job;
}

/* What became of the children is not known: each may have run, and none may run again. A durable
 * one is asked for on its host, and is not begun there; of the others nobody knows any more. */
static void run_distrust(const struct run *run, struct store_child *children, size_t count)
{
	/* A copy may: what is there already is left alone. */
	for (size_t i = 0; run->open.builtin != JOB_COPY && i < count; i++)
		children[i].flags |= link_wants_durable(&run->open) ? KEEP_ASKED : KEEP_ONCE;
}

/* A child that has been started, or asked for, has a link, which knows what was. */
static void run_restore_child(struct run *run, struct child *child, const struct store_child *c)
{
	struct link_past *past;

	run->flags[child_index(child)] = c->flags & ~(uint64_t)KEEP_STOPPING;
	if (!(c->flags & (KEEP_ASKED | KEEP_ONCE)) && c->step == KEEP_QUEUED)
		return;
	child_set_link(child, link_new(run, child));
	past = link_past(child_link(child));
	past->begun = c->step == KEEP_AWAY;
	past->asked = c->flags & KEEP_ASKED;
	past->stopping = c->flags & KEEP_STOPPING;
	past->parked = run->open.detached;
	memcpy(past->read, c->read, sizeof past->read);
}

static void run_on_job_found(void *arg, const struct store_job *j,
			     const struct store_child *children)
{
	struct restoring *r = arg;
	struct run *run = xcalloc(1, sizeof *run);
	struct store_child *own;
	struct errmsg msg;
	int rc = keep_request_get(j->spec, j->spec_len, &run->open, &run->targets, &msg);

	/* What is restored begins at once: most of it runs already. */
	run->ramp = SIZE_MAX;
	if (rc == 0 && run->targets.count != (run->open.local ? 0 : j->child_count))
		rc = err_set(&msg, ERR_PROTO, "it has %zu hosts for %llu children",
			     run->targets.count, (unsigned long long)j->child_count);
	if (rc) {
		log_warn("job %llu cannot be read from the store: %s", (unsigned long long)j->id,
			 msg.text);
		job_open_done(&run->open);
		plan_request_done(&run->targets);
		free(run);
		return;
	}
	run->daemon = r->daemon;
	run->schemas = schemas_new(&r->daemon->last_schema);
	run->flags = xcalloc(j->child_count ? j->child_count : 1, sizeof *run->flags);
	run->feed = run->open.stdin_follows ? feed_new() : NULL;
	run->stop = j->wish == KEEP_STOP;
	own = xcalloc(j->child_count ? j->child_count : 1, sizeof *own);
	memcpy(own, children, j->child_count * sizeof *own);
	if (store_is_rebuilt(r->daemon->store))
		run_distrust(run, own, j->child_count);
	run->relays = relays_new(&run->open, run->targets.hosts, run->targets.count);
	relays_attach(run->relays, run);
	run->job = run_restore_job(run, j, own);
	for (size_t i = 0; i < j->child_count; i++)
		run_restore_child(run, job_child(run->job, i), &own[i]);
	free(own);
	registry_add(r->daemon->registry, run);
	/* For the daemon after us, which will not know. */
	for (size_t i = 0; store_is_rebuilt(r->daemon->store) && i < j->child_count; i++)
		run_keep_child(run, job_child(run->job, i));
}

static struct child *run_find_child(struct restoring *r, uint64_t id, struct run **ret_run)
{
	if (!r->last || id - job_id(r->last->job) > job_child_count(r->last->job))
		r->last = registry_find(r->daemon->registry, id);
	*ret_run = r->last;
	return r->last ? job_child_by_id(r->last->job, id) : NULL;
}

static void run_on_schema_found(struct run *run, struct child *child, uint64_t remote_seq,
				const void *data, size_t len)
{
	struct link_past *past = link_past(child_link(child));
	struct task_schema_msg m;
	uint64_t id;

	if (keep_schema_get(data, len, &id, &m, NULL) != 0)
		return;
	schemas_restore(run->schemas, id, m.name, m.columns, m.column_count);
	/* Damage on the host may have taken one before it, which then never came here. */
	while (past->schema_count < m.schema) {
		past->schema_ids =
			xrealloc(past->schema_ids, past->schema_count + 1, sizeof(uint64_t));
		past->schema_ids[past->schema_count++] = 0;
	}
	if (m.schema)
		past->schema_ids[m.schema - 1] = id;
	if (past->last_seq < remote_seq)
		past->last_seq = remote_seq;
	task_schema_done(&m);
}

/* Nothing of it runs yet. */
static void run_on_throttle_found(struct run *run, const void *data, size_t len)
{
	struct errmsg msg;

	if (keep_throttle_get(data, len, &run->open.throttle, &msg) == 0)
		job_set_throttle(run->job, run->open.throttle, 0);
	else
		log_warn("job %llu: its throttle limit cannot be read: %s",
			 (unsigned long long)job_id(run->job), msg.text);
}

/* What had become of a copy. Its children need no link to be begun again. */
static void run_on_copy_found(struct run *run, struct child *child, unsigned kind, const void *data,
			      size_t len)
{
	struct errmsg msg;
	struct link_past *past;
	int rc;

	if (job_state_is_finished(child_state(child)))
		return;
	if (!child_link(child))
		child_set_link(child, link_new(run, child));
	past = link_past(child_link(child));
	rc = kind == KEEP_COPY_SAID  ? keep_copy_said_get(&past->copy, data, len, &msg)
	     : kind == KEEP_COPY_END ? keep_copy_end_get(&past->copy, data, len, &msg)
				     : keep_copy_place_get(&past->copy, data, len, &msg);
	if (rc)
		log_warn("job %llu: what is kept of a copy cannot be read: %s",
			 (unsigned long long)child_id(child), msg.text);
}

static void run_on_copy_value(struct restoring *r, const char *name, const void *data, size_t len)
{
	struct copy_tally tally;
	struct child *child = NULL;
	struct errmsg msg;
	struct run *run;
	uint64_t id;

	if (keep_copy_tally_get(&tally, &id, name, data, len, &msg) != 0) {
		log_warn("the store has a value %s that cannot be used: %s", name, msg.text);
		return;
	}
	run = registry_find(r->daemon->registry, id);
	child = run ? job_child_by_id(run->job, id) : NULL;
	if (!child || !child_link(child) || job_state_is_finished(child_state(child)))
		keep_copy_tally(r->daemon->store, id, NULL);
	else
		link_past(child_link(child))->copy.tally = tally;
}

static void run_on_note_found(void *arg, uint64_t job, unsigned kind, uint64_t child,
			      uint64_t remote_seq, const void *data, size_t len)
{
	struct restoring *r = arg;
	struct run *run = registry_find(r->daemon->registry, job);
	struct child *c = child && run ? job_child_by_id(run->job, child) : NULL;

	if (kind >= KEEP_COPY_SAID && kind <= KEEP_COPY_PLACE && c)
		run_on_copy_found(run, c, kind, data, len);
	else if (kind == KEEP_SCHEMA && c && child_link(c))
		run_on_schema_found(run, c, remote_seq, data, len);
	else if (kind == KEEP_INPUT && run && run->feed)
		(void)feed_add(run->feed, data, len, NULL);
	else if (kind == KEEP_INPUT_END && run && run->feed)
		feed_end(run->feed);
	else if (kind == KEEP_THROTTLE && run)
		run_on_throttle_found(run, data, len);
	else if (kind == KEEP_RELEASED && run)
		job_restore_released(run->job);
}

static void run_on_frame_found(void *arg, const struct store_frame *frame, struct store_place place)
{
	struct restoring *r = arg;
	struct run *run;
	struct child *child = run_find_child(r, frame->child, &run);
	struct link_past *past;

	if (!child)
		return;
	if (!child_link(child))
		child_set_link(child, link_new(run, child));
	results_restore(run_child_results(child), frame, place);
	past = link_past(child_link(child));
	if (past->last_seq < frame->remote_seq)
		past->last_seq = frame->remote_seq;
}

/* --- going on -------------------------------------------------------------------------------- */

/* What ran without a spool has ended with us. */
static void run_resume_child(const struct run *run, struct child *child)
{
	struct outcome outcome = {.cause = CAUSE_LINK_LOST,
				  .exit_code = -1,
				  .began = true,
				  .text = "the daemon ended while it ran"};
	struct outcome relayed = {.cause = CAUSE_GATEWAY,
				  .exit_code = -1,
				  .began = true,
				  .text = "the daemon here ended, and with it the link to the "
					  "gateway"};
	struct link *link = child_link(child);
	enum job_state state = child_state(child);
	uint64_t now = clock_wall_ns();

	/* One that was stopped meanwhile, when it had nothing to stop, is so now. */
	if (!link || link_is_started(link) ||
	    (state != JOB_STATE_DISCONNECTED && state != JOB_STATE_STOPPING))
		return;
	link_past(link)->parked = link_past(link)->parked && !run->woken;
	/* A copy goes on with what there is on its host. */
	if (link_past(link)->asked || run->open.builtin == JOB_COPY) {
		bool stopping = link_past(link)->stopping;

		link_start(link);
		if (state == JOB_STATE_STOPPING)
			link_stop(link);
		else if (stopping)
			child_stop(child, now);
	} else {
		results_close(link_results(link));
		child_on_end(child,
			     relays_has(run->relays, child_index(child)) ? &relayed : &outcome,
			     now);
	}
}

static void run_resume(struct run *run)
{
	uint64_t now = clock_wall_ns();

	for (size_t i = 0; i < job_child_count(run->job); i++)
		run_resume_child(run, job_child(run->job, i));
	if (job_state_is_finished(job_state(run->job)))
		return;
	if (run->stop)
		job_stop(run->job, now);
	else
		job_start(run->job, now);
}

/* Nobody can be connected to: their files of SSH cannot be read any more. */
static void run_cannot_resume(struct run *run, const char *why)
{
	struct outcome outcome = {.cause = CAUSE_LINK_LOST, .exit_code = -1, .began = true};

	log_warn("job %llu cannot go on: %s", (unsigned long long)job_id(run->job), why);
	(void)snprintf(outcome.text, sizeof outcome.text, "%.180s", why);
	for (size_t i = 0; i < job_child_count(run->job); i++) {
		struct child *child = job_child(run->job, i);
		enum job_state state = child_state(child);

		/* No link was started: nothing else ends one that was stopped meanwhile. */
		if (state == JOB_STATE_DISCONNECTED || state == JOB_STATE_STOPPING)
			child_on_end(child, &outcome, clock_wall_ns());
	}
	run_stop(run);
}

static void run_on_plan(void *arg, struct plan *plan, const struct errmsg *msg)
{
	struct run *run = arg;

	run->planning = NULL;
	if (plan && plan_count(plan) == job_child_count(run->job)) {
		run->plan = plan;
		run_resume(run);
		return;
	}
	run_cannot_resume(run, plan ? "its hosts are others now" : msg->text);
	plan_free(plan);
}

static void run_on_loop(void *arg)
{
	run_resume(arg);
}

static void run_settle_child(struct run *run, struct child *child)
{
	struct link *link = child_link(child);
	uint64_t flags = run->flags[child_index(child)];
	enum job_state state = child_state(child);

	if (!link)
		return;
	results_restore_read(link_results(link), link_past(link)->read);
	if (job_state_is_finished(state))
		results_close(link_results(link));
	link_past(link)->attach_only = state == JOB_STATE_NOT_STARTED && (flags & KEEP_ASKED) &&
				       keep_time_ns(flags) + RUN_MEMORY_NS < clock_wall_ns();
	child_set_unread(child, results_unread(link_results(link)) > 0);
}

/* What it was is known: it goes on, or is over. */
static void run_settle(struct run *run)
{
	bool finished = job_state_is_finished(job_state(run->job));

	for (size_t i = 0; i < job_child_count(run->job); i++)
		run_settle_child(run, job_child(run->job, i));
	if (finished) {
		run->clean = true;
		plan_request_done(&run->targets);
		job_open_done(&run->open);
		feed_free(run->feed);
		run->feed = NULL;
		return;
	}
	if (run->open.local) {
		loop_defer(run->daemon->loop, run_on_loop, run);
		return;
	}
	plan_settings_take(&run->targets, &run->open);
	run->planning = plan_start(run->daemon->engine, &run->targets, run_on_plan, run);
}

static void run_on_value_found(void *arg, const char *name, const void *data, size_t len)
{
	struct restoring *r = arg;

	if (strncmp(name, SESSION_VALUE, sizeof SESSION_VALUE - 1) == 0)
		session_restore(r->daemon->sessions, name, data, len);
	else if (strncmp(name, KEEP_COPY_VALUE, sizeof KEEP_COPY_VALUE - 1) == 0)
		run_on_copy_value(r, name, data, len);
}

int run_restore_all(struct daemon *daemon, struct errmsg *msg)
{
	static const struct store_loader loader = {.job = run_on_job_found,
						   .value = run_on_value_found,
						   .note = run_on_note_found,
						   .frame = run_on_frame_found};
	struct restoring r = {.daemon = daemon};
	uint64_t last_id = 0;
	int rc = store_load(daemon->store, &loader, &r, &last_id, msg);

	if (rc)
		return rc;
	registry_had_ids(daemon->registry, last_id);
	for (size_t i = 0; i < registry_count(daemon->registry); i++)
		run_settle(registry_at(daemon->registry, i));
	return 0;
}
