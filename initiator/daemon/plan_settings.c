#include "plan_settings.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "limits.h"

_Static_assert((int)PLAN_HOST_KEY_CONFIG == (int)JOB_HOST_KEY_CONFIG &&
		       (int)PLAN_HOST_KEY_STRICT == (int)JOB_HOST_KEY_STRICT &&
		       (int)PLAN_HOST_KEY_NEW == (int)JOB_HOST_KEY_NEW,
	       "the same numbers");
_Static_assert((int)PLAN_BY_ANY == (int)JOB_BY_ANY && (int)PLAN_BY_LIBSSH == (int)JOB_BY_LIBSSH &&
		       (int)PLAN_BY_OPENSSH == (int)JOB_BY_OPENSSH,
	       "the same numbers");

static void settings_set(char **field, const char *text)
{
	free(*field);
	*field = text ? xstrdup(text) : NULL;
}

void plan_settings_take(struct plan_request *request, const struct job_open_msg *open)
{
	settings_set(&request->config_path, open->ssh_config);
	settings_set(&request->agent_socket, open->agent_socket);
	settings_set(&request->home, open->home ? open->home : "/");
	for (size_t i = 0; i < request->option_count; i++)
		free(request->options[i]);
	free(request->options);
	request->options = open->option_count ? xcalloc(open->option_count, sizeof(char *)) : NULL;
	request->option_count = open->option_count;
	for (size_t i = 0; i < open->option_count; i++)
		request->options[i] = xstrdup(open->options[i]);
	request->host_key = (unsigned)open->host_key;
	request->transport = (unsigned)open->transport;
}

uint64_t plan_settings_retries(const struct job_open_msg *open, const struct plan_target *target)
{
	if (open->retries || !target || target->attempts <= 1)
		return open->retries;
	return target->attempts <= LIMIT_RETRIES ? target->attempts : LIMIT_RETRIES + 1;
}
