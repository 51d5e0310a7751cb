/* muster copy: files to hosts, and from them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd.h"
#include "confirm.h"
#include "connect.h"
#include "copy_where.h"
#include "durable.h"
#include "exit.h"
#include "invoke.h"
#include "limits.h"
#include "login.h"
#include "rollout.h"
#include "secret.h"
#include "submit_job.h"
#include "targets.h"
#include "via.h"

struct copy_values {
	struct cmd_globals globals;
	struct option_texts hosts;
	struct option_texts exclude;
	const char *dest;
	bool pull;
	bool recurse;
	bool checksum;
	uint64_t max_bytes;
	uint64_t throttle;
	uint64_t timeout_ms;
	uint64_t connect_timeout_ms;
	struct option_wait reconnect;
	const char *job_name;
	bool as_job;
	bool ephemeral;
	bool allow_empty;
	struct connect_values connect;
	struct login_values login;
	struct via_values via;
	struct rollout_values rollout;
	struct confirm_values confirm;
};

/* What a command line means. */
struct copy_line {
	struct option_texts hosts; /* borrowed, or expr alone */
	const char *expr_list[1];
	char *expr;
	char *split; /* the path behind it */
	char **from;
	size_t from_count;
	struct copy_sources sources; /* not pull */
	char *to;
	char *to_owned;
};

static void copy_line_done(struct copy_line *line)
{
	copy_sources_done(&line->sources);
	free(line->expr);
	free(line->split);
	free(line->to_owned);
}

/* --- hosts and paths ------------------------------------------------------------------------ */

static void copy_line_use(struct copy_line *line)
{
	line->expr_list[0] = line->expr;
	line->hosts = (struct option_texts){.at = line->expr_list, .count = 1};
}

/* SRC... -H EXPR:DEST, or with --dest DEST. */
static int copy_line_push(struct copy_line *line, const struct copy_values *v, int argc,
			  char **argv, struct errmsg *msg)
{
	line->hosts = v->hosts;
	line->to = (char *)(uintptr_t)v->dest; /* only read */
	if (!v->hosts.count)
		return err_set(msg, ERR_SYNTAX, "no hosts: -H EXPR:DEST, or -H EXPR --dest DEST");
	if (!v->dest && v->hosts.count > 1)
		return err_set(msg, ERR_SYNTAX,
			       "more than one -H: say with --dest where the files go");
	if (!v->dest) {
		if (copy_where_split(v->hosts.at[0], &line->expr, &line->split, msg) != 0)
			return ERR_SYNTAX;
		copy_line_use(line);
		line->to = line->split;
	}
	if (argc < 1)
		return err_set(msg, ERR_SYNTAX, "nothing to copy: name files or folders");
	if (copy_sources_find(&line->sources, argv, (size_t)argc, v->recurse, msg) != 0)
		return ERR_SYNTAX;
	line->from = line->sources.paths;
	line->from_count = line->sources.count;
	return 0;
}

/* --pull EXPR:SRC DEST, or -H EXPR SRC... DEST; or with --dest DEST. */
static int copy_line_pull(struct copy_line *line, const struct copy_values *v, int argc,
			  char **argv, struct errmsg *msg)
{
	const char *dest = v->dest ? v->dest : argc > 1 ? argv[--argc] : NULL;

	if (argc < 1 || !dest)
		return err_set(msg, ERR_SYNTAX,
			       "--pull needs what to copy and where to: EXPR:SRC DEST, or -H EXPR "
			       "SRC... DEST");
	line->from = argv;
	line->from_count = (size_t)argc;
	line->hosts = v->hosts;
	if (!v->hosts.count && argc > 1)
		return err_set(msg, ERR_SYNTAX,
			       "more than one source: name the hosts with -H EXPR");
	if (!v->hosts.count) {
		if (copy_where_split(argv[0], &line->expr, &line->split, msg) != 0)
			return ERR_SYNTAX;
		copy_line_use(line);
		line->from = &line->split;
	}
	for (size_t i = 0; i < line->from_count; i++)
		if (!line->from[i][0] || strlen(line->from[i]) > LIMIT_OPTION_TEXT)
			return err_set(msg, ERR_SYNTAX, "a source is empty, or too long");
	line->to = line->to_owned = copy_where_absolute(dest);
	if (!line->to)
		return err_set(msg, ERR_SYS, "the working directory is gone: name DEST in full");
	return 0;
}

static int copy_line_find(struct copy_line *line, const struct copy_values *v, int argc,
			  char **argv, struct errmsg *msg)
{
	int rc = v->pull ? copy_line_pull(line, v, argc, argv, msg)
			 : copy_line_push(line, v, argc, argv, msg);

	if (rc)
		return rc;
	if (!line->to[0] || strlen(line->to) > LIMIT_OPTION_TEXT)
		return err_set(msg, ERR_SYNTAX, "the destination is empty, or too long");
	if (v->max_bytes && !v->pull)
		return err_set(msg, ERR_SYNTAX, "--max-bytes is for --pull");
	return 0;
}

