#include "env.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"

#define ENV_EXTRA 16 /* beyond those of the task */

/* The agent has the environment of a login by ssh, and so has the command. What a login can lack:
 */
static const char *const env_defaults[] = {
	"HOME=/",
	"SHELL=/bin/sh",
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
};

/* Of the shell that has started the agent. */
static const char *const env_dropped[] = {"_", "OLDPWD", "PWD", "SHLVL"};

static bool env_is(const char *entry, const char *name, size_t len)
{
	return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

/* Later ones win. Takes entry over. */
static void env_set(char **env, char *entry)
{
	size_t len = strcspn(entry, "="), i = 0;

	while (env[i] && !env_is(env[i], entry, len))
		i++;
	free(env[i]);
	env[i] = entry;
}

const char *env_find(char *const *env, const char *name)
{
	size_t len = strlen(name);

	for (; *env; env++)
		if (env_is(*env, name, len))
			return *env + len + 1;
	return NULL;
}

static bool env_is_dropped(const char *entry)
{
	for (size_t i = 0; i < ARRAY_LEN(env_dropped); i++)
		if (env_is(entry, env_dropped[i], strlen(env_dropped[i])))
			return true;
	return false;
}

bool env_is_left(const char *entry, char *const *login)
{
	static const char ours[] = "MUSTER_";

	if (*entry == '=' || !strchr(entry, '=') || env_is_dropped(entry) ||
	    strncmp(entry, ours, sizeof ours - 1) == 0)
		return false;
	for (; *login; login++)
		if (strcmp(*login, entry) == 0)
			return false;
	return true;
}

char **env_new(const struct task_open_msg *open)
{
	char **env;
	size_t n = 0;

	while (environ[n])
		n++;
	env = xcalloc(n + open->env_count + ENV_EXTRA, sizeof *env);
	for (size_t i = 0; i < ARRAY_LEN(env_defaults); i++)
		env_set(env, xstrdup(env_defaults[i]));
	for (size_t i = 0; i < n; i++)
		if (strchr(environ[i], '=') && !env_is_dropped(environ[i]))
			env_set(env, xstrdup(environ[i]));
	if (open->pty)
		env_set(env, xstrdup("TERM=dumb"));
	env_set(env, xasprintf("MUSTER_RUN=%s", open->instance ? open->instance : ""));
	env_set(env, xasprintf("MUSTER_FD=%d", ENV_NOTES_FD));
	for (size_t i = 0; i < open->env_count; i++)
		env_set(env, xstrdup(open->env[i]));
	return env;
}

void env_free(char **env)
{
	for (char **e = env; e && *e; e++)
		free(*e);
	free(env);
}
