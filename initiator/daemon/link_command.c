/* What a child runs: the job's command with what belongs to this one host. */
#include <stdlib.h>
#include <string.h>

#include "agent_msg.h"
#include "algorithms.h"
#include "alloc.h"
#include "boot.h"
#include "command.h"
#include "limits.h"
#include "link_private.h"

/* Words that may come before or around those of the command. */
#define LINK_EXTRA_WORDS 16u
#define LINK_OWN_STRINGS 8u

/* What is exported when a shell ends, and where it is, for the next one of the session; and an x if
 * that was all (docs/protocol.md, 12.18). In the same line, so that others keep their numbers. */
#define LINK_SESSION                                                                     \
	"trap '{ MUSTER_PWD=$(pwd -P) command -p cat /proc/self/environ && printf x; } " \
	"2>/dev/null >&4' 0; "

static char *link_own(struct link_command *c, char *text)
{
	c->owned[c->owned_count++] = text;
	return text;
}

static void link_word(struct link_command *c, const char *word)
{
	c->argv[c->argc++] = word;
}

/* %h is the host, %n its place among all, from 0; %%h and %%n are %h and %n. */
static char *link_expand(const char *word, const char *host, size_t index)
{
	struct buf out = {0};

	for (const char *p = word; *p; p++) {
		if (p[0] == '%' && p[1] == '%' && (p[2] == 'h' || p[2] == 'n')) {
			buf_addf(&out, "%%%c", p[2]);
			p += 2;
		} else if (p[0] == '%' && p[1] == 'h') {
			buf_add_str(&out, host);
			p++;
		} else if (p[0] == '%' && p[1] == 'n') {
			buf_addf(&out, "%zu", index);
			p++;
		} else {
			buf_add_char(&out, *p);
		}
	}
	return buf_take_str(&out);
}

/* The words of the job. A script text for a shell is no argument: a '%' in it stays. */
static void link_words(struct link_command *c, const struct job_open_msg *open, const char *host,
		       size_t index)
{
	for (size_t i = 0; i < open->argc; i++) {
		const char *word = open->argv[i];

		if (open->expand && strchr(word, '%'))
			word = link_own(c, link_expand(word, host, index));
		link_word(c, word);
	}
}

/*
 * sh for a script text; an initialization script and the command in one sh, so that what the first
 * sets holds for the second.
 */
static void link_shell_words(struct link_command *c, const struct job_open_msg *open, bool keeps)
{
	const char *init = open->init_script;

	if (!open->shell && !init)
		return;
	link_word(c, "sh");
	link_word(c, "-c");
	if (!init && keeps)
		link_word(c, link_own(c, xasprintf(LINK_SESSION "%s", open->argv[0])));
	else if (!init)
		link_word(c, open->argv[0]);
	else if (open->shell)
		link_word(c, link_own(c, xasprintf("%s\n%s", init, open->argv[0])));
	else
		link_word(c, link_own(c, xasprintf("%s\nexec \"$@\"", init)));
	link_word(c, "sh");
}

/* Without an agent: a directory and an environment are set by words of a shell and env. */
static void link_plain_words(struct link_command *c, const struct job_open_msg *open,
			     const char *host, size_t index, size_t count)
{
	if (open->directory) {
		link_word(c, "sh");
		link_word(c, "-c");
		link_word(c, "cd -- \"$0\" || exit 125; exec \"$@\"");
		link_word(c, open->directory);
	}
	link_word(c, "env");
	link_word(c, link_own(c, xasprintf("MUSTER_HOST=%s", host)));
	link_word(c, link_own(c, xasprintf("MUSTER_RANK=%zu", index)));
	link_word(c, link_own(c, xasprintf("MUSTER_COUNT=%zu", count)));
	for (size_t i = 0; i < open->env_count; i++)
		link_word(c, open->env[i]);
	/* A command that begins with NAME=value would be taken for a variable by env. */
	if (!open->shell && !open->init_script && open->argc && strchr(open->argv[0], '=')) {
		link_word(c, "sh");
		link_word(c, "-c");
		link_word(c, "exec \"$@\"");
		link_word(c, "sh");
	}
}

