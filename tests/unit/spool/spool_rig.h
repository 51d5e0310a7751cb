/* Frames of a run, what was appended of them, and a reader that checks all that it is given against
 * that. */
#ifndef MUSTER_TESTS_SPOOL_RIG_H
#define MUSTER_TESTS_SPOOL_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent_msg.h"
#include "alloc.h"
#include "crc32c.h"
#include "frame.h"
#include "message.h"
#include "simdisk.h"
#include "spool.h"

#define RIG_FRAMES 4096u

struct rig_frame {
	uint8_t type; /* 0: the number was left out */
	size_t len;
	uint32_t crc;
	uint64_t records;
	uint64_t upto; /* the last record so far */
};

struct rig {
	struct simdisk *on;
	struct simdisk_user *writer;
	struct simdisk_user *follower;
	const struct disk *disk; /* of the writer */
	struct spool *spool;
	struct spool_limits limits;
	struct rig_frame frames[RIG_FRAMES]; /* by seq */
	uint64_t last;			     /* seq */
	uint64_t record;		     /* the last one that was appended */
	/* What was read. */
	struct spool_reader *reader;
	uint64_t got;
	uint64_t got_record;
	uint64_t gaps;
	uint64_t missing; /* records, by what gaps say */
	bool ended;
	bool unsure;  /* of got_record */
	bool inexact; /* something was damaged: gaps need not know */
};

static inline void rig_open(struct rig *r)
{
	assert_int_equal(spool_open(&r->spool, r->disk, &r->limits, NULL), 0);
}

static inline void rig_follow(struct rig *r)
{
	spool_reader_free(r->reader);
	r->reader = spool_reader_new(simdisk_user_disk(r->follower), r->got + 1);
}

static inline struct rig *rig_new(uint64_t seed, const struct spool_limits *limits)
{
	struct rig *r = xcalloc(1, sizeof *r);

	r->on = simdisk_new(seed);
	r->writer = simdisk_user_new(r->on);
	r->follower = simdisk_user_new(r->on);
	r->disk = simdisk_user_disk(r->writer);
	r->limits = *limits;
	rig_open(r);
	rig_follow(r);
	return r;
}

static inline void rig_free(struct rig *r)
{
	spool_close(r->spool);
	spool_reader_free(r->reader);
	assert_int_equal(simdisk_user_open_files(r->writer), 0);
	assert_int_equal(simdisk_user_open_files(r->follower), 0);
	simdisk_free(r->on);
	free(r);
}

