#include "reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "clock.h"
#include "reader_private.h"
#include "registry.h"

static void reader_release(struct reader *reader, struct source *source)
{
	struct run *run = source->job->run;
	struct results *results;

	if (!source->leased || !source->child)
		return;
	source->leased = false;
	results = run_child_results(source->child);
	results_mark(results);
	results_release(results, reader);
	/* Another reader may have waited for the lease. */
	if (results_unread(results))
		run_on_results(run, source->child);
}

static void reader_free(void *arg)
{
	struct reader *reader = arg;

	for (size_t i = 0; i < reader->job_count; i++)
		run_unwatch(&reader->jobs[i].watcher);
	for (size_t i = 0; i < reader->source_count; i++)
		reader_release(reader, &reader->sources[i]);
	client_on_room(reader->client, NULL, NULL);
	results_unwait(&client_daemon(reader->client)->budget.waits, &reader->durable);
	/* A synchronous job has nobody else. */
	if (reader->live && reader->phase != READER_OVER && reader->jobs[0].run)
		run_abandon(reader->jobs[0].run);
	if (reader->timer)
		event_free(reader->timer);
	event_free(reader->wake);
	receive_done(&reader->m);
	free(reader->jobs);
	free(reader->sources);
	free(reader->merge);
	free(reader);
}

struct source *reader_source(struct reader_job *job, const struct child *child)
{
	struct reader *reader = job->reader;
	size_t lo = job->first, hi = job->first + job->count;
	size_t index = child_index(child);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (child_index(reader->sources[mid].child) < index)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == job->first + job->count || reader->sources[lo].child != child)
		return NULL;
	return &reader->sources[lo];
}

void reader_make_ready(struct reader *reader, struct source *source)
{
	if (source->ready)
		return;
	source->ready = true;
	source->next = NULL;
	*reader->last_ready = source;
	reader->last_ready = &source->next;
}

bool reader_is_persistent(const struct reader *reader, enum job_state state)
{
	if (job_state_is_finished(state))
		return true;
	return !reader->m.force && !reader->live &&
	       (state == JOB_STATE_SUSPENDED || state == JOB_STATE_DISCONNECTED);
}

/* --- what the runs tell --------------------------------------------------------------------- */

static void reader_on_child(void *arg, struct child *child)
{
	struct reader_job *job = arg;
	struct source *source = reader_source(job, child);

	if (!source)
		return;
	reader_make_ready(job->reader, source);
	reader_wake(job->reader);
}

/* At once, whatever else there is to send: it is short, and comes once for each child. */
static void reader_on_starting(void *arg, struct child *child, struct client_wait *wait)
{
	struct reader_job *job = arg;
	struct client *client = job->reader->client;

	reply_child_starting(client, child);
	client_wait_sent(client, wait);
}

/* No records: what it says is bounded by what the client answers. */
static void reader_on_pass(void *arg, struct buf *frames, bool *full)
{
	struct reader_job *job = arg;

	client_send_frames(job->reader->client, frames);
	*full = client_is_full(job->reader->client);
}

/* Who waits for it should know what it waits for. */
static void reader_warn_held(struct reader *reader, struct job *job)
{
	struct warning_msg m = {.text = job_progress(job, clock_wall_ns())};
	struct buf body = {0};

	if (!m.text)
		return;
	warning_put(&body, &m);
	client_send(reader->client, MSG_WARNING, &body);
	warning_done(&m);
}

static void reader_on_job(void *arg, struct job *job)
{
	struct reader_job *watched = arg;

	if (watched->reader->live && job_state(job) == JOB_STATE_SUSPENDED)
		reader_warn_held(watched->reader, job);
	reader_wake(watched->reader);
}

static void reader_on_gone(void *arg, struct run *run)
{
	struct reader_job *job = arg;
	struct reader *reader = job->reader;
	char text[80];

	(void)run;
	job->run = NULL;
	for (size_t i = job->first; i < job->first + job->count; i++) {
		struct source *s = &reader->sources[i];

		if (s->acked + 1 < s->next_seq)
			reader->open_acks--;
		if (s->loading)
			reader->loading--;
		if (s->held)
			reader->held--;
		*s = (struct source){.job = job, .ready = s->ready, .next = s->next};
	}
	(void)snprintf(text, sizeof text, "job %llu was removed while it was being received",
		       (unsigned long long)job->id);
	reply_problem(reader->client, 2, text);
	reader_wake(reader);
}

static void reader_on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct reader *reader = arg;

	(void)fd;
	(void)what;
	reader->timed_out = true;
	reader_wake(reader);
}

/* --- starting ------------------------------------------------------------------------------- */

static struct reader_job *reader_add_job(struct reader *reader, struct run *run)
{
	struct reader_job *job;

