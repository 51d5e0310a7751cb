#include "client_words.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "escape.h"
#include "pacer.h"

/* How the text of a failure is made of the line that gave it away. */
enum words_text {
	WORDS_LINE,    /* the line */
	WORDS_REASON,  /* what stands behind its last colon */
	WORDS_RESOLVE, /* the same, of a name */
	WORDS_FIXED    /* ours */
};

struct words {
	const char *words; /* somewhere in a line */
	enum conn_end end;
	enum words_text how;
	enum pacer_end trouble;
	const char *text; /* of FIXED */
};

/* Without the addresses that ssh names: the texts of many hosts are to be the same. */
#define WORDS_CLOSED "the server closed the connection before the login"

/*
 * As OpenSSH 7.6 to 9.9 print them. The first row that any line matches holds: a failure makes
 * several lines, and the last ones say little ("Connection closed").
 */
static const struct words words_failures[] = {
	{"REMOTE HOST IDENTIFICATION HAS CHANGED", CONN_END_HOST_KEY, WORDS_FIXED, PACER_FINAL,
	 "changed: not the key of known_hosts (by the OpenSSH client)"},
	{"is revoked", CONN_END_HOST_KEY, WORDS_LINE, PACER_FINAL, NULL},
	{"REVOKED HOST KEY", CONN_END_HOST_KEY, WORDS_FIXED, PACER_FINAL,
	 "revoked (by the OpenSSH client)"},
	{"host key is known for", CONN_END_HOST_KEY, WORDS_FIXED, PACER_FINAL,
	 "not known (by the OpenSSH client)"},
	{"Host key verification failed", CONN_END_HOST_KEY, WORDS_LINE, PACER_FINAL, NULL},
	{"Temporary failure in name resolution", CONN_END_UNREACHABLE, WORDS_RESOLVE,
	 PACER_RESOLVE_AGAIN, NULL},
	{"Could not resolve hostname", CONN_END_UNREACHABLE, WORDS_RESOLVE, PACER_FINAL, NULL},
	{"Permission denied (", CONN_END_AUTH, WORDS_REASON, PACER_FINAL, NULL},
	{"Too many authentication failures", CONN_END_AUTH, WORDS_REASON, PACER_FINAL, NULL},
	{"No more authentication methods", CONN_END_AUTH, WORDS_LINE, PACER_FINAL, NULL},
	/* Through a bastion: what that says comes before what follows of it. */
	{"open failed: connect failed", CONN_END_UNREACHABLE, WORDS_LINE, PACER_UNREACHABLE, NULL},
	{"stdio forwarding failed", CONN_END_UNREACHABLE, WORDS_LINE, PACER_FINAL, NULL},
	{"Connection refused", CONN_END_UNREACHABLE, WORDS_REASON, PACER_REFUSED, NULL},
	{"No route to host", CONN_END_UNREACHABLE, WORDS_REASON, PACER_UNREACHABLE, NULL},
	{"Network is unreachable", CONN_END_UNREACHABLE, WORDS_REASON, PACER_UNREACHABLE, NULL},
	{"Cannot assign requested address", CONN_END_UNREACHABLE, WORDS_REASON, PACER_LOCAL, NULL},
	{"timed out during banner exchange", CONN_END_TIMEOUT, WORDS_FIXED, PACER_UNREACHABLE,
	 "key exchange"},
	{"Connection timed out", CONN_END_TIMEOUT, WORDS_FIXED, PACER_UNREACHABLE, "connect"},
	{"ssh: connect to host", CONN_END_UNREACHABLE, WORDS_REASON, PACER_UNREACHABLE, NULL},
	{"Unable to negotiate", CONN_END_UNREACHABLE, WORDS_LINE, PACER_FINAL, NULL},
	{"banner line contains invalid", CONN_END_UNREACHABLE, WORDS_FIXED, PACER_FINAL,
	 "no SSH server answers there"},
	{"banner line too long", CONN_END_UNREACHABLE, WORDS_FIXED, PACER_FINAL,
	 "no SSH server answers there"},
	{"without a newline", CONN_END_UNREACHABLE, WORDS_FIXED, PACER_FINAL,
	 "no SSH server answers there"},
	{"remote protocol version identification", CONN_END_UNREACHABLE, WORDS_FIXED, PACER_FINAL,
	 "no SSH server answers there"},
	{"subsystem request failed", CONN_END_REFUSED, WORDS_FIXED, PACER_FINAL,
	 "the server has no such subsystem (see sshd_config(5), Subsystem)"},
	{"exec request failed", CONN_END_REFUSED, WORDS_FIXED, PACER_FINAL,
	 "the server does not run commands for this user"},
	{"open failed: ", CONN_END_REFUSED, WORDS_LINE, PACER_FINAL, NULL},
	{"ad configuration option", CONN_END_UNREACHABLE, WORDS_LINE, PACER_FINAL, NULL},
	{"Bad owner or permissions", CONN_END_UNREACHABLE, WORDS_LINE, PACER_FINAL, NULL},
	{"not responding", CONN_END_TIMEOUT, WORDS_LINE, PACER_UNREACHABLE, NULL},
	{"timed out", CONN_END_TIMEOUT, WORDS_FIXED, PACER_UNREACHABLE, "connect"},
	{"onnection closed by", CONN_END_UNREACHABLE, WORDS_FIXED, PACER_DROPPED, WORDS_CLOSED},
	{"onnection reset by", CONN_END_UNREACHABLE, WORDS_FIXED, PACER_DROPPED, WORDS_CLOSED},
	{"closed by remote host", CONN_END_UNREACHABLE, WORDS_FIXED, PACER_DROPPED, WORDS_CLOSED},
	{"Disconnected from", CONN_END_UNREACHABLE, WORDS_FIXED, PACER_DROPPED, WORDS_CLOSED},
};

