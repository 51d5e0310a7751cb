/* What a reader sends, in which order, as far as the client keeps up. */
#include <stdlib.h>

#include "alloc.h"
#include "reader_private.h"
#include "registry.h"

static void reader_on_room(void *arg)
{
	reader_wake(arg);
}

/* Enough is on its way: the client's reading brings us back. */
static bool reader_must_wait(struct reader *reader)
{
	if (!client_is_full(reader->client))
		return false;
	client_on_room(reader->client, reader_on_room, reader);
	return true;
}

/* --- how things ended ----------------------------------------------------------------------- */

/* The state of a child: each change of a synchronous one, the end of others that failed or whose
 * events were asked for. */
static void reader_send_state(struct reader *reader, struct source *source)
{
	enum job_state state;

	if (!source->child || source->ended)
		return;
	state = child_state(source->child);
	source->ended = job_state_is_finished(state);
	if (reader->live) {
		reply_child_state(reader->client, source->child);
	} else if (source->ended && (reader->m.events || state == JOB_STATE_FAILED)) {
		reader_tell_source(reader, source);
		reply_child_state(reader->client, source->child);
	}
}

static void reader_finish(struct reader *reader)
{
	struct client *client = reader->client;
	struct daemon *daemon = client_daemon(client);
	struct receive_end_msg m = {.timed_out = reader->timed_out};
	struct job_end_msg end = {.job = reader->jobs ? reader->jobs[0].id : 0};
	struct buf body = {0};

	reader->phase = READER_OVER;
	for (size_t i = 0; i < reader->job_count; i++) {
		struct reader_job *job = &reader->jobs[i];

		run_unwatch(&job->watcher);
		if (job->run && reader->live)
			reply_warnings(client, run_take_key_news(job->run));
		else if (job->run && job->named)
			reply_notes(client, run_take_key_news(job->run));
		if (job->run && job->named && reader->m.events)
			reply_job(client, run_job(job->run));
		if (job->run && job->named && reader->m.remove &&
		    job_state_is_finished(job_state(run_job(job->run)))) {
			registry_remove(daemon->registry, job->run);
			for (size_t k = job->first; k < job->first + job->count; k++)
				reader->sources[k].child = NULL;
			job->run = NULL;
		}
	}
	if (reader->live) {
		end.state =
			xstrdup(reader->jobs[0].run
					? job_state_name(job_state(run_job(reader->jobs[0].run)))
					: "Stopped");
		job_end_put(&body, &end);
		job_end_done(&end);
	} else {
		receive_end_put(&body, &m);
	}
	client_send(client, reader->live ? MSG_JOB_END : MSG_RECEIVE_END, &body);
	client_set_state(client, CLIENT_IDLE);
	client_set_context(client, NULL, NULL); /* frees the reader */
}

/* --- that all was read ---------------------------------------------------------------------- */

static void reader_on_settled(void *arg, bool durable)
{
	struct reader *reader = arg;

	reader->is_settled = true;
	if (!durable)
		reply_problem(reader->client, 0,
			      reader->live ? "the store has failed: what the command leaves in its "
					     "session may be lost"
					   : "the store has failed: what was received now may be "
					     "received again");
	reader_wake(reader);
}

/* Whether the client can be told that all was read: it would come again if that were lost. If not,
 * waits for it. */
static bool reader_is_settled(struct reader *reader)
{
	struct daemon *daemon = client_daemon(reader->client);

	if (!reader->took || reader->is_settled)
		return true;
	if (reader->durable.ticket)
		return false;
	for (size_t i = 0; i < reader->source_count; i++)
		if (reader->sources[i].child && reader->sources[i].leased)
			results_mark(run_child_results(reader->sources[i].child));
	reader->durable.fn = reader_on_settled;
	reader->durable.arg = reader;
	if (!results_wait(&daemon->budget.waits, daemon->store, &reader->durable))
		reader_on_settled(reader, false);
	return reader->is_settled;
}

/* --- the phases: each returns true if it did something, so that there may be more to do ----- */

