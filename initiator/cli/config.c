#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "config_private.h"
#include "connect.h"
#include "durable.h"
#include "duration.h"
#include "format.h"
#include "job_options.h"
#include "limits.h"

#define CONFIG_COUNT_MAX 1000000u /* of what is counted and may be without limit */

enum config_kind {
	CONFIG_SIZE,
	CONFIG_SIZE_OR_NONE,
	CONFIG_TIME,
	CONFIG_TIME_OR_NONE,
	CONFIG_COUNT,
	CONFIG_COUNT_OR_NONE,
	CONFIG_AGENTS,
	CONFIG_STORES,
	CONFIG_TOPOLOGIES,
	CONFIG_TEXT,
	CONFIG_TEXTS, /* may be repeated */
	CONFIG_AGAIN,
	CONFIG_LIST,
	CONFIG_BLOCK_OR_DROP,
	CONFIG_HOST_KEYS,
	CONFIG_TRANSPORTS,
	CONFIG_YES,	    /* yes or no */
	CONFIG_YES_OR_TEXT, /* the same, or the argument of an option that need not have one */
	CONFIG_PORTION,	    /* N or N% */
	CONFIG_WORDS	    /* one of those of the row */
};

/* option: what config_apply.h sets by it. A key without is asked for by config_get. */
static const struct {
	const char *name;
	enum config_kind kind;
	const char *standard;
	const char *help;
	const char *option;
	const char *words;
	bool daemon;
} config_keys[] = {
	[CONFIG_RESULTS_BUDGET] = {"results-budget", CONFIG_SIZE, "256M",
				   "memory for the unread results of all jobs", NULL, NULL, true},
	[CONFIG_RESULTS_SHARE] = {"results-share", CONFIG_SIZE, "1M",
				  "memory for the unread results of one host", NULL, NULL, true},
	[CONFIG_IDLE_TIMEOUT] = {"idle-timeout", CONFIG_TIME_OR_NONE, "10m",
				 "the daemon leaves when nobody needs it for so long", NULL, NULL,
				 true},
	[CONFIG_SESSION_LINGER] = {"session-linger", CONFIG_TIME_OR_NONE, "60s",
				   "a connection stays open for so long after its last command",
				   NULL, NULL, true},
	[CONFIG_THROTTLE_LIMIT] = {"throttle-limit", CONFIG_COUNT, "64",
				   .help = "hosts of a job that run at once"},
	[CONFIG_STOP_GRACE] = {"stop-grace", CONFIG_TIME, "10s", .help = "between TERM and KILL"},
	[CONFIG_AGENT] = {"agent", CONFIG_AGENTS, "auto",
			  .help = "whether commands are run by an agent", NULL,
			  "auto, always, never, subsystem"},
	[CONFIG_CONNECT_TIMEOUT] = {"connect-timeout", CONFIG_TIME, NULL,
				    .help = "name lookup, connect and key exchange together"},
	[CONFIG_STORE] = {"store", CONFIG_STORES, NULL, "where jobs and their results are kept",
			  NULL, NULL, true},
	[CONFIG_STORE_SIZE] = {"store-size", CONFIG_SIZE_OR_NONE, "8G",
			       "what results in the store may take", NULL, NULL, true},
	[CONFIG_RESULTS_STORED] = {"results-stored", CONFIG_SIZE_OR_NONE, "256M",
				   "unread results of one host in the store", NULL, NULL, true},
	[CONFIG_RETAIN_AGE] = {"retain-age", CONFIG_TIME_OR_NONE, "30d",
			       "jobs that ended so long ago are removed", NULL, NULL, true},
	[CONFIG_RETAIN_SIZE] = {"retain-size", CONFIG_SIZE_OR_NONE, "4G",
				"above this the oldest finished jobs are removed", NULL, NULL,
				true},
	[CONFIG_RETAIN_COUNT] = {"retain-count", CONFIG_COUNT_OR_NONE, "1000",
				 "so many finished jobs stay", NULL, NULL, true},
	[CONFIG_KEEPALIVE] = {"keepalive", CONFIG_TIME, "15s",
			      "how often an agent is asked for a sign of life", NULL, NULL, true},
	[CONFIG_IO_THREADS] = {"io-threads", CONFIG_COUNT, NULL, "threads for connections", NULL,
			       NULL, true},
	[CONFIG_BASTION_OPENING] = {"bastion-opening", CONFIG_COUNT, "64",
				    "connections that one bastion makes at once", NULL, NULL, true},
	[CONFIG_BASTION_CHANNELS] = {"bastion-channels", CONFIG_COUNT, "4096",
				     "connections through one session of a bastion", NULL, NULL,
				     true},
	[CONFIG_BASTION_MEMORY] = {"bastion-memory", CONFIG_SIZE, "256M",
				   "memory for what came through a bastion and nobody took", NULL,
				   NULL, true},
	[CONFIG_RECONNECT_DELAY] = {"reconnect-delay", CONFIG_TIME, "5s",
				    "before a lost host is tried again", NULL, NULL, true},
	[CONFIG_RECONNECT_TIMEOUT] = {"reconnect-timeout", CONFIG_TIME_OR_NONE, "30m",
				      .help = "a lost durable run is looked for so long"},
	[CONFIG_SESSION_IDLE_TIMEOUT] = {"session-idle-timeout", CONFIG_TIME_OR_NONE, "2h",
					 .help = "a session lets go of hosts that idle so long"},
	[CONFIG_SPOOL_LIMIT] = {"spool-limit", CONFIG_SIZE, "64M",
				.help = "what a durable run keeps on the disk of its host"},
	[CONFIG_SPOOL_FULL] = {"spool-full", CONFIG_BLOCK_OR_DROP, "block",
			       .help = "what happens when that is full", NULL, "block, drop"},
	[CONFIG_RETRIES] = {"retries", CONFIG_AGAIN, NULL,
			    .help = "how often a host is tried again"},
	[CONFIG_KEX_ALGORITHMS] = {"kex-algorithms", CONFIG_LIST, NULL,
				   .help = "key exchanges to offer, best first"},
	[CONFIG_CIPHERS] = {"ciphers", CONFIG_LIST, NULL, .help = "ciphers to offer, best first"},
	[CONFIG_MACS] = {"macs", CONFIG_LIST, NULL, .help = "MACs to offer, best first"},
	[CONFIG_TOPOLOGY] = {"topology", CONFIG_TOPOLOGIES, "none", .help = "the file of gateways"},
	[CONFIG_HOST_KEY] = {"host-key", CONFIG_HOST_KEYS, "ssh_config",
			     .help = "keys of hosts that known_hosts does not have", NULL,
			     "ssh_config, strict, accept-new"},
	[CONFIG_TRANSPORT] = {"transport", CONFIG_TRANSPORTS, "auto",
			      .help = "who carries connections", NULL, "auto, libssh, ssh"},
	[CONFIG_CONFIRM_ABOVE] = {"confirm-above", CONFIG_COUNT_OR_NONE, "0",
				  .help = "jobs on more hosts are confirmed"},
	[CONFIG_CONFIRM_COUNT] = {"confirm-count", CONFIG_COUNT_OR_NONE, "100",
				  .help = "above this the number of hosts is typed"},
	[CONFIG_INVENTORY] = {"inventory", CONFIG_TEXT, NULL, .help = "where hosts and groups are"},
	[CONFIG_INVENTORY_CACHE] = {"inventory-cache", CONFIG_TIME_OR_NONE, "60s",
				    .help = "what commands say of hosts is kept so long"},
	[CONFIG_USER] = {"user", CONFIG_TEXT, NULL,
			 .help = "who logs in where the expression names nobody", "user"},
	[CONFIG_IDENTITY_FILE] = {"identity-file", CONFIG_TEXTS, NULL,
				  .help = "a private key; may be repeated", "identity-file"},
	[CONFIG_SSH_OPTIONS] = {"ssh-options", CONFIG_TEXTS, NULL,
				.help = "KEY=VALUE of ssh_config(5); may be repeated",
				"ssh-option"},
	[CONFIG_ASK_PASS] = {"ask-pass", CONFIG_YES, "no",
			     .help = "ask for the password of the login", "ask-pass"},
	[CONFIG_PASSWORD_FILE] = {"password-file", CONFIG_TEXT, NULL,
				  .help = "read it from the first line of this file",
				  "password-file"},
	[CONFIG_PASSWORD_COMMAND] = {"password-command", CONFIG_TEXT, NULL,
				     .help = "read it from what this command writes",
				     "password-command"},
	[CONFIG_BECOME] = {"become", CONFIG_YES_OR_TEXT, "no",
			   .help = "run commands as root, or as this user", "become"},
	[CONFIG_BECOME_METHOD] = {"become-method", CONFIG_WORDS, "sudo",
				  .help = "how one becomes another user", "become-method",
				  "sudo, su, doas"},
	[CONFIG_ASK_BECOME_PASS] = {"ask-become-pass", CONFIG_YES, "no",
				    .help = "ask for the password of that", "ask-become-pass"},
	[CONFIG_BECOME_PASSWORD_FILE] = {"become-password-file", CONFIG_TEXT, NULL,
					 .help = "read it from the first line of this file",
					 "become-password-file"},
	[CONFIG_BATCH] = {"batch", CONFIG_PORTION, NULL, .help = "so many hosts at a time",
			  "batch"},
	[CONFIG_PAUSE] = {"pause", CONFIG_TIME, NULL, .help = "behind each batch", "pause"},
	[CONFIG_MAX_FAILURES] = {"max-failures", CONFIG_PORTION, NULL,
				 .help = "with more failed hosts no other begins", "max-failures"},
	[CONFIG_FAIL_FAST] = {"fail-fast", CONFIG_YES, "no",
			      .help = "with the first failed host stop all others", "fail-fast"},
	[CONFIG_CANARY] = {"canary", CONFIG_COUNT, NULL, .help = "the first N hosts alone",
			   "canary"},
	[CONFIG_UNTIL_REACHABLE] = {"until-reachable", CONFIG_TIME, NULL,
				    .help = "try unreachable hosts for so long", "until-reachable"},
	[CONFIG_CONFIRM] = {"confirm", CONFIG_YES, "no", .help = "show hosts and command, and ask",
			    "confirm"},
	[CONFIG_TIMEOUT] = {"timeout", CONFIG_TIME, NULL, .help = "end a command after this time",
			    "timeout"},
	[CONFIG_START_TIMEOUT] = {"start-timeout", CONFIG_TIME, "30s",
				  .help = "from the login to the start of a command",
				  "start-timeout"},
	[CONFIG_MAX_OUTPUT] = {"max-output", CONFIG_SIZE, NULL,
			       .help = "end a command that has written more", "max-output"},
	[CONFIG_OUTPUT] = {"output", CONFIG_WORDS, NULL,
			   .help = "how results of invoke and receive look", "output",
			   FORMAT_NAMES},
	[CONFIG_COLOR] = {"color", CONFIG_WORDS, "auto", .help = "whether there are colours",
			  "color", "auto, always, never"},
	[CONFIG_QUIET] = {"quiet", CONFIG_YES, "no", .help = "no progress, no summary", "quiet"},
};
_Static_assert(ARRAY_LEN(config_keys) == CONFIG_KEY_COUNT, "a key has no name");

