/*
 * ssh_config(5), read once: what a connection needs of it. First value wins; IdentityFile adds up.
 * Everything here is immutable after loading, and may be read from several threads.
 */
#ifndef MUSTER_SSH_CONFIG_H
#define MUSTER_SSH_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct ssh_config;

enum ssh_strict { SSH_STRICT_YES, SSH_STRICT_ACCEPT_NEW };

/* What holds for one host. Strings are owned by it; freed by ssh_options_done. */
struct ssh_options {
	char *hostname; /* to connect to */
	char *user;
	uint16_t port;
	char **identity_files; /* absolute, relative ones taken from home; tokens, ~, ${} expanded
				*/
	size_t identity_count;
	bool identities_default; /* none was configured: these are ssh's default files */
	bool identities_only;
	char *identity_agent; /* socket path, "none", or NULL: the caller's SSH_AUTH_SOCK */
	char **user_known_hosts;
	size_t user_known_hosts_count;
	char **global_known_hosts;
	size_t global_known_hosts_count;
	enum ssh_strict strict;	    /* yes and ask: YES; no, off and accept-new: ACCEPT_NEW */
	char *host_key_alias;	    /* NULL: none */
	unsigned connect_timeout_s; /* 0: none given */
	char *proxy_jump;	    /* tokens expanded; NULL: none (also for "none") */
	/* As written: its tokens (%h %n %p %r %%) are the caller's to expand, after checking what
	 * goes into a shell. NULL: none (also for "none"). */
	char *proxy_command;
};

/*
 * Loads path, or for NULL ~/.ssh/config and /etc/ssh/ssh_config (a missing one is empty), or
 * nothing for "none" (as ssh -F). home: the user's home directory, for ~ and relative Include.
 * Reads files: call it off the event loop. Returns 0; ERR_SYS if a file cannot be read; ERR_DENIED
 * if ~/.ssh/config or an included file belongs to or can be written by somebody else; ERR_SYNTAX,
 * ERR_LIMIT with msg naming file, line and cure. IgnoreUnknown holds for all that follows it. A
 * keyword that ssh knows and we do not is remembered, not an error: see ssh_config_ignored. Freed
 * by ssh_config_free.
 */
int ssh_config_load(struct ssh_config **ret, const char *path, const char *home,
		    struct errmsg *msg);
void ssh_config_free(struct ssh_config *config);

/* Keeps it: it is freed only after as many more calls of ssh_config_free. Both from any thread. */
void ssh_config_hold(struct ssh_config *config);

/* True if it is what path and home name, and if loading them again would give the same: no file
 * that counted is another one now, none has come or gone. The last looks at files, and so belongs
 * off the event loop. Never current is one that is not settled: which read a file that had changed
 * less than two seconds before, or ~user. */
bool ssh_config_is_of(const struct ssh_config *config, const char *path, const char *home);
bool ssh_config_is_settled(const struct ssh_config *config);
bool ssh_config_is_current(const struct ssh_config *config);

/* Bytes of text that were read. */
size_t ssh_config_size(const struct ssh_config *config);

/* Keywords that were met and have no effect here, and that change where or how a connection is
 * made, each at its first place: "Match exec (file:line), ..."; NULL: none. Borrowed. */
const char *ssh_config_ignored(const struct ssh_config *config);

/*
 * What holds for a host as the user named it. user NULL and port 0: from the file, else
 * local_user and 22. Costs as much as there are blocks with wildcards or Match, not as there are
 * blocks. Reads the environment (${NAME}, $NAME), no files. Returns 0; ERR_SYNTAX with msg for a
 * value that cannot be used; ERR_LIMIT for over 100 IdentityFile.
 */
int ssh_config_lookup(const struct ssh_config *config, const char *host, const char *user,
		      uint16_t port, const char *local_user, struct ssh_options *ret,
		      struct errmsg *msg);
void ssh_options_done(struct ssh_options *options);

#endif
