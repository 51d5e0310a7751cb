/*
 * What was left of files that are not wanted any more: of a content that the source had before, or
 * of a small file whose writer was killed. It bears the name of the file in its own (sink_temp),
 * and is looked for where that file is told of again. Nothing is removed that is not ours, or that
 * somebody may still be writing.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "limits.h"
#include "sink_private.h"

/* Bytes of their names that are remembered; where there are more they go copy by copy. */
#define SINK_STALE_MAX (64u << 10)
/* Names that one sender can have us look at. */
#define SINK_LOOK_MAX (4u * LIMIT_COPY_ENTRIES)
/* A small file is closed, and not locked, while it waits to be synced with others. */
#define SINK_SMALL_SECONDS 600

static bool sink_is_temp(const char *name)
{
	return strlen(name) == SINK_TEMP_LEN &&
	       memcmp(name, SINK_TEMP_FRONT, sizeof SINK_TEMP_FRONT - 1) == 0 &&
	       !name[sizeof SINK_TEMP_FRONT - 1 +
		     strspn(name + sizeof SINK_TEMP_FRONT - 1, "0123456789abcdef")];
}

void sink_stale_look(struct sink *sink, int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir) {
		fd_close(&fd);
		return;
	}
	while (sink->looked++ < SINK_LOOK_MAX && (e = readdir(dir)) != NULL)
		if (sink_is_temp(e->d_name) && sink->stale.len < SINK_STALE_MAX)
			buf_add(&sink->stale, e->d_name, SINK_TEMP_LEN + 1);
	(void)closedir(dir);
}

/* If it is ours, and nobody is at it. */
static void sink_stale_remove(int folder, const char *temp)
{
	struct stat st;
	int fd = openat(folder, temp, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    st.st_nlink == 1 && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    (sink_temp_is_large(temp) || st.st_ctim.tv_sec < time(NULL) - SINK_SMALL_SECONDS))
		(void)unlinkat(folder, temp, 0);
	fd_close(&fd);
}

void sink_stale_clean(const struct sink *sink, const struct sink_folder *folder, const char *own,
		      bool all)
{
	/* In another folder of the sink it is not found. */
	for (size_t i = 0; i < sink->stale.len; i += SINK_TEMP_LEN + 1) {
		const char *temp = (const char *)sink->stale.data + i;

		if (memcmp(temp, own, SINK_TEMP_NAME_LEN) == 0 &&
		    (all || !sink_temp_is_large(own) || strcmp(temp, own) != 0))
			sink_stale_remove(folder->fd, temp);
	}
}
