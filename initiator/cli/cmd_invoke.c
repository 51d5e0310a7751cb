/* muster invoke: runs a command on hosts and shows what comes back. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd.h"
#include "exit.h"
#include "invoke.h"
#include "limits.h"
#include "submit_job.h"
#include "targets.h"

struct invoke_values {
	struct cmd_globals globals;
	struct option_texts hosts;
	struct option_texts exclude;
	uint64_t throttle;
	uint64_t timeout_ms;
	uint64_t connect_timeout_ms;
	uint64_t grace_ms;
	const char *shell;
	const char *job_name;
	bool as_job;
	bool ephemeral;
	bool allow_empty;
	bool no_labels;
	bool largest;
};

/* Seen here, as it would not fit into a message to the daemon. */
static bool invoke_is_too_long(const struct invoke_values *v, int argc, char **argv)
{
	size_t len = v->shell ? strlen(v->shell) : 0;

	for (int i = 0; i < argc; i++)
		len += strlen(argv[i]) + 1;
	return len > LIMIT_COMMAND;
}

static int invoke_check(const struct cmd *cmd, const struct invoke_values *v, int argc, char **argv)
{
	const char *format = v->globals.output;

	if (!v->hosts.count)
		return cmd_usage(cmd, "no hosts: -H EXPR");
	if (v->shell && argc)
		return cmd_usage(cmd,
				 "--shell has the command already; '--' and words are too much");
	if (!v->shell && !argc)
		return cmd_usage(cmd, "no command: -- COMMAND, or --shell TEXT");
	if ((size_t)argc > LIMIT_ARGS)
		return cmd_usage(cmd, "more than %u arguments", LIMIT_ARGS);
	if (invoke_is_too_long(v, argc, argv))
		return cmd_usage(cmd,
				 "the command is longer than %u KiB in all: copy a script to the "
				 "hosts and run that",
				 LIMIT_COMMAND >> 10);
	if (format && !format_find(format))
		return cmd_usage(cmd, "--output: '%s' is none of " FORMAT_NAMES, format);
	if ((v->as_job || v->job_name) && (v->ephemeral || v->largest || v->no_labels))
		return cmd_usage(cmd, "%s is not for a job that is left to the daemon",
				 v->ephemeral ? "--ephemeral"
				 : v->largest ? "-S"
					      : "-N");
	return EXIT_OK;
}

/* As ssh -F: the file must be there, and the daemon has another working directory. */
static int invoke_ssh_config(const struct cmd *cmd, const char *given, char **ret)
{
	*ret = NULL;
	if (!given)
		return EXIT_OK;
	if (strcmp(given, "none") == 0)
		*ret = xstrdup(given);
	else
		*ret = realpath(given, NULL);
	return *ret ? EXIT_OK : cmd_usage(cmd, "-F: %s: no such file that can be read", given);
}

static int invoke_live(const struct cmd *cmd, const struct invoke_values *v,
		       const struct hostlist *hosts, const struct job_open_msg *open)
{
	struct invoke_options options = {
		.hosts = hosts,
		.open = open,
		.format = format_find(v->globals.output ? v->globals.output : "text"),
		.labels = !v->no_labels,
		.quiet = v->globals.quiet,
		.largest = v->largest,
		.ephemeral = v->ephemeral,
		.colour_out = cmd_colour(&v->globals, STDOUT_FILENO),
		.colour_err = cmd_colour(&v->globals, STDERR_FILENO),
	};
	struct errmsg msg;
	struct paths paths;
	int status;

	if (paths_find(&paths, cmd_daemon_name(&v->globals), &msg) != 0)
		return cmd_usage(cmd, "%s", msg.text);
	status = invoke_run(&options, &paths);
	paths_done(&paths);
	return status;
}

static int invoke_with_hosts(const struct cmd *cmd, const struct invoke_values *v,
			     const struct hostlist *hosts, int argc, char **argv)
{
	const struct config *config = v->globals.config;
	const char *shell[] = {v->shell, NULL};
	const char *const *words = v->shell ? shell : (const char *const *)argv;
	struct job_open_msg open = {
		.name = (char *)(uintptr_t)v->job_name,
		.argv = (char **)(uintptr_t)words,
		.argc = v->shell ? 1 : (size_t)argc,
		.shell = v->shell != NULL,
		.throttle =
			v->throttle ? v->throttle : config_get(config, CONFIG_THROTTLE_LIMIT, 0),
		.run_timeout_ms = v->timeout_ms,
		.connect_timeout_ms = v->connect_timeout_ms
					      ? v->connect_timeout_ms
					      : config_get(config, CONFIG_CONNECT_TIMEOUT, 0),
		.stop_grace_ms =
			v->grace_ms ? v->grace_ms : config_get(config, CONFIG_STOP_GRACE, 0),
		.background = v->as_job || v->job_name,
	};
	int status = invoke_ssh_config(cmd, v->globals.ssh_config, &open.ssh_config);

	if (status != EXIT_OK)
		return status;
	open.display = submit_display(words, open.argc, open.shell);
	status = open.background ? submit_job(cmd, &v->globals, &open, hosts)
				 : invoke_live(cmd, v, hosts, &open);
	free(open.display);
	free(open.ssh_config);
	return status;
}

