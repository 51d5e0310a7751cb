#include "durable.h"

#include <string.h>

int durable_full_find(uint64_t *ret, const char *text, const char *what, struct errmsg *msg)
{
	bool drop = strcmp(text, "drop") == 0;

	if (!drop && strcmp(text, "block") != 0)
		return err_set(msg, ERR_SYNTAX, "%s: '%s' is none of block, drop", what, text);
	*ret = drop;
	return 0;
}

uint64_t durable_reconnect_ms(uint64_t ms)
{
	return ms ? ms : 1;
}

/* What says something of durable runs alone; NULL: nothing does. */
static const char *durable_detail(const struct durable_values *v)
{
	return v->reconnect.given ? "--reconnect-timeout"
	       : v->spool_limit	  ? "--spool-limit"
	       : v->spool_full	  ? "--spool-full"
				  : NULL;
}

static int durable_check(const struct job_open_msg *open, const struct durable_values *v,
			 struct errmsg *msg)
{
	const char *detail = durable_detail(v);
	const char *wish = v->always	 ? "--durable"
			   : v->detached ? "--in-disconnected-session"
					 : NULL;

	if (v->never && wish)
		return err_set(msg, ERR_SYNTAX, "%s and --inline: one of them", wish);
	if (v->never && detail)
		return err_set(msg, ERR_SYNTAX, "%s is for durable runs: not with --inline",
			       detail);
	if (open->agent == JOB_AGENT_NEVER && (wish || detail))
		return err_set(msg, ERR_SYNTAX, "%s needs the agent: not with --agent never",
			       wish ? wish : detail);
	if (detail && !wish && !open->background)
		return err_set(msg, ERR_SYNTAX, "%s goes with --durable or --as-job", detail);
	return 0;
}

int durable_fill(struct job_open_msg *open, const struct durable_values *v,
		 const struct config *config, struct errmsg *msg)
{
	uint64_t drop = config_get(config, CONFIG_SPOOL_FULL, 0);
	int rc = durable_check(open, v, msg);

	if (rc == 0 && v->spool_full)
		rc = durable_full_find(&drop, v->spool_full, "--spool-full", msg);
	if (rc)
		return rc;
	if (v->always || v->detached)
		open->durable = JOB_DURABLE_ALWAYS;
	/* Whoever wants no agent has said that already: no warning for it on each host. */
	else if (v->never || open->agent == JOB_AGENT_NEVER)
		open->durable = JOB_DURABLE_NEVER;
	else
		open->durable = JOB_DURABLE_AUTO;
	if (v->reconnect.given)
		open->reconnect_timeout_ms = durable_reconnect_ms(v->reconnect.ms);
	else if (config->keys[CONFIG_RECONNECT_TIMEOUT].given)
		open->reconnect_timeout_ms =
			durable_reconnect_ms(config_get(config, CONFIG_RECONNECT_TIMEOUT, 0));
	open->spool_limit =
		v->spool_limit ? v->spool_limit : config_get(config, CONFIG_SPOOL_LIMIT, 0);
	open->spool_drop = drop != 0;
	open->detached = v->detached;
	return 0;
}
