#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "config_private.h"
#include "escape.h"
#include "pattern.h"

enum match_kind {
	MATCH_ALL,
	MATCH_PASS,	  /* holds only in the second pass over the files */
	MATCH_TERM,	  /* compares with a list */
	MATCH_UNSUPPORTED /* takes an argument, cannot be decided here */
};

struct match_row {
	const char *name;
	enum match_kind kind;
	enum config_attr attr;
};

static const struct match_row match_rows[] = {
	{"all", MATCH_ALL, CONFIG_ATTR_HOST},
	{"canonical", MATCH_PASS, CONFIG_ATTR_FINAL},
	{"final", MATCH_PASS, CONFIG_ATTR_FINAL},
	{"host", MATCH_TERM, CONFIG_ATTR_HOST},
	{"originalhost", MATCH_TERM, CONFIG_ATTR_ORIGINALHOST},
	{"user", MATCH_TERM, CONFIG_ATTR_USER},
	{"localuser", MATCH_TERM, CONFIG_ATTR_LOCALUSER},
	{"exec", MATCH_TERM, CONFIG_ATTR_EXEC},
	{"localnetwork", MATCH_UNSUPPORTED, CONFIG_ATTR_HOST},
	{"tagged", MATCH_TERM, CONFIG_ATTR_TAG},
	{"command", MATCH_UNSUPPORTED, CONFIG_ATTR_HOST},
	{"sessiontype", MATCH_UNSUPPORTED, CONFIG_ATTR_HOST},
	{"version", MATCH_UNSUPPORTED, CONFIG_ATTR_HOST},
};

_Static_assert(CONFIG_IGNORED_MATCH + ARRAY_LEN(match_rows) <= CONFIG_IGNORED_SLOTS,
	       "a slot for each row");

/* A Match line while it is read. */
struct match_line {
	const struct config_words *words;
	size_t at;
	struct config_term *terms;
	size_t count;
	size_t attributes; /* those of MATCH_PASS aside */
	bool all;
	bool never;
};

static const struct match_row *match_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(match_rows); i++) {
		if (strcasecmp(match_rows[i].name, name) == 0)
			return &match_rows[i];
	}
	return NULL;
}

static void match_note(struct config_parser *p, const struct match_row *row)
{
	char what[CONFIG_NAME_SIZE];

	(void)snprintf(what, sizeof what, "Match %s", row->name);
	config_note_ignored(p, CONFIG_IGNORED_MATCH + (size_t)(row - match_rows), what);
}

/* What follows an attribute, behind '=' or as the next word; NULL if nothing does. */
static const char *match_argument(struct match_line *m, const char *equals)
{
	const char *value = equals ? equals + 1 : NULL;

	if (!value && m->at < m->words->count)
		value = m->words->word[m->at++];
	return value && *value ? value : NULL;
}

static int match_with_argument(struct config_parser *p, struct match_line *m,
			       const struct match_row *row, bool negated, const char *equals)
{
	const char *value = match_argument(m, equals);

	if (!value)
		return config_fail(p, ERR_SYNTAX, "Match %s needs an argument", row->name);
	if (row->kind == MATCH_UNSUPPORTED) {
		match_note(p, row);
		m->never = true;
		return 0;
	}
	m->terms[m->count++] = (struct config_term){row->attr, negated, xstrdup(value)};
	return 0;
}

static int match_attribute(struct config_parser *p, struct match_line *m)
{
	const char *word = m->words->word[m->at++], *equals;
	char name[CONFIG_NAME_SIZE], shown[CONFIG_NAME_SIZE];
	bool negated = *word == '!';
	const struct match_row *row;

	word += negated;
	equals = strchr(word, '=');
	(void)snprintf(name, sizeof name, "%.*s", equals ? (int)(equals - word) : (int)sizeof name,
		       word);
	row = match_find(name);
	if (!row)
		return config_fail(p, ERR_SYNTAX,
				   "unknown Match attribute \"%s\"; use host, originalhost, user, "
				   "localuser, tagged, exec, final or all",
				   escape_str(shown, sizeof shown, name));
	if (row->kind == MATCH_PASS) {
		m->terms[m->count++] = (struct config_term){row->attr, negated, NULL};
		/* As ssh: canonical waits for a second pass, final makes one. */
		p->config->has_final |= strcmp(row->name, "final") == 0;
		return 0;
	}
	m->attributes++;
	if (row->kind == MATCH_ALL) {
		m->all = true;
		m->never |= negated;
		return 0;
	}
	return match_with_argument(p, m, row, negated, equals);
}

