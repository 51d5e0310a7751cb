/* muster: one binary that is CLI and daemon. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd_table.h"
#include "config_apply.h"
#include "exit.h"
#include "fd.h"
#include "log.h"

/* What stands before the command. */
struct main_globals {
	struct cmd_globals values;
	bool given[CMD_GLOBALS];
};

static const char main_exit_help[] =
	"\nExit status:\n"
	"  0    every host completed\n"
	"  1    internal error\n"
	"  2    usage, malformed input, or no host to run on\n"
	"  3    a command ran out of time, died by a signal, or was stopped\n"
	"  4    a host could not be reached or logged in to, or its connection was lost\n"
	"  5    a remote command failed\n"
	"  130  interrupted\n"
	"  255  no daemon, or it went away\n"
	"Where several apply, 4 wins over 3, and 3 over 5.\n";

static int main_help(void)
{
	size_t count, global_count;
	const struct cmd *const *cmds = cmd_table(&count);
	const struct option_row *globals = cmd_global_rows(&global_count);
	struct buf text = {0};

	buf_add_str(&text, "muster: remote jobs over SSH for Linux fleets\n\n"
			   "Usage: muster [OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n\n"
			   "Commands:\n");
	for (size_t i = 0; i < count; i++)
		if (!cmds[i]->is_hidden)
			buf_addf(&text, "  %-12s%s\n", cmds[i]->name, cmds[i]->summary);
	buf_add_str(&text, "\nOptions of every command, before or behind its name:\n");
	options_help(&text, globals, global_count);
	buf_add_str(&text, main_exit_help);
	buf_add_str(&text, "\n'muster COMMAND --help' tells more; so does the page muster(1).\n");
	return cmd_print(&text);
}

static int main_version(void)
{
	struct buf text = {0};

	buf_addf(&text, "muster %s\n", MUSTER_VERSION);
	return cmd_print(&text);
}

static int main_cmd_help(const struct cmd *cmd)
{
	size_t count;
	const struct option_row *globals = cmd_global_rows(&count);
	struct buf text = {0};

	buf_addf(&text, "Usage: muster %s %s\n\n%s.\n\nOptions:\n", cmd->name, cmd->synopsis,
		 cmd->summary);
	options_help(&text, cmd->options, cmd->option_count);
	options_help(&text, globals, count);
	if (cmd->text)
		buf_addf(&text, "\n%s", cmd->text);
	buf_add_str(&text, main_exit_help);
	return cmd_print(&text);
}

static int main_check_globals(const struct cmd *cmd, const struct cmd_globals *g)
{
	if (g->color && strcmp(g->color, "auto") != 0 && strcmp(g->color, "always") != 0 &&
	    strcmp(g->color, "never") != 0)
		return cmd_usage(cmd, "--color: '%s' is none of auto, always, never", g->color);
	return EXIT_OK;
}

static int main_configure(struct config *config, const struct cmd_globals *values,
			  struct errmsg *msg)
{
	const struct config_loading loading = {.profile = config_profile(values->profile)};

	return config_load(config, &loading, msg);
}

/* What muster.conf says of options that were not given comes in here. */
static int main_run_configured(const struct cmd *cmd, const struct option_set *set, int argc,
			       char **argv)
{
	struct cmd_globals *values = set->values;
	struct config *config = xcalloc(1, sizeof *config);
	struct config_made made = {0};
	struct errmsg msg;
	int status;

	values->config = config;
	if (!cmd->reads_config && (main_configure(config, values, &msg) != 0 ||
				   config_apply(&made, cmd, set, config, &msg) != 0))
		status = cmd_error(EXIT_USAGE, "%s", msg.text);
	else if (main_check_globals(cmd, values) != EXIT_OK)
		status = EXIT_USAGE;
	else
		status = cmd->run(cmd, values, argc, argv);
	config_made_done(&made);
	free(config);
	return status;
}

/* The options of a command are its own and the global ones; globals given before it stay. */
static int main_run(const struct cmd *cmd, const struct main_globals *globals, int argc,
		    char **argv)
{
	size_t count;
	struct option_row *rows = cmd_rows(cmd, &count);
	struct cmd_globals *values = xcalloc(1, cmd->values_size);
	bool *given = xcalloc(count, sizeof *given);
	const struct option_set set = {rows, count, values, given};
	struct errmsg msg;
	int first = 1, status;

	memcpy(given + cmd->option_count, globals->given, count - cmd->option_count);
	*values = globals->values;
	if (options_parse_given(rows, count, values, cmd->stop_at_word, argc, argv, &first, given,
				&msg) != 0)
		status = cmd_usage(cmd, "%s", msg.text);
	else if (values->help)
		status = main_cmd_help(cmd);
	else if (values->version)
		status = main_version();
	else
		status = main_run_configured(cmd, &set, argc - first, argv + first);
	options_done(rows, count, values);
	free(given);
	free(values);
	free(rows);
	return status;
}

/* An alias may stand for two words: the second is put behind the first. */
static int main_run_word(const struct cmd *cmd, const char *word,
			 const struct main_globals *globals, int argc, char **argv)
{
	char **words = xcalloc((size_t)argc + 2, sizeof *words);
	size_t n = 0;
	int status;

	words[n++] = argv[0];
	if (word)
		words[n++] = (char *)(uintptr_t)word;
	for (int i = 1; i < argc; i++)
		words[n++] = argv[i];
	status = main_run(cmd, globals, (int)n, words);
	free(words);
	return status;
}

/* Started with a closed 0, 1 or 2, the next socket would become it. What is opened in its place
 * cannot be read or written, so that the fault still shows. */
static void main_open_std(void)
{
	int fd;

	do
		fd = open("/dev/null", O_PATH);
	while (fd >= 0 && fd <= STDERR_FILENO);
	fd_close(&fd);
}

int main(int argc, char **argv)
{
	size_t count;
	const struct option_row *rows = cmd_global_rows(&count);
	struct main_globals globals = {.given = {0}};
	const char *level = getenv("MUSTER_LOG");
	const struct cmd *cmd;
	const char *word;
	struct errmsg msg;
	int first = 1;

	main_open_std();
	(void)signal(SIGPIPE, SIG_IGN);
	if (level && log_level_parse(level) >= 0)
		log_open(STDERR_FILENO, (enum log_level)log_level_parse(level), false);
	if (options_parse_given(rows, count, &globals.values, true, argc, argv, &first,
				globals.given, &msg) != 0)
		return cmd_usage(NULL, "%s", msg.text);
	if (globals.values.version)
		return main_version();
	if (first == argc)
		return globals.values.help ? main_help() : cmd_usage(NULL, "a command is missing");
	cmd = cmd_find(argv[first], &word);
	if (!cmd)
		return cmd_usage(NULL, "there is no command '%s'", argv[first]);
	return main_run_word(cmd, word, &globals, argc - first, argv + first);
}
