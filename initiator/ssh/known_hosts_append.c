#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "alloc.h"
#include "fd.h"
#include "known_hosts.h"
#include "known_hosts_private.h"
#include "limits.h"

/* A name that would be read back as something else: a pattern, several names, another line. */
static bool append_is_name(const char *name)
{
	if (!*name || strchr("#@|!", *name))
		return false;
	for (; *name; name++) {
		if ((unsigned char)*name <= ' ' || *name == 0x7f || strchr(",*?", *name))
			return false;
	}
	return true;
}

static bool append_is_type(const char *type)
{
	return *type && strlen(type) <= KNOWN_TYPE_MAX && !strpbrk(type, " \t\r\n");
}

static char *append_line(const char *name, uint16_t port, int alias, const char *type,
			 const uint8_t *blob, size_t blob_len)
{
	unsigned char *base64 = xmalloc(4 * ((blob_len + 2) / 3) + 1);
	struct known_query query;
	char *line;

	known_query_init(&query, name, port, !alias);
	(void)EVP_EncodeBlock(base64, blob, (int)blob_len);
	line = xasprintf("\n%s %s %s\n", query.name, known_type(type), (const char *)base64);
	known_query_done(&query);
	free(base64);
	return line;
}

/* Opens the file, and makes it and its directory if need be. Returns the descriptor or ERR_SYS. */
static int append_open(const char *path)
{
	int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;
	int fd = open(path, flags, 0600);
	const char *slash = strrchr(path, '/');
	char *dir;

	if (fd >= 0 || errno != ENOENT || !slash || slash == path)
		return fd >= 0 ? fd : ERR_SYS;
	dir = xstrndup(path, (size_t)(slash - path));
	if (mkdir(dir, 0700) == 0 || errno == EEXIST)
		fd = open(path, flags, 0600);
	free(dir);
	return fd >= 0 ? fd : ERR_SYS;
}

/* Returns 1 if the file is empty or ends in a newline, 0 if not, ERR_SYS. */
static int append_at_line_start(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char last = '\0';

	if (size < 0)
		return ERR_SYS;
	if (size == 0)
		return 1;
	if (pread(fd, &last, 1, size - 1) != 1)
		return ERR_SYS;
	return last == '\n';
}

static int append_write(int fd, const char *line)
{
	int start;

	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR)
			return ERR_SYS;
	}
	start = append_at_line_start(fd);
	if (start < 0)
		return start;
	return fd_write_all(fd, line + start, strlen(line + start));
}

int known_hosts_append(const char *path, const char *name, uint16_t port, int alias,
		       const char *type, const uint8_t *blob, size_t blob_len, struct errmsg *msg)
{
	char *line;
	int fd, rc;

	if (!append_is_name(name) || !append_is_type(type) || blob_len > KNOWN_LINE_MAX / 2) {
		errno = EINVAL;
		return err_set(msg, ERR_SYS,
			       "cannot add the host key to %s: the name or the key has characters "
			       "or a size that such a file cannot hold",
			       path);
	}
	fd = append_open(path);
	if (fd < 0)
		return err_set(msg, ERR_SYS, "cannot open %s to add a host key: %s", path,
			       strerror(errno));
	line = append_line(name, port, alias, type, blob, blob_len);
	rc = append_write(fd, line);
	if (rc < 0)
		err_set(msg, rc, "cannot add a host key to %s: %s", path, strerror(errno));
	free(line);
	fd_close(&fd);
	return rc;
}