	for (size_t i = 0; i < reader->job_count; i++)
		if (reader->jobs[i].run == run)
			return &reader->jobs[i];
	reader->jobs = xrealloc(reader->jobs, reader->job_count + 1, sizeof(struct reader_job));
	job = &reader->jobs[reader->job_count++];
	*job = (struct reader_job){.run = run, .id = job_id(run_job(run))};
	return job;
}

static bool reader_wants(const struct reader *reader, const struct child *child)
{
	if (!reader->m.location_count)
		return true;
	for (size_t i = 0; i < reader->m.location_count; i++)
		if (strcasecmp(reader->m.locations[i], child_location(child)) == 0)
			return true;
	return false;
}

static int reader_compare(const void *a, const void *b)
{
	const struct source *x = a, *y = b;
	uint64_t i = child_id(x->child), j = child_id(y->child);

	return (i > j) - (i < j);
}

static void reader_add_source(struct reader *reader, struct child *child)
{
	/* Grown by doubling: at 1, 2, 4, 8 ... sources. */
	size_t n = reader->source_count;

	if ((n & (n - 1)) == 0)
		reader->sources = xrealloc(reader->sources, n ? n * 2 : 1, sizeof(struct source));
	reader->sources[reader->source_count++] =
		(struct source){.child = child, .next_seq = 1, .from = 1};
}

/* A job stands for all its children (unless no_recurse), a child for itself. */
static void reader_add_item(struct reader *reader, const struct select_item *item)
{
	struct daemon *daemon = client_daemon(reader->client);
	struct run *run = registry_find(daemon->registry, job_id(item->job));
	struct reader_job *job = reader_add_job(reader, run);

	if (item->child) {
		reader_add_source(reader, item->child);
		return;
	}
	job->named = true;
	for (size_t i = 0; !reader->m.no_recurse && i < job_child_count(item->job); i++)
		if (reader_wants(reader, job_child(item->job, i)))
			reader_add_source(reader, job_child(item->job, i));
}

