#include "complete.h"

#include <stdlib.h>
#include <string.h>

#include "agent_msg.h"
#include "alloc.h"
#include "cmd_table.h"
#include "escape.h"
#include "job_words.h"

#define COMPLETE_TEXT 200u /* bytes of a description */

/* A command line up to the word at the cursor. */
struct complete_line {
	const struct cmd *cmd;
	struct option_row *rows;
	size_t row_count;
	const struct option_row *awaits; /* the word at the cursor is its value */
	const char *first;		 /* word that is no option; NULL: none */
	size_t words;			 /* that are none */
	bool ended;			 /* no options follow */
	struct cmd_globals globals;
	bool check; /* --check was given */
};

/* What a shell shows and puts on its line must do nothing to the terminal there. */
static bool complete_is_harmless(const struct buf *text)
{
	struct buf shown = {0};
	bool same;

	escape_display(&shown, text->data, text->len);
	same = shown.len == text->len && !(text->len && memchr(text->data, '\t', text->len));
	buf_done(&shown);
	return same;
}

void complete_add(struct complete *c, const char *head, const char *text, const char *description)
{
	char safe[COMPLETE_TEXT * 4];
	struct buf whole = {0};
	size_t len = strlen(c->word);

	buf_addf(&whole, "%s%s", head, text);
	if (c->count < COMPLETE_MAX && whole.len >= len && memcmp(whole.data, c->word, len) == 0 &&
	    complete_is_harmless(&whole)) {
		c->count++;
		buf_addf(&c->out, "%s%s", c->prefix, buf_cstr(&whole));
		if (description && *description)
			buf_addf(&c->out, "\t%.*s", (int)COMPLETE_TEXT,
				 escape_str(safe, sizeof safe, description));
		buf_add_char(&c->out, '\n');
	}
	buf_done(&whole);
}

void complete_list(struct complete *c, const char *words)
{
	while (words && *words) {
		size_t n;
		char *word;

		words += strspn(words, ", |");
		n = strcspn(words, ", |");
		word = xstrndup(words, n);
		if (n)
			complete_add(c, "", word, NULL);
		free(word);
		words += n;
	}
}

char *complete_unquote(const char *word)
{
	struct buf out = {0};
	char quote = 0;

	for (; *word; word++) {
		if (quote != '\'' && *word == '\\' && word[1]) {
			if (quote && !strchr("\"\\$`", word[1]))
				buf_add_char(&out, '\\');
			buf_add_char(&out, *++word);
		} else if (quote ? *word == quote : *word == '\'' || *word == '"') {
			quote = quote ? 0 : *word;
		} else {
			buf_add_char(&out, *word);
		}
	}
	return buf_take_str(&out);
}

/* --- what stands there ----------------------------------------------------------------------- */

static const struct option_row *complete_row(const struct complete_line *l, const char *name,
					     size_t len)
{
	for (size_t i = 0; i < l->row_count; i++)
		if (strlen(l->rows[i].name) == len && memcmp(l->rows[i].name, name, len) == 0)
			return &l->rows[i];
	return NULL;
}

static const struct option_row *complete_letter(const struct complete_line *l, char letter)
{
	for (size_t i = 0; i < l->row_count; i++)
		if (l->rows[i].letter == letter)
			return &l->rows[i];
	return NULL;
}

static bool complete_takes(const struct option_row *row)
{
	return row && row->kind != OPTION_FLAG && row->kind != OPTION_MAYBE;
}

/* What is asked later is asked of the same daemon and inventory as the command would. */
static void complete_note(struct complete_line *l, const struct option_row *row, const char *text)
{
	size_t own = l->row_count - CMD_GLOBALS;

	if (!row)
		return;
	if (strcmp(row->name, "check") == 0)
		l->check = true;
	if ((size_t)(row - l->rows) >= own)
		(void)options_set(row, &l->globals, text, NULL);
}

static void complete_take_option(struct complete_line *l, const char *word)
{
	const struct option_row *row = NULL;
	const char *value = NULL;

	if (word[1] == '-') {
		size_t n = strcspn(word + 2, "=");

		row = complete_row(l, word + 2, n);
		value = word[2 + n] ? word + 2 + n + 1 : NULL;
	} else {
		for (word++; *word; word++) {
			row = complete_letter(l, *word);
			if (complete_takes(row)) {
				value = word[1] ? word + 1 : NULL;
				break;
			}
			complete_note(l, row, NULL);
			row = NULL;
		}
	}
	if (complete_takes(row) && !value)
		l->awaits = row;
	else
		complete_note(l, row, value);
}

