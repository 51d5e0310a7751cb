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
struct ssh_exec;

enum ssh_strict { SSH_STRICT_YES, SSH_STRICT_ACCEPT_NEW };
enum ssh_family { SSH_FAMILY_ANY, SSH_FAMILY_INET, SSH_FAMILY_INET6 };

/* What holds for one host. Strings are owned by it, but for those that are const, which are those
 * of the configuration and live as long. Freed by ssh_options_done. */
struct ssh_options {
	char *hostname; /* to connect to */
	char *user;
	uint16_t port;
	char **identity_files; /* absolute, relative ones taken from home; tokens, ~, ${} expanded
				*/
	size_t identity_count;
	char **certificate_files; /* CertificateFile, as identity_files */
	size_t certificate_count;
	bool identities_default; /* none was configured: these are ssh's default files */
	bool identities_only;
	char *identity_agent; /* socket path, "none", or NULL: the caller's SSH_AUTH_SOCK */
	char **user_known_hosts;
	size_t user_known_hosts_count;
	char **global_known_hosts;
	size_t global_known_hosts_count;
	enum ssh_strict strict; /* yes and ask (nobody is there to be asked): YES; no, off and
				   accept-new: ACCEPT_NEW */
	bool hash_known_hosts;
	char *host_key_alias;			/* NULL: none */
	unsigned connect_timeout_s;		/* 0: none given */
	unsigned attempts;			/* ConnectionAttempts; at least 1 */
	unsigned alive_interval_s, alive_count; /* ServerAlive*; 0 and 3 if none is given */
	enum ssh_family family;
	char *proxy_jump; /* tokens expanded; NULL: none (also for "none") */
	/* For a shell, tokens expanded, "exec " in front as ssh has it; NULL: none. A name or a
	 * user that carries what a shell reads has made the lookup fail. */
	char *proxy_command;
	bool proxy_fdpass;
	/* Lists as they are written, with the '+', '-' or '^' in front; NULL: none. */
	const char *kex, *ciphers, *macs, *host_key_algs, *pubkey_algs;
	const char *preferred; /* PreferredAuthentications; NULL: ssh's order */
	bool pubkey_auth, password_auth, keyboard_auth, gssapi_auth, hostbased_auth;
	unsigned prompts;    /* NumberOfPasswordPrompts; at least 1 */
	const char *special; /* a keyword that only the OpenSSH client can follow; NULL: none */
	const char *refuse;  /* RefuseConnection; NULL: none */
};

/* What is asked. user NULL and port 0: from the configuration, else local_user and 22. */
struct ssh_query {
	const struct ssh_config *config;
	const struct ssh_config *options; /* of the command line, above config; NULL: none */
	const char *host;		  /* as the user named it */
	const char *user;
	uint16_t port;
	const char *local_user;
	struct ssh_exec *exec; /* for Match exec; NULL: one that has to be decided is an error */
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

/* Keywords that were met and have no effect here though they ask for something, each at its first
 * place: "SetEnv (file:line), ..."; NULL: none. docs/ssh_config.md has the reasons. Borrowed. */
const char *ssh_config_ignored(const struct ssh_config *config);

/*
 * What "--ssh-option Keyword=value" says, as a configuration that stands above a file (ssh_query).
 * Returns 0; ERR_SYNTAX, ERR_LIMIT with msg, which names the option. Freed by ssh_config_free.
 */
int ssh_config_options(struct ssh_config **ret, char *const *options, size_t count,
		       const char *home, struct errmsg *msg);

/*
 * What the commands of Match exec have said, each run once: by the user's shell, without input and
 * output, for LIMIT_MATCH_EXEC_MS at most, and all of them for LIMIT_MATCH_EXEC_ALL_MS. Belongs to
 * one thread, off the event loop.
 */
struct ssh_exec *ssh_exec_new(void);
void ssh_exec_free(struct ssh_exec *exec); /* NULL is fine */

/*
 * What holds for a host. Costs as much as there are blocks with wildcards or Match, not as there
 * are blocks; where a "Match final" stands or CanonicalizeHostname is set, twice that, as ssh reads
 * the files again then. Reads the environment (${NAME}, $NAME), no files. Returns 0; ERR_SYNTAX
 * with msg for a value that cannot be used; ERR_LIMIT for over 100 IdentityFile or CertificateFile;
 * ERR_TIMEOUT or ERR_SYS for a Match exec that does not end or start.
 */
int ssh_config_ask(const struct ssh_query *query, struct ssh_options *ret, struct errmsg *msg);

/* The same without options and Match exec. */
int ssh_config_lookup(const struct ssh_config *config, const char *host, const char *user,
		      uint16_t port, const char *local_user, struct ssh_options *ret,
		      struct errmsg *msg);
void ssh_options_done(struct ssh_options *options);

#endif
