/* Who logs in on the hosts, and by which password: what invoke, session and agent let a user say.
 */
#ifndef MUSTER_LOGIN_H
#define MUSTER_LOGIN_H

#include <stdbool.h>

#include "control.h"
#include "err.h"
#include "options.h"

struct login_values {
	const char *user;
	bool ask;
	const char *file;
	const char *command;
};

/* The rows of these options: field is where the caller's values have their struct login_values. */
#define LOGIN_ROWS(field)                                                                       \
	{"user",      'l',                                                                      \
	 OPTION_TEXT, VALUE(field.user),                                                        \
	 "NAME",      "log in as NAME where the expression names nobody"},                      \
		{"ask-pass",	   'k',	 OPTION_FLAG,                                           \
		 VALUE(field.ask), NULL, "ask for the password of the login, once"},            \
		{"password-file", 0,                                                            \
		 OPTION_TEXT,	  VALUE(field.file),                                            \
		 "FILE",	  "read it from the first line of FILE; '-': standard\ninput"}, \
	{                                                                                       \
		"password-command", 0, OPTION_TEXT, VALUE(field.command), "COMMAND",            \
			"read it from the first line that COMMAND writes (by sh)"               \
	}

/* The option that was given; NULL: none. */
const char *login_given(const struct login_values *v);

/* What can be said of them before anything is asked or read. *taken: something reads standard
 * input. Raises it, or returns ERR_SYNTAX with msg. */
int login_check(const struct login_values *v, bool *taken, struct errmsg *msg);

/* Gets the password, once; *ret is NULL if none is asked for. Freed by secret_free. Returns 0 or a
 * negative ERR_* with msg. */
int login_password(char **ret, const struct login_values *v, struct errmsg *msg);

/* JOB_ASK: asks on the terminal, and answers; says at once if there is none. Returns 0, ERR_CLOSED
 * if a signal came instead of an answer, or what job_ask_get returns, with msg. */
int login_on_ask(struct control *control, const void *body, size_t len, struct errmsg *msg);

#endif
