/* Options that were not given, as muster.conf and its profiles have them. */
#ifndef MUSTER_CONFIG_APPLY_H
#define MUSTER_CONFIG_APPLY_H

#include "cmd.h"

/* A command line that was parsed. */
struct option_set {
	const struct option_row *rows; /* cmd_rows */
	size_t count;
	void *values;
	bool *given; /* which rows stood there */
};

/* What is borrowed by values. */
struct config_made {
	char **texts;
	size_t count;
};

/*
 * Sets what config has for options of the command that were not given. What does not go with one
 * that was given is left out, as a setting is no wish: ask-pass beside --password-file, whatever a
 * session has fixed, how to become somebody where nobody is to be. Returns 0, or ERR_SYNTAX,
 * ERR_RANGE or ERR_NOTFOUND (option.NAME that no command has) with msg, which begins with the
 * place. *made is freed by config_made_done, after values, also after a failure.
 */
int config_apply(struct config_made *made, const struct cmd *cmd, const struct option_set *set,
		 const struct config *config, struct errmsg *msg);
void config_made_done(struct config_made *made);

/* What is wrong with option.NAME = VALUE itself, for any command. The same errors. */
int config_apply_check(const struct config *config, const struct config_extra *extra,
		       struct errmsg *msg);

#endif
