/* What a reader sends, in which order, as far as the client keeps up. */
#include <stdlib.h>

#include "alloc.h"
#include "frame.h"
#include "reader_private.h"
#include "registry.h"
#include "schemas.h"

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

static void reader_tell_source(struct reader *reader, struct source *source)
{
	char uuid[UUID_TEXT_SIZE];
	struct source_msg m = {.child = child_id(source->child), .job = source->job->id};
	struct buf body = {0};

	if (source->told || reader->live)
		return;
	source->told = true;
	m.host = xstrdup(child_location(source->child));
	m.instance_id = xstrdup(child_instance_id(source->child, uuid));
	source_put(&body, &m);
	client_send(reader->client, MSG_SOURCE, &body);
	source_done(&m);
}

/* The columns of the rows that may come; each once. */
static void reader_tell_schemas(struct reader *reader, struct reader_job *job)
{
	const struct schemas *schemas = run_schemas(job->run);

	for (; job->schemas < schemas_count(schemas); job->schemas++) {
		const struct schema *s = schemas_at(schemas, job->schemas);
		struct schema_msg m = {.schema = s->id,
				       .name = s->name,
				       .columns = s->columns,
				       .column_count = s->column_count};
		struct buf body = {0};

		schema_put(&body, &m);
		client_send(reader->client, MSG_SCHEMA, &body);
	}
}

/* One reader at a time takes records away; one that keeps them needs no leave. */
static bool reader_may_read(struct reader *reader, struct source *source, struct results *results)
{
	if (reader->m.keep || source->leased)
		return true;
	source->leased = results_lease(results, reader);
	return source->leased;
}

static void reader_sent(struct reader *reader, struct source *source, struct results *results,
			uint64_t last)
{
	bool was_open = source->acked + 1 < source->next_seq;

	source->next_seq = last + 1;
	if (reader->m.keep)
		return;
	if (reader->live) {
		source->acked = last;
		results_ack(results, reader->streams, last);
		child_set_unread(source->child, results_unread(results) > 0);
	} else if (!was_open) {
		reader->open_acks++;
	}
}

/*
 * Sends one run of records, of those not later than until (0: any time). Returns false if there is
 * nothing to send now.
 */
bool reader_send(struct reader *reader, struct source *source, uint64_t until)
{
	struct results *results = source->child ? run_child_results(source->child) : NULL;
	struct results_rows rows;
	struct record_batch batch = {0};
	struct buf frame = {0};
	uint64_t first;
	size_t count, len;

	if (!results || !reader_may_read(reader, source, results))
		return false;
	count = results_peek(results, reader->streams, source->next_seq, &rows, &first);
	if (!count)
		return false;
	len = rows.len;
	if (!reader->m.wait) {
		/* It will not see the rest of a line that is not whole: that stays, as does what
		 * came later, which could not be acknowledged alone. */
		uint64_t open = results_open_seq(results, reader->streams);

		if (open <= first)
			return false;
		if (open - first < count) {
			count = (size_t)(open - first);
			len = record_rows_skip(rows.data, rows.len, count);
		}
	}
	if (until)
		count = record_rows_until(rows.data, rows.len, count, until, &len);
	reader_tell_source(reader, source);
	reader_tell_schemas(reader, source->job);
	/* Only read by records_put: the memory stays where it is. */
	batch.rows.data = (uint8_t *)(uintptr_t)rows.data;
	batch.rows.len = len;
	batch.count = count;
	(void)frame_begin(&frame);
	records_put(&frame, child_id(source->child), first, &batch);
	client_send_frame(reader->client, MSG_RECORDS, &frame);
	reader_sent(reader, source, results, first + count - 1);
	return true;
}

uint64_t reader_oldest_time(struct reader *reader, struct source *source)
{
	struct results *results = source->child ? run_child_results(source->child) : NULL;

	if (!results || !reader_may_read(reader, source, results))
		return 0;
	return results_peek_time(results, reader->streams, source->next_seq);
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

/* --- the phases: each returns true if it did something, so that there may be more to do ----- */

static bool reader_do_backlog(struct reader *reader)
{
	if (reader->m.by_time) {
		if (reader_merge(reader))
			return true;
		reader->at = reader->source_count;
	}
	if (reader->at < reader->source_count) {
		if (!reader_send(reader, &reader->sources[reader->at], 0))
			reader->at++;
		return true;
	}
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
	}
	return true;
}

static bool reader_do_live(struct reader *reader)
{
	struct source *s = reader->first_ready;

	if (!s) {
		if (!reader_all_persistent(reader))
			return false;
		reader->phase = READER_ENDS;
		return true;
	}
	reader->first_ready = s->next;
	if (!reader->first_ready)
		reader->last_ready = &reader->first_ready;
	s->ready = false;
	/* A turn each: a flood from one host does not keep the others waiting. */
	if (reader_send(reader, s, 0))
		reader_make_ready(reader, s);
	else
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
	if (reader->phase == READER_ACKS && !reader->open_acks)
		reader_finish(reader);
}
