/*
 * Random lives of a spool from fixed seeds: appended to, read behind the writer, acknowledged,
 * killed in any call, cut off from its power, and opened again. Every frame that was appended is
 * read once and in order, or a gap says that it is missing, with the exact number of its records.
 *
 * SPOOL_SEED=n runs that seed alone, SPOOL_SEEDS=n so many.
 */
#include "spool_rig.h"

#define SEEDS 1500u
#define STEPS 150u
#define NEVER (UINT64_C(1) << 40)

static uint64_t seeds_begin, seeds_end;

static struct rig *begin(uint64_t seed)
{
	struct spool_limits limits = {.drop = seed % 2 == 0};
	struct rig *r = rig_new(seed, &limits);

	r->limits.segment = 200 + simdisk_roll(r->on, 3000);
	r->limits.cap = r->limits.segment * (2 + simdisk_roll(r->on, 6));
	spool_close(r->spool);
	rig_open(r);
	return r;
}

static uint64_t roll(struct rig *r, uint64_t below)
{
	return simdisk_roll(r->on, below);
}

/* The writer has died, perhaps in an append of this frame: it is there, or its number is left out.
 */
static void open_again(struct rig *r, uint64_t seq, const struct buf *bytes, uint64_t records)
{
	spool_close(r->spool);
	simdisk_user_kill(r->writer);
	rig_open(r);
	if (seq && spool_last(r->spool) == seq &&
	    spool_last_record(r->spool) == r->record + records)
		rig_note(r, seq, MSG_TASK_RECORDS, bytes, records);
	else
		assert_true(spool_last(r->spool) <= r->last + 1 && spool_last(r->spool) >= r->last);
	assert_true(!spool_last_record(r->spool) || spool_last_record(r->spool) == r->record);
}

static void append_some(struct rig *r)
{
	uint64_t seq = spool_last(r->spool) + 1, count = 1 + roll(r, 6);
	bool dies = roll(r, 12) == 0;
	struct buf bytes = {0};

	if (!dies && roll(r, 10) == 0) {
		(void)rig_append(r, MSG_TASK_SCHEMA, 0, 0);
		return;
	}
	rig_put_records(&bytes, seq, r->record + 1, count, roll(r, 300));
	if (dies)
		simdisk_user_die(r->writer, roll(r, 12));
	if (spool_append(r->spool, bytes.data, bytes.len) == SPOOL_TAKEN &&
	    !simdisk_user_is_dead(r->writer))
		rig_note(r, seq, MSG_TASK_RECORDS, &bytes, count);
	else if (simdisk_user_is_dead(r->writer))
		open_again(r, seq, &bytes, count);
	simdisk_user_die(r->writer, NEVER);
	buf_done(&bytes);
}

static void ack_some(struct rig *r)
{
	if (!r->got)
		return;
	if (roll(r, 8) == 0)
		simdisk_user_die(r->writer, roll(r, 6));
	spool_ack(r->spool, r->got - roll(r, r->got < 5 ? r->got : 5));
	if (simdisk_user_is_dead(r->writer))
		open_again(r, 0, NULL, 0);
	simdisk_user_die(r->writer, NEVER);
}

static void live(struct rig *r)
{
	for (unsigned step = 0; step < STEPS; step++) {
		switch (roll(r, 8)) {
		case 0:
			ack_some(r);
			break;
		case 1:
			if (roll(r, 4) == 0)
				rig_follow(r);
			break;
		case 2:
		case 3:
			for (uint64_t n = roll(r, 8); n; n--)
				(void)rig_read(r);
			break;
		default:
			append_some(r);
			break;
		}
	}
}

static void end(struct rig *r)
{
	assert_int_equal(rig_append(r, MSG_TASK_END, 0, 0), SPOOL_TAKEN);
	if (roll(r, 2))
		rig_follow(r);
	assert_int_equal(rig_read_all(r), 0);
	assert_true(r->ended);
}

static void killed(void **state)
{
	(void)state;
	for (uint64_t seed = seeds_begin; seed < seeds_end; seed++) {
		struct rig *r = begin(seed);

		live(r);
		end(r);
		assert_int_equal(r->got_record, r->record);
		assert_true(r->limits.drop || !r->missing);
		rig_free(r);
	}
}

/* What was read of it before stays read; the rest may be lost from any place on, and is then a gap.
 */
static void cut_power(struct rig *r)
{
	uint64_t last;

	spool_close(r->spool);
	spool_reader_free(r->reader);
	r->reader = NULL;
	simdisk_cut_power(r->on);
	r->inexact = true;
	rig_open(r);
	last = spool_last(r->spool);
	rig_follow(r);
	/* Those who come later number above what was lost, and above what somebody has. */
	if (last < r->got)
		last = r->got;
	/* Their records are no more. */
	for (uint64_t seq = last + 1; seq <= r->last; seq++)
		r->frames[seq] = (struct rig_frame){0};
	if (last > r->last)
		last = r->last;
	r->last = last;
}

