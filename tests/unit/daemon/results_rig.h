/*
 * A store for the tests of results: it keeps frames in memory, reads when it is told to, and is
 * durable when it is told to. Counts on being used as store.h says. For one test program.
 */
#ifndef MUSTER_RESULTS_RIG_H
#define MUSTER_RESULTS_RIG_H

#include <cmocka.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "results.h"
#include "store.h"

#define RIG_WAITS 64

struct rig_frame {
	struct store_frame frame; /* rows are its own */
	bool released;
	bool is_read; /* once at least */
	int broken;   /* what reading it says */
};

struct store_read {
	struct store *store;
	size_t frame;
	store_read_fn *fn;
	void *arg;
};

struct store {
	struct rig_frame *frames;
	size_t count;
	struct store_read **reads; /* in order */
	size_t read_count;
	size_t most_reads; /* at once */
	uint64_t pending;
	struct store_damage damage;
	struct {
		loop_fn *fn;
		void *arg;
	} waits[RIG_WAITS];
	size_t wait_count;
};

static inline struct rig_frame *rig_frame(const struct store *s, struct store_place place)
{
	assert_true(place.segment == 1 && place.at < s->count && place.len == 7);
	assert_true(place.job_low == 42 && place.job_high == 43);
	assert_false(s->frames[place.at].released);
	return &s->frames[place.at];
}

static inline struct store_place rig_place(size_t i)
{
	return (struct store_place){
		.segment = 1, .at = (uint32_t)i, .len = 7, .job_low = 42, .job_high = 43};
}

struct store_place store_append(struct store *s, const struct store_frame *frame)
{
	void *rows = xmalloc(frame->len);

	assert_true(frame->count && frame->len);
	memcpy(rows, frame->rows, frame->len);
	s->frames = xrealloc(s->frames, s->count + 1, sizeof *s->frames);
	s->frames[s->count] = (struct rig_frame){.frame = *frame};
	s->frames[s->count].frame.rows = rows;
	return rig_place(s->count++);
}

void store_release(struct store *s, struct store_place place)
{
	rig_frame(s, place)->released = true;
}

uint64_t store_pending(const struct store *s)
{
	return s->pending;
}

struct store_damage store_damage(const struct store *s)
{
	return s->damage;
}

void store_when_durable(struct store *s, loop_fn *fn, void *arg)
{
	assert_true(s->wait_count < RIG_WAITS);
	s->waits[s->wait_count].fn = fn;
	s->waits[s->wait_count++].arg = arg;
}

struct store_read *store_read(struct store *s, struct store_place place, store_read_fn *fn,
			      void *arg)
{
	struct store_read *read = xcalloc(1, sizeof *read);

	*read = (struct store_read){.store = s,
				    .frame = (size_t)(rig_frame(s, place) - s->frames),
				    .fn = fn,
				    .arg = arg};
	s->reads = xrealloc(s->reads, s->read_count + 1, sizeof(struct store_read *));
	s->reads[s->read_count++] = read;
	s->most_reads = s->read_count > s->most_reads ? s->read_count : s->most_reads;
	return read;
}

static inline void rig_take_read(struct store *s, size_t i)
{
	memmove(&s->reads[i], &s->reads[i + 1], (s->read_count - i - 1) * sizeof(*s->reads));
	s->read_count--;
}

void store_read_cancel(struct store_read *read)
{
	struct store *s = read->store;
	size_t i = 0;

	while (i < s->read_count && s->reads[i] != read)
		i++;
	assert_true(i < s->read_count);
	rig_take_read(s, i);
	free(read);
}

/* One of the reads comes to its end. */
static inline void rig_answer(struct store *s, size_t i)
{
	struct store_read *read = s->reads[i];
	struct rig_frame *f = &s->frames[read->frame];
	struct store_frame frame = f->frame;
	/* Borrowed during the call alone: a copy shows who keeps it. */
	void *rows = xmalloc(frame.len);

	rig_take_read(s, i);
	memcpy(rows, frame.rows, frame.len);
	frame.rows = rows;
	f->is_read = true;
	if (f->broken)
		read->fn(read->arg, f->broken, NULL);
	else
		read->fn(read->arg, 0, &frame);
	free(rows);
	free(read);
}

/* All that was asked for so far is durable. */
static inline void rig_sync(struct store *s)
{
	size_t n = s->wait_count;

	for (size_t i = 0; i < n; i++)
		s->waits[i].fn(s->waits[i].arg);
	memmove(s->waits, s->waits + n, (s->wait_count - n) * sizeof s->waits[0]);
	s->wait_count -= n;
}

/* The daemon was killed and comes back: the frames that are there, in order. */
static inline void rig_restore(struct store *s, uint64_t child, struct results *results,
			       const uint64_t read[STREAM_COUNT])
{
	for (size_t i = 0; i < s->count; i++) {
		struct store_frame frame = s->frames[i].frame;

		frame.rows = NULL;
		frame.len = 0;
		if (frame.child == child && !s->frames[i].released)
			results_restore(results, &frame, rig_place(i));
	}
	results_restore_read(results, read);
}

static inline size_t rig_kept(const struct store *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++)
		kept += !s->frames[i].released;
	return kept;
}

static inline void rig_done(struct store *s)
{
	assert_int_equal(s->read_count, 0);
	for (size_t i = 0; i < s->count; i++)
		free((void *)(uintptr_t)s->frames[i].frame.rows);
	free(s->frames);
	free(s->reads);
}

#endif
