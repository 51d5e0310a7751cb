/* Reading segments of any content. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "clock.h"
#include "disk_posix.h"
#include "entry.h"
#include "message.h"
#include "recover.h"
#include "seglog.h"
#include "segscan.h"

#define MARK  0x8123456789abcdefu
#define OTHER 0x7123456789abcdefu
#define MIB   (1u << 20)

struct place {
	char path[64];
	struct disk *disk;
	struct segscan scan;
};

static int set_up(void **state)
{
	struct place *p = xcalloc(1, sizeof *p);
	int dir;

	(void)snprintf(p->path, sizeof p->path, "/tmp/muster-scan-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->disk = disk_posix_new(dir);
	*state = p;
	return 0;
}

static void remove_one(void *arg, const char *name)
{
	char *path = xasprintf("%s/%s", ((struct place *)arg)->path, name);

	(void)unlink(path);
	free(path);
}

static int tear_down(void **state)
{
	struct place *p = *state;

	(void)p->disk->ops->list(p->disk->ctx, remove_one, p);
	(void)rmdir(p->path);
	disk_posix_free(p->disk);
	segscan_done(&p->scan);
	free(p);
	return 0;
}

static void put_file(struct place *p, uint32_t segment, const struct buf *data)
{
	char name[SEGLOG_NAME];
	int file;

	(void)p->disk->ops->unlink(p->disk->ctx, seglog_name(name, segment));
	file = p->disk->ops->open(p->disk->ctx, name, DISK_CREATE);
	assert_true(file >= 0);
	assert_int_equal(p->disk->ops->append(p->disk->ctx, file, data->data, data->len),
			 data->len);
	p->disk->ops->close(p->disk->ctx, file);
}

static struct segscan *scan(struct place *p, const struct buf *data, uint64_t mark)
{
	segscan_done(&p->scan);
	put_file(p, 1, data);
	assert_int_equal(segscan(&p->scan, p->disk, "00000001.seg", 1, mark), 0);
	assert_int_equal(p->scan.size, data->len);
	assert_true(p->scan.end + 0 <= data->len);
	return &p->scan;
}

static void put_head(struct buf *out, uint64_t mark, uint64_t seq)
{
	entry_put_head(out, mark, seq, &(struct entry_head){.generation = 5, .last_id = 77});
}

static void put_frame(struct buf *out, uint64_t mark, uint64_t seq, const void *rows, size_t len)
{
	entry_put_frame(out, mark, seq,
			&(struct store_frame){.child = 2, .first = seq, .rows = rows, .len = len});
}

static void test_empty(void **state)
{
	struct buf data = {0};
	const struct segscan *s = scan(*state, &data, 0);

	assert_int_equal(s->count, 0);
	assert_int_equal(s->mark, 0);
	assert_int_equal(s->damage, 0);
}

static void test_whole(void **state)
{
	struct buf data = {0};
	const struct segscan *s;

	put_head(&data, MARK, 10);
	put_frame(&data, MARK, 11, "abc", 3);
	entry_put_gone(&data, MARK, 12, 4);
	s = scan(*state, &data, 0);
	assert_int_equal(s->count, 3);
	assert_int_equal(s->mark, MARK);
	assert_int_equal(s->end, data.len);
	assert_int_equal(s->max_seq, 12);
	assert_int_equal(s->max_generation, 5);
	assert_int_equal(s->max_id, 77);
	assert_int_equal(s->entries[1].type, MSG_STORE_FRAME);
	assert_int_equal(s->entries[1].owner, 2);
	assert_int_equal(s->entries[2].owner, 4);
	buf_done(&data);
}

/* Rubbish of any length between two entries, also longer than what is read at once. */
static void test_passes_over_damage(void **state)
{
	static const size_t lengths[] = {1, 19, 20, 21, 4096, 3 * MIB};

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct buf data = {0};
		const struct segscan *s;

		put_head(&data, MARK, 1);
		memset(buf_room(&data, lengths[i]), 'M', lengths[i]);
		data.len += lengths[i];
		put_frame(&data, MARK, 2, "abc", 3);
		s = scan(*state, &data, 0);
		assert_int_equal(s->count, 2);
		assert_int_equal(s->damage, lengths[i]);
		assert_int_equal(s->end, data.len);
		buf_done(&data);
	}
}

