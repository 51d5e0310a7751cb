#include "agent_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "clock.h"
#include "fd.h"
#include "limits.h"

#define AGENT_REQUEST_IDENTITIES 11
#define AGENT_IDENTITIES_ANSWER	 12

int agent_connect(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof addr.sun_path) {
		errno = ENAMETOOLONG;
		return ERR_SYS;
	}
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return ERR_SYS;
	if (connect(fd, (const struct sockaddr *)&addr, sizeof addr) < 0) {
		fd_close(&fd);
		return ERR_SYS;
	}
	return fd;
}

static uint32_t agent_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Takes a string (u32 length, bytes) from the front. */
static int agent_take(const uint8_t **p, size_t *left, const uint8_t **ret, size_t *ret_len)
{
	size_t len;

	if (*left < 4)
		return ERR_PROTO;
	len = agent_u32(*p);
	if (len > *left - 4)
		return ERR_PROTO;
	*ret = *p + 4;
	*ret_len = len;
	*p += 4 + len;
	*left -= 4 + len;
	return 0;
}

static int agent_parse(struct agent_list *list, const uint8_t *p, size_t left)
{
	uint32_t count;

	if (left < 5 || p[0] != AGENT_IDENTITIES_ANSWER)
		return ERR_PROTO;
	count = agent_u32(p + 1);
	p += 5;
	left -= 5;
	if (count > LIMIT_AGENT_KEYS)
		count = LIMIT_AGENT_KEYS;
	list->at = xcalloc(count, sizeof *list->at);
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *blob, *comment;
		size_t blob_len, comment_len;

		if (agent_take(&p, &left, &blob, &blob_len) ||
		    agent_take(&p, &left, &comment, &comment_len))
			return ERR_PROTO;
		list->at[i].blob = xmalloc(blob_len);
		memcpy(list->at[i].blob, blob, blob_len);
		list->at[i].len = blob_len;
		list->at[i].comment = xstrndup((const char *)comment, comment_len);
		list->count = i + 1;
	}
	return 0;
}

static int agent_ask(int fd, struct agent_list *list, uint64_t deadline_ns)
{
	static const uint8_t request[] = {0, 0, 0, 1, AGENT_REQUEST_IDENTITIES};
	struct buf in = {0};
	uint32_t len;
	int rc;

	if (send(fd, request, sizeof request, MSG_NOSIGNAL) != (ssize_t)sizeof request)
		return ERR_SYS;
	rc = fd_read_until(fd, &in, 4, deadline_ns);
	if (rc == 0) {
		len = agent_u32(in.data);
		rc = len > LIMIT_AGENT_MESSAGE ? ERR_LIMIT : 0;
	}
	if (rc == 0)
		rc = fd_read_until(fd, &in, 4 + (size_t)len, deadline_ns);
	if (rc == 0)
		rc = agent_parse(list, in.data + 4, len);
	buf_done(&in);
	return rc;
}

int agent_list_load(struct agent_list *ret, const char *path, unsigned timeout_ms,
		    struct errmsg *msg)
{
	uint64_t deadline_ns = clock_mono_ns() + (uint64_t)timeout_ms * 1000000;
	struct agent_list list = {0};
	int fd = agent_connect(path), rc;

	if (fd < 0)
		return err_set(msg, ERR_SYS, "ssh-agent at %s: %s", path, strerror(errno));
	rc = agent_ask(fd, &list, deadline_ns);
	fd_close(&fd);
	if (rc) {
		agent_list_done(&list);
		return err_set(msg, rc, "ssh-agent at %s: %s", path, err_text(rc));
	}
	*ret = list;
	return 0;
}

void agent_list_done(struct agent_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->at[i].blob);
		free(list->at[i].comment);
	}
	free(list->at);
	*list = (struct agent_list){0};
}
