/*
 * What people set once, in files: muster.conf(5). Lines "key = value"; '#' begins a comment. The
 * user's file outweighs the system's, and whoever asks lets options outweigh both.
 */
#ifndef MUSTER_CONFIG_H
#define MUSTER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define CONFIG_SYSTEM_PATH "/etc/muster/muster.conf"

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
	CONFIG_KEY_COUNT
};

struct config {
	struct {
		uint64_t value;
		bool given;
	} keys[CONFIG_KEY_COUNT];
	char store[CONFIG_PATH_SIZE]; /* as it was written */
	char topology[CONFIG_PATH_SIZE];
	char inventory[CONFIG_PATH_SIZE];
	char lists[3][CONFIG_LIST_SIZE]; /* of algorithms; the first is CONFIG_KEX_ALGORITHMS */
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

/* The same for a file. One that is not there sets nothing. ERR_SYS, ERR_LIMIT: cannot be read. */
int config_read(struct config *config, const char *path, struct errmsg *msg);

/* $XDG_CONFIG_HOME/muster/muster.conf, or ~/.config/muster/muster.conf; NULL where neither
 * variable is an absolute path. The caller frees it. */
char *config_user_path(void);

/* The system's file, then the user's. */
int config_load(struct config *ret, struct errmsg *msg);

#endif
