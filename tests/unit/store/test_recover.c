/* What is damage, and what a write that the power cut: segments as each of them leaves them. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "entry.h"
#include "recover.h"
#include "seglog.h"
#include "simdisk.h"

#define MARK	0x8123456789abcdefu
#define SEGMENT "00000001.seg"
#define ASIDE	"00000001.seg.damaged"
#define PARTS	24u

/* --- a disk for more than one thread: recover reads segments with two ------------------------ */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct disk_ops *inner; /* of simdisk.h, which is for one */
static struct disk_ops locked_ops;

static int locked_open(void *ctx, const char *name, enum disk_mode mode)
{
	int r;

	(void)pthread_mutex_lock(&lock);
	r = inner->open(ctx, name, mode);
	(void)pthread_mutex_unlock(&lock);
	return r;
}

static void locked_close(void *ctx, int file)
{
	(void)pthread_mutex_lock(&lock);
	inner->close(ctx, file);
	(void)pthread_mutex_unlock(&lock);
}

static int64_t locked_read(void *ctx, int file, uint64_t at, void *to, size_t len)
{
	int64_t r;

	(void)pthread_mutex_lock(&lock);
	r = inner->read(ctx, file, at, to, len);
	(void)pthread_mutex_unlock(&lock);
	return r;
}

static int64_t locked_size(void *ctx, int file)
{
	int64_t r;

	(void)pthread_mutex_lock(&lock);
	r = inner->size(ctx, file);
	(void)pthread_mutex_unlock(&lock);
	return r;
}

/* The other calls are made by one thread alone. */
static struct disk locked_disk(struct simdisk *power)
{
	const struct disk *disk = simdisk_user_disk(simdisk_user_new(power));

	inner = disk->ops;
	locked_ops = *inner;
	locked_ops.open = locked_open;
	locked_ops.close = locked_close;
	locked_ops.read = locked_read;
	locked_ops.size = locked_size;
	return (struct disk){&locked_ops, disk->ctx};
}

/* --- a segment that is made by hand --------------------------------------------------------- */

/* Where each part of it begins. */
struct made {
	struct simdisk *power;
	struct disk disk;
	struct buf data;
	uint64_t at[PARTS];
	size_t parts;
	uint64_t seq;
	struct recover found;
};

static int set_up(void **state)
{
	struct made *m = xcalloc(1, sizeof *m);

	m->power = simdisk_new(5);
	m->disk = locked_disk(m->power);
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct made *m = *state;

	recover_done(&m->found);
	simdisk_free(m->power);
	buf_done(&m->data);
	free(m);
	return 0;
}

static void part(struct made *m)
{
	assert_true(m->parts < PARTS);
	m->at[m->parts++] = m->data.len;
}

static void head(struct made *m)
{
	part(m);
	entry_put_head(&m->data, MARK, ++m->seq, &(struct entry_head){.generation = 1});
}

static void frame(struct made *m)
{
	struct store_frame f = {.child = 2, .rows = "some bytes that are output", .len = 26};

	part(m);
	f.first = ++m->seq;
	entry_put_frame(&m->data, MARK, m->seq, &f);
}

/* All before this part was synced. */
static void mark(struct made *m, size_t before)
{
	uint64_t synced = before < m->parts ? m->at[before] : m->data.len;

	part(m);
	entry_put_synced(&m->data, MARK, synced);
}

static uint64_t end_of(const struct made *m, size_t i)
{
	return i + 1 < m->parts ? m->at[i + 1] : m->data.len;
}

static void flip(struct made *m, size_t i)
{
	m->data.data[(m->at[i] + end_of(m, i)) / 2] ^= 4;
}

static void hole(struct made *m, size_t from, size_t to)
{
	memset(m->data.data + m->at[from], 0, end_of(m, to) - m->at[from]);
}

