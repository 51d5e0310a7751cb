#include "config_apply.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cmd_table.h"

#define APPLY_RIVALS 3

/* A setting is left out where one of its rivals was given, or nobody has what it needs. */
static const struct apply_rule {
	const char *name;
	const char *rivals[APPLY_RIVALS];
	const char *needs;
	bool in_session; /* a session has fixed it */
} apply_rules[] = {
	{"user", {NULL}, NULL, true},
	{"identity-file", {NULL}, NULL, true},
	{"ssh-option", {NULL}, NULL, true},
	{"ask-pass", {"password-file", "password-command"}, NULL, true},
	{"password-file", {"ask-pass", "password-command"}, NULL, true},
	{"password-command", {"ask-pass", "password-file"}, NULL, true},
	{"become-method", {NULL}, "become", false},
	{"ask-become-pass", {"become-password-file"}, "become", false},
	{"become-password-file", {"ask-become-pass"}, "become", false},
	{"until-reachable", {NULL}, NULL, true},
	{"confirm", {"yes"}, NULL, false},
	{"durable", {"inline"}, NULL, false},
	{"inline", {"durable"}, NULL, false},
	{"via", {NULL}, NULL, true},
	{"shard", {NULL}, NULL, true},
	{"exclude", {NULL}, NULL, true},
	{"ephemeral", {"as-job", "job-name", "in-disconnected-session"}, NULL, true},
};

/* What no file may say: it is not about a run, or about which files are read. */
static const char *const apply_never[] = {"help",  "version",	    "profile", "daemon",
					  "hosts", "computer-name", "session", "yes"};

/* Of every command; the others are for those that go to hosts. */
static const char *const apply_always[] = {"color", "quiet"};

static bool apply_is_in(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static const struct option_row *apply_row(const struct option_row *rows, size_t count,
					  const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

/* It, or one that means the same. */
static bool apply_is_given(const struct option_set *set, const char *name)
{
	const struct option_row *row = apply_row(set->rows, set->count, name);

	for (size_t i = 0; row && i < set->count; i++)
		if (set->given[i] && set->rows[i].offset == row->offset)
			return true;
	return false;
}

/* start and get have no hosts, and of a session only a new one. */
static bool apply_is_for(const struct cmd *cmd, const struct option_set *set, const char *name)
{
	if (apply_is_in(apply_always, ARRAY_LEN(apply_always), name))
		return true;
	if (strcmp(name, "output") == 0)
		return strcmp(cmd->name, "invoke") == 0 || strcmp(cmd->name, "receive") == 0;
	if (strcmp(cmd->name, "session") == 0)
		return apply_is_given(set, "hosts");
	return apply_row(cmd->options, cmd->option_count, "hosts") != NULL;
}

static bool apply_is_wanted(const struct option_set *set, const char *name)
{
	const struct apply_rule *rule = NULL;

	for (size_t i = 0; i < ARRAY_LEN(apply_rules) && !rule; i++)
		if (strcmp(apply_rules[i].name, name) == 0)
			rule = &apply_rules[i];
	if (apply_is_given(set, name))
		return strcmp(name, "ssh-option") == 0; /* where the first one says it */
	if (!rule)
		return true;
	if (rule->in_session && apply_is_given(set, "session"))
		return false;
	for (size_t i = 0; i < APPLY_RIVALS && rule->rivals[i]; i++)
		if (apply_is_given(set, rule->rivals[i]))
			return false;
	return !rule->needs || apply_is_given(set, rule->needs);
}

/* One value; text is kept by made. */
static int apply_value(struct config_made *made, const struct option_row *row, void *values,
		       const char *text, struct errmsg *msg)
{
	bool yes = strcmp(text, "yes") == 0;
	char *copy;

	if (row->kind == OPTION_FLAG && !yes && strcmp(text, "no") != 0)
		return err_set(msg, ERR_SYNTAX, "--%s: '%.60s' is neither yes nor no", row->name,
			       text);
	if ((row->kind == OPTION_FLAG || row->kind == OPTION_MAYBE) && strcmp(text, "no") == 0)
		return 0;
	if (row->kind == OPTION_FLAG || (row->kind == OPTION_MAYBE && yes))
		return options_set(row, values, NULL, msg);
	copy = xstrdup(text);
	made->texts = xrealloc(made->texts, made->count + 1, sizeof(char *));
	made->texts[made->count++] = copy;
	return options_set(row, values, copy, msg);
}

/* Its values, a line each; from now on it counts as given. */
static int apply_option(struct config_made *made, const struct cmd *cmd,
			const struct option_set *set, const char *name, const char *written,
			struct errmsg *msg)
{
	const struct option_row *row = apply_row(set->rows, set->count, name);
	char *text, *save = NULL;
	int rc = 0;

	if (!row || !apply_is_for(cmd, set, name) || !apply_is_wanted(set, name))
		return 0;
	text = xstrdup(written);
	for (char *at = strtok_r(text, "\n", &save); at && rc == 0;
	     at = strtok_r(NULL, "\n", &save))
		rc = apply_value(made, row, set->values, at, msg);
	free(text);
	return rc;
}

/* An error is the setting's. */
static int apply_error(const struct config *config, const struct config_text *at, int rc,
		       const struct errmsg *why, struct errmsg *msg)
{
	struct buf place = {0};

	if (rc) {
		config_origin(&place, config, at);
		(void)err_set(msg, rc, "%s: %s", buf_cstr(&place), why->text);
		buf_done(&place);
	}
	return rc;
}

static bool apply_says_no(const char *text)
{
	return strcmp(text, "no") == 0;
}

static void apply_mark(const struct option_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->rows[i].name, name) == 0)
			set->given[i] = true;
}

