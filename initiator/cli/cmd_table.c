#include "cmd_table.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"

static const struct cmd *const table_cmds[] = {
	&cmd_invoke, &cmd_copy,	   &cmd_start,	&cmd_get,      &cmd_receive, &cmd_wait,	 &cmd_stop,
	&cmd_remove, &cmd_suspend, &cmd_resume, &cmd_set,      &cmd_session, &cmd_hosts, &cmd_agent,
	&cmd_daemon, &cmd_relay,   &cmd_config, &cmd_complete, &cmd_doctor,
};

/* Other names of the same commands, PowerShell's among them; in any case. */
static const struct {
	const char *name;
	const struct cmd *cmd;
	const char *word; /* and the word behind it; NULL: none */
} table_aliases[] = {
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
static const struct option_row table_globals[] = {
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
	{"profile", 'm', OPTION_TEXT, GLOBAL(profile), "PROFILE",
	 "with the settings of this profile, see muster.conf(5)"},
	{"quiet", 'q', OPTION_FLAG, GLOBAL(quiet), NULL, "no progress, no summary"},
	{"help", 'h', OPTION_FLAG, GLOBAL(help), NULL, "this text"},
	{"version", 'V', OPTION_FLAG, GLOBAL(version), NULL, "the version of muster"},
};
_Static_assert(ARRAY_LEN(table_globals) == CMD_GLOBALS, "the number in cmd_table.h");

const struct cmd *const *cmd_table(size_t *ret_count)
{
	*ret_count = ARRAY_LEN(table_cmds);
	return table_cmds;
}

const struct cmd *cmd_find(const char *name, const char **ret_word)
{
	*ret_word = NULL;
	for (size_t i = 0; i < ARRAY_LEN(table_cmds); i++)
		if (strcasecmp(table_cmds[i]->name, name) == 0)
			return table_cmds[i];
	for (size_t i = 0; i < ARRAY_LEN(table_aliases); i++)
		if (strcasecmp(table_aliases[i].name, name) == 0) {
			*ret_word = table_aliases[i].word;
			return table_aliases[i].cmd;
		}
	return NULL;
}

const struct option_row *cmd_global_rows(size_t *ret_count)
{
	*ret_count = ARRAY_LEN(table_globals);
	return table_globals;
}

struct option_row *cmd_rows(const struct cmd *cmd, size_t *ret_count)
{
	size_t own = cmd ? cmd->option_count : 0;
	struct option_row *rows = xcalloc(own + CMD_GLOBALS, sizeof *rows);

	if (own)
		memcpy(rows, cmd->options, own * sizeof *rows);
	memcpy(rows + own, table_globals, sizeof table_globals);
	*ret_count = own + CMD_GLOBALS;
	return rows;
}
