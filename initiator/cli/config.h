/*
 * What people set once: muster.conf(5), its profiles, and the environment. Lines "key = value"; '#'
 * begins a comment. An option outweighs the environment, that a profile, that the user's files, and
 * these the system's.
 */
#ifndef MUSTER_CONFIG_H
#define MUSTER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define CONFIG_PATH_SIZE 1024u
#define CONFIG_LIST_SIZE 1024u

enum config_key {
	CONFIG_RESULTS_BUDGET,	     /* bytes */
	CONFIG_RESULTS_SHARE,	     /* bytes */
	CONFIG_IDLE_TIMEOUT,	     /* milliseconds; 0: never */
	CONFIG_SESSION_LINGER,	     /* milliseconds; 0: not at all */
	CONFIG_THROTTLE_LIMIT,	     /* hosts */
	CONFIG_STOP_GRACE,	     /* milliseconds */
	CONFIG_AGENT,		     /* enum job_agent (control_msg.h) */
	CONFIG_CONNECT_TIMEOUT,	     /* milliseconds */
	CONFIG_STORE,		     /* config_store */
	CONFIG_STORE_SIZE,	     /* bytes; 0: no limit */
	CONFIG_RETAIN_AGE,	     /* milliseconds; 0: for ever */
	CONFIG_RETAIN_COUNT,	     /* jobs; 0: no limit */
	CONFIG_KEEPALIVE,	     /* milliseconds */
	CONFIG_IO_THREADS,	     /* 0: one for each core */
	CONFIG_BASTION_OPENING,	     /* connections */
	CONFIG_BASTION_CHANNELS,     /* connections */
	CONFIG_BASTION_MEMORY,	     /* bytes */
	CONFIG_RESULTS_STORED,	     /* bytes */
	CONFIG_RETAIN_SIZE,	     /* bytes */
	CONFIG_RECONNECT_DELAY,	     /* milliseconds */
	CONFIG_RECONNECT_TIMEOUT,    /* milliseconds; 0: not at all */
	CONFIG_SESSION_IDLE_TIMEOUT, /* milliseconds; 0: never */
	CONFIG_SPOOL_LIMIT,	     /* bytes */
	CONFIG_SPOOL_FULL,	     /* 0: block, 1: drop */
	CONFIG_RETRIES,		     /* how often */
	CONFIG_KEX_ALGORITHMS,	     /* config_text; the two below too */
	CONFIG_CIPHERS,
	CONFIG_MACS,
	CONFIG_TOPOLOGY,	/* config_topology */
	CONFIG_HOST_KEY,	/* enum job_host_key */
	CONFIG_TRANSPORT,	/* enum job_transport_way */
	CONFIG_CONFIRM_ABOVE,	/* hosts; 0: nobody is asked who does not want it */
	CONFIG_CONFIRM_COUNT,	/* hosts */
	CONFIG_INVENTORY,	/* config_inventory */
	CONFIG_INVENTORY_CACHE, /* milliseconds; 0: nothing is kept */
	/* Defaults of options, which config_apply.h puts in their place. */
	CONFIG_USER,
	CONFIG_IDENTITY_FILE, /* may be repeated, as the next */
	CONFIG_SSH_OPTIONS,
	CONFIG_ASK_PASS,
	CONFIG_PASSWORD_FILE,
	CONFIG_PASSWORD_COMMAND,
	CONFIG_BECOME,
	CONFIG_BECOME_METHOD,
	CONFIG_ASK_BECOME_PASS,
	CONFIG_BECOME_PASSWORD_FILE,
	CONFIG_BATCH,
	CONFIG_PAUSE,
	CONFIG_MAX_FAILURES,
	CONFIG_FAIL_FAST,
	CONFIG_CANARY,
	CONFIG_UNTIL_REACHABLE,
	CONFIG_CONFIRM,
	CONFIG_TIMEOUT,
	CONFIG_START_TIMEOUT,
	CONFIG_MAX_OUTPUT,
	CONFIG_OUTPUT,
	CONFIG_COLOR,
	CONFIG_QUIET,
	CONFIG_KEY_COUNT
};

/* Who has set a value: a higher one outweighs a lower one. */
enum config_level {
	CONFIG_BY_NOBODY,
	CONFIG_BY_SYSTEM,
	CONFIG_BY_USER,
	CONFIG_BY_SYSTEM_PROFILE,
	CONFIG_BY_USER_PROFILE,
	CONFIG_BY_ENVIRONMENT
};

/* A value as it was written, and where; texts are places in the arena, 0 is none. */
struct config_text {
	uint32_t text;
	uint32_t path; /* the file, or the variable */
	unsigned line;
	enum config_level level;
};

/* option.NAME = VALUE, where NAME is no key. */
struct config_extra {
	uint32_t name;
	struct config_text at;
};

#define CONFIG_EXTRAS 64u
#define CONFIG_ARENA  (32u << 10)

