#include "simfleet_words.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define SIM_TIME_MAX (UINT64_C(86400000)) /* a day */

void sim_words_init(struct sim_words *w, const char *path, const char *text)
{
	*w = (struct sim_words){.path = path, .at = text, .line = 1};
}

void sim_words_done(struct sim_words *w)
{
	buf_done(&w->word);
}

int sim_words_fail(const struct sim_words *w, struct errmsg *msg, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return err_set(msg, ERR_SYNTAX, "%s:%u: %s", w->path, w->line, text);
}

static void sim_words_blanks(struct sim_words *w)
{
	while (*w->at == ' ' || *w->at == '\t' || *w->at == '\r')
		w->at++;
	if (*w->at == '#')
		w->at += strcspn(w->at, "\n");
}

bool sim_words_begin(struct sim_words *w)
{
	for (;;) {
		sim_words_blanks(w);
		if (*w->at != '\n' && *w->at != ';')
			return *w->at != '\0';
		w->line += *w->at == '\n';
		w->at++;
	}
}

/* One character behind a backslash. */
static int sim_words_escape(struct sim_words *w, struct errmsg *msg)
{
	static const char names[] = "nrt\\\"e", values[] = "\n\r\t\\\"\033";
	const char *found = *w->at ? strchr(names, *w->at) : NULL;
	char hex[3] = "";

	if (found) {
		buf_add_char(&w->word, values[found - names]);
		w->at++;
		return 0;
	}
	if (*w->at == 'x' && isxdigit((unsigned char)w->at[1]) &&
	    isxdigit((unsigned char)w->at[2])) {
		memcpy(hex, w->at + 1, 2);
		buf_add_char(&w->word, (char)strtol(hex, NULL, 16));
		w->at += 3;
		return 0;
	}
	return sim_words_fail(w, msg,
			      "nothing is known of \"\\%c\"; use \\n, \\r, \\t, \\e, \\\\, \\\" or "
			      "\\xHH",
			      isprint((unsigned char)*w->at) ? *w->at : '?');
}

static int sim_words_quoted(struct sim_words *w, struct errmsg *msg)
{
	int rc = 0;

	w->quoted = true;
	for (w->at++; *w->at != '"' && !rc;) {
		if (!*w->at || *w->at == '\n')
			return sim_words_fail(w, msg,
					      "a quote is not closed; add \" before the end "
					      "of the line");
		if (*w->at == '\\') {
			w->at++;
			rc = sim_words_escape(w, msg);
		} else {
			buf_add_char(&w->word, *w->at++);
		}
	}
	w->at++;
	return rc;
}

const char *sim_words_next(struct sim_words *w, int *ret_rc, struct errmsg *msg)
{
	*ret_rc = 0;
	if (!w->peeked) {
		sim_words_blanks(w);
		buf_clear(&w->word);
		w->quoted = false;
		w->at_end = strchr("\n;", *w->at) != NULL;
		if (*w->at == '"') {
			*ret_rc = sim_words_quoted(w, msg);
			if (*ret_rc)
				return NULL;
		} else if (!w->at_end) {
			size_t n = strcspn(w->at, " \t\r\n;#\"");

			buf_add(&w->word, w->at, n);
			w->at += n;
		}
	}
	w->peeked = false;
	return w->at_end ? NULL : buf_cstr(&w->word);
}

bool sim_words_skip(struct sim_words *w, const char *word)
{
	int rc;
	const char *next;

	sim_words_blanks(w);
	if (!w->peeked && *w->at == '"')
		return false;
	next = sim_words_next(w, &rc, NULL);
	if (next && strcmp(next, word) == 0)
		return true;
	w->peeked = true;
	return false;
}

struct sim_unit {
	const char *name;
	uint64_t factor;
};

static int sim_words_amount(struct sim_words *w, const char *what, const struct sim_unit *units,
			    uint64_t max, uint64_t *ret, struct errmsg *msg)
{
	int rc;
	const char *word = sim_words_next(w, &rc, msg);
	char *end;
	unsigned long long n;

	if (rc)
		return rc;
	if (!word || !isdigit((unsigned char)*word))
		return sim_words_fail(w, msg, "%s is missing", what);
	errno = 0;
	n = strtoull(word, &end, 10);
	while (units->name && strcmp(units->name, end) != 0)
		units++;
	if (!units->name)
		return sim_words_fail(w, msg, "\"%.40s\" is no number; %s is wanted", word, what);
	if (errno || n > max / units->factor)
		return err_set(msg, ERR_RANGE, "%s:%u: %.40s is too large; at most %llu", w->path,
			       w->line, word, (unsigned long long)max);
	*ret = n * units->factor;
	return 0;
}

int sim_words_number(struct sim_words *w, const char *what, uint64_t max, uint64_t *ret,
		     struct errmsg *msg)
{
	static const struct sim_unit units[] = {
		{"", 1}, {"K", 1u << 10}, {"M", 1u << 20}, {"G", 1u << 30}, {NULL, 0}};

	return sim_words_amount(w, what, units, max, ret, msg);
}

int sim_words_time(struct sim_words *w, const char *what, uint64_t *ret_ms, struct errmsg *msg)
{
	static const struct sim_unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {NULL, 0}};

	return sim_words_amount(w, what, units, SIM_TIME_MAX, ret_ms, msg);
}
