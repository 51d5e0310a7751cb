#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "connect.h"
#include "durable.h"
#include "duration.h"
#include "fd.h"
#include "job_options.h"
#include "limits.h"

#define CONFIG_SHOWN 60 /* bytes of what stands in a line, in an error */

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
	CONFIG_INVENTORIES,
	CONFIG_AGAIN,
	CONFIG_LIST,
	CONFIG_BLOCK_OR_DROP,
	CONFIG_HOST_KEYS,
	CONFIG_TRANSPORTS
};

static const struct {
	const char *name;
	enum config_kind kind;
} config_keys[] = {
	[CONFIG_RESULTS_BUDGET] = {"results-budget", CONFIG_SIZE},
	[CONFIG_RESULTS_SHARE] = {"results-share", CONFIG_SIZE},
	[CONFIG_IDLE_TIMEOUT] = {"idle-timeout", CONFIG_TIME_OR_NONE},
	[CONFIG_SESSION_LINGER] = {"session-linger", CONFIG_TIME_OR_NONE},
	[CONFIG_THROTTLE_LIMIT] = {"throttle-limit", CONFIG_COUNT},
	[CONFIG_STOP_GRACE] = {"stop-grace", CONFIG_TIME},
	[CONFIG_AGENT] = {"agent", CONFIG_AGENTS},
	[CONFIG_CONNECT_TIMEOUT] = {"connect-timeout", CONFIG_TIME},
	[CONFIG_STORE] = {"store", CONFIG_STORES},
	[CONFIG_STORE_SIZE] = {"store-size", CONFIG_SIZE_OR_NONE},
	[CONFIG_RESULTS_STORED] = {"results-stored", CONFIG_SIZE_OR_NONE},
	[CONFIG_RETAIN_AGE] = {"retain-age", CONFIG_TIME_OR_NONE},
	[CONFIG_RETAIN_SIZE] = {"retain-size", CONFIG_SIZE_OR_NONE},
	[CONFIG_RETAIN_COUNT] = {"retain-count", CONFIG_COUNT_OR_NONE},
	[CONFIG_KEEPALIVE] = {"keepalive", CONFIG_TIME},
	[CONFIG_IO_THREADS] = {"io-threads", CONFIG_COUNT},
	[CONFIG_RECONNECT_DELAY] = {"reconnect-delay", CONFIG_TIME},
	[CONFIG_RECONNECT_TIMEOUT] = {"reconnect-timeout", CONFIG_TIME_OR_NONE},
	[CONFIG_SESSION_IDLE_TIMEOUT] = {"session-idle-timeout", CONFIG_TIME_OR_NONE},
	[CONFIG_SPOOL_LIMIT] = {"spool-limit", CONFIG_SIZE},
	[CONFIG_SPOOL_FULL] = {"spool-full", CONFIG_BLOCK_OR_DROP},
	[CONFIG_RETRIES] = {"retries", CONFIG_AGAIN},
	[CONFIG_KEX_ALGORITHMS] = {"kex-algorithms", CONFIG_LIST},
	[CONFIG_CIPHERS] = {"ciphers", CONFIG_LIST},
	[CONFIG_MACS] = {"macs", CONFIG_LIST},
	[CONFIG_TOPOLOGY] = {"topology", CONFIG_TOPOLOGIES},
	[CONFIG_HOST_KEY] = {"host-key", CONFIG_HOST_KEYS},
	[CONFIG_TRANSPORT] = {"transport", CONFIG_TRANSPORTS},
	[CONFIG_CONFIRM_ABOVE] = {"confirm-above", CONFIG_COUNT_OR_NONE},
	[CONFIG_CONFIRM_COUNT] = {"confirm-count", CONFIG_COUNT_OR_NONE},
	[CONFIG_INVENTORY] = {"inventory", CONFIG_INVENTORIES},
	[CONFIG_INVENTORY_CACHE] = {"inventory-cache", CONFIG_TIME_OR_NONE},
};
_Static_assert(ARRAY_LEN(config_keys) == CONFIG_KEY_COUNT, "a key has no name");

/* A file while it is read. */
struct config_file {
	struct config config; /* what it sets */
	const char *path;
	unsigned line;
	unsigned lines[CONFIG_KEY_COUNT]; /* where each key was set */
};

