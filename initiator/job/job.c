#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "job_private.h"
#include "log.h"

_Noreturn void job_bug(const struct job *job, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	log_error("bug: job %" PRIu64 ": %s", job->id, what);
	abort();
}

void job_enter(struct job *job, const char *entry)
{
	if (job->busy)
		job_bug(job, "%s was called from inside a callback of this job", entry);
	job->busy = true;
}

void job_leave(struct job *job)
{
	uint64_t wake = job_wake_ns(job);

	if (wake != job->told_ns) {
		job->told_ns = wake;
		if (job->observer->wake_changed)
			job->observer->wake_changed(job->ctx, job);
	}
	job->busy = false;
}

static void job_add_children(struct job *job, const struct job_spec *spec)
{
	size_t size = 0;
	char *place;

	for (size_t i = 0; i < spec->count; i++)
		size += strlen(spec->locations[i]) + 1;
	place = job->places = xmalloc(size);
	job->children = xcalloc(spec->count, sizeof *job->children);
	job->child_uuids = xcalloc(spec->count, sizeof *job->child_uuids);
	uuid_make(job->child_uuids, spec->count);
	for (size_t i = 0; i < spec->count; i++) {
		size_t len = strlen(spec->locations[i]) + 1;

		memcpy(place, spec->locations[i], len);
		job->children[i] = (struct child){.job = job, .location = place, .exit_code = -1};
		job->children[i].unslotted = spec->unslotted && spec->unslotted[i];
		place += len;
	}
	if (!spec->unslotted)
		job->next_unslotted = spec->count;
	job->counts.total = spec->count;
	job->counts.queued = spec->count;
	job->counts.in_state[child_fsm_visible(CHILD_QUEUED)] = spec->count;
	job->first_failed = spec->count;
}

struct job *job_new(const struct job_spec *spec, uint64_t first_id,
		    const struct job_transport *transport, const struct job_observer *observer,
		    void *ctx)
{
	struct job *job = xcalloc(1, sizeof *job);

	job->id = first_id;
	if (spec->count < 1 || spec->count > LIMIT_HOSTS || spec->throttle < 1)
		job_bug(job, "%zu children with a throttle of %zu", spec->count, spec->throttle);
	job->transport = transport;
	job->observer = observer;
	job->ctx = ctx;
	job->name = spec->name ? xstrdup(spec->name) : xasprintf("Job%" PRIu64, first_id);
	job->type = xstrdup(spec->type);
	job->command = xstrdup(spec->command);
	job->hidden = spec->hidden;
	uuid_make(&job->uuid, 1);
	uuid_text(job->instance_id, &job->uuid);
	fanout_init(&job->fanout, spec->count, spec->throttle);
	rolling_init(&job->rolling, spec->rolling, spec->count);
	fanout_set_end(&job->fanout, job->rolling.end);
	job->fresh = job->rolling.end;
	job_add_children(job, spec);
	job->state = rollup_state(&job->counts, job->wish);
	return job;
}

void job_free(struct job *job)
{
	if (!job)
		return;
	if (job->busy)
		job_bug(job, "job_free was called from inside a callback of this job");
	for (size_t i = 0; i < job->counts.total; i++)
		if (job->children[i].end_text != job->why)
			free(job->children[i].end_text);
	await_done(&job->await);
	free(job->why);
	free(job->child_uuids);
	free(job->children);
	free(job->places);
	free(job->command);
	free(job->type);
	free(job->name);
	free(job);
}

/* Writes the state that the children make. Returns true if it is another one. */
static bool job_settle(struct job *job, uint64_t now)
{
	enum job_state before = job->state;

	job->state = rollup_state(&job->counts, job->wish);
	if (job->state == before)
		return false;
	if (job_state_is_finished(job->state))
		job->end_ns = now;
	log_debug("job %" PRIu64 ": %s -> %s", job->id, job_state_name(before),
		  job_state_name(job->state));
	return true;
}

void job_set_wish(struct job *job, enum rollup_wish wish, uint64_t now)
{
	job->wish = wish;
	if (job_settle(job, now))
		job->observer->job_changed(job->ctx, job);
}

void job_note_failed(struct job *job, size_t index)
{
	if (index < job->first_failed)
		job->first_failed = index;
	if (index >= job->after_failed)
		job->after_failed = index + 1;
}

void job_child_moved(struct child *child, enum job_state before, uint64_t now)
{
	struct job *job = child->job;
	enum job_state after = child_state(child);
	bool job_moved;

	job->counts.started = job->fanout.used;
	if (after == before)
		return;
	job->counts.in_state[before]--;
	job->counts.in_state[after]++;
	if (job_state_is_finished(after))
		job->counts.finished++;
	if (after == JOB_STATE_FAILED || after == JOB_STATE_STOPPED)
		job_note_failed(job, child_index(child));
	/* First the facts, then the news: an observer never sees a child and a job that disagree.
	 */
	job_moved = job_settle(job, now);
	job->observer->child_changed(job->ctx, child);
	if (job_moved)
		job->observer->job_changed(job->ctx, job);
}