/* Recovers, and looks that the frames and heads of these numbers are there; "13": 1 and 3. */
static void again(struct made *m, const char *seqs, uint64_t bytes)
{
	struct segscan_entry *list;
	size_t count;
	char got[PARTS + 1] = "";

	recover_done(&m->found);
	assert_int_equal(recover(&m->found, &m->disk, MARK, NULL), 0);
	count = recover_entries(&m->found, &list);
	assert_true(count < PARTS);
	for (size_t i = 0; i < count; i++)
		got[i] = (char)('0' + list[i].seq);
	assert_string_equal(got, seqs);
	assert_int_equal(m->found.damage.bytes, bytes);
	assert_int_equal(m->found.damage.segments, bytes != 0);
	free(list);
}

static void expect(struct made *m, const char *seqs, uint64_t bytes)
{
	simdisk_put(m->power, SEGMENT, m->data.data, m->data.len);
	again(m, seqs, bytes);
	assert_int_equal(simdisk_size(m->power, ASIDE), bytes ? (int64_t)m->data.len : -1);
	assert_int_equal(m->found.segment, bytes ? 0 : 1);
	/* There is nothing left to do, and nothing is forgotten. */
	again(m, seqs, bytes);
}

/* The group that was being written: what is behind the hole is whole, and not believed. */
static void test_hole_behind_the_mark(void **state)
{
	struct made *m = *state;

	head(m);
	frame(m);
	mark(m, 2);
	frame(m); /* 3 */
	frame(m);
	frame(m);
	hole(m, 4, 4);
	expect(m, "123", 0);
	assert_int_equal(m->found.segment_size, m->at[4]);
	assert_int_equal(simdisk_size(m->power, SEGMENT), m->at[4]);
}

static void test_flip_before_the_mark(void **state)
{
	struct made *m = *state;

	head(m);
	frame(m);
	frame(m);
	mark(m, 3);
	frame(m);
	flip(m, 1);
	expect(m, "134", end_of(m, 1) - m->at[1]);
}

/* The last one that was synced: nothing but the mark is behind it. */
static void test_flip_in_front_of_the_last_mark(void **state)
{
	struct made *m = *state;

	head(m);
	frame(m);
	frame(m);
	mark(m, 3);
	flip(m, 2);
	expect(m, "12", end_of(m, 2) - m->at[2]);
}

static void test_flip_and_hole(void **state)
{
	struct made *m = *state;

	head(m);
	frame(m);
	frame(m);
	mark(m, 3);
	frame(m);
	frame(m);
	flip(m, 1);
	hole(m, 4, 4);
	expect(m, "13", end_of(m, 1) - m->at[1]);
}

/* The mark that tells is behind the hole, and goes with it: what it has told must stay. */
static void test_flip_and_hole_before_the_mark(void **state)
{
	struct made *m = *state;

	head(m);
	frame(m);
	frame(m);
	mark(m, 3);
	frame(m);
	mark(m, 3);
	frame(m);
	flip(m, 1);
	hole(m, 3, 4);
	expect(m, "13", end_of(m, 1) - m->at[1]);
}

/* What was synced ends in the middle of what is damaged. */
static void test_damage_on_both_sides(void **state)
{
	struct made *m = *state;

	head(m);
	frame(m);
	frame(m);
	mark(m, 3);
	frame(m);
	mark(m, 3);
	frame(m);
	hole(m, 2, 4);
	expect(m, "12", end_of(m, 2) - m->at[2]);
}

/* Nothing says that anything was synced. */
static void test_first_group(void **state)
{
	struct made *m = *state;

	head(m);
	frame(m);
	frame(m);
	frame(m);
	hole(m, 2, 2);
	expect(m, "12", 0);
	hole(m, 0, 0);
	expect(m, "", 0);
	assert_int_equal(m->found.segment_size, 0);
}

/* A later one says the same and more; and without one it is as if it was not written. */
static void test_flip_in_the_mark(void **state)
{
	struct made *m = *state;

	head(m);
	frame(m);
	mark(m, 2);
	frame(m);
	mark(m, 4);
	frame(m);
	flip(m, 2);
	expect(m, "1234", end_of(m, 2) - m->at[2]);
	flip(m, 4);
	assert_int_equal(m->disk.ops->unlink(m->disk.ctx, ASIDE), 0);
	expect(m, "12", 0);
}