uint64_t config_get(const struct config *config, enum config_key key, uint64_t otherwise)
{
	return config->keys[key].given ? config->keys[key].value : otherwise;
}

const char *config_store(const struct config *config)
{
	return config->keys[CONFIG_STORE].given ? config->store : NULL;
}

const char *config_text(const struct config *config, enum config_key key)
{
	return config->keys[key].given ? config->lists[key - CONFIG_KEX_ALGORITHMS] : NULL;
}

const char *config_topology(const struct config *config)
{
	return config->keys[CONFIG_TOPOLOGY].given ? config->topology : NULL;
}

const char *config_inventory(const struct config *config)
{
	return config->keys[CONFIG_INVENTORY].given ? config->inventory : NULL;
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

/* A path, or a word that is none. */
static int config_set_path(char ret[CONFIG_PATH_SIZE], const char *word, const char *text,
			   const char *what, struct errmsg *msg)
{
	if (strcmp(text, word) != 0 && *text != '/' && strncmp(text, "~/", 2) != 0)
		return err_set(msg, ERR_SYNTAX,
			       "%s: '%.*s' is neither '%s' nor a path that begins with '/' or "
			       "'~/'",
			       what, CONFIG_SHOWN, text, word);
	if (strlen(text) >= CONFIG_PATH_SIZE)
		return err_set(msg, ERR_RANGE, "%s: a path of more than %u bytes", what,
			       CONFIG_PATH_SIZE - 1);
	memcpy(ret, text, strlen(text) + 1);
	return 0;
}

/* A text whose meaning shows when it is used. */
static int config_set_text(char ret[CONFIG_PATH_SIZE], const char *text, const char *what,
			   struct errmsg *msg)
{
	if (!*text || strlen(text) >= CONFIG_PATH_SIZE)
		return err_set(msg, ERR_RANGE, "%s: a text of 1 to %u bytes is needed", what,
			       CONFIG_PATH_SIZE - 1);
	memcpy(ret, text, strlen(text) + 1);
	return 0;
}

/* What may stand in it the daemon knows. */
static int config_set_list(char *ret, const char *text, const char *what, struct errmsg *msg)
{
	if (!*text)
		return err_set(msg, ERR_SYNTAX, "%s: an empty list", what);
	if (strlen(text) >= CONFIG_LIST_SIZE)
		return err_set(msg, ERR_RANGE, "%s: a list of more than %u bytes", what,
			       CONFIG_LIST_SIZE - 1);
	memcpy(ret, text, strlen(text) + 1);
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

static int config_value(struct config *config, enum config_key key, const char *text,
			const char *what, struct errmsg *msg)
{
	uint64_t *ret = &config->keys[key].value;

	switch (config_keys[key].kind) {
	case CONFIG_SIZE_OR_NONE:
		if (strcmp(text, "0") == 0) {
			*ret = 0;
			return 0;
		}
		return size_parse(ret, text, what, msg);
	case CONFIG_SIZE:
		return size_parse(ret, text, what, msg);
	case CONFIG_COUNT:
		return count_parse(ret, text, 1, LIMIT_HOSTS, what, msg);
	case CONFIG_COUNT_OR_NONE:
		return count_parse(ret, text, 0, CONFIG_COUNT_MAX, what, msg);
	case CONFIG_AGENTS:
		return job_agent_find(ret, text, what, msg);
	case CONFIG_STORES:
		return config_set_path(config->store, "memory", text, what, msg);
	case CONFIG_TOPOLOGIES:
		return config_set_path(config->topology, "none", text, what, msg);
	case CONFIG_INVENTORIES:
		return config_set_text(config->inventory, text, what, msg);
	case CONFIG_AGAIN:
		return count_parse(ret, text, 0, LIMIT_RETRIES, what, msg);
	case CONFIG_LIST:
		return config_set_list(config->lists[key - CONFIG_KEX_ALGORITHMS], text, what, msg);
	case CONFIG_BLOCK_OR_DROP:
		return durable_full_find(ret, text, what, msg);
	case CONFIG_HOST_KEYS:
		return connect_host_key_find(ret, text, what, msg);
	case CONFIG_TRANSPORTS:
		return connect_transport_find(ret, text, what, msg);
	case CONFIG_TIME:
	case CONFIG_TIME_OR_NONE:
		return config_time(ret, config_keys[key].kind == CONFIG_TIME_OR_NONE, text, what,
				   msg);
	}
	return 0;
}

static int config_unknown(const struct config_file *file, const char *name, struct errmsg *msg)
{
	struct buf names = {0};
	int rc;

	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
		buf_addf(&names, "%s%s", i ? ", " : "", config_keys[i].name);
	rc = err_set(msg, ERR_SYNTAX, "%s:%u: '%.*s' is none of %s", file->path, file->line,
		     CONFIG_SHOWN, name, buf_cstr(&names));
	buf_done(&names);
	return rc;
}

static int config_set(struct config_file *file, const char *name, const char *text,
		      struct errmsg *msg)
{
	size_t key = 0;
	char *what;
	int rc;

	while (key < CONFIG_KEY_COUNT && strcmp(config_keys[key].name, name) != 0)
		key++;
	if (key == CONFIG_KEY_COUNT)
		return config_unknown(file, name, msg);
	if (file->lines[key])
		return err_set(msg, ERR_EXISTS, "%s:%u: %s was set in line %u already", file->path,
			       file->line, name, file->lines[key]);
	what = xasprintf("%s:%u: %s", file->path, file->line, name);
	rc = config_value(&file->config, (enum config_key)key, text, what, msg);
	free(what);
	file->config.keys[key].given = true;
	file->lines[key] = file->line;
	return rc;
}

/* Cuts blanks at both ends; changes the text. */
static char *config_trim(char *text)
{
	static const char blanks[] = " \t\r";
	size_t n;

	text += strspn(text, blanks);
	n = strlen(text);
	while (n && strchr(blanks, text[n - 1]))
		n--;
	text[n] = '\0';
	return text;
}

/* line is changed. */
static int config_line(struct config_file *file, char *line, struct errmsg *msg)
{
	char *value;

	line[strcspn(line, "#")] = '\0';
	line = config_trim(line);
	if (!*line)
		return 0;
	value = strchr(line, '=');
	if (!value)
		return err_set(msg, ERR_SYNTAX, "%s:%u: '%.*s' is no 'key = value'", file->path,
			       file->line, CONFIG_SHOWN, line);
	*value++ = '\0';
	return config_set(file, config_trim(line), config_trim(value), msg);
}

int config_parse(struct config *config, const char *text, size_t len, const char *path,
		 struct errmsg *msg)
{
	struct config_file file = {.config = *config, .path = path};
	int rc = 0;

	for (size_t at = 0, n; rc == 0 && at < len; at += n + 1) {
		const char *eol = memchr(text + at, '\n', len - at);
		char *line;

		n = eol ? (size_t)(eol - text) - at : len - at;
		file.line++;
		if (memchr(text + at, '\0', n))
			return err_set(msg, ERR_SYNTAX, "%s:%u: a NUL byte: this is no text", path,
				       file.line);
		line = xstrndup(text + at, n);
		rc = config_line(&file, line, msg);
		free(line);
	}
	if (rc == 0)
		*config = file.config;
	return rc;
}

int config_read(struct config *config, const char *path, struct errmsg *msg)
{
	struct buf text = {0};
	int rc = fd_read_file(&text, path, LIMIT_CONFIG);

	if (rc == ERR_SYS && (errno == ENOENT || errno == ENOTDIR))
		rc = 0;
	else if (rc == ERR_SYS)
		(void)err_set(msg, rc, "cannot read %s: %s", path, strerror(errno));
	else if (rc)
		(void)err_set(msg, rc, "cannot read %s: more than %u bytes", path, LIMIT_CONFIG);
	else
		rc = config_parse(config, (const char *)text.data, text.len, path, msg);
	buf_done(&text);
	return rc;
}

char *config_user_path(void)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (base && *base == '/')
		return xasprintf("%s/muster/muster.conf", base);
	if (home && *home == '/')
		return xasprintf("%s/.config/muster/muster.conf", home);
	return NULL;
}

int config_load(struct config *ret, struct errmsg *msg)
{
	struct config config = {0};
	char *path = config_user_path();
	int rc = config_read(&config, CONFIG_SYSTEM_PATH, msg);

	if (rc == 0 && path)
		rc = config_read(&config, path, msg);
	free(path);
	if (rc == 0)
		*ret = config;
	return rc;
}