/* --- what is asked for ----------------------------------------------------------------------- */

const char *config_key_name(enum config_key key)
{
	return config_keys[key].name;
}

const char *config_key_help(enum config_key key)
{
	return config_keys[key].help;
}

const char *config_key_default(enum config_key key)
{
	return config_keys[key].standard;
}

const char *config_key_words(enum config_key key)
{
	enum config_kind kind = config_keys[key].kind;

	return kind == CONFIG_YES || kind == CONFIG_YES_OR_TEXT ? "yes, no"
								: config_keys[key].words;
}

const char *config_key_option(enum config_key key)
{
	return config_keys[key].option;
}

bool config_key_is_daemon(enum config_key key)
{
	return config_keys[key].daemon;
}

enum config_key config_key_find(const char *name)
{
	size_t key = 0;

	while (key < CONFIG_KEY_COUNT && strcmp(config_keys[key].name, name) != 0)
		key++;
	return (enum config_key)key;
}

void config_key_variable(struct buf *out, enum config_key key)
{
	buf_add_str(out, "MUSTER_");
	for (const char *c = config_keys[key].name; *c; c++)
		buf_add_char(out, *c == '-' ? '_' : (char)toupper((unsigned char)*c));
}

bool config_is_repeated(enum config_key key)
{
	return config_keys[key].kind == CONFIG_TEXTS;
}

