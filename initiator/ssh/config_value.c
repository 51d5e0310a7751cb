#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "config_private.h"
#include "escape.h"

#define VALUE_SHOWN 80

static int value_bad(struct config_parser *p, const struct config_keyword *k, const char *value,
		     const char *wanted)
{
	char shown[VALUE_SHOWN];

	return config_fail(p, ERR_SYNTAX, "%s must be %s, not \"%s\"", k->name, wanted,
			   escape_str(shown, sizeof shown, value));
}

int config_do_string(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	struct config_words words;
	int rc = config_words_parse(p, k, rest, 1, &words);

	if (rc < 0)
		return rc;
	config_add_setting(p, k->key, 0, &words);
	return 0;
}

static void value_tilde(struct config_parser *p, char **word)
{
	char *path = config_words_tilde(p, *word);

	free(*word);
	*word = path;
}

int config_do_identity(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	struct config_words words;
	int rc = config_words_parse(p, k, rest, 1, &words);

	if (rc < 0)
		return rc;
	value_tilde(p, &words.word[0]);
	config_add_setting(p, k->key, 0, &words);
	return 0;
}

/* A name of an environment variable: letters, digits and underscores. */
static bool value_is_env_name(const char *s)
{
	return *s &&
	       s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789")] ==
		       '\0';
}

int config_do_agent(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	struct config_words words;
	int rc = config_words_parse(p, k, rest, 1, &words);
	const char *value;

	if (rc < 0)
		return rc;
	value = words.word[0];
	if (value[0] == '$' && value[1] != '{' && !value_is_env_name(value + 1)) {
		rc = value_bad(p, k, value, "a path, none, SSH_AUTH_SOCK or $VARIABLE");
		config_words_done(&words);
		return rc;
	}
	value_tilde(p, &words.word[0]);
	config_add_setting(p, k->key, 0, &words);
	return 0;
}

int config_do_files(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	struct config_words words;
	int rc = config_words_parse(p, k, rest, CONFIG_HOST_FILES, &words);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < words.count; i++) {
		if (strcasecmp(words.word[i], "none") == 0 && words.count > 1) {
			config_words_done(&words);
			return config_fail(p, ERR_SYNTAX, "%s: none must stand alone", k->name);
		}
		/* ssh takes the names of the global files as they are. */
		if (k->key == CONFIG_USER_KNOWN_HOSTS)
			value_tilde(p, &words.word[i]);
	}
	config_add_setting(p, k->key, 0, &words);
	return 0;
}

static bool value_number(const char *s, unsigned max, unsigned *ret)
{
	unsigned long n;
	char *end;

	if (*s < '0' || *s > '9' || strlen(s) > 10) /* then n fits */
		return false;
	n = strtoul(s, &end, 10);
	if (*end || n > max)
		return false;
	*ret = (unsigned)n;
	return true;
}

/* TIME FORMATS of sshd_config(5): a sum of numbers, each with its unit. */
static bool value_time(const char *s, unsigned *ret)
{
	static const char units[] = "smhdw";
	static const unsigned long seconds[] = {1, 60, 3600, 86400, 604800};
	unsigned long sum = 0;

	if (!*s)
		return false;
	while (*s) {
		unsigned long n = 0, unit = 1;
		const char *found;

		if (*s < '0' || *s > '9')
			return false;
		for (; *s >= '0' && *s <= '9'; s++) {
			n = n * 10 + (unsigned long)(*s - '0');
			if (n > INT_MAX)
				return false;
		}
		if (*s) {
			found = strchr(units, *s >= 'A' && *s <= 'Z' ? *s + ('a' - 'A') : *s);
			if (!found)
				return false;
			unit = seconds[found - units];
			s++;
		}
		sum += n * unit;
		if (sum > INT_MAX)
			return false;
	}
	*ret = (unsigned)sum;
	return true;
}

static bool value_flag(const char *s, unsigned *ret)
{
	bool yes = strcasecmp(s, "yes") == 0 || strcasecmp(s, "true") == 0;

	if (!yes && strcasecmp(s, "no") != 0 && strcasecmp(s, "false") != 0)
		return false;
	*ret = yes;
	return true;
}