/* A record of so many bytes, which the number makes different from others. */
static inline void rig_put_record(struct record_batch *batch, uint64_t number, size_t len)
{
	uint8_t *text = xmalloc(len + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = (uint8_t)('a' + (number * 7 + i) % 26);
	record_batch_add(batch, &(struct record){.value = text, .len = len, .time_ns = number});
	free(text);
}

static inline void rig_frame_end(struct buf *out, uint8_t type, uint64_t seq)
{
	assert_int_equal(frame_end(out, 0, type, 0, seq), 0);
}

static inline void rig_put_records(struct buf *out, uint64_t seq, uint64_t first, size_t count,
				   size_t len)
{
	struct record_batch batch = {0};

	for (size_t i = 0; i < count; i++)
		rig_put_record(&batch, first + i, len);
	(void)frame_begin(out);
	records_put(out, 1, first, &batch);
	rig_frame_end(out, MSG_TASK_RECORDS, seq);
	record_batch_done(&batch);
}

static inline void rig_put_schema(struct buf *out, uint64_t seq)
{
	char name[24], *columns[] = {name};
	struct task_schema_msg m = {
		.task = 1, .schema = 1 + seq % 60, .columns = columns, .column_count = 1};

	(void)snprintf(name, sizeof name, "c%llu", (unsigned long long)seq);
	(void)frame_begin(out);
	task_schema_put(out, &m);
	rig_frame_end(out, MSG_TASK_SCHEMA, seq);
}

static inline void rig_put_end(struct buf *out, uint64_t seq)
{
	struct task_end_msg m = {.task = 1, .kind = TASK_EXITED, .exit_code = 3};

	(void)frame_begin(out);
	task_end_put(out, &m);
	rig_frame_end(out, MSG_TASK_END, seq);
}

/* It is there: by what was appended, or by what was found out afterwards. */
static inline void rig_note(struct rig *r, uint64_t seq, uint8_t type, const struct buf *bytes,
			    uint64_t records)
{
	assert_true(seq > r->last && seq < RIG_FRAMES);
	r->last = seq;
	r->record += records;
	r->frames[seq] = (struct rig_frame){.type = type,
					    .len = bytes->len,
					    .crc = crc32c(0, bytes->data, bytes->len),
					    .records = records,
					    .upto = r->record};
}

static inline enum spool_room rig_append(struct rig *r, uint8_t type, size_t count, size_t len)
{
	uint64_t seq = spool_last(r->spool) + 1;
	struct buf bytes = {0};
	enum spool_room room;

	if (type == MSG_TASK_RECORDS)
		rig_put_records(&bytes, seq, r->record + 1, count, len);
	else if (type == MSG_TASK_SCHEMA)
		rig_put_schema(&bytes, seq);
	else
		rig_put_end(&bytes, seq);
	room = spool_append(r->spool, bytes.data, bytes.len);
	if (room == SPOOL_TAKEN)
		rig_note(r, seq, type, &bytes, type == MSG_TASK_RECORDS ? count : 0);
	buf_done(&bytes);
	return room;
}

static inline void rig_check_gap(struct rig *r, const struct frame *f)
{
	struct task_gap_msg m;
	uint64_t records = 0, bytes = 0, last;

	assert_int_equal(task_gap_get(&m, f->body, f->len, NULL), 0);
	assert_true(m.from <= r->got + 1 && m.from <= f->seq && f->seq < RIG_FRAMES);
	for (uint64_t seq = m.from; seq <= f->seq; seq++) {
		records += r->frames[seq].records;
		bytes += r->frames[seq].len;
		assert_true(r->inexact || r->frames[seq].type != MSG_TASK_SCHEMA);
	}
	last = m.first_record + m.records - 1;
	if (!r->inexact) {
		assert_int_equal(m.records, records);
		assert_int_equal(m.bytes, bytes);
	}
	r->gaps++;
	/* How many are missing is not known: the next records say where they are. */
	r->unsure = r->unsure || !m.records;
	if (m.records && last > r->got_record) {
		assert_true(r->unsure || m.first_record <= r->got_record + 1);
		r->unsure = false;
		r->missing += last - r->got_record;
		r->got_record = last;
	}
}

/* Reads one frame. Returns what spool_reader_next did. */
static inline int rig_read(struct rig *r)
{
	const uint8_t *bytes = NULL;
	struct errmsg msg = {""};
	struct frame f;
	size_t len = 0;
	int rc = spool_reader_next(r->reader, &f, &bytes, &len, &msg);

	assert_true(rc == 1 || rc == 0 || msg.text[0]);
	if (rc != 1)
		return rc;
	assert_false(r->ended);
	assert_true(f.seq > r->got);
	if (f.type == MSG_TASK_GAP) {
		rig_check_gap(r, &f);
	} else {
		const struct rig_frame *want = &r->frames[f.seq];

		assert_int_equal(f.seq, r->got + 1);
		assert_int_equal(f.type, want->type);
		assert_int_equal(len, want->len);
		assert_int_equal(crc32c(0, bytes, len), want->crc);
		if (want->records) {
			assert_true(r->unsure || r->got_record + want->records == want->upto);
			r->got_record = want->upto;
			r->unsure = false;
		}
		r->ended = f.type == MSG_TASK_END;
		assert_true(!r->ended || spool_reader_end(r->reader) == f.seq);
	}
	r->got = f.seq;
	return rc;
}

static inline int rig_read_all(struct rig *r)
{
	int rc = 1;

	while (rc == 1)
		rc = rig_read(r);
	return rc;
}

#endif
