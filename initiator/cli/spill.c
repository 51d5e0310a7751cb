#include "spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"

struct spill_piece {
	uint64_t offset;
	uint64_t len;
};

struct spill {
	int fd; /* -1: not needed so far */
	uint64_t end;
	size_t lines;
};

struct spill *spill_new(void)
{
	struct spill *spill = xcalloc(1, sizeof *spill);

	spill->fd = -1;
	return spill;
}

void spill_free(struct spill *spill)
{
	if (!spill)
		return;
	fd_close(&spill->fd);
	free(spill);
}

static int spill_open(struct spill *spill, struct errmsg *msg)
{
	const char *dir = getenv("TMPDIR");
	char *path;

	if (spill->fd >= 0)
		return 0;
	dir = dir && *dir ? dir : "/tmp";
	path = xasprintf("%s/muster-XXXXXX", dir);
	spill->fd = mkostemp(path, O_CLOEXEC);
	if (spill->fd >= 0)
		(void)unlink(path);
	else
		(void)err_set(msg, ERR_SYS,
			      "a line too long for memory needs a temporary file in %s: %s", dir,
			      strerror(errno));
	free(path);
	return spill->fd >= 0 ? 0 : ERR_SYS;
}

int spill_add(struct spill *spill, struct spill_line *line, const void *data, size_t len,
	      bool is_text, struct errmsg *msg)
{
	const uint8_t *p = data;
	size_t done = 0;

	if (spill_open(spill, msg) != 0)
		return ERR_SYS;
	while (done < len) {
		ssize_t n = pwrite(spill->fd, p + done, len - done, (off_t)(spill->end + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(msg, ERR_SYS, "temporary file for a long line: %s",
				       strerror(errno));
		done += (size_t)n;
	}
	if (!line->count) {
		spill->lines++;
		line->is_text = true;
	}
	/* Grown by doubling: at 1, 2, 4, 8 ... pieces. */
	if ((line->count & (line->count - 1)) == 0)
		line->pieces = xrealloc(line->pieces, line->count ? line->count * 2 : 1,
					sizeof *line->pieces);
	line->pieces[line->count++] = (struct spill_piece){spill->end, len};
	line->is_text = line->is_text && is_text;
	spill->end += len;
	return 0;
}

int spill_read(struct spill *spill, const struct spill_line *line, size_t index, struct buf *out,
	       struct errmsg *msg)
{
	const struct spill_piece *piece = &line->pieces[index];
	uint8_t *to;

	buf_clear(out);
	to = buf_room(out, piece->len);
	while (out->len < piece->len) {
		ssize_t n = pread(spill->fd, to + out->len, piece->len - out->len,
				  (off_t)(piece->offset + out->len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(msg, ERR_SYS, "temporary file for a long line: %s",
				       n < 0 ? strerror(errno) : "cut short");
		out->len += (size_t)n;
	}
	return 0;
}

void spill_drop(struct spill *spill, struct spill_line *line)
{
	if (!line->count)
		return;
	free(line->pieces);
	*line = (struct spill_line){0};
	if (--spill->lines)
		return;
	spill->end = 0;
	if (ftruncate(spill->fd, 0) < 0) {
		/* It stays large until it is overwritten or closed. */
	}
}