static void job_start_child(struct child *child, uint64_t now)
{
	if (!child->since_ns)
		child->since_ns = now;
	child_event(child, CHILD_EV_START, NULL, now);
}

static void job_start_unslotted(struct job *job, uint64_t now)
{
	for (; job->next_unslotted < job->rolling.end; job->next_unslotted++) {
		struct child *child = &job->children[job->next_unslotted];

		if (child->unslotted && child->step == CHILD_QUEUED)
			job_start_child(child, now);
	}
}

static bool job_start_fresh(struct job *job, uint64_t now)
{
	size_t index;

	while (fanout_next(&job->fanout, &index))
		if (job->children[index].step == CHILD_QUEUED) {
			job_start_child(&job->children[index], now);
			return true;
		}
	return false;
}

/* Beside its stage, but not so that more run at once than the stage lets. */
static bool job_start_again(struct job *job, uint64_t now)
{
	struct child *child = job_due(job, now);

	if (!child || !job->rolling.again || (!child->unslotted && !fanout_is_free(&job->fanout)) ||
	    job->active + job->fresh >= rolling_size(&job->rolling))
		return false;
	await_drop(&job->await);
	if (job->rolling.again != SIZE_MAX)
		job->rolling.again--;
	job_start_child(child, now);
	return true;
}

void job_fill(struct job *job, uint64_t now)
{
	if (!job->live)
		return;
	if (now > job->seen_ns)
		job->seen_ns = now;
	do {
		enum rolling_phase phase = job->rolling.phase;
		bool more = phase == ROLLING_CANARY || phase == ROLLING_BATCH;

		if (job->wish == ROLLUP_NONE)
			job_start_unslotted(job, now);
		more = more && job->wish == ROLLUP_NONE;
		/* In turn, so that neither can keep the other from its slot. */
		while (more) {
			job->again = !job->again;
			more = job->again ? job_start_again(job, now) || job_start_fresh(job, now)
					  : job_start_fresh(job, now) || job_start_again(job, now);
		}
	} while (job_roll_on(job, now));
}

void job_start(struct job *job, uint64_t now)
{
	job_enter(job, "job_start");
	job->live = true;
	job_roll_judge(job, now);
	job_fill(job, now);
	job_leave(job);
}

void job_freeze(struct job *job)
{
	job->live = false;
}

void job_stop(struct job *job, uint64_t now)
{
	job_enter(job, "job_stop");
	if (job->wish != ROLLUP_STOP && !job_state_is_finished(job->state)) {
		job_set_wish(job, ROLLUP_STOP, now);
		for (size_t i = 0; i < job->counts.total; i++)
			if (!job_state_is_finished(child_state(&job->children[i])))
				child_event(&job->children[i], CHILD_EV_STOP, NULL, now);
	}
	job_leave(job);
}

void job_set_throttle(struct job *job, size_t throttle, uint64_t now)
{
	job_enter(job, "job_set_throttle");
	if (throttle < 1)
		job_bug(job, "a throttle of 0 would never let anything start");
	fanout_set_limit(&job->fanout, throttle);
	job_fill(job, now);
	job_leave(job);
}

uint64_t job_id(const struct job *job)
{
	return job->id;
}

const char *job_instance_id(const struct job *job)
{
	return job->instance_id;
}

const struct uuid *job_uuid(const struct job *job)
{
	return &job->uuid;
}

const char *job_name(const struct job *job)
{
	return job->name;
}

const char *job_type(const struct job *job)
{
	return job->type;
}

const char *job_command(const struct job *job)
{
	return job->command;
}

bool job_is_hidden(const struct job *job)
{
	return job->hidden;
}

bool job_is_held(const struct job *job)
{
	return job->wish == ROLLUP_HOLD;
}

enum job_state job_state(const struct job *job)
{
	return job->state;
}

char *job_location(const struct job *job)
{
	struct buf b = {0};

	for (size_t i = 0; i < job->counts.total; i++) {
		if (i > 0)
			buf_add_char(&b, ',');
		buf_add_str(&b, job->children[i].location);
	}
	return buf_take_str(&b);
}

uint64_t job_begin_ns(const struct job *job)
{
	return job->begin_ns;
}

uint64_t job_end_ns(const struct job *job)
{
	return job->end_ns;
}

bool job_has_more_data(const struct job *job)
{
	return job->unread > 0;
}

size_t job_child_count(const struct job *job)
{
	return job->counts.total;
}

struct child *job_child(struct job *job, size_t index)
{
	return index < job->counts.total ? &job->children[index] : NULL;
}

struct child *job_child_by_id(struct job *job, uint64_t id)
{
	/* The parent's own id wraps around to an index that no job has. */
	uint64_t index = id - job->id - 1;

	return index < job->counts.total ? &job->children[index] : NULL;
}

const struct job_counts *job_counts(const struct job *job)
{
	return &job->counts;
}

struct child *job_next_failed(struct job *job, const struct child *after)
{
	size_t i = after ? child_index(after) + 1 : job->first_failed;

	for (; i < job->after_failed; i++) {
		enum job_state state = child_state(&job->children[i]);

		if (state == JOB_STATE_FAILED || state == JOB_STATE_STOPPED)
			return &job->children[i];
	}
	return NULL;
}