void link_command_make(struct link_command *ret, const struct job_open_msg *open, const char *host,
		       size_t index, size_t count, bool plain)
{
	*ret = (struct link_command){0};
	ret->argv = xcalloc(open->argc + open->env_count + LINK_EXTRA_WORDS, sizeof(char *));
	ret->owned = xcalloc(open->argc + LINK_OWN_STRINGS, sizeof(char *));
	if (plain)
		link_plain_words(ret, open, host, index, count);
	link_shell_words(ret, open, link_session_keeps(open) && !plain);
	if (!open->shell)
		link_words(ret, open, host, index);
	ret->argv[ret->argc] = NULL;
}

void link_command_done(struct link_command *command)
{
	for (size_t i = 0; i < command->owned_count; i++)
		free(command->owned[i]);
	free(command->owned);
	free(command->argv);
}

char **link_environment(const struct job_open_msg *open, const char *host, size_t index,
			size_t count, size_t *ret_count)
{
	char **env = xcalloc(open->env_count + LINK_OWN_STRINGS, sizeof(char *));
	size_t n = 0;

	if (open->local && open->home)
		env[n++] = xasprintf("HOME=%s", open->home);
	if (open->local && open->path)
		env[n++] = xasprintf("PATH=%s", open->path);
	env[n++] = xasprintf("MUSTER_HOST=%s", host);
	env[n++] = xasprintf("MUSTER_RANK=%zu", index);
	env[n++] = xasprintf("MUSTER_COUNT=%zu", count);
	for (size_t i = 0; i < open->env_count; i++)
		env[n++] = xstrdup(open->env[i]);
	*ret_count = n;
	return env;
}

/* --- before there is a job ------------------------------------------------------------------ */

bool link_plain_can(const struct job_open_msg *open, const char **ret_what)
{
	const struct {
		bool asked;
		const char *what;
	} needs[] = {
		{open->parse != PARSE_LINES, "--parse"},
		{open->script != NULL, "--file-path"},
		{open->pty, "--pty"},
		{open->nice != 0, "--nice"},
		{open->idle_timeout_ms != 0, "--idle-timeout"},
		{open->output_limit != 0, "--max-output"},
		{open->become != JOB_AS_SELF, "--become"},
		{open->builtin == JOB_AGENT_PUSH, "agent push"},
		{open->builtin == JOB_COPY, "copy"},
	};

	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		if (!needs[i].asked)
			continue;
		*ret_what = needs[i].what;
		return false;
	}
	return true;
}

static size_t link_total(const char *const *words, size_t count)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += strlen(words[i]) + 1;
	return total;
}

static int link_check_words(const char *what, const char *const *words, size_t count, size_t max,
			    struct errmsg *msg)
{
	size_t total = link_total(words, count);

	if (count > max)
		return err_set(msg, ERR_RANGE,
			       "%s: %zu words with those that are added; at most %zu fit", what,
			       count, max);
	if (total > LIMIT_COMMAND)
		return err_set(msg, ERR_RANGE,
			       "%s: %zu bytes with what is added and filled in for a host; at most "
			       "%u fit: use --stdin, or a file",
			       what, total, LIMIT_COMMAND);
	return 0;
}

int link_check_host(const struct job_open_msg *open, const char *longest, size_t count,
		    struct errmsg *msg)
{
	struct link_command command;
	size_t env_count;
	char **env;
	int rc;

	if (open->builtin)
		return 0;
	if (open->whole > count)
		count = (size_t)open->whole;
	link_command_make(&command, open, longest, count - 1, count, false);
	env = link_environment(open, longest, count - 1, count, &env_count);
	rc = link_check_words("the command", command.argv, command.argc, LIMIT_ARGS, msg);
	if (rc == 0)
		rc = link_check_words("the environment", (const char *const *)env, env_count,
				      LIMIT_ENV, msg);
	for (size_t i = 0; i < env_count; i++)
		free(env[i]);
	free(env);
	link_command_done(&command);
	return rc;
}

