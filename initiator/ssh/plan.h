/*
 * A plan: everything that connecting to a set of hosts needs and that is read from files or from
 * ssh-agent, read once, off the event loop. Immutable when it is ready; connections borrow it.
 */
#ifndef MUSTER_PLAN_H
#define MUSTER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent_list.h"
#include "buf.h"
#include "config.h"
#include "engine.h"
#include "err.h"
#include "keys.h"
#include "known_hosts.h"

/* How to prove who we are: keys, and certificates, in the order in which they are tried. Shared by
 * targets. */
struct plan_login {
	const struct key_file **files; /* usable ones only */
	size_t file_count;
	size_t explicit_count; /* the first so many are tried before the agent's, as ssh does */
	const struct agent_identity **agent;
	size_t agent_count;
	const char *agent_path;
	const char *name;		/* what is configured; the same for the same */
	struct plan_login_parts *parts; /* what it is made of: plan_login.c's */
	char *fault; /* why there is less than was configured: "KEY: no such file; ..."; NULL */
};

/* Which host keys are trusted. Shared by targets. */
struct plan_trust {
	const struct known_hosts **files; /* user's, then global */
	size_t count;
	const char *append_to; /* the file for new keys; NULL: none */
};

/* Host keys to ask for. Safe and cheap first; what known_hosts has of a host goes before it. */
#define PLAN_HOSTKEY_ALGS                                                          \
	"ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521," \
	"rsa-sha2-512,rsa-sha2-256"

/* What may be used to prove who we are, of PreferredAuthentications, PubkeyAuthentication,
 * PasswordAuthentication and KbdInteractiveAuthentication (ssh_config(5)). */
enum plan_method { PLAN_PUBKEY, PLAN_PASSWORD, PLAN_KEYBOARD, PLAN_METHOD_COUNT };

struct plan_auth {
	bool pubkey, password, keyboard;
	bool keyboard_named;			/* PreferredAuthentications names it */
	unsigned char order[PLAN_METHOD_COUNT]; /* enum plan_method, best first: the allowed ones */
	unsigned count;				/* of order; 0: none is allowed */
	unsigned prompts;			/* NumberOfPasswordPrompts; at least 1 */
};

/* AddressFamily. */
enum plan_family { PLAN_ANY_FAMILY, PLAN_INET, PLAN_INET6 };

/* How a target is reached. */
enum plan_way {
	PLAN_DIRECT,  /* TCP */
	PLAN_JUMP,    /* direct-tcpip (RFC 4254 section 7.2) through jump */
	PLAN_COMMAND, /* proxy_command is run, and its stdin and stdout are the connection */
	PLAN_OPENSSH  /* the OpenSSH client does all: what libssh cannot */
};

struct host_key_note;

struct plan_target {
	struct plan *plan;
	const char *host; /* as the user wrote it */
	char *hostname;	  /* to connect to */
	char *user;
	char *key_name;	    /* host name or HostKeyAlias, for known_hosts */
	char *hostkey_algs; /* to ask for, best first; NULL: PLAN_HOSTKEY_ALGS */
	uint16_t port;
	bool key_alias;
	bool accept_new;
	unsigned connect_timeout_ms; /* 0: none configured */
	const struct plan_login *login;
	const struct plan_trust *trust;
	char *fault; /* why it cannot be connected to at all; NULL: it can */
	enum plan_way way;
	const struct plan_target *jump; /* the last bastion, which has a way of its own; one for all
					   targets of the plan that go by it */
	char *proxy_command;		/* for a shell's -c, expanded, with "exec " in front */
	const char *openssh_why;	/* what libssh cannot; static, or the plan's */
	const char *kex, *ciphers, *macs; /* of ssh_config; NULL: ours. The plan's, shared */
	unsigned attempts;		  /* ConnectionAttempts; at least 1 */
	unsigned alive_interval_s;	  /* ServerAliveInterval; 0: ours */
	unsigned alive_count;
	bool hash_known_hosts; /* names of keys that are added are hashed */
	struct plan_auth auth;
	const char *hostkey_list; /* HostKeyAlgorithms; NULL: none. Shared; hostkey_algs has it */
	bool hostkey_known;	  /* known_hosts has a key of its own */
	const char *pubkey_algs;  /* PubkeyAcceptedAlgorithms; NULL: libssh's. The plan's, shared */
	unsigned char family;	  /* enum plan_family */
	bool note_keys;		  /* the key of a host that is known is noted, too */
	_Atomic(struct host_key_note *) note; /* of host_key.c; NULL: none so far */
};

struct plan_host {
	char *host;	/* label */
	char *hostname; /* what the label names */
	char *user;	/* NULL: by configuration */
	uint16_t port;	/* 0: by configuration */
};

struct plan_request {
	struct plan_host *hosts;
	size_t count;
	char *config_path;  /* as ssh -F; NULL: ssh's own files */
	char *agent_socket; /* NULL: none */
	char *home;
	char **options; /* "Keyword=value" of the command line: above every file */
	size_t option_count;
	unsigned host_key;  /* enum plan_host_key */
	unsigned transport; /* enum plan_transport */
	bool note_keys;	    /* host_key_noted tells of every host */
};

/* As in control_msg.h, whose numbers these are. */
enum plan_host_key { PLAN_HOST_KEY_CONFIG, PLAN_HOST_KEY_STRICT, PLAN_HOST_KEY_NEW };
enum plan_transport { PLAN_BY_ANY, PLAN_BY_LIBSSH, PLAN_BY_OPENSSH };

struct plan;

/* plan NULL: it failed as a whole, and msg says why. Otherwise the callee owns it. */
typedef void plan_fn(void *arg, struct plan *plan, const struct errmsg *msg);

/*
 * Begins to prepare; takes request over and empties it. fn is called from the loop, later.
 */
struct plan_work;
struct plan_work *plan_start(struct ssh_engine *engine, struct plan_request *request, plan_fn *fn,
			     void *arg);
void plan_cancel(struct plan_work *work); /* fn will not be called. NULL is fine. */

void plan_request_done(struct plan_request *request);

/* After every connection that borrows from it. NULL is fine. */
void plan_free(struct plan *plan);

/* Keeps the plan: it is freed only after as many more calls of plan_free. This and plan_free from
 * any thread. */
void plan_hold(struct plan *plan);

size_t plan_count(const struct plan *plan);
const struct plan_target *plan_target(const struct plan *plan, size_t index);

/* What the user should know and that stops nothing, one text a line; NULL: nothing. Borrowed. */
const char *plan_warning(const struct plan *plan);

/* The same as plan_start without threads: for tests and for the worker itself. */
int plan_build(struct plan **ret, struct plan_request *request, struct errmsg *msg);

#endif
