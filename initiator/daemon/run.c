#include "run.h"

#include <stdlib.h>

#include "alloc.h"
#include "client.h"
#include "clock.h"
#include "daemon_private.h"
#include "link.h"
#include "log.h"
#include "registry.h"

#define RUN_THROTTLE_DEFAULT 64u

struct run {
	struct daemon *daemon;
	struct client *client; /* NULL: gone */
	struct job_open_msg open;
	struct plan *plan;
	struct job *job;
	bool held;
	bool clean;  /* links and plan have been let go */
	bool queued; /* run_clean will come */
	bool freed;  /* it has nothing left to do but free the memory */
};

static void run_send_child(struct run *run, const struct child *child)
{
	struct outcome o = {.exit_code = -1};
	struct child_state_msg m = {.child = child_id(child), .exit_code = -1};
	struct buf body = {0};

	if (!run->client)
		return;
	m.state = xstrdup(job_state_name(child_state(child)));
	m.begin_ns = child_begin_ns(child);
	m.end_ns = child_end_ns(child);
	m.finished = child_outcome(child, &o);
	if (m.finished) {
		m.cause = xstrdup(cause_name(o.cause));
		m.exit_code = o.exit_code;
		m.signal = o.signal[0] ? xstrdup(o.signal) : NULL;
		m.text = o.text[0] ? xstrdup(o.text) : NULL;
		m.exit_status = (uint64_t)outcome_exit_status(&o);
	}
	child_state_put(&body, &m);
	client_send(run->client, MSG_CHILD_STATE, &body);
	child_state_done(&m);
}

/* Links are ended inside of their own events: they are freed from the loop. */
static void run_free_link(void *arg)
{
	link_free(arg);
}

static void run_on_child(void *ctx, struct child *child)
{
	struct run *run = ctx;

	run_send_child(run, child);
	if (job_state_is_finished(child_state(child)) && child_link(child)) {
		loop_defer(run->daemon->loop, run_free_link, child_link(child));
		child_set_link(child, NULL);
	}
}

static void run_clean(void *arg)
{
	struct run *run = arg;
	struct daemon *daemon = run->daemon;

	run->queued = false;
	if (run->freed) {
		free(run);
		return;
	}
	run->clean = true;
	plan_free(run->plan);
	run->plan = NULL;
	job_open_done(&run->open);
	registry_finished(daemon->registry); /* may free this run */
	daemon_consider_leaving(daemon);
}

static void run_on_job(void *ctx, struct job *job)
{
	struct run *run = ctx;
	struct client *client = run->client;
	struct job_end_msg m = {.job = job_id(job)};
	struct buf body = {0};

	if (!job_state_is_finished(job_state(job)))
		return;
	if (client) {
		m.state = xstrdup(job_state_name(job_state(job)));
		job_end_put(&body, &m);
		client_send(client, MSG_JOB_END, &body);
		job_end_done(&m);
		run->client = NULL;
		client_on_room(client, NULL, NULL); /* it may be later than the end of this run */
		client_set_context(client, NULL, NULL);
		client_set_state(client, CLIENT_IDLE);
	}
	/* After the links that were deferred before. */
	run->queued = true;
	loop_defer(run->daemon->loop, run_clean, run);
}

static void run_do_start(void *ctx, struct child *child)
{
	child_set_link(child, link_start(ctx, child));
}

static void run_do_stop(void *ctx, struct child *child)
{
	(void)ctx;
	link_stop(child_link(child));
}

static const struct job_transport run_transport = {.start = run_do_start, .stop = run_do_stop};
static const struct job_observer run_observer = {.child_changed = run_on_child,
						 .job_changed = run_on_job};

struct run *run_new(struct daemon *daemon, struct client *client, struct job_open_msg *open,
		    struct plan *plan, const char *const *locations, size_t count)
{
	struct run *run = xcalloc(1, sizeof *run);
	struct job_spec spec = {.name = open->name,
				.type = "Remote",
				.command = open->display,
				.hidden = true,
				.throttle = open->throttle ? open->throttle : RUN_THROTTLE_DEFAULT,
				.locations = locations,
				.count = count};

	run->daemon = daemon;
	run->client = client;
	run->plan = plan;
	run->job = job_new(&spec, registry_take_ids(daemon->registry, count), &run_transport,
			   &run_observer, run);
	run->open = *open;
	*open = (struct job_open_msg){0};
	registry_add(daemon->registry, run);
	return run;
}

void run_start(struct run *run)
{
	job_start(run->job, clock_wall_ns());
}

void run_free(struct run *run)
{
	if (!run)
		return;
	for (size_t i = 0; i < job_child_count(run->job); i++)
		link_free(child_link(job_child(run->job, i)));
	job_free(run->job);
	plan_free(run->plan);
	job_open_done(&run->open);
	run->freed = true;
	if (!run->queued)
		free(run);
}

void run_stop(struct run *run)
{
	if (!job_state_is_finished(job_state(run->job)))
		job_stop(run->job, clock_wall_ns());
}

void run_detach(struct run *run)
{
	run->client = NULL;
	run->held = false;
	for (size_t i = 0; i < job_child_count(run->job); i++) {
		struct link *link = child_link(job_child(run->job, i));

		if (link)
			link_hold(link, false);
	}
	run_stop(run);
}

struct job *run_job(const struct run *run)
{
	return run->job;
}

bool run_is_busy(const struct run *run)
{
	return !run->clean;
}

struct daemon *run_daemon(const struct run *run)
{
	return run->daemon;
}

const struct plan_target *run_target(const struct run *run, size_t index)
{
	return plan_target(run->plan, index);
}

const struct job_open_msg *run_open(const struct run *run)
{
	return &run->open;
}

static void run_set_held(struct run *run, bool held)
{
	run->held = held;
	for (size_t i = 0; i < job_child_count(run->job); i++) {
		struct link *link = child_link(job_child(run->job, i));

		if (link)
			link_hold(link, held);
	}
}

static void run_on_room(void *arg)
{
	run_set_held(arg, false);
}

uint64_t run_send_records(struct run *run, uint64_t id, uint64_t first_seq,
			  struct record_batch *batch)
{
	uint64_t next = first_seq + batch->count;
	struct buf body = {0};

	if (run->client) {
		records_put(&body, id, first_seq, batch);
		client_send(run->client, MSG_RECORDS, &body);
		if (!run->held && client_is_full(run->client)) {
			client_on_room(run->client, run_on_room, run);
			run_set_held(run, true);
		}
	}
	record_batch_clear(batch);
	return next;
}

bool run_is_held(const struct run *run)
{
	return run->held;
}
