/* muster invoke: runs a command on hosts and shows what comes back. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd.h"
#include "confirm.h"
#include "connect.h"
#include "doctor.h"
#include "durable.h"
#include "exit.h"
#include "fd.h"
#include "invoke.h"
#include "job_options.h"
#include "limits.h"
#include "login.h"
#include "portion.h"
#include "rollout.h"
#include "secret.h"
#include "session_hosts.h"
#include "submit_job.h"
#include "targets.h"
#include "via.h"

struct invoke_values {
	struct cmd_globals globals;
	struct option_texts hosts;
	struct option_texts exclude;
	struct option_texts sessions;
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
	bool check;
	bool verbose;
	bool debug;
	struct job_values job;
	struct durable_values durable;
	struct connect_values connect;
	struct login_values login;
	struct via_values via;
	struct rollout_values rollout;
	struct confirm_values confirm;
	const char *shard;
};

/* It is left to the daemon. */
static bool invoke_is_background(const struct invoke_values *v)
{
	return v->as_job || v->job_name || v->durable.detached;
}

/* Seen here, as it would not fit into a message to the daemon. */
static bool invoke_is_too_long(const struct invoke_values *v, int argc, char **argv)
{
	size_t len = v->shell ? strlen(v->shell) : 0;

	for (int i = 0; i < argc; i++)
		len += strlen(argv[i]) + 1;
	for (size_t i = 0; i < v->job.arguments.count; i++)
		len += strlen(v->job.arguments.at[i]) + 1;
	return len > LIMIT_COMMAND;
}

static int invoke_check_command(const struct cmd *cmd, const struct invoke_values *v, int argc,
				char **argv)
{
	if (v->check)
		return v->sessions.count || invoke_is_background(v)
			       ? cmd_usage(cmd, "--check is for hosts (-H), and is waited for")
			       : EXIT_OK;
	if (v->shell && v->job.file)
		return cmd_usage(cmd, "--shell and --file-path: one of them");
	if (v->shell && argc)
		return cmd_usage(cmd,
				 "--shell has the command already; '--' and words are too much");
	if (!v->shell && !v->job.file && !argc)
		return cmd_usage(cmd, "no command: -- COMMAND, --shell TEXT or --file-path FILE");
	if ((size_t)argc + v->job.arguments.count > LIMIT_ARGS)
		return cmd_usage(cmd, "more than %u arguments", LIMIT_ARGS);
	if (invoke_is_too_long(v, argc, argv))
		return cmd_usage(cmd,
				 "the command is longer than %u KiB in all: make a script of it, "
				 "for --file-path, or use --stdin",
				 LIMIT_COMMAND >> 10);
	return EXIT_OK;
}

/* What a session has said already, or that would make another one; NULL: nothing. */
static const char *invoke_not_with_session(const struct invoke_values *v)
{
	if (!v->sessions.count)
		return NULL;
	return v->hosts.count		? "-H"
	       : v->exclude.count	? "-x"
	       : v->ephemeral		? "--ephemeral"
	       : v->job.agent		? "--agent"
	       : v->shard		? "--shard"
	       : via_given(&v->via)	? via_given(&v->via)
	       : v->durable.detached	? "--in-disconnected-session"
	       : login_given(&v->login) ? login_given(&v->login)
					: connect_given(&v->connect);
}

static int invoke_check(const struct cmd *cmd, const struct invoke_values *v, int argc, char **argv)
{
	const char *format = v->globals.output;

	if (!v->hosts.count && !v->sessions.count)
		return cmd_usage(cmd, "no hosts: -H EXPR, or --session NAME");
	if (invoke_not_with_session(v))
		return cmd_usage(cmd, "%s and --session: one of them", invoke_not_with_session(v));
	if (format && !format_find(format))
		return cmd_usage(cmd, "--output: '%s' is none of " FORMAT_NAMES, format);
	if (invoke_is_background(v) && (v->ephemeral || v->largest || v->no_labels))
		return cmd_usage(cmd, "%s is not for a job that is left to the daemon (%s)",
				 v->ephemeral ? "--ephemeral"
				 : v->largest ? "-S"
					      : "-N",
				 v->as_job     ? "--as-job"
				 : v->job_name ? "--job-name"
					       : "--in-disconnected-session");
	return invoke_check_command(cmd, v, argc, argv);
}

/* Rows are a table where a person looks at them. */
static const struct format *invoke_format(const struct invoke_values *v)
{
	if (v->globals.output)
		return format_find(v->globals.output);
	return v->job.parse && isatty(STDOUT_FILENO) == 1 ? &format_auto : &format_text;
}

