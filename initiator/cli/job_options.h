/* What invoke and start let a user say of how a command runs, and what becomes of it in a job. */
#ifndef MUSTER_JOB_OPTIONS_H
#define MUSTER_JOB_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "control_msg.h"
#include "options.h"

struct job_values {
	struct option_texts env;
	const char *nice;
	const char *agent;
	const char *input; /* --stdin */
	const char *file;
	struct option_texts arguments;
	const char *directory;
	bool pty;
	uint64_t idle_timeout_ms;
	uint64_t start_timeout_ms;
	uint64_t output_limit;
	struct option_maybe become;
	const char *become_method;
	const char *become_password_file;
	bool ask_become_pass;
	const char *parse;
	bool no_expand;
};

/* What a job owns that was made from them. */
struct job_made {
	struct buf script;
	const char **words; /* the arguments of a script */
};

/* What is to become of an agent, by its name: enum job_agent. what: what the text is of, for msg.
 */
int job_agent_find(uint64_t *ret, const char *text, const char *what, struct errmsg *msg);

/*
 * Sets the fields of open that the values tell, but for argv of what is no script; argc and argv
 * are the words behind the options, and with a script its arguments. open borrows from values, argv
 * and *made, which is freed by job_made_done, also after a failure. Returns 0 or a negative ERR_*
 * with msg.
 */
int job_options_fill(struct job_open_msg *open, struct job_made *made, const struct job_values *v,
		     int argc, char **argv, struct errmsg *msg);
void job_made_done(struct job_made *made);

/* Gets the password that the values ask for, once; *ret is NULL if none is. Freed by secret_free.
 * Returns 0 or a negative ERR_* with msg. */
int job_options_password(char **ret, const struct job_values *v, struct errmsg *msg);

/* Something reads standard input. ERR_SYNTAX with msg if two do. */
int job_options_stdin(bool *ret, const struct job_values *v, struct errmsg *msg);

#endif
