// NEEDS: store
/*
 * Fuzz target: segment files after whatever has happened to them. The input is a script: entries
 * that are right, bytes as they are, bytes that change, and segments that end. All are recovered,
 * and then once more: there must be nothing left to do, and what was found must be there.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "alloc.h"
#include "entry.h"
#include "log.h"
#include "message.h"
#include "recover.h"
#include "seglog.h"

#define FILES	 16u
#define SEGMENTS 3u
#define MARK	 0x8123456789abcdefu

/* --- a disk in memory; a handle is the number of a file ------------------------------------- */

struct file {
	char name[64]; /* "": none */
	struct buf data;
};

static int fuzz_find(struct file *files, const char *name)
{
	for (int i = 0; i < (int)FILES; i++)
		if (strcmp(files[i].name, name) == 0)
			return i;
	return -ENOENT;
}

static int fuzz_open(void *ctx, const char *name, enum disk_mode mode)
{
	struct file *files = ctx;
	int file = fuzz_find(files, name);

	if (mode != DISK_CREATE)
		return file;
	if (file >= 0)
		return -EEXIST;
	file = fuzz_find(files, "");
	if (file < 0)
		return -ENOSPC;
	must(strlen(name) < sizeof files[file].name);
	memcpy(files[file].name, name, strlen(name) + 1);
	return file;
}

static void fuzz_close(void *ctx, int file)
{
	(void)ctx;
	(void)file;
}

static int64_t fuzz_read(void *ctx, int file, uint64_t at, void *to, size_t len)
{
	const struct buf *data = &((struct file *)ctx)[file].data;

	if (at >= data->len)
		return 0;
	if (len > data->len - at)
		len = data->len - at;
	memcpy(to, data->data + at, len);
	return (int64_t)len;
}

static int64_t fuzz_append(void *ctx, int file, const void *data, size_t len)
{
	buf_add(&((struct file *)ctx)[file].data, data, len);
	return (int64_t)len;
}

static int fuzz_truncate(void *ctx, int file, uint64_t size)
{
	struct buf *data = &((struct file *)ctx)[file].data;

	must(size <= data->len);
	data->len = size;
	return 0;
}

static int fuzz_sync(void *ctx, int file)
{
	(void)ctx;
	(void)file;
	return 0;
}

static int64_t fuzz_size(void *ctx, int file)
{
	return (int64_t)((struct file *)ctx)[file].data.len;
}

static int fuzz_unlink(void *ctx, const char *name)
{
	int file = fuzz_find(ctx, name);

	if (file >= 0)
		((struct file *)ctx)[file].name[0] = '\0';
	return file < 0 ? file : 0;
}

static int fuzz_rename(void *ctx, const char *from, const char *to)
{
	(void)ctx;
	(void)from;
	(void)to;
	return -EIO;
}

static int fuzz_sync_names(void *ctx)
{
	(void)ctx;
	return 0;
}

static int fuzz_list(void *ctx, disk_list_fn *fn, void *arg)
{
	struct file *files = ctx;

	for (size_t i = 0; i < FILES; i++)
		if (files[i].name[0])
			fn(arg, files[i].name);
	return 0;
}

static int64_t fuzz_room(void *ctx)
{
	(void)ctx;
	return INT64_MAX;
}

static const struct disk_ops fuzz_ops = {
	.open = fuzz_open,
	.close = fuzz_close,
	.read = fuzz_read,
	.append = fuzz_append,
	.truncate = fuzz_truncate,
	.sync = fuzz_sync,
	.size = fuzz_size,
	.unlink = fuzz_unlink,
	.rename = fuzz_rename,
	.sync_names = fuzz_sync_names,
	.list = fuzz_list,
	.room = fuzz_room,
};

/* --- the script ----------------------------------------------------------------------------- */

struct script {
	const uint8_t *data;
	size_t size;
};

static uint8_t fuzz_byte(struct script *s)
{
	if (!s->size)
		return 0;
	s->size--;
	return *s->data++;
}

/* As many bytes as the next one says, if there are. */
static size_t fuzz_bytes(struct script *s, const uint8_t **ret)
{
	size_t len = fuzz_byte(s);

	if (len > s->size)
		len = s->size;
	*ret = s->data;
	s->data += len;
	s->size -= len;
	return len;
}