uint64_t config_get(const struct config *config, enum config_key key, uint64_t otherwise)
{
	return config->keys[key].given ? config->keys[key].value : otherwise;
}

const char *config_at(const struct config *config, uint32_t place)
{
	return config->arena + place;
}

const char *config_written(const struct config *config, enum config_key key)
{
	return config->keys[key].given ? config_at(config, config->keys[key].at.text) : NULL;
}

const char *config_store(const struct config *config)
{
	return config_written(config, CONFIG_STORE);
}

const char *config_text(const struct config *config, enum config_key key)
{
	return config_written(config, key);
}

const char *config_topology(const struct config *config)
{
	return config_written(config, CONFIG_TOPOLOGY);
}

const char *config_inventory(const struct config *config)
{
	return config_written(config, CONFIG_INVENTORY);
}

int config_store_path(char **ret, const char *store, const char *name, const char *home,
		      struct errmsg *msg)
{
	struct buf path = {0};

	if (*store == '~') {
		if (!home || *home != '/')
			return err_set(msg, ERR_NOTFOUND,
				       "store = %s: HOME is no absolute path; set another store in "
				       "muster.conf",
				       store);
		buf_add_str(&path, home);
		store++;
	}
	for (; *store; store++) {
		if (store[0] == '%' && store[1] == 'L')
			buf_add_str(&path, name);
		else
			buf_add_char(&path, *store);
		if (store[0] == '%' && (store[1] == 'L' || store[1] == '%'))
			store++;
	}
	*ret = buf_take_str(&path);
	return 0;
}