/* These end a connection that was there. */
static const char *const words_lost[] = {
	"closed by remote host", "onnection reset by", "onnection closed by", "Broken pipe",
	"not responding",	 "Disconnected from",  "ssh_dispatch_run",    "Received disconnect",
	"Bad packet length",	 "orrupted MAC",       "client_loop: ",
};

void client_words_end(struct conn_result *ret, enum conn_end end, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	for (size_t len = strlen(text); len && isspace((unsigned char)text[len - 1]); len--)
		text[len - 1] = '\0';
	ret->end = end;
	ret->exit_code = -1;
	ret->signal[0] = '\0';
	(void)escape_str(ret->text, sizeof ret->text, text);
}

/* The line of said that has these words in it, to be freed; NULL: none. */
static char *words_line(const char *said, const char *words)
{
	const char *at = strstr(said, words), *begin = at;
	size_t len;

	if (!at)
		return NULL;
	while (begin > said && begin[-1] != '\n')
		begin--;
	len = strcspn(begin, "\r\n");
	return xasprintf("%.*s", (int)len, begin);
}

/* The last one with a word in it; NULL: none. To be freed. */
static char *words_last_line(const char *said)
{
	const char *end = said + strlen(said), *begin;

	while (end > said && isspace((unsigned char)end[-1]))
		end--;
	for (begin = end; begin > said && begin[-1] != '\n';)
		begin--;
	return end > begin ? xasprintf("%.*s", (int)(end - begin), begin) : NULL;
}

static void words_tell(const struct words *w, char *line, const struct plan_target *t,
		       struct conn_result *ret)
{
	char *colon = strrchr(line, ':');
	const char *reason = colon && colon[1] == ' ' ? colon + 2 : line;

	if (w->how == WORDS_FIXED) {
		client_words_end(ret, w->end, "%s", w->text);
	} else if (w->how == WORDS_RESOLVE && t->hostname && strcmp(t->hostname, t->host) != 0) {
		client_words_end(ret, w->end, "cannot resolve %s: %s", t->hostname, reason);
	} else if (w->how == WORDS_RESOLVE) {
		client_words_end(ret, w->end, "cannot resolve: %s", reason);
	} else if (w->how == WORDS_REASON) {
		client_words_end(ret, w->end, "%s", reason);
		ret->text[0] = (char)tolower((unsigned char)ret->text[0]);
	} else {
		client_words_end(ret, w->end, "ssh: %s",
				 strncmp(line, "ssh: ", 5) == 0 ? line + 5 : line);
	}
	ret->trouble = (uint8_t)w->trouble;
}

void client_words_failure(const char *said, const struct plan_target *t, struct conn_result *ret)
{
	static const struct words other = {"", CONN_END_UNREACHABLE, WORDS_LINE, PACER_FINAL, NULL};
	char *line = NULL;

	for (size_t i = 0; i < ARRAY_LEN(words_failures); i++) {
		line = words_line(said, words_failures[i].words);
		if (!line)
			continue;
		words_tell(&words_failures[i], line, t, ret);
		free(line);
		return;
	}
	line = words_last_line(said);
	ret->trouble = PACER_FINAL;
	if (line)
		words_tell(&other, line, t, ret);
	else
		client_words_end(ret, CONN_END_UNREACHABLE,
				 "the OpenSSH client failed without a word");
	free(line);
}

bool client_words_lost(const char *said, struct conn_result *ret)
{
	char *line = words_last_line(said);
	bool lost = false;

	for (size_t i = 0; line && !lost && i < ARRAY_LEN(words_lost); i++)
		lost = strstr(line, words_lost[i]) != NULL;
	if (lost)
		client_words_end(ret, CONN_END_LOST, "ssh: %s", line);
	free(line);
	return lost;
}
