#include "ledger.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define LEDGER_SPARSE 8u /* less than this part of a segment is worth being moved */

struct ledger_segment {
	uint32_t number;
	bool sealed;
	bool moving; /* was given as sparse */
	uint64_t size;
	uint64_t frames;    /* that are needed */
	uint64_t items;	    /* likewise, and news of jobs that are gone */
	uint64_t item_size; /* their bytes */
};

/* Frames of a job in a segment. */
struct ledger_span {
	uint32_t segment;
	uint64_t frames;
};

struct ledger_job {
	uint64_t id;
	uint64_t last; /* id of its last child */
	struct ledger_span *spans;
	size_t span_count, span_room;
	struct store_place *items;
	size_t item_count, item_room;
};

struct ledger_gone {
	uint32_t until;
	struct store_place place;
};

struct ledger {
	struct ledger_segment *segments; /* in order of number */
	size_t segment_count, segment_room;
	struct ledger_job **jobs; /* in order of id */
	size_t job_count, job_room;
	struct ledger_gone *gones;
	size_t gone_count, gone_room;
	bool due; /* something may be dead or sparse now */
};

/* Room for one more. */
static void *ledger_room(void *list, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return list;
	*room = *room ? *room * 2 : 4;
	return xrealloc(list, *room, size);
}

struct ledger *ledger_new(void)
{
	return xcalloc(1, sizeof(struct ledger));
}

static void ledger_free_job(struct ledger_job *job)
{
	free(job->spans);
	free(job->items);
	free(job);
}

void ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return;
	for (size_t i = 0; i < ledger->job_count; i++)
		ledger_free_job(ledger->jobs[i]);
	free(ledger->jobs);
	free(ledger->segments);
	free(ledger->gones);
	free(ledger);
}

/* --- segments ------------------------------------------------------------------------------- */

