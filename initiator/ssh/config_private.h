/*
 * The inside of config.h: what a loaded ssh_config is made of.
 *
 * Every Host or Match line makes a condition; what stands below it, up to the next such line, is a
 * segment of settings. Include opens segments too: an included file begins under the condition
 * that includes it, and that condition goes on in a new segment afterwards. Numbers of conditions
 * and segments rise in the order in which the lines are read, which is the order of precedence.
 */
#ifndef MUSTER_CONFIG_PRIVATE_H
#define MUSTER_CONFIG_PRIVATE_H

#include <glob.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "config.h"
#include "file_stamp.h"

#define CONFIG_FILES	   10000u      /* files read, each as often as it is included */
#define CONFIG_IDENTITIES  100u	       /* for one host, as ssh */
#define CONFIG_HOST_FILES  32u	       /* known_hosts files in one line, as ssh */
#define CONFIG_VALUE	   (64u << 10) /* an expanded value */
#define CONFIG_IGNORE_LIST 4096u       /* what IgnoreUnknown names, together */
#define CONFIG_NONE	   UINT32_MAX
#define CONFIG_NAME_SIZE   64u /* of a keyword or an attribute, with its NUL */

/* What ssh_config_ignored tells of, each once: the rows of the keyword table, then of Match's. */
#define CONFIG_IGNORED_MATCH 224u
#define CONFIG_IGNORED_SLOTS 256u

enum config_key {
	CONFIG_NO_KEY, /* Host, Match and the like */
	CONFIG_HOSTNAME,
	CONFIG_USER,
	CONFIG_PORT,
	CONFIG_IDENTITY_FILE,
	CONFIG_IDENTITIES_ONLY,
	CONFIG_IDENTITY_AGENT,
	CONFIG_USER_KNOWN_HOSTS,
	CONFIG_GLOBAL_KNOWN_HOSTS,
	CONFIG_STRICT,
	CONFIG_HOST_KEY_ALIAS,
	CONFIG_CONNECT_TIMEOUT,
	CONFIG_PROXY_JUMP,
	CONFIG_PROXY_COMMAND,
	CONFIG_PROXY_FDPASS,
	CONFIG_CERTIFICATE_FILE,
	CONFIG_KEX,
	CONFIG_CIPHERS,
	CONFIG_MACS,
	CONFIG_HOST_KEY_ALGS,
	CONFIG_PUBKEY_ALGS,
	CONFIG_PREFERRED,
	CONFIG_PUBKEY_AUTH,
	CONFIG_PASSWORD_AUTH,
	CONFIG_KEYBOARD_AUTH,
	CONFIG_GSSAPI_AUTH,
	CONFIG_HOSTBASED_AUTH,
	CONFIG_PROMPTS,
	CONFIG_ATTEMPTS,
	CONFIG_ALIVE_INTERVAL,
	CONFIG_ALIVE_COUNT,
	CONFIG_HASH_KNOWN_HOSTS,
	CONFIG_FAMILY,
	CONFIG_CANONICALIZE,
	CONFIG_TAG,
	CONFIG_REFUSE,
	/* What the OpenSSH client alone can follow (config_special). */
	CONFIG_BIND_ADDRESS,
	CONFIG_BIND_INTERFACE,
	CONFIG_CANONICAL_DOMAINS,
	CONFIG_KNOWN_HOSTS_COMMAND,
	CONFIG_PKCS11,
	CONFIG_REVOKED_HOST_KEYS,
	CONFIG_KEY_COUNT
};

struct config_words {
	char **word;
	size_t count;
};

struct config_setting {
	enum config_key key;
	unsigned number; /* port, seconds, flag, enum ssh_strict, enum ssh_family, a count */
	struct config_words words;
	const char *file;
	unsigned line; /* 0: an option of the command line, and file names it */
};

enum config_attr {
	CONFIG_ATTR_HOST,
	CONFIG_ATTR_ORIGINALHOST,
	CONFIG_ATTR_USER,
	CONFIG_ATTR_LOCALUSER,
	CONFIG_ATTR_TAG,
	CONFIG_ATTR_FINAL, /* the second pass; has no list */
	CONFIG_ATTR_EXEC   /* list is the command */
};

struct config_term {
	enum config_attr attr;
	bool negated;
	char *list;
};

enum config_cond_kind { CONFIG_ALWAYS, CONFIG_NEVER, CONFIG_HOST, CONFIG_MATCH };