/* One that says what cannot be. */
static void test_mark_that_lies(void **state)
{
	struct made *m = *state;

	head(m);
	frame(m);
	frame(m);
	part(m);
	entry_put_synced(&m->data, MARK, UINT64_MAX);
	part(m);
	entry_put_synced(&m->data, MARK ^ 1, m->at[3]); /* of another store */
	frame(m);
	hole(m, 1, 1);
	expect(m, "1", 0);
}

/* A segment that has one behind it was synced before that was made: it needs no mark. */
static void test_sealed_segment(void **state)
{
	struct made *m = *state;

	head(m);
	frame(m);
	frame(m);
	hole(m, 1, 1);
	simdisk_put(m->power, "00000002.seg", NULL, 0);
	simdisk_put(m->power, SEGMENT, m->data.data, m->data.len);
	again(m, "13", end_of(m, 1) - m->at[1]);
	assert_int_equal(m->found.segment, 2);
}

/* --- by chance ------------------------------------------------------------------------------ */

struct chance {
	struct simdisk *power;
	struct disk disk;
	struct seglog log;
	uint32_t segment;
	uint64_t at, seq, synced_seq;
	struct buf group;
};

static void chance_frame(struct chance *c)
{
	static const uint8_t rows[2000] = {7};
	struct store_frame f = {.child = 2, .first = ++c->seq, .rows = rows};

	f.len = simdisk_roll(c->power, sizeof rows);
	entry_put_frame(&c->group, MARK, c->seq, &f);
}

static void chance_group(struct chance *c)
{
	uint64_t n = 1 + simdisk_roll(c->power, 8), before = c->seq;
	bool next = !c->segment || c->at > 20000;

	buf_clear(&c->group);
	if (next) {
		c->segment++;
		c->at = 0;
	}
	if (c->at)
		entry_put_synced(&c->group, MARK, c->log.synced);
	else
		entry_put_head(&c->group, MARK, ++c->seq, &(struct entry_head){.generation = 1});
	while (n--)
		chance_frame(c);
	assert_int_equal(seglog_write(&c->log, c->segment, c->at, c->group.data, c->group.len), 0);
	c->at += c->group.len;
	if (next)
		c->synced_seq = before;
	if (simdisk_roll(c->power, 4)) {
		assert_int_equal(seglog_sync(&c->log), 0);
		c->synced_seq = c->seq;
	}
}

/* All that was synced is there, and nothing behind what is not. */
static void chance_recover(struct chance *c)
{
	struct recover found;
	struct segscan_entry *list;
	size_t count;

	assert_int_equal(recover(&found, &c->disk, MARK, NULL), 0);
	assert_int_equal(found.damage.segments, 0);
	count = recover_entries(&found, &list);
	assert_true(count >= c->synced_seq && count <= c->seq);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(list[i].seq, i + 1);
	free(list);
	c->seq = c->synced_seq = count;
	seglog_init(&c->log, &c->disk, found.segment, found.segment_size);
	c->segment = found.segment;
	c->at = found.segment_size;
	recover_done(&found);
}

/* The power is cut again and again. */
static void test_power_cuts(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 150; seed++) {
		struct chance c = {.power = simdisk_new(seed)};

		c.disk = locked_disk(c.power);
		seglog_init(&c.log, &c.disk, 0, 0);
		for (int life = 0; life < 8; life++) {
			for (uint64_t i = simdisk_roll(c.power, 12); i; i--)
				chance_group(&c);
			seglog_done(&c.log);
			simdisk_cut_power(c.power);
			chance_recover(&c);
		}
		seglog_done(&c.log);
		buf_done(&c.group);
		simdisk_free(c.power);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_hole_behind_the_mark),
		TEST(test_flip_before_the_mark),
		TEST(test_flip_in_front_of_the_last_mark),
		TEST(test_flip_and_hole),
		TEST(test_flip_and_hole_before_the_mark),
		TEST(test_damage_on_both_sides),
		TEST(test_first_group),
		TEST(test_flip_in_the_mark),
		TEST(test_mark_that_lies),
		TEST(test_sealed_segment),
		TEST(test_power_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