/* Holds all that it needs: is copied and forgotten like a number. All 0: nothing is set. */
struct config {
	struct {
		uint64_t value;
		bool given;
		struct config_text at;
	} keys[CONFIG_KEY_COUNT];
	struct config_extra extras[CONFIG_EXTRAS];
	size_t extra_count;
	uint32_t profile; /* the one that was wanted */
	uint32_t used;	  /* of the arena */
	char arena[CONFIG_ARENA];
};

/* What the key is set to; what is to hold where it is not. */
uint64_t config_get(const struct config *config, enum config_key key, uint64_t otherwise);

/* CONFIG_STORE: "memory", or a path that begins with '/' or "~/"; NULL where it is not set. */
const char *config_store(const struct config *config);

/* CONFIG_TOPOLOGY: "none", or a path as CONFIG_STORE's; NULL where it is not set. */
const char *config_topology(const struct config *config);

/* CONFIG_INVENTORY: as --inventory has it; NULL where it is not set. */
const char *config_inventory(const struct config *config);

/* CONFIG_KEX_ALGORITHMS, CONFIG_CIPHERS or CONFIG_MACS; NULL where it is not set. */
const char *config_text(const struct config *config, enum config_key key);

/*
 * The directory of a store for the daemon of this name: of a path as config_store gives it, "~/" is
 * the home (NULL: there is none), "%L" the name, "%%" a '%'. The caller frees it. ERR_NOTFOUND with
 * msg: there is no home.
 */
int config_store_path(char **ret, const char *store, const char *name, const char *home,
		      struct errmsg *msg);

/*
 * Takes the len bytes of a file. What they set outweighs what config had. Returns 0, or ERR_SYNTAX,
 * ERR_RANGE or ERR_EXISTS (a key that is set twice) with msg, which begins with "PATH:LINE: ";
 * config is then as it was.
 */
int config_parse(struct config *config, const char *text, size_t len, const char *path,
		 struct errmsg *msg);

/* The same for a file. One that is not there sets nothing. ERR_SYS (what is no regular file, too),
 * ERR_LIMIT: cannot be read. */
int config_read(struct config *config, const char *path, struct errmsg *msg);

/* --- the table of keys --- */

const char *config_key_name(enum config_key key);
const char *config_key_help(enum config_key key);
const char *config_key_default(enum config_key key); /* as text; NULL: there is none */
/* What is a word of a few, "a, b, c"; NULL: it is not. */
const char *config_key_words(enum config_key key);
/* The option that config_apply.h sets by it; NULL: who asks config_get. */
const char *config_key_option(enum config_key key);
/* The daemon reads it when it starts. */
bool config_key_is_daemon(enum config_key key);
/* The key of that name, or CONFIG_KEY_COUNT. */
enum config_key config_key_find(const char *name);
/* "MUSTER_THROTTLE_LIMIT" of throttle-limit, appended. */
void config_key_variable(struct buf *out, enum config_key key);

/* What was written, those of a key that may be repeated with '\n' between; NULL: not set. */
const char *config_written(const struct config *config, enum config_key key);

/* The text at a place of the arena. */
const char *config_at(const struct config *config, uint32_t place);

/* Appends where a value comes from: "default", "FILE:LINE", "profile NAME (FILE:LINE)",
 * "environment VARIABLE". */
void config_origin(struct buf *out, const struct config *config, const struct config_text *at);

/* --- all of it --- */

#define CONFIG_SYSTEM_DIR "/etc/muster"

/* What config_load is to do beyond reading. */
struct config_loading {
	const char *profile; /* NULL: none */
	bool all; /* profiles that are files are read too, to see what is wrong with them */
	/* Every error, begun with its place; reading goes on behind it. NULL: it ends with the
	 * first. */
	void (*fault)(void *ctx, const char *text);
	void *ctx;
	struct buf *profiles; /* the names of those that there are, a line each; NULL: no matter */
};

/*
 * The files of the system and of the user (muster.conf, muster.conf.d, profiles), and the
 * environment. The user's must belong to them or root and be writable by nobody else. Returns 0 or
 * a negative ERR_* with msg, the first error's even where fault has all; ERR_NOTFOUND: there is no
 * such profile, and msg says which there are.
 */
int config_load(struct config *ret, const struct config_loading *loading, struct errmsg *msg);

/* The profile that is wanted: option, as -m has it, else $MUSTER_PROFILE; NULL: none. Borrowed. */
const char *config_profile(const char *option);

/* One file, as config_load would read it for check. */
int config_check(const char *path, const struct config_loading *loading, struct errmsg *msg);

/* $XDG_CONFIG_HOME/muster, or ~/.config/muster; NULL where neither variable is an absolute path.
 * The caller frees it. */
char *config_user_dir(void);

/* $XDG_CONFIG_HOME/muster/muster.conf, or ~/.config/muster/muster.conf; NULL where neither
 * variable is an absolute path. The caller frees it. */
char *config_user_path(void);

#endif
