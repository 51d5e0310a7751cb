/* What wait, stop, remove, suspend, resume and set do to a job or child. */
#include <stdio.h>

#include "clock.h"
#include "daemon_private.h"
#include "doing_private.h"
#include "registry.h"
#include "reply.h"

enum job_state doing_state(const struct doing_item *item)
{
	return item->at.child ? child_state(item->at.child) : job_state(item->at.job);
}

uint64_t doing_id(const struct doing_item *item)
{
	return item->at.child ? child_id(item->at.child) : job_id(item->at.job);
}

struct run *doing_run(const struct doing *doing, const struct doing_item *item)
{
	return registry_find(client_daemon(doing->client)->registry, item->job_id);
}

static void doing_refuse(struct doing *doing, struct doing_item *item, const char *text)
{
	item->refused = true;
	reply_problem(doing->client, 2, text);
}

static void doing_remove_check(struct doing *doing, struct doing_item *item)
{
	unsigned long long id = doing_id(item), job = job_id(item->at.job);
	char text[160];

	if (item->at.child) {
		(void)snprintf(text, sizeof text,
			       "job %llu is a child of job %llu: only that can be removed, with "
			       "all its children",
			       id, job);
		doing_refuse(doing, item, text);
	} else if (!job_state_is_finished(doing_state(item)) && !doing->m.force) {
		(void)snprintf(text, sizeof text,
			       "job %llu is not finished (%s): --force stops it first", id,
			       job_state_name(doing_state(item)));
		doing_refuse(doing, item, text);
	} else if (!job_state_is_finished(doing_state(item))) {
		job_stop(item->at.job, clock_wall_ns());
	}
}

static void doing_stop_item(const struct doing_item *item)
{
	if (item->at.child)
		child_stop(item->at.child, clock_wall_ns());
	else if (!job_state_is_finished(doing_state(item)))
		job_stop(item->at.job, clock_wall_ns());
}

static void doing_suspend_item(struct doing *doing, struct doing_item *item, bool suspend)
{
	struct errmsg msg = {{0}};
	uint64_t now = clock_wall_ns();
	int rc;

	if (item->at.child)
		rc = suspend ? child_suspend(item->at.child, now, &msg)
			     : child_resume(item->at.child, now, &msg);
	else
		rc = suspend ? job_suspend(item->at.job, now, &msg)
			     : job_resume(item->at.job, now, &msg);
	if (rc)
		doing_refuse(doing, item, msg.text);
}

static void doing_set_item(struct doing *doing, struct doing_item *item)
{
	unsigned long long id = doing_id(item), job = job_id(item->at.job);
	struct run *run = doing_run(doing, item);
	char text[160];

	if (item->at.child) {
		(void)snprintf(text, sizeof text,
			       "job %llu is a child of job %llu: only that has a throttle limit",
			       id, job);
		doing_refuse(doing, item, text);
	} else if (job_state_is_finished(doing_state(item))) {
		(void)snprintf(text, sizeof text,
			       "job %llu has ended (%s): nothing of it is left to be set", id,
			       job_state_name(doing_state(item)));
		doing_refuse(doing, item, text);
	} else {
		doing->kept = doing->kept || run_store(run);
		run_set_throttle(run, doing->m.throttle);
	}
}

/* Who was told that it is so finds it so, whatever becomes of this daemon. */
static void doing_keep_wish(struct doing *doing, const struct doing_item *item)
{
	doing->kept = doing->kept || (!item->refused && run_store(doing_run(doing, item)));
}

void doing_act(struct doing *doing, struct doing_item *item)
{
	switch ((enum do_verb)doing->m.verb) {
	case DO_STOP:
		doing_stop_item(item);
		doing_keep_wish(doing, item);
		break;
	case DO_REMOVE:
		doing_remove_check(doing, item);
		break;
	case DO_SUSPEND:
		doing_suspend_item(doing, item, true);
		doing_keep_wish(doing, item);
		break;
	case DO_RESUME:
		doing_suspend_item(doing, item, false);
		doing_keep_wish(doing, item);
		break;
	case DO_WAIT:
		run_wake(doing_run(doing, item));
		break;
	case DO_SET:
		doing_set_item(doing, item);
		break;
	case DO_VERB_COUNT:
		break;
	}
}