/* What was let go of is being connected to again, for us: what it has is not there yet. */
static bool reader_is_early(const struct reader *reader)
{
	for (size_t i = 0; i < reader->job_count; i++)
		if (reader->jobs[i].run && run_is_waking(reader->jobs[i].run))
			return true;
	return false;
}

static bool reader_do_backlog(struct reader *reader)
{
	enum reader_went went = READER_NOTHING;

	if (reader_is_early(reader))
		return false;
	if (reader->m.by_time) {
		went = reader_merge(reader);
	} else if (reader->at < reader->source_count) {
		went = reader_send(reader, &reader->sources[reader->at], 0);
		if (went == READER_LOADING)
			reader_load_ahead(reader, reader->at + 1);
		if (went == READER_NOTHING)
			reader->at++;
	}
	if (went != READER_NOTHING)
		return went == READER_WENT;
	if (reader->at < reader->source_count)
		return true;
	reader->at = 0;
	reader->phase = reader->m.wait ? READER_LIVE : READER_ENDS;
	for (size_t i = 0; reader->m.wait && i < reader->source_count; i++)
		reader_make_ready(reader, &reader->sources[i]);
	return true;
}

static bool reader_all_persistent(const struct reader *reader)
{
	for (size_t i = 0; i < reader->job_count; i++) {
		const struct reader_job *job = &reader->jobs[i];

		if (!job->run)
			continue;
		if (job->named && !reader_is_persistent(reader, job_state(run_job(job->run))))
			return false;
		for (size_t k = job->first; !job->named && k < job->first + job->count; k++)
			if (!reader_is_persistent(reader, child_state(reader->sources[k].child)))
				return false;
		/* Lost, but it may come back: that is waited for. Last, as it looks at every child.
		 */
		if (run_is_looked_for(job->run))
			return false;
	}
	return true;
}

static bool reader_do_live(struct reader *reader)
{
	struct source *s = reader->first_ready;
	enum reader_went went;

	if (!s) {
		/* Of those that load or are held there is more. */
		if (reader->loading || reader->held || !reader_all_persistent(reader))
			return false;
		reader->phase = READER_ENDS;
		return true;
	}
	reader->first_ready = s->next;
	if (!reader->first_ready)
		reader->last_ready = &reader->first_ready;
	s->ready = false;
	if (s->held && (s->stopped || reader->stopped) &&
	    job_state_is_finished(child_state(s->child)))
		reader_hold(reader, s, false);
	if (s->held)
		return true;
	/* A turn each: a flood from one host does not keep the others waiting. */
	went = reader_send(reader, s, 0);
	if (went == READER_WENT)
		reader_make_ready(reader, s);
	else if (went == READER_NOTHING)
		reader_send_state(reader, s);
	return true;
}

static bool reader_do_ends(struct reader *reader)
{
	if (reader->at < reader->source_count) {
		reader_send_state(reader, &reader->sources[reader->at++]);
		return true;
	}
	reader->phase = READER_ACKS;
	return true;
}

static bool reader_step(struct reader *reader)
{
	if (reader->timed_out && reader->phase < READER_ENDS) {
		reader->at = 0;
		reader->phase = READER_ENDS;
	}
	switch (reader->phase) {
	case READER_BACKLOG:
		return reader_do_backlog(reader);
	case READER_LIVE:
		return reader_do_live(reader);
	case READER_ENDS:
		return reader_do_ends(reader);
	case READER_ACKS:
	case READER_OVER:
		break;
	}
	return false;
}

void reader_wake(struct reader *reader)
{
	struct timeval now = {0};

	if (reader->phase != READER_OVER)
		(void)event_add(reader->wake, &now);
}

void reader_on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct reader *reader = arg;

	(void)fd;
	(void)what;
	while (!reader_must_wait(reader) && reader_step(reader))
		;
	if (reader->phase == READER_ACKS && !reader->open_acks && reader_is_settled(reader))
		reader_finish(reader);
}
