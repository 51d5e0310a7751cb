/* The hosts of a command line: -H and -x to a list, with the groups that there are. */
#ifndef MUSTER_TARGETS_H
#define MUSTER_TARGETS_H

#include "cmd.h"
#include "hostlist.h"
#include "login.h"
#include "options.h"

/* The rows of these options: both are a struct option_texts of the caller's values. */
#define TARGETS_ROWS(hosts, exclude)                                                          \
	{"hosts",                                                                             \
	 'H',                                                                                 \
	 OPTION_TEXTS,                                                                        \
	 VALUE(hosts),                                                                        \
	 "EXPR",                                                                              \
	 "the hosts: web[01-40/2],root@db1:2222,^FILE,-\n(standard input); may be repeated"}, \
		{"computer-name", 'w', OPTION_TEXTS, VALUE(hosts), "EXPR", "the same as -H"}, \
	{                                                                                     \
		"exclude", 'x', OPTION_TEXTS, VALUE(exclude), "EXPR",                         \
			"but not these; may be repeated"                                      \
	}

/*
 * The union of the expressions in targets without those in exclude. Files and standard input are
 * read here, the latter at most once, and not at all if something else reads it (stdin_taken).
 * Groups come from the inventories of globals (--inventory, else $MUSTER_INVENTORY, else
 * muster.conf) and from where ClusterShell, Ansible, dsh and ssh have them; what an inventory says
 * of the login to a host holds where the expression says nothing. globals NULL: there is no such
 * option. Returns 0; what hostlist_parse returns; ERR_NOTFOUND for an empty set unless allow_empty;
 * what groups_load and groups_vars return. *ret is freed by hostlist_free.
 */
int targets_find(struct hostlist **ret, const struct cmd_globals *globals,
		 const struct option_texts *targets, const struct option_texts *exclude,
		 bool allow_empty, bool stdin_taken, struct errmsg *msg);

/*
 * The beginning of a command that shows records of hosts: there are hosts, the format of --output
 * is one, the login makes sense, and then targets_find. Says what is wrong. Returns EXIT_OK, or
 * EXIT_USAGE without *ret.
 */
int targets_begin(struct hostlist **ret, const struct cmd *cmd, const struct cmd_globals *globals,
		  const struct option_texts *targets, const struct option_texts *exclude,
		  bool allow_empty, const struct login_values *login);

/*
 * The same from where expressions are parsed by somebody else: what hostlist_parse asks, until
 * targets_close, which takes NULL. *ret_env belongs to the targets.
 */
struct targets;
struct targets *targets_open(const struct hostlist_env **ret_env, const struct cmd_globals *globals,
			     bool stdin_taken);
void targets_close(struct targets *targets);

#endif
