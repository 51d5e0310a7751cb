#include "job_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent_msg.h"
#include "alloc.h"
#include "duration.h"
#include "fd.h"
#include "limits.h"
#include "secret.h"

#define JOB_NICE_LOW  20
#define JOB_NICE_HIGH 19

struct job_word {
	const char *name;
	uint64_t value;
};

static const struct job_word job_agents[] = {
	{"auto", JOB_AGENT_AUTO},
	{"always", JOB_AGENT_ALWAYS},
	{"never", JOB_AGENT_NEVER},
	{"subsystem", JOB_AGENT_SUBSYSTEM},
};
static const struct job_word job_methods[] = {
	{"sudo", JOB_SUDO},
	{"su", JOB_SU},
	{"doas", JOB_DOAS},
};

static int job_word(uint64_t *ret, const struct job_word *rows, size_t count, const char *text,
		    const char *option, const char *names, struct errmsg *msg)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].name, text) == 0) {
			*ret = rows[i].value;
			return 0;
		}
	return err_set(msg, ERR_SYNTAX, "%s: '%s' is none of %s", option, text, names);
}

int job_agent_find(uint64_t *ret, const char *text, const char *what, struct errmsg *msg)
{
	return job_word(ret, job_agents, ARRAY_LEN(job_agents), text, what,
			"auto, always, never, subsystem", msg);
}

/* --- the environment ------------------------------------------------------------------------- */

/* The length of the name in front of '='; 0: it is none that a shell takes. */
static size_t job_env_name(const char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
				      "0123456789";
	size_t n = strspn(text, letters);

	return (*text >= '0' && *text <= '9') || text[n] != '=' ? 0 : n;
}

static int job_env(struct job_open_msg *open, const struct option_texts *env, struct errmsg *msg)
{
	static const char ours[] = "MUSTER_";
	size_t bytes = 0;

	for (size_t i = 0; i < env->count; i++) {
		if (!job_env_name(env->at[i]))
			return err_set(msg, ERR_SYNTAX,
				       "--env: '%s' is not NAME=VALUE with a name of letters, "
				       "digits and '_'",
				       env->at[i]);
		if (strncmp(env->at[i], ours, sizeof ours - 1) == 0)
			return err_set(msg, ERR_SYNTAX, "--env: %.*s: names with %s are muster's",
				       (int)job_env_name(env->at[i]), env->at[i], ours);
		bytes += strlen(env->at[i]) + 1;
	}
	if (env->count > LIMIT_ENV)
		return err_set(msg, ERR_LIMIT, "--env: more than %u variables", LIMIT_ENV);
	if (bytes > LIMIT_COMMAND)
		return err_set(msg, ERR_LIMIT, "--env: more than %u KiB in all",
			       LIMIT_COMMAND >> 10);
	open->env = (char **)(uintptr_t)env->at; /* only read */
	open->env_count = env->count;
	return 0;
}

static int job_nice(struct job_open_msg *open, const char *text, struct errmsg *msg)
{
	bool below = text && *text == '-';
	uint64_t n = 0;

	if (!text)
		return 0;
	if (count_parse(&n, text + below, 0, below ? JOB_NICE_LOW : JOB_NICE_HIGH, "", NULL) != 0)
		return err_set(msg, ERR_RANGE, "--nice: '%s' is no number from -%d to %d", text,
			       JOB_NICE_LOW, JOB_NICE_HIGH);
	open->nice = below ? -(int64_t)n : (int64_t)n;
	return 0;
}

/* --- scripts --------------------------------------------------------------------------------- */

static int job_script(struct job_open_msg *open, struct job_made *made, const struct job_values *v,
		      int argc, char **argv, struct errmsg *msg)
{
	const char *slash;
	int rc;

	if (!v->file)
		return v->arguments.count
			       ? err_set(msg, ERR_SYNTAX, "--argument-list goes with --file-path")
			       : 0;
	rc = fd_read_file(&made->script, v->file, LIMIT_SCRIPT);
	if (rc == ERR_SYS)
		return err_set(msg, rc, "--file-path: %s: %s", v->file, strerror(errno));
	if (rc)
		return err_set(msg, rc,
			       "--file-path: %s: longer than %u KiB; copy it to the hosts instead",
			       v->file, LIMIT_SCRIPT >> 10);
	if (!made->script.len)
		return err_set(msg, ERR_SYNTAX, "--file-path: %s is empty", v->file);
	made->words = xcalloc(v->arguments.count + (size_t)argc + 1, sizeof(char *));
	for (size_t i = 0; i < v->arguments.count; i++)
		made->words[open->argc++] = v->arguments.at[i];
	for (int i = 0; i < argc; i++)
		made->words[open->argc++] = argv[i];
	slash = strrchr(v->file, '/');
	open->argv = (char **)(uintptr_t)made->words;
	open->script = made->script.data;
	open->script_len = made->script.len;
	open->script_name = (char *)(uintptr_t)(slash ? slash + 1 : v->file);
	return 0;
}

/* --- parsing --------------------------------------------------------------------------------- */

