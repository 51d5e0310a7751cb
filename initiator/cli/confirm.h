/* --confirm, --yes and --dry-run: what a job would be is shown before it is one (docs/rollouts.md).
 * For every command that makes a job of many hosts. */
#ifndef MUSTER_CONFIRM_H
#define MUSTER_CONFIRM_H

#include <stdbool.h>

#include "cmd.h"
#include "submit_job.h"

struct confirm_values {
	bool confirm;
	bool yes;
	bool dry_run;
};

/* Rows of a table of options, for a member of the values that VALUE names. */
#define CONFIRM_ROWS(member)                                                                     \
	{"confirm",   0,                                                                         \
	 OPTION_FLAG, VALUE(member.confirm),                                                     \
	 NULL,	      "show hosts and command on the terminal, and ask"},                        \
		{"yes", 0, OPTION_FLAG, VALUE(member.yes), NULL, "do not ask, whatever is set"}, \
	{                                                                                        \
		"dry-run", 0, OPTION_FLAG, VALUE(member.dry_run), NULL,                          \
			"print what would run where, and connect to nothing"                     \
	}

/* Reads a line from the terminal: true for "y" and "yes", in any case. */
bool confirm_yes(int tty);

/*
 * Before anything is asked for, or sent: all that submit tells, its open with display. With
 * --dry-run what would be is printed, and *ret_go is false; so it is, with an exit status, where
 * the user was to be asked and has not agreed, or there is no terminal. Asked is with --confirm,
 * and above confirm-above of muster.conf; above confirm-count the number has to be typed. Returns
 * the exit status, EXIT_OK if *ret_go is true.
 */
int confirm_submit(bool *ret_go, const struct cmd *cmd, const struct cmd_globals *globals,
		   const struct confirm_values *v, const struct submit *submit);

#endif