/* --- values ---------------------------------------------------------------------------------- */

/* A path, or a word that is none. */
static int config_judge_path(const char *word, const char *text, const char *what,
			     struct errmsg *msg)
{
	if (strcmp(text, word) != 0 && *text != '/' && strncmp(text, "~/", 2) != 0)
		return err_set(msg, ERR_SYNTAX,
			       "%s: '%.*s' is neither '%s' nor a path that begins with '/' or "
			       "'~/'",
			       what, CONFIG_SHOWN, text, word);
	if (strlen(text) >= CONFIG_PATH_SIZE)
		return err_set(msg, ERR_RANGE, "%s: a path of more than %u bytes", what,
			       CONFIG_PATH_SIZE - 1);
	return 0;
}

/* A text whose meaning shows when it is used. */
static int config_judge_text(const char *text, const char *what, struct errmsg *msg)
{
	if (!*text || strlen(text) >= CONFIG_PATH_SIZE)
		return err_set(msg, ERR_RANGE, "%s: a text of 1 to %u bytes is needed", what,
			       CONFIG_PATH_SIZE - 1);
	return 0;
}

/* What may stand in it the daemon knows. */
static int config_judge_list(const char *text, const char *what, struct errmsg *msg)
{
	if (!*text)
		return err_set(msg, ERR_SYNTAX, "%s: an empty list", what);
	if (strlen(text) >= CONFIG_LIST_SIZE)
		return err_set(msg, ERR_RANGE, "%s: a list of more than %u bytes", what,
			       CONFIG_LIST_SIZE - 1);
	return 0;
}

/* A time; above zero, unless zero means something. */
static int config_time(uint64_t *ret, bool or_none, const char *text, const char *what,
		       struct errmsg *msg)
{
	uint64_t v;
	int rc = duration_parse(&v, text, what, msg);

