#include "rollout.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "duration.h"
#include "limits.h"

/* "N", from min, or "N%", from min to 100. */
static int rollout_number(uint64_t *ret, bool *ret_percent, const char *text, uint64_t min,
			  const char *option, struct errmsg *msg)
{
	size_t len = strlen(text);
	bool percent = len && text[len - 1] == '%';
	char *number = xstrndup(text, percent ? len - 1 : len);
	struct errmsg why;
	int rc = count_parse(ret, number, min, percent ? 100 : LIMIT_HOSTS, option, &why);

	free(number);
	*ret_percent = percent;
	if (rc == 0)
		return 0;
	return err_set(msg, rc,
		       "%s: '%.40s' is no number of hosts from %" PRIu64
		       " to %u, nor one from %" PRIu64 "%% to 100%%",
		       option, text, min, LIMIT_HOSTS, min);
}

int rollout_fill(struct job_open_msg *open, const struct rollout_values *v, bool session,
		 struct errmsg *msg)
{
	uint64_t failures = 0;
	int rc = 0;

	if (v->batch)
		rc = rollout_number(&open->batch, &open->batch_percent, v->batch, 1, "--batch",
				    msg);
	if (rc == 0 && v->failures)
		rc = rollout_number(&failures, &open->failures_percent, v->failures, 0,
				    "--max-failures", msg);
	if (rc == 0 && v->pause_ms && !v->batch && !v->canary)
		rc = err_set(msg, ERR_SYNTAX,
			     "--pause: nothing to pause between; add --batch or --canary");
	if (rc == 0 && v->canary > LIMIT_HOSTS)
		rc = err_set(msg, ERR_RANGE, "--canary: %" PRIu64 " is more than %u hosts",
			     v->canary, LIMIT_HOSTS);
	if (rc == 0 && v->reachable_ms && session)
		rc = err_set(msg, ERR_SYNTAX,
			     "--until-reachable and --session: a session has its connections "
			     "already; use 'muster session connect', or -H");
	if (rc)
		return rc;
	open->pause_ms = v->pause_ms;
	open->failures = v->failures ? failures + 1 : 0;
	open->fail_fast = v->fail_fast;
	open->canary = v->canary;
	open->until_reachable_ms = v->reachable_ms;
	return 0;
}

static void rollout_stages(struct buf *text, const struct job_open_msg *open, size_t count)
{
	size_t canary = open->canary < count ? (size_t)open->canary : count;
	size_t size = open->batch_percent ? (size_t)((count * open->batch + 99) / 100)
					  : (size_t)open->batch;
	size_t rest = count - canary, batches;

	if (!size || size > rest)
		size = rest;
	batches = rest ? rest / size + (rest % size != 0) : 0;
	buf_add_str(text, "batches   ");
	if (canary)
		buf_addf(text, "%zu as a canary%s", canary, batches ? ", then " : "");
	if (batches)
		buf_addf(text, "%zu of %zu", batches, size);
	if (open->pause_ms)
		buf_addf(text, ", with %" PRIu64 ".%03" PRIu64 " s between them",
			 open->pause_ms / 1000, open->pause_ms % 1000);
	buf_add_char(text, '\n');
}

void rollout_describe(struct buf *text, const struct job_open_msg *open, size_t count)
{
	if (open->batch || open->canary)
		rollout_stages(text, open, count);
	if (open->failures || open->fail_fast)
		buf_addf(text, "failures  with more than %" PRIu64 "%s no other begins%s\n",
			 open->failures ? open->failures - 1 : 0, open->failures_percent ? "%" : "",
			 open->fail_fast ? ", and all that run are stopped" : "");
	if (open->until_reachable_ms)
		buf_addf(text,
			 "patience  %" PRIu64 ".%03" PRIu64
			 " s for a host that cannot be reached\n",
			 open->until_reachable_ms / 1000, open->until_reachable_ms % 1000);
}