static void append_end(struct rig *r)
{
	uint64_t seq = spool_last(r->spool) > r->got ? spool_last(r->spool) + 1 : r->got + 1;
	struct buf bytes = {0};

	rig_put_end(&bytes, seq);
	assert_int_equal(spool_append(r->spool, bytes.data, bytes.len), SPOOL_TAKEN);
	r->frames[seq] = (struct rig_frame){
		.type = MSG_TASK_END, .len = bytes.len, .crc = crc32c(0, bytes.data, bytes.len)};
	buf_done(&bytes);
}

/* The run dies with its host: what there is is read, then the end that is made for it. */
static void without_power(void **state)
{
	(void)state;
	for (uint64_t seed = seeds_begin; seed < seeds_end; seed++) {
		struct rig *r = begin(seed);

		live(r);
		cut_power(r);
		append_end(r);
		if (roll(r, 2))
			cut_power(r);
		assert_true(spool_has_end(r->spool));
		assert_int_equal(rig_read_all(r), 0);
		assert_true(r->ended);
		rig_free(r);
	}
}

/* TASK_END and all before it is there for good once it was taken. */
static void the_end_is_durable(void **state)
{
	(void)state;
	for (uint64_t seed = seeds_begin; seed < seeds_end; seed++) {
		struct rig *r = begin(seed);

		live(r);
		assert_int_equal(rig_append(r, MSG_TASK_END, 0, 0), SPOOL_TAKEN);
		spool_close(r->spool);
		spool_reader_free(r->reader);
		r->reader = NULL;
		simdisk_cut_power(r->on);
		rig_open(r);
		rig_follow(r);
		assert_int_equal(rig_read_all(r), 0);
		assert_true(r->ended && r->got_record == r->record);
		rig_free(r);
	}
}

/* Bits turn while nobody looks. What is read is what was written, all the same. */
static void damaged(void **state)
{
	(void)state;
	for (uint64_t seed = seeds_begin; seed < seeds_end; seed++) {
		struct rig *r = begin(seed);

		live(r);
		r->inexact = true;
		for (uint64_t n = 1 + roll(r, 3); n; n--)
			(void)simdisk_flip(r->on, "seg-");
		while (roll(r, 4) && rig_append(r, MSG_TASK_RECORDS, 2, 100) == SPOOL_TAKEN)
			;
		(void)rig_read_all(r);
		spool_close(r->spool);
		rig_open(r);
		append_end(r);
		assert_int_equal(rig_read_all(r), 0);
		assert_true(r->ended);
		assert_true(r->got_record <= r->record);
		rig_free(r);
	}
}

/* Every call fails once, in each way; what was taken is there, and nothing else. */
static void every_call_fails_once(void **state)
{
	static const int errors[] = {EIO, ENOSPC, EMFILE};

	(void)state;
	for (size_t e = 0; e < sizeof errors / sizeof errors[0]; e++) {
		for (uint64_t calls = 0; calls < 250; calls++) {
			struct spool_limits limits = {
				.cap = 4000, .segment = 1000, .drop = calls % 2};
			struct rig *r = rig_new(calls, &limits);

			simdisk_user_fail(r->writer, calls, 1 + calls % 3, errors[e]);
			for (int i = 0; i < 40; i++) {
				if (rig_append(r, MSG_TASK_RECORDS, 2, 100) == SPOOL_CAP)
					spool_ack(r->spool, r->got);
				if (i % 3 == 0)
					assert_true(rig_read_all(r) <= 0);
			}
			for (int i = 0; i < 2 && !spool_has_end(r->spool); i++)
				(void)rig_append(r, MSG_TASK_END, 0, 0);
			/* Written, though not for good: then rig_append did not note it. */
			if (spool_has_end(r->spool) && !r->frames[spool_last(r->spool)].type) {
				rig_free(r);
				continue;
			}
			assert_int_equal(rig_read_all(r), 0);
			assert_true(r->ended && r->got_record == r->record);
			rig_free(r);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed),
		cmocka_unit_test(without_power),
		cmocka_unit_test(the_end_is_durable),
		cmocka_unit_test(damaged),
		cmocka_unit_test(every_call_fails_once),
	};
	const char *one = getenv("SPOOL_SEED"), *many = getenv("SPOOL_SEEDS");

	seeds_begin = one ? strtoull(one, NULL, 10) : 1;
	seeds_end = one ? seeds_begin + 1 : 1 + (many ? strtoull(many, NULL, 10) : SEEDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