	if (rc == 0 && !v && !or_none)
		rc = err_set(msg, ERR_RANGE, "%s: '%s' is no time above zero", what, text);
	if (rc == 0)
		*ret = v;
	return rc;
}

/* yes or no; or something else, where that may be. */
static int config_yes(uint64_t *ret, bool or_text, const char *text, const char *what,
		      struct errmsg *msg)
{
	if (strcmp(text, "yes") == 0 || strcmp(text, "no") == 0) {
		*ret = *text == 'y';
		return 0;
	}
	*ret = 1;
	return or_text ? config_judge_text(text, what, msg)
		       : err_set(msg, ERR_SYNTAX, "%s: '%.*s' is neither yes nor no", what,
				 CONFIG_SHOWN, text);
}

/* What it means the rollout says; here only its form. */
static int config_portion(const char *text, const char *what, struct errmsg *msg)
{
	size_t n = strspn(text, "0123456789");

	if (n && n < 10 && (!text[n] || strcmp(text + n, "%") == 0))
		return 0;
	return err_set(msg, ERR_SYNTAX, "%s: '%.*s' is neither N nor N%%", what, CONFIG_SHOWN,
		       text);
}

static int config_word(const char *words, const char *text, const char *what, struct errmsg *msg)
{
	size_t len = strlen(text);

	for (const char *at = words; at && len; at = strchr(at, ',')) {
		at += strspn(at, ", ");
		if (strcspn(at, ",") == len && strncmp(at, text, len) == 0)
			return 0;
	}
	return err_set(msg, ERR_SYNTAX, "%s: '%.*s' is none of %s", what, CONFIG_SHOWN, text,
		       words);
}

static int config_size(uint64_t *ret, bool or_none, const char *text, const char *what,
		       struct errmsg *msg)
{
	*ret = 0;
	return or_none && strcmp(text, "0") == 0 ? 0 : size_parse(ret, text, what, msg);
}

int config_judge(uint64_t *ret, enum config_key key, const char *text, const char *what,
		 struct errmsg *msg)
{
	enum config_kind kind = config_keys[key].kind;

	switch (kind) {
	case CONFIG_SIZE:
	case CONFIG_SIZE_OR_NONE:
		return config_size(ret, kind == CONFIG_SIZE_OR_NONE, text, what, msg);
	case CONFIG_COUNT:
		return count_parse(ret, text, 1, LIMIT_HOSTS, what, msg);
	case CONFIG_COUNT_OR_NONE:
		return count_parse(ret, text, 0, CONFIG_COUNT_MAX, what, msg);
	case CONFIG_AGENTS:
		return job_agent_find(ret, text, what, msg);
	case CONFIG_STORES:
		return config_judge_path("memory", text, what, msg);
	case CONFIG_TOPOLOGIES:
		return config_judge_path("none", text, what, msg);
	case CONFIG_TEXT:
	case CONFIG_TEXTS:
		return config_judge_text(text, what, msg);
	case CONFIG_AGAIN:
		return count_parse(ret, text, 0, LIMIT_RETRIES, what, msg);
	case CONFIG_LIST:
		return config_judge_list(text, what, msg);
	case CONFIG_BLOCK_OR_DROP:
		return durable_full_find(ret, text, what, msg);
	case CONFIG_HOST_KEYS:
		return connect_host_key_find(ret, text, what, msg);
	case CONFIG_TRANSPORTS:
		return connect_transport_find(ret, text, what, msg);
	case CONFIG_TIME:
	case CONFIG_TIME_OR_NONE:
		return config_time(ret, kind == CONFIG_TIME_OR_NONE, text, what, msg);
	case CONFIG_YES:
	case CONFIG_YES_OR_TEXT:
		return config_yes(ret, kind == CONFIG_YES_OR_TEXT, text, what, msg);
	case CONFIG_PORTION:
		return config_portion(text, what, msg);
	case CONFIG_WORDS:
		return config_word(config_keys[key].words, text, what, msg);
	}
	return 0;
}
