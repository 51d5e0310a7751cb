#include "connect.h"

#include <string.h>

#include "duration.h"
#include "limits.h"

const char *connect_given(const struct connect_values *v)
{
	return v->retries   ? "--retries"
	       : v->kex	    ? "--kex-algorithms"
	       : v->ciphers ? "--ciphers"
	       : v->macs    ? "--macs"
			    : NULL;
}

/* What stands in it the daemon knows, which has libssh. */
static int connect_list(char **ret, const char *list, const char *otherwise, const char *what,
			struct errmsg *msg)
{
	if (list && !*list)
		return err_set(msg, ERR_SYNTAX, "%s: an empty list", what);
	if (list && strlen(list) > LIMIT_OPTION_TEXT)
		return err_set(msg, ERR_LIMIT, "%s: more than %u bytes", what, LIMIT_OPTION_TEXT);
	*ret = (char *)(uintptr_t)(list ? list : otherwise); /* only read */
	return 0;
}

int connect_fill(struct job_open_msg *open, const struct connect_values *v,
		 const struct config *config, struct errmsg *msg)
{
	static const struct connect_values none;
	uint64_t retries = config_get(config, CONFIG_RETRIES, 0);
	bool given = config->keys[CONFIG_RETRIES].given;
	int rc = 0;

	v = v ? v : &none;
	if (v->retries) {
		rc = count_parse(&retries, v->retries, 0, LIMIT_RETRIES, "--retries", msg);
		given = true;
	}
	if (rc == 0)
		rc = connect_list(&open->kex, v->kex, config_text(config, CONFIG_KEX_ALGORITHMS),
				  "--kex-algorithms", msg);
	if (rc == 0)
		rc = connect_list(&open->ciphers, v->ciphers, config_text(config, CONFIG_CIPHERS),
				  "--ciphers", msg);
	if (rc == 0)
		rc = connect_list(&open->macs, v->macs, config_text(config, CONFIG_MACS), "--macs",
				  msg);
	if (rc == 0)
		open->retries = given ? 1 + retries : 0;
	return rc;
}
