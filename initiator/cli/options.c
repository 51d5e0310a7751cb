#include "options.h"

#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "duration.h"
#include "limits.h"

#define OPTION_HELP_COLUMN 30u
/* getopt_long(3) returns this plus the row for long options. */
#define OPTION_LONG_BASE 1000

int options_set(const struct option_row *row, void *values, const char *text, struct errmsg *msg)
{
	char *at = (char *)values + row->offset;
	char what[64] = "--";
	struct option_texts *texts;

	(void)strncat(what, row->name, sizeof what - 3);
	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)(void *)at = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)(void *)at = text;
		return 0;
	case OPTION_MAYBE:
		*(struct option_maybe *)(void *)at =
			(struct option_maybe){.text = text, .given = true};
		return 0;
	case OPTION_TEXTS:
		texts = (struct option_texts *)(void *)at;
		texts->at = xrealloc(texts->at, texts->count + 1, sizeof(char *));
		texts->at[texts->count++] = text;
		return 0;
	case OPTION_DURATION:
		if (duration_parse((uint64_t *)(void *)at, text, what, msg) != 0)
			return ERR_SYNTAX;
		if (!*(uint64_t *)(void *)at)
			return err_set(msg, ERR_RANGE, "%s: '%s' is no time above zero", what,
				       text);
		return 0;
	case OPTION_WAIT:
		((struct option_wait *)(void *)at)->given = true;
		return duration_parse(&((struct option_wait *)(void *)at)->ms, text, what, msg);
	case OPTION_COUNT:
		return count_parse((uint64_t *)(void *)at, text, 1, LIMIT_HOSTS, what, msg);
	case OPTION_SIZE:
		return size_parse((uint64_t *)(void *)at, text, what, msg);
	}
	return 0;
}

static int option_has_arg(enum option_kind kind)
{
	if (kind == OPTION_MAYBE)
		return optional_argument;
	return kind == OPTION_FLAG ? no_argument : required_argument;
}

/* The two forms that getopt_long(3) wants, freed by the caller. */
static struct option *option_longs(const struct option_row *rows, size_t count)
{
	struct option *longs = xcalloc(count + 1, sizeof *longs);

	for (size_t i = 0; i < count; i++)
		longs[i] = (struct option){.name = rows[i].name,
					   .has_arg = option_has_arg(rows[i].kind),
					   .val = OPTION_LONG_BASE + (int)i};
	return longs;
}

static char *option_letters(const struct option_row *rows, size_t count, bool stop_at_word)
{
	struct buf text = {0};

	buf_add_str(&text, stop_at_word ? "+:" : ":"); /* ':' tells a missing value apart */
	for (size_t i = 0; i < count; i++) {
		if (!rows[i].letter)
			continue;
		buf_add_char(&text, rows[i].letter);
		if (rows[i].kind != OPTION_FLAG)
			buf_add_char(&text, ':');
	}
	return buf_take_str(&text);
}

static int option_fault(int c, int argc, char **argv, struct errmsg *msg)
{
	const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "?";
	char letter[3] = {'-', (char)optopt, 0};

	/* Negative: a byte that is no ASCII. */
	if (optopt != 0 && optopt < OPTION_LONG_BASE)
		word = letter;
	if (c == ':')
		return err_set(msg, ERR_SYNTAX, "option '%s' needs a value", word);
	if (optopt >= OPTION_LONG_BASE)
		return err_set(msg, ERR_SYNTAX, "option '%s' takes no value", word);
	return err_set(msg, ERR_SYNTAX, "unknown option '%s'", word);
}

static const struct option_row *option_row_of(const struct option_row *rows, size_t count, int c)
{
	if (c >= OPTION_LONG_BASE)
		return &rows[c - OPTION_LONG_BASE];
	for (size_t i = 0; i < count; i++)
		if (rows[i].letter == c)
			return &rows[i];
	return NULL;
}

int options_parse(const struct option_row *rows, size_t count, void *values, bool stop_at_word,
		  int argc, char **argv, int *first, struct errmsg *msg)
{
	return options_parse_given(rows, count, values, stop_at_word, argc, argv, first, NULL, msg);
}

int options_parse_given(const struct option_row *rows, size_t count, void *values,
			bool stop_at_word, int argc, char **argv, int *first, bool *given,
			struct errmsg *msg)
{
	struct option *longs = option_longs(rows, count);
	char *letters = option_letters(rows, count, stop_at_word);
	int c, rc = 0;

	/* The word before the first option takes the place of the program's name. */
	opterr = 0;
	optind = 0;
	argc -= *first - 1;
	argv += *first - 1;
	while (rc == 0 && (c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct option_row *row =
			c == '?' || c == ':' ? NULL : option_row_of(rows, count, c);

		rc = row ? options_set(row, values, optarg, msg) : option_fault(c, argc, argv, msg);
		if (row && given)
			given[row - rows] = true;
	}
	*first += optind - 1;
	free(longs);
	free(letters);
	return rc;
}

void options_done(const struct option_row *rows, size_t count, void *values)
{
	for (size_t i = 0; i < count; i++) {
		struct option_texts *texts = (void *)((char *)values + rows[i].offset);

		if (rows[i].kind != OPTION_TEXTS)
			continue;
		/* Synonyms share their list. */
		free(texts->at);
		*texts = (struct option_texts){0};
	}
}

static void option_help_row(struct buf *out, const struct option_row *row)
{
	size_t begin = out->len, used;
	const char *help = row->help;

	if (row->letter)
		buf_addf(out, "  -%c, --%s", row->letter, row->name);
	else
		buf_addf(out, "      --%s", row->name);
	if (row->kind == OPTION_MAYBE)
		buf_addf(out, "[=%s]", row->arg);
	else if (row->arg)
		buf_addf(out, " %s", row->arg);
	used = out->len - begin;
	if (used + 2 > OPTION_HELP_COLUMN) {
		buf_add_char(out, '\n');
		used = 0;
	}
	/* A newline in the text begins a line in the same column. */
	while (help) {
		const char *eol = strchr(help, '\n');
		size_t n = eol ? (size_t)(eol - help) : strlen(help);

		buf_addf(out, "%*s%.*s\n", (int)(OPTION_HELP_COLUMN - used), "", (int)n, help);
		used = 0;
		help = eol ? eol + 1 : NULL;
	}
}

void options_help(struct buf *out, const struct option_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].help)
			option_help_row(out, &rows[i]);
}
