// NEEDS: spool simdisk
/*
 * Fuzz target: a spool of hostile bytes. The input is
 *
 *   how it is dealt with (1 byte), then steps: segment, type, seq, length (4 bytes), body
 *
 * and becomes segments of frames with a good CRC; a step of type 255 is raw bytes. They are read,
 * opened, appended to, dropped from, and read to the end, which must be found.
 */
#include <stddef.h>
#include <stdint.h>

#include "fuzz.h"

#include "agent_msg.h"
#include "frame.h"
#include "message.h"
#include "simdisk.h"
#include "spool.h"

#define FUZZ_RAW      255u
#define FUZZ_SEGMENTS 5u

static void fuzz_files(struct simdisk *on, const uint8_t *data, size_t size)
{
	struct buf files[FUZZ_SEGMENTS] = {{0}};
	char name[] = "seg-00000000";

	while (size >= 4) {
		size_t len = data[3] < size - 4 ? data[3] : size - 4, begin;
		struct buf *out = &files[data[0] % FUZZ_SEGMENTS];

		if (data[1] == FUZZ_RAW) {
			buf_add(out, data + 4, len);
		} else {
			begin = frame_begin(out);
			buf_add(out, data + 4, len);
			must(frame_end(out, begin, data[1], 0, data[2]) == 0);
		}
		data += 4 + len;
		size -= 4 + len;
	}
	for (size_t i = 0; i < FUZZ_SEGMENTS; i++) {
		name[11] = (char)('1' + i);
		if (files[i].len)
			simdisk_put(on, name, files[i].data, files[i].len);
		buf_done(&files[i]);
	}
}

/* To the end of what there is; in order, and each gap begins where the one before has ended. */
static bool fuzz_read(const struct disk *disk, uint64_t from)
{
	struct spool_reader *reader = spool_reader_new(disk, from);
	const uint8_t *bytes;
	uint64_t next = from ? from : 1;
	struct task_gap_msg gap;
	struct errmsg msg = {""};
	struct frame f;
	size_t len;
	bool end;
	int r;

	while ((r = spool_reader_next(reader, &f, &bytes, &len, &msg)) == 1) {
		must(f.seq >= next && len == FRAME_HEADER_SIZE + f.len);
		must(f.type == MSG_TASK_GAP || f.seq == next);
		if (f.type == MSG_TASK_GAP && task_gap_get(&gap, f.body, f.len, NULL) == 0)
			must(gap.from <= next && gap.from <= f.seq);
		next = f.seq + 1;
	}
	must(r == 0 || (r == ERR_PROTO && msg.text[0]));
	end = spool_reader_end(reader) != 0;
	spool_reader_free(reader);
	return end;
}

static void fuzz_append(struct spool *spool, bool end)
{
	struct task_end_msg m = {.task = 1, .kind = TASK_LOST, .exit_code = -1};
	struct record_batch batch = {0};
	struct buf out = {0};
	enum spool_room room;

	(void)frame_begin(&out);
	if (end)
		task_end_put(&out, &m);
	else
		records_put(&out, 1, 1, &batch);
	must(frame_end(&out, 0, end ? MSG_TASK_END : MSG_TASK_RECORDS, 0, spool_last(spool) + 1) ==
	     0);
	room = spool_append(spool, out.data, out.len);
	must(room == SPOOL_TAKEN || (room == SPOOL_CAP && !end) || spool_has_end(spool));
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spool_limits limits = {.cap = 200, .segment = 60};
	struct simdisk *on;
	const struct disk *disk;
	struct spool *spool = NULL;
	bool ended;

	if (!size)
		return 0;
	on = simdisk_new(data[0]);
	disk = simdisk_user_disk(simdisk_user_new(on));
	limits.drop = data[0] & 1;
	fuzz_files(on, data + 1, size - 1);
	(void)fuzz_read(disk, data[0] >> 2);
	must(spool_reader_last(disk) < UINT64_MAX);
	must(spool_open(&spool, disk, &limits, NULL) == 0);
	ended = spool_has_end(spool);
	if (data[0] & 2)
		spool_ack(spool, data[0] >> 2);
	for (int i = 0; i < 3; i++)
		fuzz_append(spool, false);
	fuzz_append(spool, true);
	must(spool_has_end(spool));
	must(fuzz_read(disk, data[0] >> 2) || ended);
	spool_close(spool);
	simdisk_free(on);
	return 0;
}