/* What a remote host has put into its output looks like an entry, and is none. */
static void test_output_is_no_entry(void **state)
{
	struct buf data = {0}, fake = {0};
	const struct segscan *s;
	size_t at;

	put_frame(&fake, OTHER, 4711, "fake", 4);
	put_head(&fake, OTHER, 4712);
	put_head(&data, MARK, 1);
	at = data.len;
	put_frame(&data, MARK, 2, fake.data, fake.len);
	put_frame(&data, MARK, 3, "abc", 3);
	for (size_t i = 0; i < FRAME_HEADER_SIZE + 64; i++) {
		data.data[at + i] ^= 0x10;
		s = scan(*state, &data, 0);
		assert_int_equal(s->count, 2);
		assert_int_equal(s->max_seq, 3);
		assert_int_equal(s->entries[1].seq, 3);
		data.data[at + i] ^= 0x10;
	}
	/* The first entry is lost, but the mark is known. */
	data.data[5] ^= 1;
	s = scan(*state, &data, MARK);
	assert_int_equal(s->count, 2);
	assert_int_equal(s->mark, MARK);
	buf_done(&data);
	buf_done(&fake);
}

/* Of another store, as the first entry tells. */
static void test_the_first_entry_says_the_mark(void **state)
{
	struct buf data = {0};
	const struct segscan *s;

	put_head(&data, OTHER, 1);
	put_frame(&data, OTHER, 2, "abc", 3);
	s = scan(*state, &data, MARK);
	assert_int_equal(s->count, 2);
	assert_int_equal(s->mark, OTHER);
	buf_done(&data);
}

/* Headers that announce much, without end: that must not take the square of the time. */
static void test_false_headers_take_bounded_time(void **state)
{
	struct buf data = {0}, one = {0};
	uint64_t begin = clock_mono_ns();
	uint8_t *big = xcalloc(1, MIB / 2);

	put_frame(&one, MARK, 1, big, MIB / 2);
	while (data.len < 16 * MIB)
		buf_add(&data, one.data, FRAME_HEADER_SIZE + 8);
	assert_int_equal(scan(*state, &data, 0)->count, 0);
	assert_int_equal(scan(*state, &data, MARK)->count, 0);
	assert_true(clock_mono_ns() - begin < 20000000000u);
	free(big);
	buf_done(&data);
	buf_done(&one);
}

static void test_not_there(void **state)
{
	struct place *p = *state;

	assert_true(segscan(&p->scan, p->disk, "00000009.seg", 9, 0) < 0);
}

static void test_names(void **state)
{
	char name[SEGLOG_NAME];

	(void)state;
	assert_string_equal(seglog_name(name, 1), "00000001.seg");
	assert_int_equal(seglog_number("00000001.seg"), 1);
	assert_int_equal(seglog_number("123456789.seg"), 123456789);
	assert_int_equal(seglog_number(seglog_name(name, 4294967294u)), 4294967294u);
	assert_int_equal(seglog_number("00000000.seg"), 0);
	assert_int_equal(seglog_number("1.seg"), 0);
	assert_int_equal(seglog_number("000000001.seg"), 0);
	assert_int_equal(seglog_number("00000001.seg.damaged"), 0);
	assert_int_equal(seglog_number("4294967296.seg"), 0);
	assert_int_equal(seglog_number("99999999999999999999999.seg"), 0);
	assert_int_equal(seglog_number(""), 0);
}

/* The number says what comes first; of two with one number the later counts. */
static void test_entries_in_order(void **state)
{
	struct place *p = *state;
	struct buf data = {0};
	struct segscan_entry *list;
	struct recover found;
	size_t count;

	put_head(&data, MARK, 1);
	put_frame(&data, MARK, 2, "a", 1);
	put_frame(&data, MARK, 3, "b", 1);
	put_file(p, 3, &data);
	buf_clear(&data);
	put_head(&data, MARK, 4);
	put_frame(&data, MARK, 2, "a", 1);
	put_frame(&data, MARK, 5, "c", 1);
	put_file(p, 7, &data);
	assert_int_equal(recover(&found, p->disk, 0, NULL), 0);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.segment, 7);
	assert_int_equal(found.segment_size, data.len);
	assert_int_equal(found.max_seq, 5);
	count = recover_entries(&found, &list);
	assert_int_equal(count, 5);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(list[i].seq, i + 1);
	assert_int_equal(list[1].segment, 7);
	free(list);
	recover_done(&found);
	buf_done(&data);
}