static int invoke_live(const struct cmd *cmd, const struct invoke_values *v,
		       const struct submit *submit)
{
	struct invoke_options options = {
		.submit = submit,
		.look = {.format = invoke_format(v),
			 .labels = !v->no_labels,
			 .colour_out = cmd_colour(&v->globals, STDOUT_FILENO),
			 .colour_err = cmd_colour(&v->globals, STDERR_FILENO),
			 .verbose = v->verbose,
			 .debug = v->debug},
		.quiet = v->globals.quiet,
		.largest = v->largest,
		.ephemeral = v->ephemeral,
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

/* What the user is asked for, and then the run. */
static int invoke_with_input(const struct cmd *cmd, const struct invoke_values *v,
			     struct submit *submit)
{
	struct errmsg msg;
	char *password = NULL, *login = NULL;
	int fd = -1, status = EXIT_OK;

	if ((v->job.input && input_open(&fd, v->job.input, &msg) != 0) ||
	    login_password(&login, &v->login, &msg) != 0 ||
	    job_options_password(&password, &v->job, &msg) != 0)
		status = cmd_usage(cmd, "%s", msg.text);
	submit->stdin_fd = fd;
	submit->stdin_name = v->job.input;
	submit->password = password;
	submit->login = login;
	if (status == EXIT_OK)
		status = submit->open->background ? submit_job(cmd, &v->globals, submit)
						  : invoke_live(cmd, v, submit);
	secret_free(password);
	secret_free(login);
	fd_close(&fd);
	return status;
}

/* In place of the command: whether it could be run. */
static int invoke_doctor(const struct cmd *cmd, const struct invoke_values *v,
			 struct submit *submit)
{
	struct doctor_options options = {.accept_new = v->connect.host_key &&
						       submit->open->host_key == JOB_HOST_KEY_NEW};
	struct errmsg msg;
	char *login = NULL;
	int status;

	if (submit->open->route_count || submit->open->topology)
		return cmd_usage(cmd, "--check sees no hosts behind gateways (--via, --topology)");
	if (login_password(&login, &v->login, &msg) != 0)
		return cmd_usage(cmd, "%s", msg.text);
	submit->login = login;
	status = doctor_run(cmd, &v->globals, &options, submit);
	secret_free(login);
	return status;
}

/* All that there is to know is known: it is shown, confirmed, and run. */
static int invoke_confirmed(const struct cmd *cmd, const struct invoke_values *v,
			    struct submit *submit)
{
	bool go;
	int status;

	if (v->check)
		return invoke_doctor(cmd, v, submit);
	status = confirm_submit(&go, cmd, &v->globals, &v->confirm, submit);
	return go ? invoke_with_input(cmd, v, submit) : status;
}

/* As get shows it: the script as the user named it, and its arguments. */
static char *invoke_display(const struct job_open_msg *open, const char *file)
{
	const char **words = xcalloc(open->argc + 1, sizeof(char *));
	size_t n = 0;
	char *text;

	if (file)
		words[n++] = file;
	for (size_t i = 0; i < open->argc; i++)
		words[n++] = open->argv[i];
	text = submit_display(words, n, open->shell);
	free(words);
	return text;
}

/* where: has the hosts. */
static int invoke_with_hosts(const struct cmd *cmd, const struct invoke_values *v,
			     const struct submit *where, int argc, char **argv)
{
	const struct config *config = v->globals.config;
	const char *shell[] = {v->shell, NULL};
	const char *const *words = v->shell ? shell : (const char *const *)argv;
	struct job_open_msg open = {
		.name = (char *)(uintptr_t)v->job_name,
		.shell = v->shell != NULL,
		.agent = v->sessions.count ? JOB_AGENT_AUTO
					   : config_get(config, CONFIG_AGENT, JOB_AGENT_AUTO),
		.throttle =
			v->throttle ? v->throttle : config_get(config, CONFIG_THROTTLE_LIMIT, 0),
		.run_timeout_ms = v->timeout_ms,
		.connect_timeout_ms = v->connect_timeout_ms || v->sessions.count
					      ? v->connect_timeout_ms
					      : config_get(config, CONFIG_CONNECT_TIMEOUT, 0),
		.stop_grace_ms =
			v->grace_ms ? v->grace_ms : config_get(config, CONFIG_STOP_GRACE, 0),
		.background = invoke_is_background(v),
		.sessions = (char **)(uintptr_t)v->sessions.at, /* only read */
		.session_count = v->sessions.count,
	};
	struct submit submit = *where;
	struct job_made made = {0};
	struct via_made ways = {0};
	struct errmsg msg;
	int status = cmd_ssh_config(cmd, v->globals.ssh_config, &open.ssh_config);

	submit.open = &open;
	submit.user = v->login.user;
	if (status == EXIT_OK && job_options_fill(&open, &made, &v->job, argc, argv, &msg) != 0)
		status = cmd_usage(cmd, "%s", msg.text);
	if (status == EXIT_OK && durable_fill(&open, &v->durable, config, &msg) != 0)
		status = cmd_usage(cmd, "%s", msg.text);
	/* A session has them. */
	if (status == EXIT_OK && !v->sessions.count &&
	    connect_fill(&open, &v->connect, config, &msg) != 0)
		status = cmd_usage(cmd, "%s", msg.text);
	if (status == EXIT_OK && rollout_fill(&open, &v->rollout, v->sessions.count > 0, &msg) != 0)
		status = cmd_usage(cmd, "%s", msg.text);
	if (status == EXIT_OK &&
	    via_fill(&open, &ways, &v->via, &v->globals, where->hosts, &msg) != 0)
		status = cmd_usage(cmd, "%s", msg.text);
	if (status == EXIT_OK) {
		if (!v->job.file && !v->check) {
			open.argv = (char **)(uintptr_t)words;
			open.argc = v->shell ? 1 : (size_t)argc;
		}
		open.display = invoke_display(&open, v->job.file);
		status = via_check_size(&open, &msg) == 0 ? invoke_confirmed(cmd, v, &submit)
							  : cmd_usage(cmd, "%s", msg.text);
	}
	free(open.display);
	free(open.ssh_config);
	connect_done(&open);
	job_made_done(&made);
	via_made_done(&ways);
	return status;
}

static int invoke_on_sessions(const struct cmd *cmd, const struct invoke_values *v, int argc,
			      char **argv)
{
	struct submit where = {.stdin_fd = -1};
	struct session_hosts hosts;
	int status = session_hosts_find(&hosts, cmd, &v->globals, &v->sessions);

	where.labels = (const char *const *)hosts.labels;
	where.label_count = hosts.count;
	if (status == EXIT_OK)
		status = invoke_with_hosts(cmd, v, &where, argc, argv);
	session_hosts_done(&hosts);
	return status;
}

/* The hosts, or those of --shard. None is left: that was said, or is fine. */
static int invoke_hosts(const struct cmd *cmd, const struct invoke_values *v, bool stdin_taken,
			struct hostlist **ret)
{
	struct portion portion = {0, 1};
	struct errmsg msg;

	if ((v->shard && portion_parse(&portion, v->shard, &msg) != 0) ||
	    targets_find(ret, &v->globals, &v->hosts, &v->exclude, v->allow_empty, stdin_taken,
			 &msg) != 0)
		return cmd_usage(cmd, "%s", msg.text);
	if (v->shard && portion_take(&portion, *ret, &msg) && !v->globals.quiet)
		(void)cmd_error(EXIT_OK, "%s", msg.text);
	return EXIT_OK;
}

static int invoke_cmd_run(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	struct invoke_values *v = arg;
	struct hostlist *hosts = NULL;
	struct submit where = {.stdin_fd = -1};
	struct errmsg msg;
	bool stdin_taken = false;
	int status = invoke_check(cmd, v, argc, argv);

	if (status != EXIT_OK)
		return status;
	if (job_options_stdin(&stdin_taken, &v->job, &msg) != 0 ||
	    login_check(&v->login, &stdin_taken, &msg) != 0)
		return cmd_usage(cmd, "%s", msg.text);
	if (v->sessions.count)
		return invoke_on_sessions(cmd, v, argc, argv);
	status = invoke_hosts(cmd, v, stdin_taken, &hosts);
	if (status != EXIT_OK)
		return status;
	where.hosts = hosts;
	if (hostlist_count(hosts))
		status = invoke_with_hosts(cmd, v, &where, argc, argv);
	hostlist_free(hosts);
	return status;
}

#define VALUE(field) offsetof(struct invoke_values, field)
static const struct option_row invoke_rows[] = {
	TARGETS_ROWS(hosts, exclude),
	{"shard", 0, OPTION_TEXT, VALUE(shard), "I/N",
	 "of these hosts every Nth, from the one with number I\non; I is 0 to N-1"},
	VIA_ROWS(via),
	{"session", 0, OPTION_TEXTS, VALUE(sessions), "NAME",
	 "the hosts of this session (name or id), over its\nconnections, instead of -H; may be "
	 "repeated"},
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
	{"in-disconnected-session", 0, OPTION_FLAG, VALUE(durable.detached), NULL,
	 "the same, and let go of each host once its command\nruns; it is found again by receive "
	 "or wait"},
	DURABLE_ROWS(durable),
	CONNECT_ROWS(connect),
	CONNECT_SSH_ROWS(connect),
	LOGIN_ROWS(login),
	ROLLOUT_ROWS(rollout),
	CONFIRM_ROWS(confirm),
	{"hide-computer-name", 0, OPTION_FLAG, VALUE(no_labels), NULL, "the same as -N"},
	{"no-labels", 'N', OPTION_FLAG, VALUE(no_labels), NULL, "no 'host: ' before lines"},
	{"ephemeral", 0, OPTION_FLAG, VALUE(ephemeral), NULL,
	 "with a daemon of its own, which ends with it"},
	{"check", 0, OPTION_FLAG, VALUE(check), NULL,
	 "run nothing: see whether it could be, as muster\ndoctor does"},
	{"allow-empty", 0, OPTION_FLAG, VALUE(allow_empty), NULL, "no host at all is no error"},
	{"largest-status", 'S', OPTION_FLAG, VALUE(largest), NULL,
	 "exit with the largest remote exit status\n(255: a host has none)"},
	{"file-path", 0, OPTION_TEXT, VALUE(job.file), "FILE",
	 "run this script there, instead of COMMAND; words\nbehind the options are its arguments"},
	{"argument-list", 'a', OPTION_TEXTS, VALUE(job.arguments), "ARG",
	 "an argument of the script; may be repeated"},
	{"stdin", 0, OPTION_TEXT, VALUE(job.input), "FILE",
	 "what the command reads, on every host; '-':\nstandard input (nothing)"},
	{"working-directory", 'C', OPTION_TEXT, VALUE(job.directory), "DIR",
	 "where the command runs (the home there)"},
	{"env", 0, OPTION_TEXTS, VALUE(job.env), "K=V",
	 "a variable for the command; may be repeated"},
	{"nice", 0, OPTION_TEXT, VALUE(job.nice), "N", "run it with this niceness, -20 to 19"},
	{"no-expand", 0, OPTION_FLAG, VALUE(job.no_expand), NULL,
	 "leave %h and %n in arguments as they are (the host,\nand its number)"},
	{"pty", 0, OPTION_FLAG, VALUE(job.pty), NULL, "give the command a terminal"},
	{"idle-timeout", 0, OPTION_DURATION, VALUE(job.idle_timeout_ms), "TIME",
	 "end the command when it writes nothing for so long\n(none)"},
	{"start-timeout", 0, OPTION_DURATION, VALUE(job.start_timeout_ms), "TIME",
	 "from the login to the start of the command (30s)"},
	{"max-output", 0, OPTION_SIZE, VALUE(job.output_limit), "SIZE",
	 "end the command when it has written more than this\n(64K, 256M, 1G; none)"},
	{"become", 0, OPTION_MAYBE, VALUE(job.become), "USER", "run it as USER (root)"},
	{"become-method", 0, OPTION_TEXT, VALUE(job.become_method), "HOW",
	 "with sudo (the default), su or doas"},
	{"ask-become-pass", 'K', OPTION_FLAG, VALUE(job.ask_become_pass), NULL,
	 "ask for the password of that, once"},
	{"become-password-file", 0, OPTION_TEXT, VALUE(job.become_password_file), "FILE",
	 "read it from the first line of FILE; '-': standard\ninput"},
	{"parse", 0, OPTION_TEXT, VALUE(job.parse), "KIND",
	 "make typed records of the output: lines, raw, nul,\njson, jsonl, csv, tsv, kv, blocks, "
	 "table, auto,\nregex:PATTERN, csv:DELIMITER"},
	{"verbose", 0, OPTION_FLAG, VALUE(verbose), NULL, "show verbose records too"},
	{"debug", 0, OPTION_FLAG, VALUE(debug), NULL, "show debug records too"},
	{"agent", 0, OPTION_TEXT, VALUE(job.agent), "WHEN",
	 "auto: by an agent that is brought to the host, or\nwithout where none can run; always, "
	 "never, subsystem"},
};

const struct cmd cmd_invoke = {
	.name = "invoke",
	.synopsis = "-H EXPR|--session NAME [OPTION...] [--] COMMAND [ARGUMENT...]",
	.summary = "Run a command on many hosts at once and show what comes back",
	.text = "COMMAND and its arguments reach the hosts as they are, without another shell.\n"
		"Interrupt once to see who is still running, twice within a second to stop the\n"
		"job: the processes on the hosts are then ended.\n"
		"--output: " FORMAT_NAMES "\n",
	.options = invoke_rows,
	.option_count = ARRAY_LEN(invoke_rows),
	.stop_at_word = true,
	.values_size = sizeof(struct invoke_values),
	.run = invoke_cmd_run,
};
