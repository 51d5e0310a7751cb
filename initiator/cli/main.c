/* muster: one binary that is CLI and daemon. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "alloc.h"
#include "cmd.h"
#include "exit.h"
#include "fd.h"
#include "log.h"

static const struct cmd *const main_cmds[] = {
	&cmd_invoke, &cmd_copy,	  &cmd_start,	&cmd_get,    &cmd_receive, &cmd_wait,
	&cmd_stop,   &cmd_remove, &cmd_suspend, &cmd_resume, &cmd_set,	   &cmd_session,
	&cmd_hosts,  &cmd_agent,  &cmd_daemon,	&cmd_relay,
};

/* Other names of the same commands, PowerShell's among them; in any case. */
static const struct {
	const char *name;
	const struct cmd *cmd;
	const char *word; /* and the word behind it; NULL: none */
} main_aliases[] = {
	{"run", &cmd_invoke, NULL},
	{"Invoke-Command", &cmd_invoke, NULL},
	{"Copy-Item", &cmd_copy, NULL},
	{"Start-Job", &cmd_start, NULL},
	{"Get-Job", &cmd_get, NULL},
	{"Receive-Job", &cmd_receive, NULL},
	{"Wait-Job", &cmd_wait, NULL},
	{"Stop-Job", &cmd_stop, NULL},
	{"Remove-Job", &cmd_remove, NULL},
	{"Suspend-Job", &cmd_suspend, NULL},
	{"Resume-Job", &cmd_resume, NULL},
	{"New-PSSession", &cmd_session, "new"},
	{"Get-PSSession", &cmd_session, "get"},
	{"Connect-PSSession", &cmd_session, "connect"},
	{"Disconnect-PSSession", &cmd_session, "disconnect"},
	{"Remove-PSSession", &cmd_session, "remove"},
};

#define GLOBAL(field) offsetof(struct cmd_globals, field)
static const struct option_row main_globals[] = {
	{"ssh-config", 'F', OPTION_TEXT, GLOBAL(ssh_config), "FILE",
	 "read this instead of ssh's own configuration, as ssh -F; 'none'"},
	{"daemon", 'L', OPTION_TEXT, GLOBAL(daemon), "NAME", "use the daemon of this name"},
	{"output", 'o', OPTION_TEXT, GLOBAL(output), "FORMAT",
	 "how results look: see COMMAND --help"},
	{"color", 0, OPTION_TEXT, GLOBAL(color), "WHEN", "auto, always, never"},
	{"colour", 0, OPTION_TEXT, GLOBAL(color), "WHEN", NULL},
	{"inventory", 0, OPTION_TEXTS, GLOBAL(inventories), "WHERE",
	 "hosts and groups are there: PATH, or KIND:REST (ansible,\nhosts, cmd, ssh, dsh, "
	 "clustershell); may be repeated"},
	{"refresh-inventory", 0, OPTION_FLAG, GLOBAL(refresh_inventory), NULL,
	 "ask commands that know hosts again"},
	{"quiet", 'q', OPTION_FLAG, GLOBAL(quiet), NULL, "no progress, no summary"},
	{"help", 'h', OPTION_FLAG, GLOBAL(help), NULL, "this text"},
	{"version", 'V', OPTION_FLAG, GLOBAL(version), NULL, "the version of muster"},
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
	struct buf text = {0};

	buf_add_str(&text, "muster: remote jobs over SSH for Linux fleets\n\n"
			   "Usage: muster [OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n\n"
			   "Commands:\n");
	for (size_t i = 0; i < ARRAY_LEN(main_cmds); i++)
		buf_addf(&text, "  %-12s%s\n", main_cmds[i]->name, main_cmds[i]->summary);
	buf_add_str(&text, "\nOptions of every command, before or behind its name:\n");
	options_help(&text, main_globals, ARRAY_LEN(main_globals));
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
	struct buf text = {0};

	buf_addf(&text, "Usage: muster %s %s\n\n%s.\n\nOptions:\n", cmd->name, cmd->synopsis,
		 cmd->summary);
	options_help(&text, cmd->options, cmd->option_count);
	options_help(&text, main_globals, ARRAY_LEN(main_globals));
	if (cmd->text)
		buf_addf(&text, "\n%s", cmd->text);
	buf_add_str(&text, main_exit_help);
	return cmd_print(&text);
}

