/* What a connection and its bastion share: the only thing that two threads look at. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "alloc.h"
#include "bastion_private.h"
#include "fd.h"

struct bastion_tie *bastion_ask(struct bastions *bastions, const struct plan_target *target,
				struct secret_login *login, uint64_t connect_timeout_ms,
				int *ret_fd)
{
	struct bastion_tie *tie;
	struct bastion_ask *ask;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return NULL;
	tie = xcalloc(1, sizeof *tie);
	atomic_init(&tie->holds, 2);
	ask = xcalloc(1, sizeof *ask);
	ask->bastions = bastions;
	ask->tie = tie;
	ask->fd = fds[0];
	ask->target = target;
	ask->plan = target->plan;
	ask->login = secret_login_hold(login);
	ask->connect_timeout_ms = connect_timeout_ms;
	plan_hold(ask->plan);
	*ret_fd = fds[1];
	loop_post(bastions_loop(bastions), bastions_on_ask, ask);
	return tie;
}

void bastion_tie_free(struct bastion_tie *tie)
{
	if (tie && atomic_fetch_sub(&tie->holds, 1) == 1)
		free(tie);
}

bool bastion_tie_end(struct bastion_tie *tie, struct conn_result *ret)
{
	if (!tie || !atomic_load(&tie->is_over))
		return false;
	*ret = tie->result;
	return true;
}

void bastion_tie_break(struct bastion_tie *tie, const struct conn_result *result)
{
	if (atomic_load(&tie->is_over))
		return;
	tie->result = *result;
	atomic_store(&tie->is_over, true);
}

void bastion_ask_free(struct bastion_ask *ask)
{
	fd_close(&ask->fd);
	bastion_tie_free(ask->tie);
	plan_free(ask->plan);
	secret_login_drop(ask->login);
	free(ask);
}

void bastion_ask_fail(struct bastion_ask *ask, const struct conn_result *result)
{
	/* The end of file must not overtake its reason. */
	bastion_tie_break(ask->tie, result);
	bastion_ask_free(ask);
}

/* As it reads behind the host and the cause: "h1 unreachable: bastion gw: connection refused". */
void bastion_name_result(const struct plan_target *bastion, struct conn_result *result)
{
	char text[sizeof result->text];

	/* Of several bastions the one that has failed is named already. */
	if (strncmp(result->text, "bastion ", strlen("bastion ")) == 0)
		return;
	memcpy(text, result->text, sizeof text);
	(void)snprintf(result->text, sizeof result->text, "bastion %.60s%s%.130s", bastion->host,
		       text[0] ? ": " : "", text);
}
