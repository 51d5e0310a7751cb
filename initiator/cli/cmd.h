/* The commands of muster: a table of these in main.c. */
#ifndef MUSTER_CMD_H
#define MUSTER_CMD_H

#include <stdbool.h>

#include "config.h"
#include "options.h"
#include "style.h"

/* Options that every command has, before or behind the verb. */
struct cmd_globals {
	const char *ssh_config;		 /* -F */
	const char *daemon;		 /* -L */
	const char *output;		 /* --output */
	const char *color;		 /* --color */
	struct option_texts inventories; /* --inventory */
	bool refresh_inventory;
	const char *profile; /* -m */
	bool quiet;
	bool help;
	bool version;
	const struct config *config; /* what the files say; set before the command runs */
};

struct cmd {
	const char *name;
	const char *synopsis;		  /* after "muster NAME" */
	const char *summary;		  /* one line for muster --help */
	const char *text;		  /* more for muster NAME --help; may be NULL */
	const struct option_row *options; /* without the global ones */
	size_t option_count;
	bool reads_config;  /* by itself: it is about what may be wrong there */
	bool is_hidden;	    /* not for people: --help does not name it */
	bool stop_at_word;  /* its arguments are somebody else's command line */
	size_t values_size; /* of the struct that the options fill; begins with cmd_globals */
	/* argv[0..argc) is what follows the options. Returns the exit status. */
	int (*run)(const struct cmd *cmd, void *values, int argc, char **argv);
};

extern const struct cmd cmd_invoke, cmd_copy, cmd_doctor, cmd_start, cmd_get, cmd_receive, cmd_wait,
	cmd_stop, cmd_remove, cmd_suspend, cmd_resume, cmd_set, cmd_session, cmd_agent, cmd_daemon,
	cmd_hosts, cmd_relay, cmd_config, cmd_complete;

/* Prints "muster NAME: TEXT" and the hint at --help on stderr; returns EXIT_USAGE. */
int cmd_usage(const struct cmd *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints an error without the hint; returns status. */
int cmd_error(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Writes text to stdout and empties it. Returns EXIT_OK, or EXIT_INTERNAL after saying why not. */
int cmd_print(struct buf *text);

/* The name of the daemon: -L, else $MUSTER_DAEMON, else "default". */
const char *cmd_daemon_name(const struct cmd_globals *globals);

/* --color as style.h wants it, judged for stdout or stderr. */
bool cmd_colour(const struct cmd_globals *globals, int fd);

/* -F as the daemon needs it, which has another working directory: *ret is NULL if it was not given;
 * the caller frees it. Returns EXIT_OK, or EXIT_USAGE after saying that there is no such file. */
int cmd_ssh_config(const struct cmd *cmd, const char *given, char **ret);

/* What an error of control_open means as an exit status, said on stderr. */
int cmd_control_error(int code, const char *text);

#endif