static int job_parse_argument(uint64_t kind, const char *argument, struct errmsg *msg)
{
	if (kind == PARSE_REGEX && (!argument || !*argument))
		return err_set(msg, ERR_SYNTAX, "--parse regex needs a pattern: regex:PATTERN");
	if (!argument || kind == PARSE_REGEX)
		return argument && strlen(argument) > LIMIT_PATTERN
			       ? err_set(msg, ERR_LIMIT,
					 "--parse regex: a pattern of more than %u bytes",
					 LIMIT_PATTERN)
			       : 0;
	if (kind != PARSE_CSV && kind != PARSE_TSV)
		return err_set(msg, ERR_SYNTAX, "--parse %s takes nothing behind a ':'",
			       agent_parse_name(kind));
	if (strlen(argument) != 1 || strchr("\"\r\n", *argument))
		return err_set(msg, ERR_SYNTAX,
			       "--parse %s: '%s' is no delimiter: one ASCII character, no quote",
			       agent_parse_name(kind), argument);
	return 0;
}

/* "KIND" or "KIND:ARGUMENT". */
static int job_parse(struct job_open_msg *open, const char *text, struct errmsg *msg)
{
	const char *colon = text ? strchr(text, ':') : NULL;
	char *name;
	int rc;

	if (!text)
		return 0;
	name = xstrndup(text, colon ? (size_t)(colon - text) : strlen(text));
	rc = agent_parse_find(name, &open->parse, msg);
	free(name);
	if (rc == 0)
		rc = job_parse_argument(open->parse, colon ? colon + 1 : NULL, msg);
	if (rc == 0 && colon)
		open->parse_argument = (char *)(uintptr_t)(colon + 1);
	return rc;
}

/* --- another user ---------------------------------------------------------------------------- */

static int job_become(struct job_open_msg *open, const struct job_values *v, struct errmsg *msg)
{
	const char *method = v->become_method ? v->become_method : "sudo";
	const char *without = v->become_method		? "--become-method"
			      : v->become_password_file ? "--become-password-file"
			      : v->ask_become_pass	? "-K"
							: NULL;

	if (!v->become.given)
		return without ? err_set(msg, ERR_SYNTAX, "%s goes with --become", without) : 0;
	if (v->become_password_file && v->ask_become_pass)
		return err_set(msg, ERR_SYNTAX, "-K and --become-password-file: one of them");
	if (v->become.text && (!*v->become.text || *v->become.text == '-' ||
			       strlen(v->become.text) > CONTROL_USER_MAX))
		return err_set(msg, ERR_SYNTAX, "--become: '%s' is no user name", v->become.text);
	open->become_user = (char *)(uintptr_t)v->become.text;
	return job_word(&open->become, job_methods, ARRAY_LEN(job_methods), method,
			"--become-method", "sudo, su, doas", msg);
}

/* Without an agent nobody is there who could do these. */
static int job_needs_agent(const struct job_open_msg *open, struct errmsg *msg)
{
	const char *what = open->become			? "--become"
			   : open->parse != PARSE_LINES ? "--parse"
							: NULL;

	if (open->agent == JOB_AGENT_SUBSYSTEM && open->become)
		return err_set(msg, ERR_SYNTAX,
			       "--become: not with --agent subsystem, as that agent is started by "
			       "sshd, as who logs in");
	if (open->agent != JOB_AGENT_NEVER || !what)
		return 0;
	return err_set(msg, ERR_SYNTAX, "%s needs the agent: not with --agent never", what);
}

int job_options_fill(struct job_open_msg *open, struct job_made *made, const struct job_values *v,
		     int argc, char **argv, struct errmsg *msg)
{
	int rc = v->agent ? job_agent_find(&open->agent, v->agent, "--agent", msg) : 0;

	if (rc == 0)
		rc = job_env(open, &v->env, msg);
	if (rc == 0)
		rc = job_nice(open, v->nice, msg);
	if (rc == 0)
		rc = job_parse(open, v->parse, msg);
	if (rc == 0)
		rc = job_become(open, v, msg);
	if (rc == 0)
		rc = job_needs_agent(open, msg);
	if (rc == 0 && v->directory && (!*v->directory || strlen(v->directory) > LIMIT_OPTION_TEXT))
		rc = err_set(msg, ERR_SYNTAX,
			     "--working-directory: no name, or one that is too "
			     "long");
	if (rc == 0)
		rc = job_script(open, made, v, argc, argv, msg);
	if (rc)
		return rc;
	open->directory = (char *)(uintptr_t)v->directory;
	open->stdin_follows = v->input != NULL;
	open->pty = v->pty;
	open->idle_timeout_ms = v->idle_timeout_ms;
	open->start_timeout_ms = v->start_timeout_ms;
	open->output_limit = v->output_limit;
	open->expand = !v->no_expand;
	return 0;
}

void job_made_done(struct job_made *made)
{
	buf_done(&made->script);
	free(made->words);
	*made = (struct job_made){0};
}

int job_options_password(char **ret, const struct job_values *v, struct errmsg *msg)
{
	const char *method = v->become_method ? v->become_method : "sudo";
	char *prompt;
	int rc = 0;

	*ret = NULL;
	if (!v->ask_become_pass && !v->become_password_file)
		return 0;
	secret_guard();
	prompt = xasprintf("Password for %s on the hosts: ", method);
	if (v->ask_become_pass)
		rc = secret_ask(ret, prompt, "--become-password-file", msg);
	else
		rc = secret_read(ret, v->become_password_file, "--become-password-file", prompt,
				 msg);
	free(prompt);
	return rc;
}

int job_options_stdin(bool *ret, const struct job_values *v, struct errmsg *msg)
{
	bool input = v->input && strcmp(v->input, "-") == 0;
	bool password = v->become_password_file && strcmp(v->become_password_file, "-") == 0;

	if (input && password)
		return err_set(msg, ERR_SYNTAX,
			       "--stdin - and --become-password-file -: standard input can be "
			       "read once");
	*ret = input || password;
	return 0;
}