/* An entry of any type whose body is the script's, but for its mark: and with a right sum. */
static void fuzz_entry(struct script *s, struct buf *out)
{
	uint8_t type = (uint8_t)(MSG_STORE_HEAD + fuzz_byte(s) % 7), seq = fuzz_byte(s);
	uint64_t mark = MARK;
	const uint8_t *body;
	size_t len = fuzz_bytes(s, &body), begin = frame_begin(out);

	for (size_t i = 0; i < 8; i++)
		buf_add_char(out, (char)(mark >> (56 - 8 * i)));
	buf_add(out, body, len);
	must(frame_end(out, begin, type, 0, seq) == 0);
}

static void fuzz_build(struct script *s, struct file *files)
{
	size_t now = 0;
	const uint8_t *bytes;

	while (s->size && now < SEGMENTS) {
		struct buf *out = &files[now].data;
		uint8_t what = fuzz_byte(s);

		(void)seglog_name(files[now].name, (uint32_t)now + 1);
		if (what < 160) {
			fuzz_entry(s, out);
		} else if (what < 200) {
			size_t len = fuzz_bytes(s, &bytes);

			buf_add(out, bytes, len);
		} else if (what < 240 && out->len) {
			size_t at = (size_t)(fuzz_byte(s) << 8 | fuzz_byte(s)) % out->len;

			out->data[at] ^= fuzz_byte(s);
		} else {
			now++;
		}
	}
}

/* --- what must hold ------------------------------------------------------------------------- */

static void fuzz_check_entry(const struct disk *disk, const struct segscan_entry *entry)
{
	struct buf data = {0};
	struct frame frame;
	struct entry_job part;
	struct entry_note note;
	struct store_frame rows;
	struct entry_blob blob;

	must(seglog_read(disk, entry->segment, entry->at, entry->len, &data) == 0);
	must(frame_parse(data.data, data.len, &frame, NULL) == entry->len);
	must(frame.seq == entry->seq && frame.type == entry->type);
	must(entry_is(frame.type, frame.len));
	switch (frame.type) {
	case MSG_STORE_JOB:
		entry_get_job(&part, frame.body, frame.len);
		must(part.data + part.len == frame.body + frame.len && part.job == entry->owner);
		if (entry_get_blob(&blob, part.data, part.len) == 0)
			must(blob.uuids + 16 * blob.job.child_count == part.data + part.len);
		break;
	case MSG_STORE_NOTE:
		entry_get_note(&note, frame.body, frame.len);
		must(note.data + note.len == frame.body + frame.len);
		break;
	case MSG_STORE_FRAME:
		entry_get_frame(&rows, frame.body, frame.len);
		must((const uint8_t *)rows.rows + rows.len == frame.body + frame.len);
		break;
	default:
		break;
	}
	buf_done(&data);
}

static size_t fuzz_recover(const struct disk *disk, struct recover *found)
{
	struct segscan_entry *list;
	size_t count;

	must(recover(found, disk, 0, NULL) == 0);
	for (size_t i = 0; i < found->count; i++) {
		const struct segscan *scan = &found->scans[i];
		uint64_t sum = 0, end = 0;

		for (size_t k = 0; k < scan->count; k++) {
			must(scan->entries[k].at >= end);
			end = scan->entries[k].at + (uint64_t)scan->entries[k].len;
		}
		must(end <= scan->end && scan->end <= scan->size);
		for (size_t k = end = 0; k < scan->gap_count; k++) {
			must(scan->gaps[k].at >= end && scan->gaps[k].len);
			end = scan->gaps[k].at + (uint64_t)scan->gaps[k].len;
			sum += scan->gaps[k].len;
		}
		must(end <= scan->end && sum == scan->damage);
		/* Of the newest nothing is left that is torn. */
		must(i + 1 < found->count || end <= scan->synced || !scan->gap_count);
	}
	count = recover_entries(found, &list);
	for (size_t i = 0; i < count; i++) {
		must(!i || list[i - 1].seq < list[i].seq);
		fuzz_check_entry(disk, &list[i]);
	}
	free(list);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file files[FILES] = {0};
	struct disk disk = {.ops = &fuzz_ops, .ctx = files};
	struct script script = {data, size};
	struct recover first, again;
	size_t count;

	log_open(-1, LOG_ERROR, false);
	fuzz_build(&script, files);
	count = fuzz_recover(&disk, &first);
	must(fuzz_recover(&disk, &again) == count);
	must(first.size == again.size && first.mark == again.mark);
	must(first.segment == again.segment && first.segment_size == again.segment_size);
	must(first.damage.segments == again.damage.segments);
	recover_done(&first);
	recover_done(&again);
	for (size_t i = 0; i < FILES; i++)
		buf_done(&files[i].data);
	return 0;
}
