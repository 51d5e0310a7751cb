/* Asks the daemon for a check (JOB_CHECK) of hosts, and keeps what it finds of each. */
#ifndef MUSTER_DOCTOR_CHECK_H
#define MUSTER_DOCTOR_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd.h"
#include "submit_job.h"

struct doctor_host {
	const char *label;
	const char *state; /* "ok", "new-key", "refused", ...; static; NULL: not known */
	const char *step;  /* that it failed in: "resolve", "connect", ...; static; NULL: none */
	char *text;	   /* what else there is to say; NULL: nothing */
	char *found;	   /* the record of the daemon; NULL: none */
	int exit_status;
};

/* The hosts of a submit, in its order. */
struct doctor {
	struct doctor_host *hosts;
	size_t count;
};

/* hosts is borrowed. Freed by doctor_done. */
void doctor_init(struct doctor *doctor, const struct hostlist *hosts);
void doctor_done(struct doctor *doctor);

/* Checks the hosts of submit (all, or those that it picks), whose open is a JOB_CHECK. Returns the
 * exit status of what is not the hosts': EXIT_OK if the check came to its end. */
int doctor_check(struct doctor *doctor, const struct cmd *cmd, const struct cmd_globals *globals,
		 const struct submit *submit);

/* A field of what the daemon found (docs/protocol.md, section 6.1, builtin 5). The caller frees it;
 * NULL: it has found none. */
char *doctor_field(const struct doctor_host *host, const char *name);

/* That the host has shown a key that is not known. */
bool doctor_is_new_key(const struct doctor_host *host);

#endif