static int reader_compare_jobs(const void *a, const void *b)
{
	const struct reader_job *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static void reader_watch(struct reader *reader, struct reader_job *job)
{
	job->reader = reader;
	job->watcher = (struct run_watcher){.results = reader_on_child,
					    .child = reader_on_child,
					    .job = reader_on_job,
					    .starting = reader->live ? reader_on_starting : NULL,
					    .pass = reader->live ? reader_on_pass : NULL,
					    .gone = reader_on_gone,
					    .arg = job};
	run_watch(job->run, &job->watcher);
}

/* Jobs and sources in order of id, each once; each knows the other. */
static void reader_settle(struct reader *reader)
{
	size_t kept = 0, at = 0;

	if (reader->source_count)
		qsort(reader->sources, reader->source_count, sizeof *reader->sources,
		      reader_compare);
	if (reader->job_count)
		qsort(reader->jobs, reader->job_count, sizeof *reader->jobs, reader_compare_jobs);
	for (size_t i = 0; i < reader->source_count; i++)
		if (!kept || reader->sources[kept - 1].child != reader->sources[i].child)
			reader->sources[kept++] = reader->sources[i];
	reader->source_count = kept;
	for (size_t i = 0; i < reader->job_count; i++) {
		struct reader_job *job = &reader->jobs[i];

		reader_watch(reader, job);
		job->first = at;
		for (; at < kept && child_job(reader->sources[at].child) == run_job(job->run); at++)
			reader->sources[at].job = job;
		job->count = at - job->first;
	}
}

static void reader_begin(struct reader *reader)
{
	struct client *client = reader->client;
	struct timeval tv = loop_ms(reader->m.timeout_ms);

	reader_settle(reader);
	client_set_context(client, reader, reader_free);
	client_set_state(client, CLIENT_READING);
	reader->wake = evtimer_new(loop_base(client_daemon(client)->loop), reader_on_wake, reader);
	if (!reader->wake)
		abort();
	reader_wake(reader);
	if (reader->m.wait && reader->m.timeout_ms) {
		reader->timer = evtimer_new(loop_base(client_daemon(client)->loop),
					    reader_on_timeout, reader);
		if (!reader->timer || event_add(reader->timer, &tv) != 0)
			abort();
	}
}

static struct reader *reader_new(struct client *client, struct receive_msg *m)
{
	struct reader *reader = xcalloc(1, sizeof *reader);

	reader->client = client;
	reader->m = *m;
	*m = (struct receive_msg){0};
	reader->streams = reader->m.streams ? (uint32_t)reader->m.streams : UINT32_MAX;
	reader->last_ready = &reader->first_ready;
	return reader;
}

int reader_start(struct client *client, struct receive_msg *m, struct errmsg *msg)
{
	struct registry *registry = client_daemon(client)->registry;
	struct reader *reader = reader_new(client, m);
	struct select_result selected;
	int rc = registry_select(registry, &reader->m.filter, &selected, msg);

	if (rc) {
		receive_done(&reader->m);
		free(reader);
		return rc;
	}
	for (size_t i = 0; i < selected.missing_count; i++)
		reply_problem(reader->client, 2, selected.missing[i]);
	for (size_t i = 0; i < selected.note_count; i++)
		reply_problem(reader->client, 0, selected.notes[i]);
	for (size_t i = 0; i < selected.count; i++)
		reader_add_item(reader, &selected.items[i]);
	select_done(&selected);
	reader_begin(reader);
	for (size_t i = 0; i < reader->job_count; i++)
		run_wake(reader->jobs[i].run);
	for (size_t i = 0; reader->m.job_rows && i < reader->job_count; i++)
		if (reader->jobs[i].named)
			reply_job(client, run_job(reader->jobs[i].run));
	return 0;
}

void reader_start_live(struct client *client, struct run *run)
{
	struct receive_msg m = {.wait = true, .force = true};
	struct reader *reader = reader_new(client, &m);
	struct select_item item = {.job = run_job(run)};
	const struct job_open_msg *open = run_open(run);

	reader->live = true;
	/* What its shell leaves in the session is there for the next command, whatever happens. */
	reader->took = client_daemon(client)->store && open->session_count && open->shell;
	reader->phase = READER_LIVE;
	reader_add_item(reader, &item);
	reader_begin(reader);
}

struct run *reader_live_run(struct client *client)
{
	struct reader *reader = client_context(client);

	return reader && reader->live ? reader->jobs[0].run : NULL;
}

int reader_on_received(struct client *client, const struct received_msg *m, struct errmsg *msg)
{
	struct reader *reader = client_context(client);
	struct source *source = NULL;
	struct results *results;
	uint64_t last;

	for (size_t i = 0; i < reader->job_count && !source; i++) {
		struct reader_job *job = &reader->jobs[i];
		struct child *child =
			job->run ? job_child_by_id(run_job(job->run), m->child) : NULL;

		source = child ? reader_source(job, child) : NULL;
	}
	if (!source)
		return 0; /* of a job that was removed since */
	last = source->next_seq - 1;
	if (m->seq > last || !source->leased)
		return err_set(msg, ERR_PROTO, "RECEIVED for records that were not sent");
	if (m->seq <= source->acked)
		return 0;
	source->acked = m->seq;
	if (source->acked == last)
		reader->open_acks--;
	results = run_child_results(source->child);
	results_ack(results, reader->streams, m->seq);
	reader->took = reader->took || results_is_stored(results);
	child_set_unread(source->child, results_unread(results) > 0);
	reader_wake(reader);
	return 0;
}

/* --- what a client asks of single children -------------------------------------------------- */

void reader_hold(struct reader *reader, struct source *source, bool hold)
{
	if (source->held == hold)
		return;
	source->held = hold;
	if (hold)
		reader->held++;
	else
		reader->held--;
}

/* What cannot be done is no error: it may have ended meanwhile. Its state is told all the same. */
static void reader_do_to_child(struct reader *reader, struct source *source,
			       enum job_children_verb verb)
{
	struct child *child = source->child;
	uint64_t now = clock_wall_ns();

	switch (verb) {
	case JOB_CHILDREN_STOP:
		source->stopped = true;
		child_stop(child, now);
		break;
	case JOB_CHILDREN_SUSPEND:
		(void)child_suspend(child, now, NULL);
		break;
	case JOB_CHILDREN_RESUME:
		(void)child_resume(child, now, NULL);
		break;
	case JOB_CHILDREN_HOLD:
	case JOB_CHILDREN_GO:
		reader_hold(reader, source, verb == JOB_CHILDREN_HOLD);
		break;
	case JOB_CHILDREN_VERB_COUNT:
		break;
	}
	reader_make_ready(reader, source);
}

void reader_on_stop(struct client *client, const struct run *run)
{
	struct reader *reader = client_context(client);

	if (client_state(client) != CLIENT_READING || reader_live_run(client) != run)
		return;
	reader->stopped = true;
	for (size_t i = 0; reader->held && i < reader->source_count; i++)
		if (reader->sources[i].held)
			reader_make_ready(reader, &reader->sources[i]);
	reader_wake(reader);
}

int reader_on_children(struct client *client, const struct job_children_msg *m, struct errmsg *msg)
{
	struct reader *reader = client_context(client);
	struct reader_job *job = reader->jobs;

	if (!reader->live)
		return err_set(msg, ERR_ORDER, "JOB_CHILDREN without a synchronous job");
	for (size_t i = 0; job->run && i < m->count; i++) {
		struct child *child = job_child_by_id(run_job(job->run), m->children[i]);
		struct source *source = child ? reader_source(job, child) : NULL;

		if (source && source->child)
			reader_do_to_child(reader, source, (enum job_children_verb)m->verb);
	}
	reader_wake(reader);
	return 0;
}