/* Quoted, for plain exec. */
static int link_check_length(const struct job_open_msg *open, struct errmsg *msg)
{
	static const char id[] = "00000000-0000-4000-8000-000000000000";
	struct link_command command;
	struct buf text = {0};
	int rc;

	link_command_make(&command, open, "localhost", 0, 1, true);
	rc = command_exec(&text, id, command.argv, command.argc, msg);
	buf_done(&text);
	link_command_done(&command);
	/* Not the peer's fault against the protocol: the connection goes on. */
	return rc == ERR_LIMIT ? ERR_RANGE : rc;
}

static int link_check_become(const struct job_open_msg *open, struct errmsg *msg)
{
	struct boot_spec spec = {
		.nonce = "0123456789abcdef", .become = BOOT_SUDO, .become_user = open->become_user};
	char *text = NULL;
	int rc = open->become ? boot_command(&text, &spec, msg) : 0;

	free(text);
	return rc;
}

static int link_check_algorithms(const struct job_open_msg *open, struct errmsg *msg)
{
	int rc = algorithms_check(ALGORITHM_KEX, open->kex, "--kex-algorithms", msg);

	if (rc == 0)
		rc = algorithms_check(ALGORITHM_CIPHER, open->ciphers, "--ciphers", msg);
	if (rc == 0)
		rc = algorithms_check(ALGORITHM_MAC, open->macs, "--macs", msg);
	return rc;
}

int link_check(const struct job_open_msg *open, struct errmsg *msg)
{
	const char *what = NULL;

	if (!open->builtin && !open->script && (!open->argc || (open->shell && open->argc != 1)))
		return err_set(msg, ERR_SYNTAX, "there is no command to run");
	if (!open->local && open->agent == JOB_AGENT_NEVER && !link_plain_can(open, &what))
		return err_set(msg, ERR_SYNTAX, "%s needs the agent, and --agent never forbids it",
			       what);
	if (open->local && open->become)
		return err_set(msg, ERR_SYNTAX,
			       "a local job becomes no other user: start it with sudo");
	if (open->become && open->agent == JOB_AGENT_SUBSYSTEM)
		return err_set(
			msg, ERR_SYNTAX,
			"the subsystem's agent runs as who logs in, and becomes nobody else");
	if (open->become && link_check_become(open, msg) != 0)
		return ERR_SYNTAX;
	if (link_check_algorithms(open, msg) != 0)
		return ERR_SYNTAX;
	return open->argc && !open->script ? link_check_length(open, msg) : 0;
}

void link_task_open(struct link *link, struct buf *body, const struct task_open_msg *own)
{
	static const char *const push[] = {"true", NULL};
	const struct job_open_msg *open = run_open(link->run);
	const char *host = child_location(link->child);
	size_t index = run_rank(link->run, link->child), count = run_whole(link->run);
	struct link_command command;
	struct task_open_msg m = {.task = own->task,
				  .credit = own->credit,
				  .stdin_follows = own->stdin_follows,
				  .durable = own->durable,
				  .epoch = own->epoch,
				  .spool_limit = open->spool_limit,
				  .spool_drop = open->spool_drop,
				  .instance = link->live->run_id,
				  .directory = open->directory || !open->local ? open->directory
									       : open->home,
				  .script = open->script,
				  .script_len = open->script_len,
				  .script_name = open->script_name,
				  .pty = open->pty,
				  .nice = open->nice,
				  .parse = open->parse,
				  .parse_argument = open->parse_argument,
				  .run_timeout_ms = open->run_timeout_ms,
				  .idle_timeout_ms = open->idle_timeout_ms,
				  .grace_ms = open->stop_grace_ms,
				  .output_limit = open->output_limit};

	link_command_make(&command, open, host, index, count, false);
	m.argv = (char **)(uintptr_t)command.argv;
	m.argc = command.argc;
	if (open->builtin == JOB_AGENT_PUSH) {
		m.argv = (char **)(uintptr_t)push;
		m.argc = 1;
	}
	m.env = link_environment(open, host, index, count, &m.env_count);
	link_session_open(link, &m);
	task_open_put(body, &m);
	for (size_t i = 0; i < m.env_count; i++)
		free(m.env[i]);
	free(m.env);
	link_command_done(&command);
}
