/* What holds for a host by `ssh -G`, and by us, in the same words. */
#ifndef MUSTER_TEST_CONFIG_ORACLE_H
#define MUSTER_TEST_CONFIG_ORACLE_H

#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "buf.h"
#include "config.h"
#include "config_private.h"

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static const char *home_of_user(void)
{
	const struct passwd *entry = getpwuid(getuid());

	assert_non_null(entry);
	return entry->pw_dir;
}

static void oracle_add(struct buf *out, const char *name, const char *value)
{
	if (value)
		buf_addf(out, "%s %s\n", name, value);
}

static void oracle_lists(struct buf *out, const struct ssh_options *o)
{
	for (size_t i = 0; !o->identities_default && i < o->identity_count; i++)
		buf_addf(out, "identityfile %s\n", o->identity_files[i]);
	for (size_t i = 0; i < o->certificate_count; i++)
		buf_addf(out, "certificatefile %s\n", o->certificate_files[i]);
	buf_add_str(out, "userknownhostsfile");
	for (size_t i = 0; i < o->user_known_hosts_count; i++)
		buf_addf(out, " %s", o->user_known_hosts[i]);
	buf_addf(out, "\nstricthostkeychecking %s\n", o->strict == SSH_STRICT_YES ? "yes" : "new");
	oracle_add(out, "hostkeyalias", o->host_key_alias);
	oracle_add(out, "identityagent", o->identity_agent);
	oracle_add(out, "proxyjump", o->proxy_jump);
	oracle_add(out, "proxycommand", o->proxy_command ? o->proxy_command + 5 : NULL);
	oracle_add(out, "preferredauthentications", o->preferred);
	/* Where none is set ssh shows its own. */
	oracle_add(out, "kexalgorithms", o->kex);
	oracle_add(out, "ciphers", o->ciphers);
	oracle_add(out, "macs", o->macs);
	oracle_add(out, "hostkeyalgorithms", o->host_key_algs);
	oracle_add(out, "pubkeyacceptedalgorithms", o->pubkey_algs);
}

