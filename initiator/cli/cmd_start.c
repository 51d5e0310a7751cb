/* muster start: a job on this computer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "ask.h"
#include "cmd.h"
#include "control_msg.h"
#include "durable.h"
#include "exit.h"
#include "fd.h"
#include "input.h"
#include "job_options.h"
#include "job_rows.h"
#include "limits.h"
#include "submit_job.h"

struct start_values {
	struct cmd_globals globals;
	const char *name;
	const char *directory;
	const char *init_file;
	const char *file;
	const char *shell;
	struct option_texts arguments;
	uint64_t timeout_ms;
	uint64_t grace_ms;
	struct job_values job; /* what has no field of its own here */
	struct durable_values durable;
};

static int start_check(const struct cmd *cmd, const struct start_values *v, int argc)
{
	int sources = (argc > 0) + (v->shell != NULL) + (v->file != NULL);

	if (!sources)
		return cmd_usage(cmd, "no command: -- COMMAND, --shell TEXT or --file-path FILE");
	if (sources > 1)
		return cmd_usage(cmd, "COMMAND, --shell and --file-path exclude one another");
	if (v->arguments.count && !v->file)
		return cmd_usage(cmd, "--argument-list goes with --file-path");
	return EXIT_OK;
}

/* The directory of the job: absolute, and there. */
static int start_directory(const struct cmd *cmd, const char *given, char **ret)
{
	struct stat st;

	*ret = realpath(given ? given : ".", NULL);
	if (!*ret)
		return cmd_usage(cmd, "--working-directory: %s: %s", given ? given : ".",
				 strerror(errno));
	if (stat(*ret, &st) == 0 && S_ISDIR(st.st_mode))
		return EXIT_OK;
	return cmd_usage(cmd, "--working-directory: %s is no directory", *ret);
}

static int start_init_script(const struct cmd *cmd, const char *path, char **ret)
{
	struct buf text = {0};
	int rc = path ? fd_read_file(&text, path, LIMIT_COMMAND) : 0;

	if (rc == 0 && text.len)
		*ret = buf_take_str(&text);
	buf_done(&text);
	if (rc == ERR_SYS)
		return cmd_usage(cmd, "--initialization-script: %s: %s", path, strerror(errno));
	return rc ? cmd_usage(cmd, "--initialization-script: %s: more than %u bytes", path,
			      LIMIT_COMMAND)
		  : EXIT_OK;
}

/* What is run: the words, the text, or the file with its arguments (by sh, if it is not
 * executable). argv is to be freed, *ret_path too. */
static const char **start_argv(const struct start_values *v, int argc, char **argv,
			       size_t *ret_argc, char **ret_path)
{
	const char **words = xcalloc((size_t)argc + v->arguments.count + 3, sizeof(char *));
	size_t n = 0;

	if (v->shell)
		words[n++] = v->shell;
	if (v->file) {
		*ret_path = realpath(v->file, NULL);
		if (*ret_path && access(*ret_path, X_OK) != 0)
			words[n++] = "sh";
		words[n++] = *ret_path;
		for (size_t i = 0; i < v->arguments.count; i++)
			words[n++] = v->arguments.at[i];
	}
	for (int i = 0; i < argc; i++)
		words[n++] = argv[i];
	*ret_argc = n;
	return words;
}

