/* A check of hosts from its first connection to its exit status: muster doctor, and --check of
 * muster invoke. */
#ifndef MUSTER_DOCTOR_H
#define MUSTER_DOCTOR_H

#include <stdbool.h>

#include "cmd.h"
#include "submit_job.h"

struct doctor_options {
	bool accept_new; /* new keys are written to known_hosts */
	bool may_ask;	 /* whether they are, if there is a terminal */
	bool list_keys;	 /* all of them are shown */
};

/*
 * Checks the hosts of submit, whose open has all but what a check sets itself: no key is taken
 * while it runs, whatever was asked for. Then, if that is wanted, the new keys are written as one
 * set, exactly as they were shown, and the hosts that have them are checked again. Shows sets, or
 * with --output a record a host. Returns the exit status.
 */
int doctor_run(const struct cmd *cmd, const struct cmd_globals *globals,
	       const struct doctor_options *options, const struct submit *submit);

#endif