static int invoke_cmd_run(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	struct invoke_values *v = arg;
	struct hostlist *hosts = NULL;
	struct errmsg msg;
	int status = invoke_check(cmd, v, argc, argv);

	if (status != EXIT_OK)
		goto out;
	if (targets_find(&hosts, &v->hosts, &v->exclude, v->allow_empty, &msg) != 0) {
		status = cmd_usage(cmd, "%s", msg.text);
		goto out;
	}
	if (hostlist_count(hosts))
		status = invoke_with_hosts(cmd, v, hosts, argc, argv);
out:
	hostlist_free(hosts);
	return status;
}

#define VALUE(field) offsetof(struct invoke_values, field)
static const struct option_row invoke_rows[] = {
	{"hosts", 'H', OPTION_TEXTS, VALUE(hosts), "EXPR",
	 "the hosts: web[01-40/2],root@db1:2222,^FILE,-\n(standard input); may be repeated"},
	{"computer-name", 'w', OPTION_TEXTS, VALUE(hosts), "EXPR", "the same as -H"},
	{"exclude", 'x', OPTION_TEXTS, VALUE(exclude), "EXPR", "but not these; may be repeated"},
	{"throttle-limit", 'f', OPTION_COUNT, VALUE(throttle), "N", "so many hosts at once (64)"},
	{"fanout", 0, OPTION_COUNT, VALUE(throttle), "N", NULL},
	{"timeout", 'u', OPTION_DURATION, VALUE(timeout_ms), "TIME",
	 "end the command on a host after this time\n(30, 90s, 5m, 250ms; none)"},
	{"connect-timeout", 't', OPTION_DURATION, VALUE(connect_timeout_ms), "TIME",
	 "name lookup, connect and key exchange together\n(without it: 15s, 10s, 15s for one after "
	 "another)"},
	{"stop-grace", 0, OPTION_DURATION, VALUE(grace_ms), "TIME",
	 "between TERM and KILL when a command is ended\n(10s)"},
	{"shell", 0, OPTION_TEXT, VALUE(shell), "TEXT",
	 "run this text with sh, instead of COMMAND"},
	{"as-job", 0, OPTION_FLAG, VALUE(as_job), NULL,
	 "leave it to the daemon; return at once with its row\n(with --quiet: its id)"},
	{"job-name", 0, OPTION_TEXT, VALUE(job_name), "NAME", "the same, with this name (Job<Id>)"},
	{"hide-computer-name", 0, OPTION_FLAG, VALUE(no_labels), NULL, "the same as -N"},
	{"no-labels", 'N', OPTION_FLAG, VALUE(no_labels), NULL, "no 'host: ' before lines"},
	{"ephemeral", 0, OPTION_FLAG, VALUE(ephemeral), NULL,
	 "with a daemon of its own, which ends with it"},
	{"allow-empty", 0, OPTION_FLAG, VALUE(allow_empty), NULL, "no host at all is no error"},
	{"largest-status", 'S', OPTION_FLAG, VALUE(largest), NULL,
	 "exit with the largest remote exit status\n(255: a host has none)"},
};

const struct cmd cmd_invoke = {
	.name = "invoke",
	.synopsis = "-H EXPR [OPTION...] [--] COMMAND [ARGUMENT...]",
	.summary = "Run a command on many hosts at once and show what comes back",
	.text = "COMMAND and its arguments reach the hosts as they are, without another shell.\n"
		"Interrupt once to see who is still running, twice within a second to stop the\n"
		"job: the processes on the hosts are then ended.\n"
		"--output: text or jsonl (one object a record: host job child stream seq time "
		"value).\n",
	.options = invoke_rows,
	.option_count = ARRAY_LEN(invoke_rows),
	.stop_at_word = true,
	.values_size = sizeof(struct invoke_values),
	.run = invoke_cmd_run,
};