static void complete_take(struct complete_line *l, const char *word)
{
	const char *second;

	if (l->awaits) {
		complete_note(l, l->awaits, word);
		l->awaits = NULL;
	} else if (!l->ended && strcmp(word, "--") == 0) {
		l->ended = true;
	} else if (!l->ended && word[0] == '-' && word[1]) {
		complete_take_option(l, word);
	} else if (!l->cmd) {
		l->cmd = cmd_find(word, &second);
		free(l->rows);
		l->rows = cmd_rows(l->cmd, &l->row_count);
		l->first = second;
		l->words = second != NULL;
		l->ended = !l->cmd;
	} else {
		if (!l->words++)
			l->first = word;
		l->ended = l->ended || l->cmd->stop_at_word;
	}
}

/* --- what could stand there ------------------------------------------------------------------ */

static void complete_files(struct complete *c)
{
	buf_add_str(&c->out, ":files\n");
}

static void complete_keys(struct complete *c)
{
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
		complete_add(c, "", config_key_name((enum config_key)i),
			     config_key_help((enum config_key)i));
}

static void complete_lines(struct complete *c, const struct buf *lines)
{
	char *text = xstrndup(lines->len ? (const char *)lines->data : "", lines->len);
	char *save = NULL;

	for (char *at = strtok_r(text, "\n", &save); at; at = strtok_r(NULL, "\n", &save))
		complete_add(c, "", at, NULL);
	free(text);
}

static void complete_profiles(struct complete *c)
{
	struct config *config = xcalloc(1, sizeof *config);
	struct buf names = {0};
	const struct config_loading loading = {.profiles = &names};

	(void)config_load(config, &loading, NULL);
	complete_lines(c, &names);
	buf_done(&names);
	free(config);
}

static void complete_kinds(struct complete *c)
{
	const char *name;

	for (uint64_t i = 0; i < PARSE_COUNT; i++)
		if ((name = agent_parse_name(i)) != NULL)
			complete_add(c, "", name, NULL);
}

/* As its own --help says. */
static void complete_formats(struct complete *c, const struct cmd *cmd)
{
	static const char lead[] = "--output: ";
	const char *at = cmd && cmd->text ? strstr(cmd->text, lead) : NULL;
	char *words;

	if (!at)
		return;
	at += sizeof lead - 1;
	words = xstrndup(at, strcspn(at, "\n"));
	complete_list(c, words);
	free(words);
}

/* The values of options that are not words of muster.conf, nor of their own name in --help. */
static const struct {
	const char *option;
	enum complete_source source;
} complete_asked[] = {
	{"hosts", COMPLETE_HOSTS}, {"computer-name", COMPLETE_HOSTS}, {"exclude", COMPLETE_HOSTS},
	{"via", COMPLETE_HOSTS},   {"session", COMPLETE_SESSIONS},    {"daemon", COMPLETE_DAEMONS},
	{"id", COMPLETE_JOBS},	   {"instance-id", COMPLETE_JOBS},
};

static void complete_table(struct complete *c, const char *head,
			   const char *const *(*table)(size_t *))
{
	size_t count;
	const char *const *words = table(&count);

	for (size_t i = 0; i < count; i++)
		complete_add(c, head, words[i], NULL);
}

/* Behind "@job:ID:" stand the hosts of a job that have ended so. False: that stands not there. */
static bool complete_job_hosts(struct complete *c)
{
	static const char lead[] = "@job:";
	const char *at = strrchr(c->word, '@'), *colon;
	char *head;

	if (!at || strncmp(at, lead, sizeof lead - 1) != 0)
		return false;
	colon = strchr(at + sizeof lead - 1, ':');
	if (!colon)
		return false;
	head = xasprintf("%.*s", (int)(colon + 1 - c->word), c->word);
	complete_table(c, head, job_words_states);
	complete_add(c, head, "rc=", NULL);
	free(head);
	head = xasprintf("%.*scause=", (int)(colon + 1 - c->word), c->word);
	complete_table(c, head, job_words_causes);
	free(head);
	return true;
}

static void complete_from(struct complete *c, enum complete_source source)
{
	if (source != COMPLETE_HOSTS || !complete_job_hosts(c))
		complete_ask(c, source);
}

static void complete_value(struct complete *c, const struct complete_line *l,
			   const struct option_row *row)
{
	static const char *const files[] = {"FILE", "DIR", "PATH", "WHERE"};
	enum config_key key = config_key_find(row->name);

	for (size_t i = 0; i < ARRAY_LEN(complete_asked); i++)
		if (strcmp(complete_asked[i].option, row->name) == 0) {
			complete_from(c, complete_asked[i].source);
			return;
		}
	for (size_t i = 0; row->arg && i < ARRAY_LEN(files); i++)
		if (strcmp(row->arg, files[i]) == 0)
			complete_files(c);
	if (strcmp(row->name, "output") == 0)
		complete_formats(c, l->cmd);
	else if (strcmp(row->name, "profile") == 0)
		complete_profiles(c);
	else if (strcmp(row->name, "parse") == 0)
		complete_kinds(c);
	else if (row->arg && strcmp(row->arg, "STATE") == 0)
		complete_table(c, "", job_words_states);
	else if (row->arg && strchr(row->arg, '|') && *row->arg >= 'a')
		complete_list(c, row->arg);
	else if (key != CONFIG_KEY_COUNT && config_key_words(key))
		complete_list(c, config_key_words(key));
	else if (row->kind == OPTION_MAYBE && row->arg && *row->arg >= 'a')
		complete_add(c, "", row->arg, NULL);
}

