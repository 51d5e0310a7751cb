#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"
#include "supervisor_private.h"
#include "tree.h"

int supervisor_start(struct supervisor *ret, const struct spawn *spawn, uint64_t grace_ms,
		     struct errmsg *msg)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(msg, ERR_SYS, "cannot talk with a supervisor: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		supervisor_main(pair[1], spawn, grace_ms);
	fd_close(&pair[1]);
	if (pid < 0) {
		(void)err_set(msg, ERR_SYS, "cannot start a process: %s", strerror(errno));
		fd_close(&pair[0]);
		return ERR_SYS;
	}
	(void)fd_nonblock(pair[0]);
	*ret = (struct supervisor){.pid = pid, .fd = pair[0]};
	return 0;
}

/* One that cannot be written has died, which its end of the socket says too. */
void supervisor_order(const struct supervisor *s, enum supervisor_order order)
{
	uint8_t byte = (uint8_t)order;

	while (s->fd >= 0 && send(s->fd, &byte, 1, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

int supervisor_read(const struct supervisor *s, struct supervisor_report *ret)
{
	struct supervisor_report report;
	ssize_t n;

	do
		n = recv(s->fd, &report, sizeof report, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n != (ssize_t)sizeof report)
		return ERR_CLOSED;
	*ret = report;
	return 1;
}

void supervisor_bury(struct supervisor *s, const char *instance)
{
	char *mark = xasprintf("MUSTER_RUN=%s", instance);

	fd_close(&s->fd);
	/* Its children become ours before it can be waited for. */
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	tree_kill_marked(mark, tree_walk);
	free(mark);
	s->pid = 0;
}

void supervisor_done(struct supervisor *s)
{
	fd_close(&s->fd);
	s->pid = 0;
}