static int start_submit(const struct cmd *cmd, const struct start_values *v, int argc, char **argv)
{
	char *directory = NULL, *init = NULL, *path = NULL;
	struct job_open_msg open = {.background = true, .local = true, .shell = v->shell != NULL};
	struct submit submit = {.open = &open, .stdin_fd = -1, .stdin_name = v->job.input};
	struct job_made made = {0};
	const char **words = NULL;
	struct errmsg msg;
	int status = start_directory(cmd, v->directory, &directory);

	if (status == EXIT_OK && job_options_fill(&open, &made, &v->job, 0, NULL, &msg) != 0)
		status = cmd_usage(cmd, "%s", msg.text);
	if (status == EXIT_OK && durable_fill(&open, &v->durable, v->globals.config, &msg) != 0)
		status = cmd_usage(cmd, "%s", msg.text);
	if (status == EXIT_OK)
		status = start_init_script(cmd, v->init_file, &init);
	if (status == EXIT_OK && v->job.input &&
	    input_open(&submit.stdin_fd, v->job.input, &msg) != 0)
		status = cmd_usage(cmd, "%s", msg.text);
	if (status == EXIT_OK) {
		words = start_argv(v, argc, argv, &open.argc, &path);
		if (v->file && !path)
			status = cmd_usage(cmd, "--file-path: %s: %s", v->file, strerror(errno));
	}
	if (status == EXIT_OK) {
		open.name = (char *)(uintptr_t)v->name;
		open.argv = (char **)(uintptr_t)words;
		open.directory = directory;
		open.expand = false; /* there is one computer, and no other name for it */
		open.init_script = init;
		open.run_timeout_ms = v->timeout_ms;
		open.stop_grace_ms = v->grace_ms
					     ? v->grace_ms
					     : config_get(v->globals.config, CONFIG_STOP_GRACE, 0);
		open.path = getenv("PATH");
		open.display = submit_display(words, open.argc, open.shell);
		status = submit_job(cmd, &v->globals, &submit);
		free(open.display);
	}
	fd_close(&submit.stdin_fd);
	job_made_done(&made);
	free(words);
	free(directory);
	free(init);
	free(path);
	return status;
}

static int start_cmd_run(const struct cmd *cmd, void *arg, int argc, char **argv)
{
	struct start_values *v = arg;
	int status = start_check(cmd, v, argc);

	if (status == EXIT_OK)
		status = start_submit(cmd, v, argc, argv);
	return status;
}

#define VALUE(field) offsetof(struct start_values, field)
static const struct option_row start_rows[] = {
	{"name", 'n', OPTION_TEXT, VALUE(name), "NAME", "the job's name (Job<Id>)"},
	{"working-directory", 'C', OPTION_TEXT, VALUE(directory), "DIR",
	 "where it runs (the current directory)"},
	{"initialization-script", 0, OPTION_TEXT, VALUE(init_file), "FILE",
	 "sh commands that run before it, in the same shell"},
	{"file-path", 0, OPTION_TEXT, VALUE(file), "FILE", "run this script"},
	{"argument-list", 'a', OPTION_TEXTS, VALUE(arguments), "ARG",
	 "an argument of the script; may be repeated"},
	{"shell", 0, OPTION_TEXT, VALUE(shell), "TEXT", "run this text with sh"},
	{"timeout", 'u', OPTION_DURATION, VALUE(timeout_ms), "TIME",
	 "end it after this time (30, 90s, 5m; none)"},
	{"stop-grace", 0, OPTION_DURATION, VALUE(grace_ms), "TIME",
	 "between TERM and KILL when it is ended (10s)"},
	{"env", 0, OPTION_TEXTS, VALUE(job.env), "K=V", "a variable for it; may be repeated"},
	DURABLE_ROWS(durable),
	{"stdin", 0, OPTION_TEXT, VALUE(job.input), "FILE",
	 "what it reads; '-': standard input (nothing)"},
	{"nice", 0, OPTION_TEXT, VALUE(job.nice), "N", "run it with this niceness, -20 to 19"},
	{"pty", 0, OPTION_FLAG, VALUE(job.pty), NULL, "give it a terminal"},
	{"idle-timeout", 0, OPTION_DURATION, VALUE(job.idle_timeout_ms), "TIME",
	 "end it when it writes nothing for so long (none)"},
	{"max-output", 0, OPTION_SIZE, VALUE(job.output_limit), "SIZE",
	 "end it when it has written more than this\n(64K, 256M, 1G; none)"},
	{"parse", 0, OPTION_TEXT, VALUE(job.parse), "KIND",
	 "make typed records of the output: lines, raw, nul,\njson, jsonl, csv, tsv, kv, blocks, "
	 "table, auto,\nregex:PATTERN, csv:DELIMITER"},
};

const struct cmd cmd_start = {
	.name = "start",
	.synopsis = "[OPTION...] [--] COMMAND [ARGUMENT...]",
	.summary = "Start a job on this computer",
	.text = "Returns at once with the job's row, or with --quiet its id alone. See get, "
		"receive,\n"
		"wait, stop and remove.\n--output: " ROWS_NAMES "\n",
	.options = start_rows,
	.option_count = ARRAY_LEN(start_rows),
	.stop_at_word = true,
	.values_size = sizeof(struct start_values),
	.run = start_cmd_run,
};