struct config_cond {
	enum config_cond_kind kind;
	uint32_t
		parent; /* holds only where this one holds; 0 is CONFIG_ALWAYS and its own parent */
	uint32_t first_segment, last_segment;
	struct config_words patterns; /* CONFIG_HOST */
	struct config_term *terms;    /* CONFIG_MATCH: all must hold */
	size_t term_count;
	const char *file;
	unsigned line;
};

struct config_segment {
	uint32_t cond;
	uint32_t next; /* of the same condition; CONFIG_NONE: the last */
	size_t first, count;
};

/* A pattern without wildcards, of a Host line that has only such. */
struct config_literal {
	const char *name;
	uint32_t cond;
};

struct config_file {
	char *path;
	struct file_stamp stamp;
};

/* An Include, and the names that it stood for, each with its NUL. */
struct config_glob {
	char *pattern;
	struct buf found;
};

/* What was looked at. */
struct config_trace {
	struct config_file *files;
	size_t file_count, file_size;
	struct config_glob *globs;
	size_t glob_count, glob_size;
	bool unsure; /* something that leaves no trace counts too */
};

struct ssh_config {
	atomic_uint holds; /* beyond the owner's */
	char *path;	   /* as it was asked for; NULL: ssh's own files */
	struct config_trace trace;
	char *home;
	char **files;
	size_t file_count, bytes;
	size_t files_left, bytes_left;
	struct config_setting *settings;
	size_t setting_count, setting_size;
	struct config_cond *conds;
	uint32_t cond_count, cond_size;
	struct config_segment *segments;
	uint32_t segment_count, segment_size;
	struct config_literal *literals; /* by name, then condition */
	size_t literal_count;
	uint32_t *walked; /* conditions that must be tried for every host, rising */
	size_t walked_count;
	struct buf ignore_unknown; /* pattern list */
	char *ignored;		   /* NULL: none */
	bool ignored_seen[CONFIG_IGNORED_SLOTS];
	bool has_final; /* Match final */
};

/* Where text comes from. */
struct config_source {
	const char *name; /* for messages; copied */
	bool user;	  /* Include is relative to ~/.ssh, not /etc/ssh */
	unsigned depth;
	uint32_t cond; /* it holds where this one holds */
};

/* A file while it is read. */
struct config_parser {
	struct ssh_config *config;
	struct config_source source;
	const char *file;
	unsigned line;
	uint32_t cond;
	bool option; /* of the command line */
	struct errmsg *msg;
};

/* What becomes of a keyword. */
enum config_fate {
	CONFIG_APPLIED,
	CONFIG_BY_OPENSSH, /* hosts for which it is set are left to the OpenSSH client */
	CONFIG_SILENT,	   /* without effect, which harms nobody */
	CONFIG_NAMED	   /* without effect, which is told */
};

struct config_keyword {
	const char *name;
	enum config_fate fate;
	enum config_key key;
	int (*parse)(struct config_parser *p, const struct config_keyword *k, const char *rest);
	const char *harmless; /* pattern list: values that ask for what is done anyway; NULL */
	const char *why;      /* as docs/ssh_config.md has it */
};

/* config_keys.c. Case does not count; NULL: ssh does not know it. */
const struct config_keyword *config_keyword_find(const char *name);
size_t config_keyword_index(const struct config_keyword *k);
/* NULL: there are no more. */
const struct config_keyword *config_keyword_at(size_t index);

/* config.c. config_new and config_index stand around any number of config_parse_buffer. */
struct ssh_config *config_new(const char *home);
void config_index(struct ssh_config *c);
/* Returns 0, or ERR_SYS with errno and msg, or what config_parse_buffer returns. */
int config_read_file(struct ssh_config *c, const struct config_source *source, bool check_owner,
		     struct errmsg *msg);

/* config_trace.c. look: for a path that is not read. */
void config_trace_file(struct ssh_config *c, const char *path, const struct file_stamp *stamp);
void config_trace_look(struct ssh_config *c, const char *path);
void config_trace_glob(struct ssh_config *c, const char *pattern, const glob_t *found);
void config_trace_unsure(struct ssh_config *c);
void config_trace_done(struct config_trace *t);

/* config_build.c: what the parser adds. */
uint32_t config_add_cond(struct config_parser *p, enum config_cond_kind kind);
void config_add_segment(struct ssh_config *c, uint32_t cond);
/* Takes words over. */
void config_add_setting(struct config_parser *p, enum config_key key, unsigned number,
			struct config_words *words);
