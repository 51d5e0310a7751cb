/* What a gateway is asked to run: the job as it came, with the targets of its part. */
#include <stdlib.h>

#include "alloc.h"
#include "frame.h"
#include "link_private.h"
#include "message.h"
#include "relay.h"

static int relay_put_frame(struct buf *out, size_t begin, enum message_type type,
			   struct errmsg *msg)
{
	if (frame_end(out, begin, (uint8_t)type, 0, 0) == 0)
		return 0;
	return err_set(msg, ERR_LIMIT, "the job is too long to be passed on");
}

/* Files, keys and sockets of this computer mean nothing there, and what runs there ends with the
 * connection. Everything else is as our client wants it. */
static int relay_put_open(struct buf *out, const struct run *run, const char *gateway,
			  struct errmsg *msg)
{
	struct job_open_msg open = *run_open(run);
	size_t begin = frame_begin(out);
	char *topology = NULL, nowhere[] = "/"; /* the files come to here */

	open.ssh_config = open.agent_socket = open.home = open.path = NULL;
	open.options = NULL;
	open.option_count = 0;
	open.background = open.detached = false;
	open.durable = JOB_DURABLE_NEVER;
	open.routes = NULL;
	open.route_count = 0;
	open.stdin_follows = run_feed(run) != NULL;
	/* What is held back is held back here, and begins there when it may. */
	open.batch = open.pause_ms = open.failures = open.canary = open.until_reachable_ms = 0;
	open.batch_percent = open.failures_percent = open.fail_fast = false;
	if (open.copy_flags & JOB_COPY_PULL)
		open.copy_to = nowhere;
	open.hops++;
	open.whole = run_whole(run);
	/* The last one of these counts: what the topology calls the gateway may not be its name. */
	if (open.topology)
		topology = open.topology =
			xasprintf("%s\n[here]\nname: %s\n", open.topology, gateway);
	job_open_put(out, &open);
	free(topology);
	return relay_put_frame(out, begin, MSG_JOB_OPEN, msg);
}

static int relay_put_targets(struct buf *out, const struct run *run,
			     struct relay_member *const *members, size_t count, struct errmsg *msg)
{
	struct job_target targets[CONTROL_TARGETS_BATCH];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count;) {
		struct job_targets_msg m = {.targets = targets};
		size_t begin = frame_begin(out);

		for (; m.count < CONTROL_TARGETS_BATCH && i < count; i++) {
			const struct child *child = members[i]->link->child;
			const struct plan_host *h =
				relays_host(members[i]->relays, child_index(child));

			targets[m.count++] = (struct job_target){.host = h->host,
								 .hostname = h->hostname,
								 .user = h->user,
								 .port = h->port,
								 .rank = run_rank(run, child) + 1};
		}
		job_targets_put(out, &m);
		rc = relay_put_frame(out, begin, MSG_JOB_TARGETS, msg);
	}
	return rc;
}

int relay_request_put(struct buf *out, const struct run *run, const char *gateway,
		      struct relay_member *const *members, size_t count, struct errmsg *msg)
{
	int rc = relay_put_open(out, run, gateway, msg);

	return rc ? rc : relay_put_targets(out, run, members, count, msg);
}

void relay_secret_put(struct buf *out, const char *password, const char *login)
{
	struct job_secret_msg m = {.password = (char *)(uintptr_t)password, /* only read */
				   .login = (char *)(uintptr_t)login};
	size_t begin;

	(void)buf_room(out, 3 * CONTROL_PASSWORD_MAX); /* must not move: no copies */
	begin = frame_begin(out);
	job_secret_put(out, &m);
	(void)frame_end(out, begin, MSG_JOB_SECRET, 0, 0); /* so short a one fits */
}
