// NEEDS: files
/*
 * Fuzz target: what a hostile host tells of its files. The input is a list of steps: two bytes
 * each, what to do and to which name of a few. Whatever comes, a file beside the folder stays as it
 * was, nothing is made beside it, and nothing half written stays.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#include "alloc.h"
#include "content.h"
#include "fd.h"
#include "sink.h"

#define STEPS 64u

static const char *const fuzz_names[] = {
	"a",	"a/b",	    "a/b/c", "b", "b/x", "..", "a/../x", "/x",
	"c/..", "b/secret", "a/b/",  ".", "",	 "c",  "c/a",	 "secret",
};
static const char *const fuzz_links[] = {"..",	  "../secret", "/tmp", "a",
					 "../..", "secret",    ".",    "b"};

static char fuzz_folder[64];

static void on_tell(void *arg, uint64_t index, enum sink_verdict verdict, uint64_t offset,
		    const char *text)
{
	(void)arg;
	(void)offset;
	must(index && verdict > 0 && verdict < SINK_VERDICT_COUNT);
	must((verdict == SINK_FAILED) == (text != NULL));
}

/* Empties it, without going through a link. Returns how many names were of ours. */
static unsigned fuzz_empty(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	unsigned temps = 0;

	must(dir != NULL);
	(void)fchmod(fd, 0700);
	while ((e = readdir(dir))) {
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		temps += strncmp(e->d_name, ".muster-copy-", 13) == 0;
		must(fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0);
		if (S_ISDIR(st.st_mode))
			temps += fuzz_empty(fd, e->d_name);
		else
			must(unlinkat(fd, e->d_name, 0) == 0);
	}
	(void)closedir(dir);
	must(unlinkat(at, name, AT_REMOVEDIR) == 0);
	return temps;
}

static void fuzz_begin(void)
{
	char path[96];
	int fd;

	(void)strcpy(fuzz_folder, "/tmp/fuzz_copy_sink.XXXXXX");
	must(mkdtemp(fuzz_folder) != NULL);
	(void)snprintf(path, sizeof path, "%s/root", fuzz_folder);
	must(mkdir(path, 0700) == 0);
	(void)snprintf(path, sizeof path, "%s/secret", fuzz_folder);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	must(fd >= 0 && write(fd, "secret", 6) == 6);
	fd_close(&fd);
}

/* The secret is what it was, and there is nothing else beside the root. */
static void fuzz_look(void)
{
	DIR *dir = opendir(fuzz_folder);
	struct dirent *e;
	unsigned names = 0;
	char path[96], text[16];
	struct stat st;
	int fd;

	must(dir != NULL);
	while ((e = readdir(dir)))
		names++;
	(void)closedir(dir);
	must(names == 4);
	(void)snprintf(path, sizeof path, "%s/secret", fuzz_folder);
	must(lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0600);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && read(fd, text, sizeof text) == 6 && memcmp(text, "secret", 6) == 0);
	fd_close(&fd);
}

static void fuzz_step(struct sink *sink, uint64_t *index, uint8_t what, uint8_t which)
{
	static const uint8_t hash[CONTENT_SIZE];
	uint8_t good[CONTENT_SIZE];
	struct content *content = content_new();
	struct file_entry e = {.index = ++*index,
			       .kind = (enum file_kind)(1 + what % 5),
			       .name = fuzz_names[which % ARRAY_LEN(fuzz_names)],
			       .mode = which,
			       .mtime_ns = (int64_t)which - 100,
			       .size = what >> 4,
			       .text = fuzz_links[(which >> 4) % ARRAY_LEN(fuzz_links)]};
	struct sink_piece piece = {.index = *index - (what & 3 && *index > 3 ? what & 3 : 1),
				   .data = "0123456789abcdef",
				   .len = what >> 4,
				   .end = which & 1,
				   .failed = (which & 14) == 2};

	content_add(content, piece.data, piece.len);
	content_end(content, good);
	content_free(content);
	piece.hash = which & 128 ? hash : good;
	if ((what & 15) < 8)
		(void)sink_entry(sink, &e, NULL);
	else if ((what & 15) < 15 && piece.index)
		(void)sink_data(sink, &piece, NULL);
	else
		sink_flush(sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sink_spec spec = {.root = -1, .tell = on_tell};
	struct sink *sink;
	uint64_t index = 0;
	char path[96];
	int above;

	fuzz_begin();
	(void)snprintf(path, sizeof path, "%s/root", fuzz_folder);
	spec.root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sink = sink_new(&spec);
	for (size_t i = 0; i + 1 < size && i < 2u * STEPS; i += 2)
		fuzz_step(sink, &index, data[i], data[i + 1]);
	if (size & 1)
		sink_end(sink);
	sink_free(sink);
	fuzz_look();
	above = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fuzz_empty(above, fuzz_folder + 5) == 0);
	fd_close(&above);
	return 0;
}
