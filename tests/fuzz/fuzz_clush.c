// NEEDS: groups
/*
 * Fuzzing of the groups of ClusterShell: a groups.conf and, behind a NUL byte, a file of groups.d.
 * What can be read has sources with names, and what they say is said without a command being run.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#include "alloc.h"
#include "clush.h"
#include "fd.h"

static void write_file(int dir, const char *name, const uint8_t *data, size_t n)
{
	int fd = openat(dir, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	must(fd >= 0 && fd_write_all(fd, data, n) == 0);
	fd_close(&fd);
}

/* One that has a document; the others would run commands. */
static void ask(const struct clush *clush, const struct clush_source *source)
{
	struct buf list = {0}, out = {0};
	struct errmsg msg = {""};
	char *names, *save = NULL;

	must(clush_list(clush, source, NULL, &list, &msg) == 0);
	must(clush_all(clush, source, NULL, &out, &msg) == 0);
	names = xstrndup(list.len ? (const char *)list.data : "", list.len);
	for (char *at = strtok_r(names, "\n", &save); at; at = strtok_r(NULL, "\n", &save)) {
		buf_clear(&out);
		if (clush_members(clush, source, NULL, at, &out, &msg) != 0)
			must(msg.text[0] != '\0');
	}
	free(names);
	buf_done(&list);
	buf_done(&out);
}

static void look(const char *dir)
{
	struct errmsg msg = {""};
	struct clush *clush;

	if (clush_read(&clush, dir, NULL, &msg) != 0) {
		must(msg.text[0] != '\0');
		return;
	}
	for (size_t i = 0; i < clush->count; i++) {
		must(clush->sources[i].name[0] && clush->sources[i].file);
		if (clush->sources[i].doc)
			ask(clush, &clush->sources[i]);
	}
	clush_free(clush);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *nul = n ? memchr(data, '\0', n) : NULL;
	size_t conf = nul ? (size_t)(nul - data) : n;
	char dir[] = "/tmp/fuzz_clush.XXXXXX";
	int fd;

	/* A directory with a slash would be one of this computer. */
	if (conf && memchr(data, '/', conf))
		return 0;
	must(mkdtemp(dir) != NULL);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd >= 0);
	write_file(fd, "groups.conf", data, conf);
	if (nul)
		write_file(fd, "g.yaml", nul + 1, n - conf - 1);
	look(dir);
	must(unlinkat(fd, "groups.conf", 0) == 0);
	must(!nul || unlinkat(fd, "g.yaml", 0) == 0);
	fd_close(&fd);
	must(rmdir(dir) == 0);
	return 0;
}