/* --- the job -------------------------------------------------------------------------------- */

/* Rows are a table where a person looks at them. */
static const struct format *copy_format(const struct copy_values *v)
{
	if (v->globals.output)
		return format_find(v->globals.output);
	return isatty(STDOUT_FILENO) == 1 ? &format_auto : &format_text;
}

static int copy_live(const struct cmd *cmd, const struct copy_values *v,
		     const struct submit *submit)
{
	struct invoke_options options = {
		.submit = submit,
		.look = {.format = copy_format(v),
			 .labels = true,
			 .colour_out = cmd_colour(&v->globals, STDOUT_FILENO),
			 .colour_err = cmd_colour(&v->globals, STDERR_FILENO)},
		.quiet = v->globals.quiet,
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

static int copy_submit(const struct cmd *cmd, const struct copy_values *v, struct submit *submit)
{
	struct errmsg msg;
	char *login = NULL;
	bool go;
	int status = confirm_submit(&go, cmd, &v->globals, &v->confirm, submit);

	if (!go)
		return status;
	if (login_password(&login, &v->login, &msg) != 0)
		return cmd_usage(cmd, "%s", msg.text);
	submit->login = login;
	status = submit->open->background ? submit_job(cmd, &v->globals, submit)
					  : copy_live(cmd, v, submit);
	secret_free(login);
	return status;
}

/* As get shows it. */
static char *copy_display(const struct copy_values *v, const struct copy_line *line)
{
	const char **words = xcalloc(line->from_count + 6, sizeof(char *));
	size_t n = 0;
	char *text;

	words[n++] = "muster";
	words[n++] = "copy";
	if (v->pull)
		words[n++] = "--pull";
	if (v->recurse)
		words[n++] = "-r";
	for (size_t i = 0; i < line->from_count; i++)
		words[n++] = line->from[i];
	words[n++] = line->to;
	text = submit_display(words, n, false);
	free(words);
	return text;
}

static int copy_fill(struct job_open_msg *open, struct via_made *ways, const struct copy_values *v,
		     const struct hostlist *hosts, struct errmsg *msg)
{
	const struct config *config = v->globals.config;
	int rc = connect_fill(open, &v->connect, config, msg);

	if (rc == 0)
		rc = rollout_fill(open, &v->rollout, false, msg);
	if (rc == 0)
		rc = via_fill(open, ways, &v->via, &v->globals, hosts, msg);
	if (v->reconnect.given)
		open->reconnect_timeout_ms = durable_reconnect_ms(v->reconnect.ms);
	else if (config->keys[CONFIG_RECONNECT_TIMEOUT].given)
		open->reconnect_timeout_ms =
			durable_reconnect_ms(config_get(config, CONFIG_RECONNECT_TIMEOUT, 0));
	return rc;
}

static int copy_to_hosts(const struct cmd *cmd, const struct copy_values *v,
			 const struct copy_line *line, const struct hostlist *hosts)
{
	const struct config *config = v->globals.config;
	struct job_open_msg open = {
		.name = (char *)(uintptr_t)v->job_name,
		.builtin = JOB_COPY,
		.agent = config_get(config, CONFIG_AGENT, JOB_AGENT_AUTO),
		.throttle =
			v->throttle ? v->throttle : config_get(config, CONFIG_THROTTLE_LIMIT, 0),
		.run_timeout_ms = v->timeout_ms,
		.connect_timeout_ms = v->connect_timeout_ms
					      ? v->connect_timeout_ms
					      : config_get(config, CONFIG_CONNECT_TIMEOUT, 0),
		.background = v->as_job || v->job_name,
		.output_limit = v->max_bytes,
		.copy_from = line->from,
		.copy_from_count = line->from_count,
		.copy_to = line->to,
		.copy_flags = (v->pull ? JOB_COPY_PULL : 0) | (v->recurse ? JOB_COPY_RECURSE : 0) |
			      (v->checksum ? JOB_COPY_CHECKSUM : 0),
	};
	struct submit submit = {
		.open = &open, .hosts = hosts, .stdin_fd = -1, .user = v->login.user};
	struct via_made ways = {0};
	struct errmsg msg;
	int status = cmd_ssh_config(cmd, v->globals.ssh_config, &open.ssh_config);

	if (status == EXIT_OK && copy_fill(&open, &ways, v, hosts, &msg) != 0)
		status = cmd_usage(cmd, "%s", msg.text);
	open.display = copy_display(v, line);
	if (status == EXIT_OK)
		status = copy_submit(cmd, v, &submit);
	free(open.display);
	free(open.ssh_config);
	connect_done(&open);
	via_made_done(&ways);
	return status;
}

static int copy_run(const struct cmd *cmd, const struct copy_values *v,
		    const struct copy_line *line, bool stdin_taken)
{
	struct hostlist *hosts = NULL;
	struct errmsg msg;
	int status = EXIT_OK;

	if (targets_find(&hosts, &v->globals, &line->hosts, &v->exclude, v->allow_empty,
			 stdin_taken, &msg) != 0)
		return cmd_usage(cmd, "%s", msg.text);
	if (hostlist_count(hosts))
		status = copy_to_hosts(cmd, v, line, hosts);
	hostlist_free(hosts);
	return status;
}

static int copy_cmd_run(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	struct copy_values *v = arg;
	struct copy_line line = {0};
	bool stdin_taken = false;
	struct errmsg msg;
	int status;

	if (v->globals.output && !format_find(v->globals.output))
		return cmd_usage(cmd, "--output: '%s' is none of " FORMAT_NAMES, v->globals.output);
	if (v->ephemeral && (v->as_job || v->job_name))
		return cmd_usage(cmd, "--ephemeral is not for a job that is left to the daemon");
	if (login_check(&v->login, &stdin_taken, &msg) != 0 ||
	    copy_line_find(&line, v, argc, argv, &msg) != 0)
		status = cmd_usage(cmd, "%s", msg.text);
	else
		status = copy_run(cmd, v, &line, stdin_taken);
	copy_line_done(&line);
	return status;
}

#define VALUE(field) offsetof(struct copy_values, field)
static const struct option_row copy_rows[] = {
	{"hosts", 'H', OPTION_TEXTS, VALUE(hosts), "EXPR[:DEST]",
	 "the hosts, and where there: web[01-40]:/srv/www;\nwith --dest: the hosts alone, may be "
	 "repeated"},
	{"computer-name", 'w', OPTION_TEXTS, VALUE(hosts), "EXPR[:DEST]", "the same as -H"},
	{"exclude", 'x', OPTION_TEXTS, VALUE(exclude), "EXPR", "but not these; may be repeated"},
	{"dest", 0, OPTION_TEXT, VALUE(dest), "PATH",
	 "where the files go: what is not absolute is in the\nhome there; with --pull a folder "
	 "here"},
	{"pull", 0, OPTION_FLAG, VALUE(pull), NULL,
	 "from the hosts to here, into a folder for each:\nDEST/HOST"},
	{"recurse", 'r', OPTION_FLAG, VALUE(recurse), NULL, "folders, with all that is in them"},
	{"checksum", 'c', OPTION_FLAG, VALUE(checksum), NULL,
	 "compare what is there by content, not by size and\ntime"},
	{"max-bytes", 0, OPTION_SIZE, VALUE(max_bytes), "SIZE",
	 "with --pull: from each host no more than this (none)"},
	{"throttle-limit", 'f', OPTION_COUNT, VALUE(throttle), "N", "so many hosts at once (64)"},
	{"fanout", 0, OPTION_COUNT, VALUE(throttle), "N", NULL},
	{"timeout", 'u', OPTION_DURATION, VALUE(timeout_ms), "TIME",
	 "end the copy of a host after this time (none)"},
	{"connect-timeout", 't', OPTION_DURATION, VALUE(connect_timeout_ms), "TIME",
	 "name lookup, connect and key exchange together"},
	{"reconnect-timeout", 0, OPTION_WAIT, VALUE(reconnect), "TIME",
	 "when the connection is lost, look so long for\nanother, and go on (30m; 0: not)"},
	{"as-job", 0, OPTION_FLAG, VALUE(as_job), NULL,
	 "leave it to the daemon; return at once with its row\n(with --quiet: its id)"},
	{"job-name", 0, OPTION_TEXT, VALUE(job_name), "NAME", "the same, with this name (Job<Id>)"},
	{"ephemeral", 0, OPTION_FLAG, VALUE(ephemeral), NULL,
	 "with a daemon of its own, which ends with it"},
	{"allow-empty", 0, OPTION_FLAG, VALUE(allow_empty), NULL, "no host at all is no error"},
	VIA_ROWS(via),
	CONNECT_ROWS(connect),
	CONNECT_SSH_ROWS(connect),
	LOGIN_ROWS(login),
	ROLLOUT_ROWS(rollout),
	CONFIRM_ROWS(confirm),
};

const struct cmd cmd_copy = {
	.name = "copy",
	.synopsis = "SRC... -H EXPR:DEST [OPTION...], or --pull EXPR:SRC DEST",
	.summary = "Copy files to many hosts at once, or from them",
	.text = "The path begins behind the last ':' that '/', '~' or nothing follows. A file "
		"comes "
		"under\nits name when it is whole; what is there already, by size and time, is "
		"left "
		"alone.\nA copy that was cut off goes on when it is asked for again.\n"
		"--output: " FORMAT_NAMES "\n",
	.options = copy_rows,
	.option_count = ARRAY_LEN(copy_rows),
	.values_size = sizeof(struct copy_values),
	.run = copy_cmd_run,
};
