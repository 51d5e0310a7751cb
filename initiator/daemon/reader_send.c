/* What a reader sends of one child, and whether that can be told now. */
#include <stdlib.h>

#include "alloc.h"
#include "frame.h"
#include "reader_private.h"
#include "schemas.h"

#define READER_AHEAD 8u

void reader_tell_source(struct reader *reader, struct source *source)
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

	source->next_seq = source->from = last + 1;
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

/* Whether the records of a source can be looked at now: if not, it stands among those that load
 * until it is tried again. */
static enum reader_went reader_look(struct reader *reader, struct source *source)
{
	struct results *results = source->child ? run_child_results(source->child) : NULL;
	enum reader_went went = READER_NOTHING;

	if (results && reader_may_read(reader, source, results))
		went = results_is_ready(results, reader->streams, &source->from) ? READER_WENT
										 : READER_LOADING;
	if (source->loading != (went == READER_LOADING)) {
		source->loading = !source->loading;
		if (source->loading)
			reader->loading++;
		else
			reader->loading--;
	}
	return went;
}

void reader_load_ahead(struct reader *reader, size_t first)
{
	for (size_t i = first; i < first + READER_AHEAD && i < reader->source_count; i++) {
		struct source *s = &reader->sources[i];
		struct results *results = s->child ? run_child_results(s->child) : NULL;

		/* It is asked again in its turn: the answer does not matter now. */
		if (results)
			(void)results_is_ready(results, reader->streams, &s->from);
	}
}

/* The first record that the client may not have now. Of a backlog that is what was not there when
 * its turn came: one that talks as fast as it is read must not keep others waiting, nor a client
 * that does not want to wait. */
static uint64_t reader_end(const struct reader *reader, struct source *source,
			   struct results *results)
{
	uint64_t open;

	if (reader->phase != READER_BACKLOG)
		return UINT64_MAX;
	if (source->backlog)
		return source->backlog + 1;
	source->backlog = results_last_seq(results);
	/* Who does not wait will not see the rest of a line that is not whole: that stays, as does
	 * what came later, which could not be acknowledged alone. */
	open = reader->m.wait ? UINT64_MAX : results_open_seq(results, reader->streams);
	if (open <= source->backlog)
		source->backlog = open - 1;
	return source->backlog + 1;
}

/* Of count records from first on, those that the client may have now. */
static size_t reader_limit(struct results_rows *rows, uint64_t first, size_t count, uint64_t end,
			   uint64_t until)
{
	if (end <= first)
		return 0;
	if (end - first < count) {
		count = (size_t)(end - first);
		rows->len = record_rows_skip(rows->data, rows->len, count);
	}
	if (until)
		count = record_rows_until(rows->data, rows->len, count, until, &rows->len);
	return count;
}

enum reader_went reader_send(struct reader *reader, struct source *source, uint64_t until)
{
	enum reader_went went = reader_look(reader, source);
	struct record_batch batch = {0};
	struct results_rows rows;
	struct results *results;
	struct buf frame = {0};
	uint64_t first;

	if (went != READER_WENT)
		return went;
	results = run_child_results(source->child);
	batch.count = results_peek(results, reader->streams, source->from, &rows, &first);
	if (batch.count)
		batch.count = reader_limit(&rows, first, batch.count,
					   reader_end(reader, source, results), until);
	if (!batch.count)
		return READER_NOTHING;
	reader_tell_source(reader, source);
	reader_tell_schemas(reader, source->job);
	/* Only read by records_put: the memory stays where it is. */
	batch.rows.data = (uint8_t *)(uintptr_t)rows.data;
	batch.rows.len = rows.len;
	(void)frame_begin(&frame);
	records_put(&frame, child_id(source->child), first, &batch);
	client_send_frame(reader->client, MSG_RECORDS, &frame);
	reader_sent(reader, source, results, first + batch.count - 1);
	return READER_WENT;
}

enum reader_went reader_oldest_time(struct reader *reader, struct source *source, uint64_t *ret)
{
	enum reader_went went = reader_look(reader, source);
	uint64_t time;

	if (went != READER_WENT)
		return went;
	time = results_peek_time(run_child_results(source->child), reader->streams, source->from);
	if (!time)
		return READER_NOTHING;
	*ret = time;
	return READER_WENT;
}