/* The first line of what --help says. */
static char *complete_help(const struct option_row *row)
{
	char *text = xstrdup(row->help);

	for (char *at = text; *at; at++)
		if (*at == '\n')
			*at = ' ';
	return text;
}

static void complete_options(struct complete *c, const struct complete_line *l)
{
	for (size_t i = 0; i < l->row_count; i++) {
		const struct option_row *row = &l->rows[i];
		const char letter[] = {'-', row->letter, '\0'};
		char *help;

		if (!row->help)
			continue;
		help = complete_help(row);
		complete_add(c, "--", row->name, help);
		if (row->letter && strlen(c->word) < 3)
			complete_add(c, "", letter, help);
		free(help);
	}
}

static void complete_verbs(struct complete *c)
{
	size_t count;
	const struct cmd *const *cmds = cmd_table(&count);

	for (size_t i = 0; i < count; i++)
		if (!cmds[i]->is_hidden)
			complete_add(c, "", cmds[i]->name, cmds[i]->summary);
}

/* The words of its synopsis: "get [NAME...] | connect|remove NAME..." has three. False: it is no
 * command that begins with such a word. */
static bool complete_subverbs(struct complete *c, const struct cmd *cmd)
{
	static const char *const with_words[] = {"session", "daemon", "agent"};
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz|";
	bool has = false;

	for (size_t i = 0; i < ARRAY_LEN(with_words); i++)
		has = has || strcmp(with_words[i], cmd->name) == 0;
	for (const char *at = cmd->synopsis; has && *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");
		char *word = xstrndup(at, n);

		if (strspn(word, letters) == n)
			complete_list(c, word);
		free(word);
		at += n;
	}
	return has;
}

static void complete_argument(struct complete *c, const struct complete_line *l)
{
	static const char *const of_jobs[] = {"get",	"receive", "wait",   "stop",
					      "remove", "suspend", "resume", "set"};
	const struct cmd *cmd = l->cmd;

	for (size_t i = 0; i < ARRAY_LEN(of_jobs); i++)
		if (strcmp(cmd->name, of_jobs[i]) == 0)
			complete_ask(c, COMPLETE_JOBS);
	if (!l->words && complete_subverbs(c, cmd))
		return;
	if (strcmp(cmd->name, "session") == 0 && l->words && strcmp(l->first, "new") != 0)
		complete_ask(c, COMPLETE_SESSIONS);
	else if (strcmp(cmd->name, "hosts") == 0)
		complete_from(c, COMPLETE_HOSTS);
	else if (strcmp(cmd->name, "config") == 0 && !l->check)
		complete_keys(c);
	else if (cmd->stop_at_word || l->check || strcmp(cmd->name, "copy") == 0)
		complete_files(c);
}

static void complete_at(struct complete *c, const struct complete_line *l)
{
	const char *equals = strchr(c->word, '=');
	const struct option_row *row;
	char *prefix;

	if (l->awaits) {
		complete_value(c, l, l->awaits);
	} else if (!l->ended && strncmp(c->word, "--", 2) == 0 && equals) {
		row = complete_row(l, c->word + 2, (size_t)(equals - c->word) - 2);
		prefix = xstrndup(c->word, (size_t)(equals - c->word) + 1);
		c->prefix = prefix;
		c->word = equals + 1;
		if (row && row->kind != OPTION_FLAG)
			complete_value(c, l, row);
		c->prefix = "";
		free(prefix);
	} else if (!l->ended && *c->word == '-') {
		complete_options(c, l);
	} else if (l->cmd) {
		complete_argument(c, l);
	} else if (!l->ended) {
		complete_verbs(c);
	}
}

void complete_words(struct buf *out, char **words, size_t count)
{
	size_t global_count;
	const struct option_row *globals = cmd_global_rows(&global_count);
	struct complete_line l = {0};
	struct complete c = {.prefix = "", .word = count ? words[count - 1] : ""};
	struct config *config = xcalloc(1, sizeof *config);
	struct config_loading loading = {0};

	l.rows = cmd_rows(NULL, &l.row_count);
	for (size_t i = 0; i + 1 < count; i++)
		complete_take(&l, words[i]);
	/* A faulty one is said by the command itself. */
	loading.profile = config_profile(l.globals.profile);
	(void)config_load(config, &loading, NULL);
	l.globals.config = config;
	l.globals.quiet = true;
	c.globals = &l.globals;
	complete_at(&c, &l);
	buf_add(out, c.out.data, c.out.len);
	buf_done(&c.out);
	options_done(globals, global_count, &l.globals);
	free(l.rows);
	free(config);
}