/* --- writing -------------------------------------------------------------------------------- */

static void test_a_group_can_be_repeated(void **state)
{
	struct place *p = *state;
	struct seglog log;
	struct buf out = {0};

	seglog_init(&log, p->disk, 0, 0);
	assert_int_equal(seglog_write(&log, 1, 0, "abc", 3), 0);
	assert_int_equal(seglog_sync(&log), 0);
	assert_int_equal(seglog_write(&log, 1, 3, "def", 3), 0);
	assert_int_equal(seglog_cut(&log), 0);
	/* Again, from the begin; and what was durable is not written twice. */
	assert_int_equal(seglog_write(&log, 1, 0, "abc", 3), 0);
	assert_int_equal(seglog_write(&log, 1, 3, "def", 3), 0);
	assert_int_equal(seglog_write(&log, 2, 0, "gh", 2), 0);
	assert_int_equal(seglog_write(&log, 1, 3, "def", 3), 0);
	assert_int_equal(seglog_sync(&log), 0);
	/* A hole is a mistake. */
	assert_true(seglog_write(&log, 2, 3, "x", 1) < 0);
	seglog_done(&log);
	assert_int_equal(seglog_read(p->disk, 1, 0, 6, &out), 0);
	assert_memory_equal(out.data, "abcdef", 6);
	assert_true(seglog_read(p->disk, 1, 0, 7, &out) < 0);
	assert_int_equal(out.len, 6);
	assert_int_equal(seglog_read(p->disk, 2, 0, 2, &out), 0);
	assert_memory_equal(out.data + 6, "gh", 2);
	buf_done(&out);
}

/* What was written without waiting for it is not taken back. */
static void test_what_is_kept(void **state)
{
	struct place *p = *state;
	struct seglog log;
	struct buf out = {0};

	seglog_init(&log, p->disk, 0, 0);
	assert_int_equal(seglog_write(&log, 1, 0, "abc", 3), 0);
	assert_int_equal(seglog_sync(&log), 0);
	assert_int_equal(seglog_write(&log, 1, 3, "def", 3), 0);
	seglog_keep(&log);
	assert_int_equal(seglog_write(&log, 1, 6, "gh", 2), 0);
	assert_int_equal(seglog_cut(&log), 0);
	assert_int_equal(log.synced, 3);
	assert_int_equal(seglog_read(p->disk, 1, 0, 6, &out), 0);
	assert_true(seglog_read(p->disk, 1, 0, 7, &out) < 0);
	assert_int_equal(seglog_write(&log, 1, 6, "ij", 2), 0);
	assert_int_equal(seglog_sync(&log), 0);
	assert_int_equal(log.synced, 8);
	seglog_done(&log);
	buf_done(&out);
}

static void test_blob_that_lies(void **state)
{
	struct store_child children[2] = {{.id = 2}, {.id = 3}};
	struct store_job job = {.id = 1, .child_count = 2, .spec = "abc", .spec_len = 3};
	struct entry_blob blob;
	struct buf data = {0};

	(void)state;
	entry_put_blob(&data, &job, children);
	assert_int_equal(entry_get_blob(&blob, data.data, data.len), 0);
	assert_int_equal(blob.job.child_count, 2);
	for (size_t n = 0; n < data.len; n++)
		assert_int_equal(entry_get_blob(&blob, data.data, n), ERR_PROTO);
	for (size_t at = 8; at < 24; at++) {
		data.data[at] ^= 0xff;
		if (at >= 16)
			assert_int_equal(entry_get_blob(&blob, data.data, data.len), ERR_PROTO);
		data.data[at] ^= 0xff;
	}
	memset(data.data + 64, 0xff, 8);
	assert_int_equal(entry_get_blob(&blob, data.data, data.len), ERR_PROTO);
	buf_done(&data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_empty),
		TEST(test_whole),
		TEST(test_passes_over_damage),
		TEST(test_output_is_no_entry),
		TEST(test_the_first_entry_says_the_mark),
		TEST(test_false_headers_take_bounded_time),
		TEST(test_not_there),
		TEST(test_names),
		TEST(test_entries_in_order),
		TEST(test_a_group_can_be_repeated),
		TEST(test_what_is_kept),
		TEST(test_blob_that_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