int config_do_match(struct config_parser *p, const struct config_keyword *k, const char *rest)
{
	struct config_words words;
	int rc = config_words_parse(p, k, rest, SIZE_MAX, &words);
	struct match_line m = {.words = &words};
	struct config_cond *cond;
	uint32_t number;

	if (rc < 0)
		return rc;
	m.terms = xcalloc(words.count, sizeof *m.terms);
	while (!rc && m.at < words.count)
		rc = match_attribute(p, &m);
	if (!rc && m.all && m.attributes > 1)
		rc = config_fail(p, ERR_SYNTAX, "Match all must stand alone");
	if (!rc) {
		/* In two steps: adding moves the array. */
		number = config_add_cond(p, m.never ? CONFIG_NEVER : CONFIG_MATCH);
		cond = &p->config->conds[number];
		cond->terms = m.terms;
		cond->term_count = m.count;
	} else {
		for (size_t i = 0; i < m.count; i++)
			free(m.terms[i].list);
		free(m.terms);
	}
	config_words_done(&words);
	return rc;
}

static bool match_host_line(const char *host, const struct config_words *patterns)
{
	bool found = false;

	for (size_t i = 0; i < patterns->count; i++) {
		const char *pattern = patterns->word[i];
		bool negated = *pattern == '!';

		pattern += negated;
		if (!pattern_match(host, pattern, strlen(pattern), false))
			continue;
		if (negated)
			return false;
		found = true;
	}
	return found;
}

const char *config_user(const struct config_lookup *l)
{
	if (l->user)
		return l->user;
	return l->first[CONFIG_USER] ? l->first[CONFIG_USER]->words.word[0] : l->local_user;
}

static int match_host(const struct config_lookup *l, const char *list)
{
	/* The name as rewritten so far; a HostName that cannot be used fails later. */
	char *hostname = config_expand_hostname(l, NULL);
	int found = pattern_list_match(hostname ? hostname : l->host, list, true);

	free(hostname);
	return found;
}

static int match_exec(const struct config_lookup *l, const struct config_cond *cond,
		      const char *text, struct errmsg *msg)
{
	char *command = NULL, place[CONFIG_PLACE_SIZE];
	struct errmsg why = {{0}};
	int rc = config_expand_exec(l, cond, text, &command, msg);

	if (rc < 0)
		return rc;
	rc = config_exec_ask(l->exec, command, &why);
	if (rc < 0)
		rc = err_set(msg, rc, "%s: Match exec \"%.200s\": %s",
			     config_place(place, cond->file, cond->line), command, why.text);
	free(command);
	return rc;
}

/* 1, 0 or ERR_*, a '!' in front aside. */
static int match_term(const struct config_lookup *l, const struct config_cond *cond,
		      const struct config_term *term, struct errmsg *msg)
{
	const struct config_setting *tag = l->first[CONFIG_TAG];

	switch (term->attr) {
	case CONFIG_ATTR_HOST:
		return match_host(l, term->list) > 0;
	case CONFIG_ATTR_ORIGINALHOST:
		return pattern_list_match(l->host, term->list, true) > 0;
	case CONFIG_ATTR_USER:
		return pattern_list_match(config_user(l), term->list, false) > 0;
	case CONFIG_ATTR_LOCALUSER:
		return pattern_list_match(l->local_user, term->list, false) > 0;
	case CONFIG_ATTR_TAG:
		return pattern_list_match(tag ? tag->words.word[0] : "", term->list, false) > 0;
	case CONFIG_ATTR_FINAL:
		return l->hostname != NULL;
	case CONFIG_ATTR_EXEC:
		break;
	}
	return match_exec(l, cond, term->list, msg);
}

int config_cond_holds(const struct config_lookup *l, const struct config_cond *cond,
		      struct errmsg *msg)
{
	switch (cond->kind) {
	case CONFIG_ALWAYS:
		return 1;
	case CONFIG_NEVER:
		return 0;
	case CONFIG_HOST:
		return match_host_line(l->named, &cond->patterns);
	case CONFIG_MATCH:
		break;
	}
	/* The first that does not hold ends it: no command is run for nothing. */
	for (size_t i = 0; i < cond->term_count; i++) {
		int rc = match_term(l, cond, &cond->terms[i], msg);

		if (rc < 0)
			return rc;
		if ((rc > 0) == cond->terms[i].negated)
			return 0;
	}
	return 1;
}