/* slot: below CONFIG_IGNORED_SLOTS. */
void config_note_ignored(struct config_parser *p, size_t slot, const char *what);

/* config_parse.c. A line without its end. */
int config_parse_line(struct config_parser *p, const char *line);
/* Text of any length that need not end in NUL. */
int config_parse_buffer(struct ssh_config *c, const struct config_source *source, const char *data,
			size_t len, struct errmsg *msg);
/* The place of a setting: "file:line", or the option of the command line. */
#define CONFIG_PLACE_SIZE 512u
const char *config_place(char out[CONFIG_PLACE_SIZE], const char *file, unsigned line);
/* Sets msg to "file:line: ..." and returns code. */
int config_fail(struct config_parser *p, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* config_parse.c, config_include.c and config_match.c: the keywords that are no settings. */
int config_do_host(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_match(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_include(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_ignore_unknown(struct config_parser *p, const struct config_keyword *k,
			     const char *rest);
int config_do_nothing(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_ignored(struct config_parser *p, const struct config_keyword *k, const char *rest);

/* config_value.c: the settings. */
int config_do_string(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_identity(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_agent(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_files(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_port(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_time(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_flag(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_strict(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_rest(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_jump(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_count(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_family(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_canonical(struct config_parser *p, const struct config_keyword *k, const char *rest);
int config_do_pubkey(struct config_parser *p, const struct config_keyword *k, const char *rest);
/* One word or more, kept as they are. */
int config_do_words(struct config_parser *p, const struct config_keyword *k, const char *rest);

/* config_words.c. Splits as a shell does, with both quotes and backslash; '#' at the begin of a
 * word ends the line. Returns 0, or ERR_SYNTAX for a quote that is not closed. */
int config_words_split(struct config_words *ret, const char *text);
void config_words_done(struct config_words *words);
/* Splits, and demands 1 to max words of which none is empty. */
int config_words_parse(struct config_parser *p, const struct config_keyword *k, const char *rest,
		       size_t max, struct config_words *ret);
/* "~", "~/x" and "~user/x" as absolute paths; a user that does not exist leaves path as it is. */
char *config_tilde(const char *home, const char *path);
char *config_words_tilde(const struct config_parser *p, const char *path);

/* config_lookup.c: what the walk over the segments collects for one host. */
struct config_lookup {
	const struct ssh_config *config;
	struct ssh_exec *exec;
	const char *host, *user, *local_user;
	uint16_t port;
	const char *named; /* what Host lines look at: host, in the second pass hostname */
	const char
		*hostname; /* in the second pass: what HostName has made of it; NULL: the first */
	const struct config_setting *first[CONFIG_KEY_COUNT];
	const struct config_setting *identities[CONFIG_IDENTITIES];
	size_t identity_count;
	const struct config_setting *certificates[CONFIG_IDENTITIES];
	size_t certificate_count;
};

/* config_match.c: whether a condition holds by itself, its parents aside, at this point. 1, 0, or
 * ERR_* with msg. */
int config_cond_holds(const struct config_lookup *l, const struct config_cond *cond,
		      struct errmsg *msg);
/* The user as far as known. */
const char *config_user(const struct config_lookup *l);

/* config_exec.c: whether the command ends with 0. 1, 0, or ERR_* with msg. */
int config_exec_ask(struct ssh_exec *exec, const char *command, struct errmsg *msg);

/* config_expand.c: a value on its way from the file to its use. */
struct config_expand {
	const struct config_lookup *lookup;
	const struct ssh_options *options; /* as far as known; NULL: nothing is */
	const struct config_setting *setting;
	const char *tokens; /* the letters that may follow '%', besides '%' */
	bool environment;   /* ${NAME} too */
	bool shell;	    /* for a shell: what others choose must not carry what that reads */
	struct errmsg *msg;
};

#define CONFIG_TOKENS "CdhijkLlnpru"

int config_expand(const struct config_expand *e, const char *text, char **ret);
/* A path is taken from the home directory: a daemon has no working directory worth the name. */
int config_expand_path(const struct config_expand *e, const char *text, char **ret);
char *config_expand_hostname(const struct config_lookup *l, struct errmsg *msg);
/* The command of a Match exec, with what is known at this point. */
int config_expand_exec(const struct config_lookup *l, const struct config_cond *cond,
		       const char *command, char **ret, struct errmsg *msg);

/* config_fill.c: from what was collected to what is used. */
int config_options_fill(const struct config_lookup *l, struct ssh_options *ret, struct errmsg *msg);

#endif
