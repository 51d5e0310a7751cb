#include "seglog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define SEGLOG_SUFFIX  ".seg"
#define SEGLOG_DIGITS  8u
#define SEGLOG_DAMAGED ".damaged"
#define SEGLOG_COPY    (1u << 20)

char *seglog_name(char out[SEGLOG_NAME], uint32_t segment)
{
	(void)snprintf(out, SEGLOG_NAME, "%08u" SEGLOG_SUFFIX, segment);
	return out;
}

uint32_t seglog_number(const char *name)
{
	char again[SEGLOG_NAME];
	uint64_t n = 0;
	size_t i = 0;

	for (; name[i] >= '0' && name[i] <= '9' && i < SEGLOG_DIGITS + 2; i++)
		n = n * 10 + (uint64_t)(name[i] - '0');
	if (n > UINT32_MAX - 1 || strcmp(seglog_name(again, (uint32_t)n), name) != 0)
		return 0;
	return (uint32_t)n;
}

bool seglog_is_full(int r)
{
	return r == -ENOSPC || r == -EDQUOT || r == -EFBIG;
}

void seglog_init(struct seglog *log, const struct disk *disk, uint32_t segment, uint64_t size)
{
	*log = (struct seglog){.disk = disk,
			       .segment = segment,
			       .file = -1,
			       .synced = size,
			       .kept = size,
			       .written = size};
}

static void seglog_close(struct seglog *log)
{
	if (log->file >= 0)
		log->disk->ops->close(log->disk->ctx, log->file);
	log->file = -1;
}

void seglog_done(struct seglog *log)
{
	seglog_close(log);
}

/* --- writing -------------------------------------------------------------------------------- */

/* Opens the file that is appended to. One that we have made before, but could not name durably, is
 * there already. */
static int seglog_open(struct seglog *log)
{
	char name[SEGLOG_NAME];
	int r;

	if (log->file >= 0)
		return 0;
	(void)seglog_name(name, log->segment);
	r = log->disk->ops->open(log->disk->ctx, name, DISK_APPEND);
	if (r == -ENOENT && !log->written) {
		r = log->disk->ops->open(log->disk->ctx, name, DISK_CREATE);
		log->new_name = true;
	}
	if (r < 0)
		return r;
	log->file = r;
	return 0;
}

/* What came before is durable before anything is in the next. */
static int seglog_next(struct seglog *log, uint32_t segment)
{
	int r = log->segment ? seglog_sync(log) : 0;

	if (r < 0)
		return r;
	seglog_close(log);
	log->segment = segment;
	log->synced = log->kept = log->written = 0;
	return 0;
}

int seglog_write(struct seglog *log, uint32_t segment, uint64_t at, const void *data, size_t len)
{
	const uint8_t *p = data;
	int64_t n;
	int r;

	if (segment < log->segment || (segment == log->segment && at + len <= log->written))
		return 0;
	if (segment != log->segment) {
		r = seglog_next(log, segment);
		if (r < 0)
			return r;
	}
	if (at > log->written)
		return -EINVAL;
	p += log->written - at;
	len -= (size_t)(log->written - at);
	r = seglog_open(log);
	while (r == 0 && len) {
		n = log->disk->ops->append(log->disk->ctx, log->file, p, len);
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		log->written += (uint64_t)n;
		p += n;
		len -= (size_t)n;
	}
	return r;
}

int seglog_sync(struct seglog *log)
{
	int r = 0;

	if (log->file >= 0 && log->written > log->synced)
		r = log->disk->ops->sync(log->disk->ctx, log->file);
	if (r == 0 && log->new_name)
		r = log->disk->ops->sync_names(log->disk->ctx);
	if (r < 0) {
		log->failed = true;
		return r;
	}
	log->new_name = false;
	log->synced = log->kept = log->written;
	return 0;
}

void seglog_keep(struct seglog *log)
{
	log->kept = log->written;
}

int seglog_cut(struct seglog *log)
{
	int r;

	if (log->file < 0)
		return 0;
	r = log->disk->ops->truncate(log->disk->ctx, log->file, log->kept);
	if (r < 0)
		return r;
	log->written = log->kept;
	return 0;
}

void seglog_forget(struct seglog *log)
{
	seglog_close(log);
	log->written = log->kept = log->synced;
}

/* --- reading -------------------------------------------------------------------------------- */

int seglog_read(const struct disk *disk, uint32_t segment, uint64_t at, size_t len, struct buf *out)
{
	char name[SEGLOG_NAME];
	int file = disk->ops->open(disk->ctx, seglog_name(name, segment), DISK_READ);
	int64_t n;

	if (file < 0)
		return file;
	n = disk->ops->read(disk->ctx, file, at, buf_room(out, len), len);
	disk->ops->close(disk->ctx, file);
	if (n < 0)
		return (int)n;
	if ((size_t)n < len)
		return -ENODATA;
	out->len += len;
	return 0;
}

static int seglog_copy(const struct disk *disk, int from, int to)
{
	uint8_t *part = xmalloc(SEGLOG_COPY);
	uint64_t at = 0;
	int64_t n, done = 0;

	while ((n = disk->ops->read(disk->ctx, from, at, part, SEGLOG_COPY)) > 0) {
		done = disk->ops->append(disk->ctx, to, part, (size_t)n);
		if (done < n) {
			n = done < 0 ? done : -ENOSPC;
			break;
		}
		at += (uint64_t)n;
	}
	free(part);
	return n < 0 ? (int)n : disk->ops->sync(disk->ctx, to);
}

int seglog_quarantine(const struct disk *disk, uint32_t segment)
{
	char name[SEGLOG_NAME], aside[SEGLOG_NAME + sizeof SEGLOG_DAMAGED];
	int from, to, r;

	(void)seglog_name(name, segment);
	(void)snprintf(aside, sizeof aside, "%s" SEGLOG_DAMAGED, name);
	to = disk->ops->open(disk->ctx, aside, DISK_CREATE);
	if (to < 0)
		return to == -EEXIST ? 0 : to;
	from = disk->ops->open(disk->ctx, name, DISK_READ);
	r = from < 0 ? from : seglog_copy(disk, from, to);
	if (from >= 0)
		disk->ops->close(disk->ctx, from);
	disk->ops->close(disk->ctx, to);
	if (r < 0)
		(void)disk->ops->unlink(disk->ctx, aside);
	return r;
}