static void oracle_numbers(struct buf *out, const struct ssh_options *o)
{
	static const char *const families[] = {"any", "inet", "inet6"};
	const struct {
		const char *name;
		bool yes;
	} flags[] = {
		{"pubkeyauthentication", o->pubkey_auth},
		{"passwordauthentication", o->password_auth},
		{"kbdinteractiveauthentication", o->keyboard_auth},
		{"gssapiauthentication", o->gssapi_auth},
		{"hostbasedauthentication", o->hostbased_auth},
		{"identitiesonly", o->identities_only},
		{"hashknownhosts", o->hash_known_hosts},
		{"proxyusefdpass", o->proxy_fdpass},
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		buf_addf(out, "%s %s\n", flags[i].name, flags[i].yes ? "yes" : "no");
	if (o->connect_timeout_s)
		buf_addf(out, "connecttimeout %u\n", o->connect_timeout_s);
	buf_addf(out, "connectionattempts %u\nserveraliveinterval %u\nserveralivecountmax %u\n",
		 o->attempts, o->alive_interval_s, o->alive_count);
	buf_addf(out, "numberofpasswordprompts %u\naddressfamily %s\n", o->prompts,
		 families[o->family]);
}

/* A line for each value. */
static void ours(struct buf *out, const char *path, const char *host)
{
	const struct passwd *entry = getpwuid(getuid());
	struct ssh_query query = {
		.host = host, .local_user = entry->pw_name, .exec = ssh_exec_new()};
	struct ssh_config *c;
	struct ssh_options o;
	struct errmsg msg = {""};

	if (ssh_config_load(&c, path, home_of_user(), &msg) != 0)
		fail_msg("%s", msg.text);
	query.config = c;
	if (ssh_config_ask(&query, &o, &msg) != 0)
		fail_msg("%s", msg.text);
	buf_addf(out, "user %s\nhostname %s\nport %u\n", o.user, o.hostname, o.port);
	oracle_lists(out, &o);
	oracle_numbers(out, &o);
	ssh_options_done(&o);
	ssh_exec_free(query.exec);
	ssh_config_free(c);
}

static bool is_default_identity(const char *line)
{
	return strncmp(line, "identityfile ~/.ssh/id_", 23) == 0;
}

static bool oracle_starts(const char *line, const char *name)
{
	size_t n = strlen(name);

	return strncmp(line, name, n) == 0 && line[n] == ' ';
}

/* A keyword whose value ssh shows as it is. */
static bool oracle_is_plain(const char *line)
{
	static const char *const plain[] = {"user",
					    "hostname",
					    "port",
					    "hostkeyalias",
					    "userknownhostsfile",
					    "identityagent",
					    "proxyjump",
					    "proxycommand",
					    "preferredauthentications",
					    "connectionattempts",
					    "serveraliveinterval",
					    "serveralivecountmax",
					    "numberofpasswordprompts",
					    "addressfamily",
					    "passwordauthentication",
					    "kbdinteractiveauthentication",
					    "gssapiauthentication",
					    "hostbasedauthentication",
					    "identitiesonly",
					    "hashknownhosts",
					    "proxyusefdpass"};

	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (oracle_starts(line, plain[i]))
			return true;
	return false;
}

/* A list that is told only where it is configured. */
static bool oracle_is_set(const char *line, const char *config)
{
	static const char *const lists[] = {"kexalgorithms", "ciphers", "macs", "hostkeyalgorithms",
					    "pubkeyacceptedalgorithms"};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (oracle_starts(line, lists[i]))
			return config && strstr(config, line + strlen(lists[i]) + 1);
	return false;
}

/* One line of ssh -G, where it says the same in another way; false: not compared. */
static bool theirs_line(struct buf *out, const char *line, const char *config)
{
	static const char strict[] = "stricthostkeychecking ", key[] = "pubkeyauthentication ";
	const char *value = strchr(line, ' ') ? strchr(line, ' ') + 1 : line;

	/* Here it stands among the others, and counts for nothing later. */
	if (oracle_starts(line, "identityfile") && strcasecmp(value, "none") == 0)
		return false;
	if (oracle_is_plain(line) || oracle_is_set(line, config)) {
		buf_addf(out, "%s\n", line);
	} else if ((oracle_starts(line, "identityfile") && !is_default_identity(line)) ||
		   oracle_starts(line, "certificatefile")) {
		char *path = config_tilde(home_of_user(), value);

		buf_addf(out, "%.*s%s\n", (int)(value - line), line, path);
		free(path);
	} else if (strncmp(line, strict, strlen(strict)) == 0) {
		buf_addf(out, "%s%s\n", strict,
			 strcmp(value, "ask") == 0 || strcmp(value, "true") == 0 ? "yes" : "new");
	} else if (strncmp(line, key, strlen(key)) == 0) {
		buf_addf(out, "%s%s\n", key,
			 strcmp(value, "false") == 0 || strcmp(value, "no") == 0 ? "no" : "yes");
	} else if (oracle_starts(line, "connecttimeout") && strcmp(value, "none") != 0) {
		buf_addf(out, "%s\n", line);
	} else {
		return false;
	}
	return true;
}

/* config: the text, with what it includes; NULL: lists of algorithms are not compared. */
static void theirs(struct buf *out, const char *path, const char *host, const char *config)
{
	char *command = xasprintf("ssh -G -F '%s' '%s' 2>&1", path, host);
	FILE *pipe = popen(command, "re");
	char *line = NULL, last[256] = "";
	size_t size = 0, compared = 0;

	assert_non_null(pipe);
	while (getline(&line, &size, pipe) > 0) {
		line[strcspn(line, "\n")] = '\0';
		compared += theirs_line(out, line, config);
		(void)snprintf(last, sizeof last, "%s", line);
	}
	if (pclose(pipe) != 0)
		fail_msg("failed: %s: %s", command, last);
	assert_true(compared >= 5);
	free(line);
	free(command);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ssh's order of keywords is its own; that of identity files counts. */
static char *sorted(struct buf *text)
{
	char *whole = buf_take_str(text), *lines[256], *at = whole, *result;
	struct buf out = {0};
	size_t count = 0, identities = 0;

	while (*at && count < ARRAY_LEN(lines)) {
		char *end = strchr(at, '\n');

		*end = '\0';
		if (strncmp(at, "identityfile ", 13) == 0 ||
		    strncmp(at, "certificatefile ", 16) == 0)
			buf_addf(&out, "%zu %s\n", ++identities, at);
		else
			lines[count++] = at;
		at = end + 1;
	}
	qsort(lines, count, sizeof *lines, compare_lines);
	for (size_t i = 0; i < count; i++)
		buf_addf(&out, "%s\n", lines[i]);
	free(whole);
	result = buf_take_str(&out);
	return result;
}

static bool oracle_is_there(void)
{
	return system("ssh -V >/dev/null 2>&1") == 0;
}

/* Fails with the first line that differs. */
static void oracle_first(const char *a, const char *b, const char *host, const char *config)
{
	size_t at = 0, line = 0;

	for (; a[at] && a[at] == b[at]; at++)
		if (a[at] == '\n')
			line = at + 1;
	if (a[at] != b[at])
		fail_msg("for %s we say \"%.*s\" and ssh \"%.*s\", of:\n%s", host,
			 (int)strcspn(a + line, "\n"), a + line, (int)strcspn(b + line, "\n"),
			 b + line, config);
}

/* config: as of theirs. */
static void oracle_compare(const char *path, const char *host, const char *config)
{
	struct buf mine = {0}, ssh = {0};
	char *a, *b;

	ours(&mine, path, host);
	theirs(&ssh, path, host, config);
	a = sorted(&mine);
	b = sorted(&ssh);
	oracle_first(a, b, host, config);
	free(a);
	free(b);
}

#endif