/* Where the segment of that number is, or would be. */
static size_t ledger_segment_at(const struct ledger *ledger, uint32_t number)
{
	size_t low = 0, high = ledger->segment_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (ledger->segments[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct ledger_segment *ledger_segment(const struct ledger *ledger, uint32_t number)
{
	size_t at = ledger_segment_at(ledger, number);

	if (at == ledger->segment_count || ledger->segments[at].number != number)
		return NULL;
	return &ledger->segments[at];
}

void ledger_grow(struct ledger *ledger, uint32_t segment, uint64_t size)
{
	size_t at = ledger_segment_at(ledger, segment);

	if (at == ledger->segment_count || ledger->segments[at].number != segment) {
		ledger->segments = ledger_room(ledger->segments, ledger->segment_count,
					       &ledger->segment_room, sizeof *ledger->segments);
		memmove(&ledger->segments[at + 1], &ledger->segments[at],
			(ledger->segment_count - at) * sizeof *ledger->segments);
		ledger->segment_count++;
		ledger->segments[at] = (struct ledger_segment){.number = segment};
	}
	if (size > ledger->segments[at].size)
		ledger->segments[at].size = size;
}

void ledger_seal(struct ledger *ledger, uint32_t segment)
{
	struct ledger_segment *s = ledger_segment(ledger, segment);

	if (s)
		s->sealed = true;
	ledger->due = true;
}

size_t ledger_segments(const struct ledger *ledger)
{
	return ledger->segment_count;
}

/* An item comes (1) or goes (-1). */
static void ledger_count_item(struct ledger *ledger, struct store_place place, int change)
{
	struct ledger_segment *s = ledger_segment(ledger, place.segment);

	if (!s)
		return;
	if (change > 0) {
		s->items++;
		s->item_size += place.len;
		return;
	}
	s->items--;
	s->item_size -= place.len;
	ledger->due = true;
}

/* --- jobs ----------------------------------------------------------------------------------- */

/* How many jobs have an id of at most this. */
static size_t ledger_job_at(const struct ledger *ledger, uint64_t id)
{
	size_t low = 0, high = ledger->job_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (ledger->jobs[middle]->id <= id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct ledger_job *ledger_job(const struct ledger *ledger, uint64_t id)
{
	size_t at = ledger_job_at(ledger, id);
	struct ledger_job *job = at ? ledger->jobs[at - 1] : NULL;

	return job && id <= job->last ? job : NULL;
}

uint64_t ledger_job_of(const struct ledger *ledger, uint64_t id)
{
	struct ledger_job *job = ledger_job(ledger, id);

	return job ? job->id : 0;
}

void ledger_add_job(struct ledger *ledger, uint64_t id, uint64_t count)
{
	size_t at = ledger_job_at(ledger, id);
	struct ledger_job *job;

	if (at && ledger->jobs[at - 1]->id == id)
		return;
	job = xcalloc(1, sizeof *job);
	job->id = id;
	job->last = id + count;
	ledger->jobs = ledger_room(ledger->jobs, ledger->job_count, &ledger->job_room,
				   sizeof *ledger->jobs);
	memmove(&ledger->jobs[at + 1], &ledger->jobs[at],
		(ledger->job_count - at) * sizeof *ledger->jobs);
	ledger->jobs[at] = job;
	ledger->job_count++;
}

uint32_t ledger_remove_job(struct ledger *ledger, uint64_t id)
{
	size_t at = ledger_job_at(ledger, id);
	struct ledger_job *job = at ? ledger->jobs[at - 1] : NULL;
	uint32_t newest = 0;

	if (!job || job->id != id)
		return 0;
	for (size_t i = 0; i < job->span_count; i++) {
		struct ledger_segment *s = ledger_segment(ledger, job->spans[i].segment);

		if (s)
			s->frames -= job->spans[i].frames;
	}
	for (size_t i = 0; i < job->item_count; i++) {
		ledger_count_item(ledger, job->items[i], -1);
		if (job->items[i].segment > newest)
			newest = job->items[i].segment;
	}
	ledger_free_job(job);
	memmove(&ledger->jobs[at - 1], &ledger->jobs[at],
		(ledger->job_count - at) * sizeof *ledger->jobs);
	ledger->job_count--;
	ledger->due = true;
	return newest;
}

/* --- what they need ------------------------------------------------------------------------- */

static struct ledger_span *ledger_span(const struct ledger_job *job, uint32_t segment)
{
	/* The newest is mostly the one. */
	for (size_t i = job->span_count; i--;)
		if (job->spans[i].segment == segment)
			return &job->spans[i];
	return NULL;
}

void ledger_add_frame(struct ledger *ledger, uint64_t id, struct store_place place)
{
	struct ledger_job *job = ledger_job(ledger, id);
	struct ledger_segment *s = ledger_segment(ledger, place.segment);
	struct ledger_span *span;

	if (!job || !s)
		return;
	span = ledger_span(job, place.segment);
	if (!span) {
		job->spans = ledger_room(job->spans, job->span_count, &job->span_room,
					 sizeof *job->spans);
		span = &job->spans[job->span_count++];
		*span = (struct ledger_span){.segment = place.segment};
	}
	span->frames++;
	s->frames++;
}

void ledger_release(struct ledger *ledger, uint64_t id, struct store_place place)
{
	struct ledger_job *job = ledger_job(ledger, id);
	struct ledger_segment *s = ledger_segment(ledger, place.segment);
	struct ledger_span *span = job ? ledger_span(job, place.segment) : NULL;

	/* Once too often: to unlink what somebody needs would be worse than to keep it. */
	if (!span || !s || !span->frames)
		return;
	s->frames--;
	if (!--span->frames)
		*span = job->spans[--job->span_count];
	if (!s->frames)
		ledger->due = true;
}

void ledger_add_item(struct ledger *ledger, uint64_t id, struct store_place place)
{
	struct ledger_job *job = ledger_job(ledger, id);

	if (!job || !ledger_segment(ledger, place.segment))
		return;
	job->items = ledger_room(job->items, job->item_count, &job->item_room, sizeof *job->items);
	job->items[job->item_count++] = place;
	ledger_count_item(ledger, place, 1);
}

void ledger_add_gone(struct ledger *ledger, uint32_t until, struct store_place place)
{
	if (!until || until >= place.segment || !ledger_segment(ledger, place.segment))
		return;
	ledger->gones = ledger_room(ledger->gones, ledger->gone_count, &ledger->gone_room,
				    sizeof *ledger->gones);
	ledger->gones[ledger->gone_count++] = (struct ledger_gone){until, place};
	ledger_count_item(ledger, place, 1);
}

/* --- what can go ---------------------------------------------------------------------------- */

/* News about jobs that could not come back any more. */
static void ledger_drop_gones(struct ledger *ledger)
{
	uint32_t first = ledger->segment_count ? ledger->segments[0].number : UINT32_MAX;
	size_t kept = 0;

	for (size_t i = 0; i < ledger->gone_count; i++) {
		if (ledger->gones[i].until < first)
			ledger_count_item(ledger, ledger->gones[i].place, -1);
		else
			ledger->gones[kept++] = ledger->gones[i];
	}
	ledger->gone_count = kept;
}

bool ledger_take_dead(struct ledger *ledger, struct ledger_dead *ret)
{
	if (!ledger->due)
		return false;
	for (size_t i = 0; i < ledger->segment_count; i++) {
		struct ledger_segment *s = &ledger->segments[i];

		if (!s->sealed || s->frames || s->items)
			continue;
		*ret = (struct ledger_dead){s->number, s->moving, s->size};
		memmove(s, s + 1, (ledger->segment_count - i - 1) * sizeof *s);
		ledger->segment_count--;
		if (i == 0)
			ledger_drop_gones(ledger);
		return true;
	}
	ledger->due = false;
	return false;
}

uint32_t ledger_take_sparse(struct ledger *ledger, uint32_t below)
{
	for (size_t i = 0; i < ledger->segment_count; i++) {
		struct ledger_segment *s = &ledger->segments[i];

		if (s->number >= below)
			break;
		if (!s->sealed || s->moving || s->frames || !s->items)
			continue;
		if (s->item_size >= s->size / LEDGER_SPARSE)
			continue;
		s->moving = true;
		return s->number;
	}
	return 0;
}

size_t ledger_items(const struct ledger *ledger, uint32_t segment, struct store_place **ret)
{
	struct store_place *list = NULL;
	size_t count = 0, room = 0;

	for (size_t i = 0; i < ledger->job_count; i++) {
		const struct ledger_job *job = ledger->jobs[i];

		for (size_t k = 0; k < job->item_count; k++) {
			if (job->items[k].segment != segment)
				continue;
			list = ledger_room(list, count, &room, sizeof *list);
			list[count++] = job->items[k];
		}
	}
	for (size_t i = 0; i < ledger->gone_count; i++) {
		if (ledger->gones[i].place.segment != segment)
			continue;
		list = ledger_room(list, count, &room, sizeof *list);
		list[count++] = ledger->gones[i].place;
	}
	*ret = list;
	return count;
}

static struct store_place *ledger_find(struct ledger *ledger, struct store_place place)
{
	uint64_t id = (uint64_t)place.job_high << 32 | place.job_low;
	struct ledger_job *job = id ? ledger_job(ledger, id) : NULL;

	for (size_t i = 0; job && i < job->item_count; i++)
		if (job->items[i].segment == place.segment && job->items[i].at == place.at)
			return &job->items[i];
	for (size_t i = 0; !id && i < ledger->gone_count; i++)
		if (ledger->gones[i].place.segment == place.segment &&
		    ledger->gones[i].place.at == place.at)
			return &ledger->gones[i].place;
	return NULL;
}

bool ledger_has_item(struct ledger *ledger, struct store_place place)
{
	return ledger_find(ledger, place) != NULL;
}

void ledger_move(struct ledger *ledger, struct store_place from, struct store_place to)
{
	struct store_place *item = ledger_find(ledger, from);

	if (!item)
		return;
	ledger_count_item(ledger, from, -1);
	ledger_count_item(ledger, to, 1);
	*item = to;
}