/* *ret_word: what stands behind its name. */
static const struct cmd *main_find(const char *name, const char **ret_word)
{
	*ret_word = NULL;
	for (size_t i = 0; i < ARRAY_LEN(main_cmds); i++)
		if (strcasecmp(main_cmds[i]->name, name) == 0)
			return main_cmds[i];
	for (size_t i = 0; i < ARRAY_LEN(main_aliases); i++)
		if (strcasecmp(main_aliases[i].name, name) == 0) {
			*ret_word = main_aliases[i].word;
			return main_aliases[i].cmd;
		}
	return NULL;
}

static int main_check_globals(const struct cmd *cmd, const struct cmd_globals *g)
{
	if (g->color && strcmp(g->color, "auto") != 0 && strcmp(g->color, "always") != 0 &&
	    strcmp(g->color, "never") != 0)
		return cmd_usage(cmd, "--color: '%s' is none of auto, always, never", g->color);
	return EXIT_OK;
}

/* The options of a command are its own and the global ones; globals given before it stay. */
static int main_run(const struct cmd *cmd, const struct cmd_globals *globals, int argc, char **argv)
{
	size_t count = cmd->option_count + ARRAY_LEN(main_globals);
	struct option_row *rows = xcalloc(count, sizeof *rows);
	struct cmd_globals *values = xcalloc(1, cmd->values_size);
	struct config config = {0};
	struct errmsg msg;
	int first = 1, status;

	if (cmd->option_count)
		memcpy(rows, cmd->options, cmd->option_count * sizeof *rows);
	memcpy(rows + cmd->option_count, main_globals, sizeof main_globals);
	*values = *globals;
	values->config = &config;
	if (options_parse(rows, count, values, cmd->stop_at_word, argc, argv, &first, &msg) != 0)
		status = cmd_usage(cmd, "%s", msg.text);
	else if (values->help)
		status = main_cmd_help(cmd);
	else if (values->version)
		status = main_version();
	else if (main_check_globals(cmd, values) != EXIT_OK)
		status = EXIT_USAGE;
	else if (config_load(&config, &msg) != 0)
		status = cmd_error(EXIT_USAGE, "%s", msg.text);
	else
		status = cmd->run(cmd, values, argc - first, argv + first);
	options_done(rows, count, values);
	free(values);
	free(rows);
	return status;
}

/* An alias may stand for two words: the second is put behind the first. */
static int main_run_word(const struct cmd *cmd, const char *word, const struct cmd_globals *globals,
			 int argc, char **argv)
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
	struct cmd_globals globals = {0};
	const char *level = getenv("MUSTER_LOG");
	const struct cmd *cmd;
	const char *word;
	struct errmsg msg;
	int first = 1;

	main_open_std();
	(void)signal(SIGPIPE, SIG_IGN);
	if (level && log_level_parse(level) >= 0)
		log_open(STDERR_FILENO, (enum log_level)log_level_parse(level), false);
	if (options_parse(main_globals, ARRAY_LEN(main_globals), &globals, true, argc, argv, &first,
			  &msg) != 0)
		return cmd_usage(NULL, "%s", msg.text);
	if (globals.version)
		return main_version();
	if (first == argc)
		return globals.help ? main_help() : cmd_usage(NULL, "a command is missing");
	cmd = main_find(argv[first], &word);
	if (!cmd)
		return cmd_usage(NULL, "there is no command '%s'", argv[first]);
	return main_run_word(cmd, word, &globals, argc - first, argv + first);
}
