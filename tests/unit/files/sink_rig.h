/* A folder with a sink in it that is told of files, what that said, and what there is then. */
#ifndef MUSTER_TESTS_SINK_RIG_H
#define MUSTER_TESTS_SINK_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "content.h"
#include "sink.h"

#define LARGE (SINK_LARGE + 1000u)

/* A folder with the root of the sink in it, and what was told. */
struct scene {
	char folder[64];
	char *root;
	struct sink *sink;
	uint64_t told_index;
	enum sink_verdict told;
	uint64_t told_offset;
	char text[256];
	unsigned count;
};

static inline void on_tell(void *arg, uint64_t index, enum sink_verdict verdict, uint64_t offset,
			   const char *text)
{
	struct scene *s = arg;

	s->told_index = index;
	s->told = verdict;
	s->told_offset = offset;
	s->count++;
	(void)snprintf(s->text, sizeof s->text, "%s", text ? text : "");
}

static inline void scene_sink(struct scene *s, const char *as, bool checksum, uint64_t max_bytes)
{
	struct sink_spec spec = {.root = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				 .as = as,
				 .checksum = checksum,
				 .max_bytes = max_bytes,
				 .tell = on_tell,
				 .arg = s};

	assert_true(spec.root >= 0);
	s->told = 0;
	s->count = 0;
	s->sink = sink_new(&spec);
}

static inline int setup(void **state)
{
	struct scene *s = xcalloc(1, sizeof *s);

	(void)strcpy(s->folder, "/tmp/test_sink.XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	s->root = xasprintf("%s/root", s->folder);
	assert_int_equal(mkdir(s->root, 0700), 0);
	scene_sink(s, NULL, false, 0);
	*state = s;
	return 0;
}

static inline int teardown(void **state)
{
	struct scene *s = *state;
	char *command = xasprintf("rm -rf %s", s->folder);

	sink_free(s->sink);
	assert_int_equal(system(command), 0);
	free(command);
	free(s->root);
	free(s);
	return 0;
}

static inline void again(struct scene *s)
{
	sink_free(s->sink);
	scene_sink(s, NULL, false, 0);
}

/* --- what is told --------------------------------------------------------------------------- */

static inline int entry(struct scene *s, uint64_t index, enum file_kind kind, const char *name,
			uint64_t size, const char *text)
{
	struct file_entry e = {.index = index,
			       .kind = kind,
			       .name = name,
			       .mode = 0640,
			       .mtime_ns = INT64_C(1234567890123456789),
			       .size = size,
			       .text = text};
	struct errmsg msg = {""};
	int rc = sink_entry(s->sink, &e, &msg);

	assert_int_equal(rc == 0, msg.text[0] == '\0');
	return rc;
}

static inline int bytes(struct scene *s, uint64_t index, const void *data, size_t len, bool end,
			const uint8_t *hash)
{
	struct sink_piece piece = {
		.index = index, .data = data, .len = len, .end = end, .hash = hash};
	struct errmsg msg = {""};

	return sink_data(s->sink, &piece, &msg);
}

static inline void hash_of(const void *data, size_t len, uint8_t ret[CONTENT_SIZE])
{
	struct content *content = content_new();

	content_add(content, data, len);
	content_end(content, ret);
	content_free(content);
}

static inline void whole(struct scene *s, uint64_t index, const char *name, const void *data,
			 size_t len)
{
	uint8_t hash[CONTENT_SIZE];

	hash_of(data, len, hash);
	assert_int_equal(entry(s, index, FILE_PLAIN, name, len, NULL), 0);
	assert_int_equal(s->told, SINK_WANT);
	assert_int_equal(bytes(s, index, data, len, true, hash), 0);
	sink_flush(s->sink);
	assert_int_equal(s->told, SINK_WRITTEN);
	assert_int_equal(s->told_index, index);
}

/* --- what there is -------------------------------------------------------------------------- */

static inline char *in_root(const struct scene *s, const char *name)
{
	return xasprintf("%s/%s", s->root, name);
}

/* How many names in the folder begin so; "": all. */
static inline unsigned names(const char *path, const char *front)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	unsigned n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		     strncmp(e->d_name, front, strlen(front)) == 0;
	(void)closedir(dir);
	return n;
}

static inline unsigned temps(const struct scene *s)
{
	return names(s->root, ".muster-copy-");
}

#endif