static int apply_keys(struct config_made *made, const struct cmd *cmd, const struct option_set *set,
		      const struct config *config, struct errmsg *msg)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < CONFIG_KEY_COUNT; i++) {
		const char *name = config_key_option((enum config_key)i);
		const char *text = config_written(config, (enum config_key)i);
		struct errmsg why = {{0}};

		if (!name || !text)
			continue;
		rc = apply_error(config, &config->keys[i].at,
				 apply_option(made, cmd, set, name, text, &why), &why, msg);
		/* For what needs it, or is its rival; the table has become before these. */
		if (rc == 0 && !apply_says_no(text) && apply_is_for(cmd, set, name) &&
		    apply_is_wanted(set, name))
			apply_mark(set, name);
	}
	return rc;
}

static int apply_extras(struct config_made *made, const struct cmd *cmd,
			const struct option_set *set, const struct config *config,
			struct errmsg *msg)
{
	bool *before = xcalloc(set->count, sizeof *before);
	struct option_set as_given = *set;
	int rc = 0;

	/* Several lines of one option are not one another's rivals. */
	memcpy(before, set->given, set->count * sizeof *before);
	as_given.given = before;
	for (size_t i = 0; rc == 0 && i < config->extra_count; i++) {
		const struct config_extra *extra = &config->extras[i];
		struct errmsg why = {{0}};

		rc = config_apply_check(config, extra, msg);
		if (rc)
			break;
		rc = apply_option(made, cmd, &as_given, config_at(config, extra->name),
				  config_at(config, extra->at.text), &why);
		rc = apply_error(config, &extra->at, rc, &why, msg);
	}
	free(before);
	return rc;
}

int config_apply(struct config_made *made, const struct cmd *cmd, const struct option_set *set,
		 const struct config *config, struct errmsg *msg)
{
	int rc = apply_keys(made, cmd, set, config, msg);

	return rc ? rc : apply_extras(made, cmd, set, config, msg);
}

void config_made_done(struct config_made *made)
{
	for (size_t i = 0; i < made->count; i++)
		free(made->texts[i]);
	free(made->texts);
	*made = (struct config_made){0};
}

/* It is tried on values of a command's that has it. */
static int apply_try(const struct cmd *cmd, const struct option_row *row, const char *text,
		     struct errmsg *msg)
{
	struct config_made made = {0};
	void *values = xcalloc(1, cmd->values_size);
	int rc = *text ? apply_value(&made, row, values, text, msg)
		       : err_set(msg, ERR_SYNTAX, "--%s: nothing stands behind the '='", row->name);

	options_done(row, 1, values);
	free(values);
	config_made_done(&made);
	return rc;
}

int config_apply_check(const struct config *config, const struct config_extra *extra,
		       struct errmsg *msg)
{
	const char *name = config_at(config, extra->name);
	struct errmsg why = {{0}};
	size_t count;
	const struct cmd *const *cmds = cmd_table(&count);
	int rc;

	if (apply_is_in(apply_never, ARRAY_LEN(apply_never), name)) {
		rc = err_set(&why, ERR_SYNTAX, "--%.60s is for command lines alone", name);
		return apply_error(config, &extra->at, rc, &why, msg);
	}
	for (size_t i = 0; i < count; i++) {
		size_t rows_count;
		struct option_row *rows = cmd_rows(cmds[i], &rows_count);
		const struct option_row *row = apply_row(rows, rows_count, name);

		rc = row && apply_row(rows, rows_count, "hosts")
			     ? apply_try(cmds[i], row, config_at(config, extra->at.text), &why)
			     : 1;
		free(rows);
		if (rc <= 0)
			return apply_error(config, &extra->at, rc, &why, msg);
	}
	rc = err_set(&why, ERR_NOTFOUND, "no command that goes to hosts has an option --%.60s",
		     name);
	return apply_error(config, &extra->at, rc, &why, msg);
}