static bool value_strict(const char *s, unsigned *ret)
{
	static const struct {
		const char *name;
		enum ssh_strict strict;
	} rows[] = {
		{"yes", SSH_STRICT_YES},
		{"true", SSH_STRICT_YES},
		{"ask", SSH_STRICT_YES},
		{"no", SSH_STRICT_ACCEPT_NEW},
		{"false", SSH_STRICT_ACCEPT_NEW},
		{"off", SSH_STRICT_ACCEPT_NEW},
		{"accept-new", SSH_STRICT_ACCEPT_NEW},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcasecmp(rows[i].name, s) == 0) {
			*ret = rows[i].strict;
			return true;
		}
	}
	return false;
}

static bool value_port(const char *s, unsigned *ret)
{
	return value_number(s, UINT16_MAX, ret) && *ret > 0;
}

/* A keyword with one argument that becomes a number. */
static int value_parsed(struct config_parser *p, const struct config_keyword *k, const char *rest,
			bool (*parse)(const char *s, unsigned *ret), const char *wanted)
{
	struct config_words words;
	int rc = config_words_parse(p, k, rest, 1, &words);
	unsigned number = 0;

	if (rc < 0)
		return rc;
	if (parse(words.word[0], &number))
		config_add_setting(p, k->key, number, &words);
	else
		rc = value_bad(p, k, words.word[0], wanted);
	config_words_done(&words);
	return rc;
}

int config_do_port(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	return value_parsed(p, k, rest, value_port, "a number from 1 to 65535");
}

int config_do_time(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	struct config_words words;
	int rc = config_words_parse(p, k, rest, 1, &words);
	bool none = !rc && strcasecmp(words.word[0], "none") == 0;

	if (rc < 0)
		return rc;
	config_words_done(&words);
	/* As ssh: a timeout of none lets a later line set one. */
	if (none)
		return 0;
	return value_parsed(p, k, rest, value_time, "a time such as 30, 90s, 1m30s or none");
}

int config_do_flag(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	return value_parsed(p, k, rest, value_flag, "yes or no");
}

int config_do_strict(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	return value_parsed(p, k, rest, value_strict, "yes, accept-new, ask, no or off");
}

static bool value_count(const char *s, unsigned *ret)
{
	return value_number(s, INT_MAX, ret);
}

/* A word of a list, in any case; its number is its place. */
static bool value_choice(const char *s, const char *const *names, unsigned *ret)
{
	for (unsigned i = 0; names[i]; i++) {
		if (strcasecmp(names[i], s) == 0) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool value_family(const char *s, unsigned *ret)
{
	static const char *const names[] = {[SSH_FAMILY_ANY] = "any",
					    [SSH_FAMILY_INET] = "inet",
					    [SSH_FAMILY_INET6] = "inet6",
					    NULL};

	return value_choice(s, names, ret);
}

static bool value_canonical(const char *s, unsigned *ret)
{
	return strcasecmp(s, "always") == 0 ? (*ret = 1, true) : value_flag(s, ret);
}

static bool value_pubkey(const char *s, unsigned *ret)
{
	bool bound = strcasecmp(s, "unbound") == 0 || strcasecmp(s, "host-bound") == 0;

	return bound ? (*ret = 1, true) : value_flag(s, ret);
}

int config_do_count(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	return value_parsed(p, k, rest, value_count, "a number from 0 to 2147483647");
}

int config_do_family(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	return value_parsed(p, k, rest, value_family, "any, inet or inet6");
}

int config_do_canonical(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	return value_parsed(p, k, rest, value_canonical, "yes, always or no");
}

int config_do_pubkey(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	return value_parsed(p, k, rest, value_pubkey, "yes, no, unbound or host-bound");
}

int config_do_words(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	struct config_words words;
	int rc = config_words_parse(p, k, rest, SIZE_MAX, &words);

	if (rc == 0)
		config_add_setting(p, k->key, 0, &words);
	return rc;
}

/* The text as it stands: it is a command for a shell, or must not be split. */
static int value_whole(struct config_parser *p, const struct config_keyword *k, const char *text,
		       size_t len)
{
	struct config_words words = {.count = 1};

	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	if (!len)
		return config_fail(p, ERR_SYNTAX, "%s needs an argument", k->name);
	words.word = xmalloc(sizeof *words.word);
	words.word[0] = xstrndup(text, len);
	config_add_setting(p, k->key, 0, &words);
	return 0;
}

int config_do_rest(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	rest += strspn(rest, " \t=");
	return value_whole(p, k, rest, strlen(rest));
}

/* As ssh: what stands behind a '#' anywhere is a comment. */
int config_do_jump(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	rest += strspn(rest, " \t=");
	return value_whole(p, k, rest, strcspn(rest, "#"));
}
