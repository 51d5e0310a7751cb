/* What invoke and session let a user say of how hosts are connected to, and muster.conf of every
 * connection. */
#ifndef MUSTER_CONNECT_H
#define MUSTER_CONNECT_H

#include "config.h"
#include "control_msg.h"
#include "options.h"

struct connect_values {
	const char *retries;
	const char *kex;
	const char *ciphers;
	const char *macs;
	struct option_texts options;	/* -o */
	struct option_texts identities; /* -i */
	const char *host_key;
	const char *transport;
};

/* The rows of these options, with those of CONNECT_SSH_ROWS: field is where the caller's values
 * have their struct connect_values.
 */
#define CONNECT_ROWS(field)                                                                     \
	{"retries",                                                                             \
	 0,                                                                                     \
	 OPTION_TEXT,                                                                           \
	 VALUE(field.retries),                                                                  \
	 "N",                                                                                   \
	 "try a host again so often when it cannot be connected\nto (3, and 0 where nobody "    \
	 "listens or no way leads)"},                                                           \
		{"kex-algorithms", 0,	   OPTION_TEXT,                                         \
		 VALUE(field.kex), "LIST", "key exchanges to offer, best first, with commas"},  \
		{"ciphers", 0, OPTION_TEXT, VALUE(field.ciphers), "LIST", "ciphers, the same"}, \
	{                                                                                       \
		"macs", 0, OPTION_TEXT, VALUE(field.macs), "LIST", "MACs, the same"             \
	}

/* Of every command that connects to hosts. */
#define CONNECT_SSH_ROWS(field)                                                                    \
	{"ssh-option", 'O',                                                                        \
	 OPTION_TEXTS, VALUE(field.options),                                                       \
	 "KEY=VALUE",  "a keyword of ssh_config(5), above every file; may be\nrepeated"},          \
		{"identity-file", 'i',                                                             \
		 OPTION_TEXTS,	  VALUE(field.identities),                                         \
		 "FILE",	  "a private key, before those of ssh_config; may be\nrepeated"},  \
		{"host-key",                                                                       \
		 0,                                                                                \
		 OPTION_TEXT,                                                                      \
		 VALUE(field.host_key),                                                            \
		 "HOW",                                                                            \
		 "keys of hosts that known_hosts does not have: strict\n(refused) or accept-new"}, \
	{                                                                                          \
		"transport", 0, OPTION_TEXT, VALUE(field.transport), "HOW",                        \
			"auto, libssh or ssh: the OpenSSH client carries each\nconnection"         \
	}

/* The option that was given; NULL: none. */
const char *connect_given(const struct connect_values *v);

/* What --host-key and --transport say: enum job_host_key, enum job_transport_way. 0, or ERR_SYNTAX
 * with msg, which begins with what. */
int connect_host_key_find(uint64_t *ret, const char *text, const char *what, struct errmsg *msg);
int connect_transport_find(uint64_t *ret, const char *text, const char *what, struct errmsg *msg);

/*
 * Sets the fields of open that these values tell; what an option does not tell config does. open
 * borrows from both, but for its options, which connect_done frees in any case. v NULL: there are
 * no such options. Returns 0, or ERR_SYNTAX, ERR_RANGE, ERR_LIMIT or ERR_NOTFOUND with msg.
 */
int connect_fill(struct job_open_msg *open, const struct connect_values *v,
		 const struct config *config, struct errmsg *msg);
void connect_done(struct job_open_msg *open);

#endif
