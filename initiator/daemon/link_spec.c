/* How the agent's command of a child is to be followed. */
#include "link_private.h"
#include "track.h"

/* Records that one child may have on their way: enough for a long path, little enough for many. */
#define LINK_CREDIT_MAX (8u << 20)
#define LINK_CREDIT_MIN (256u << 10)
/* From this computer nothing is long on its way. */
#define LINK_CREDIT_LOCAL (1u << 20)

/* A quarter of what all results may take, in equal parts for those that run at once. */
static uint64_t link_credit(struct link *link)
{
	const struct job_counts *counts = job_counts(child_job(link->child));
	uint64_t credit =
		run_daemon(link->run)->budget.limit / 4 / (counts->started ? counts->started : 1);

	if (run_open(link->run)->local && credit > LINK_CREDIT_LOCAL)
		return LINK_CREDIT_LOCAL;
	if (credit > LINK_CREDIT_MAX)
		return LINK_CREDIT_MAX;
	return credit < LINK_CREDIT_MIN ? LINK_CREDIT_MIN : credit;
}

/* A background job outlives us where it can; so does what was asked to. */
bool link_wants_durable(const struct job_open_msg *open)
{
	if (open->durable != JOB_DURABLE_AUTO)
		return open->durable == JOB_DURABLE_ALWAYS;
	return open->background && !open->builtin;
}

void link_track_spec(struct link *link, struct track_spec *ret)
{
	const struct job_open_msg *open = run_open(link->run);
	struct daemon *daemon = run_daemon(link->run);
	struct link_past *past = link->past;

	*ret = (struct track_spec){.instance = link->live->run_id,
				   .durable = link_wants_durable(open),
				   .must = open->durable == JOB_DURABLE_ALWAYS,
				   .detached = open->detached,
				   .window = link_credit(link),
				   .start_timeout_ms = open->start_timeout_ms,
				   .run_timeout_ms = open->run_timeout_ms,
				   .grace_ms = open->stop_grace_ms,
				   .reconnect_timeout_ms =
					   open->reconnect_timeout_ms
						   ? open->reconnect_timeout_ms
						   : daemon->options.reconnect_timeout_ms,
				   .reconnect_delay_ms = daemon->options.reconnect_delay_ms,
				   .feed = run_feed(link->run)};

	if (past) {
		ret->begun = past->begun;
		ret->asked = past->asked;
		ret->attach_only = past->attach_only;
		ret->last_seq = past->last_seq;
		ret->schema_ids = past->schema_ids;
		ret->schema_count = past->schema_count;
		past->schema_ids = NULL;
	}
}
