/* Asks `ssh -G` what holds for a host, and demands the same of us. Skipped where there is no ssh.
 */
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "buf.h"
#include "config.h"
#include "config_private.h"

static char dir[] = "/tmp/muster-oracle-XXXXXX";

static const struct {
	const char *config, *host;
} rows[] = {
	{"", "h"},
	{"", "UPPER.Case"},
	{"Host h\nHostName %h.example.org\nUser a\nPort 2022\nHost *\nUser b\nPort 1\n", "h"},
	{"Host h\nHostName %h.example.org\nUser a\nPort 2022\nHost *\nUser b\nPort 1\n", "x"},
	{"Host web* !web3\nUser w\nHost web3 !web3 web4\nUser v\nHost *\nUser z\n", "web3"},
	{"Host web* !web3\nUser w\nHost web3 !web3 web4\nUser v\nHost *\nUser z\n", "web4"},
	{"Host WEB\nUser w\nHost web\nPort 3\n", "WEB"},
	{"Host !a\nUser w\n", "b"},
	{"Host h\nHostName n\nHost n\nUser no\nMatch host n\nPort 5\nMatch host h\nPort 6\n", "h"},
	{"Match host n\nUser early\nHost *\nHostName n\nMatch host n\nUser late\n", "h"},
	{"HostName N.Org\nMatch host n.org\nUser yes\n", "h"},
	{"HostName n\nMatch originalhost h,x !host h\nUser yes\n", "h"},
	{"User u\nMatch user u localuser *\nPort 7\n", "h"},
	{"Match user u\nPort 7\nMatch !user u\nPort 8\n", "h"},
	{"Match host=\"a,h\"\nPort 7\n", "h"},
	{"Match host *,!h\nPort 7\nMatch all\nPort 8\n", "h"},
	{"Match !all\nPort 7\n", "h"},
	{"Match host h # user x\nPort 7\n", "h"},
	{"user=a\nPort = 9\n ConnectTimeout\t1m30s # x\n\n#Port 4\n", "h"},
	{"User \"a b\"\nHostKeyAlias 'x\"y'\n", "h"},
	{"User a\\ b\nHostKeyAlias a\\\\b\\c\n", "h"},
	{"User a#b\n", "h"},
	{"HostKeyAlias al\nUserKnownHostsFile ~/a /b/%k/%h/%n/%p/%r/%% \"/c d\"\n", "h"},
	{"HostName a%%b\n", "h"},
	{"HostName fe80::1%%Eth0\n", "h"},
	{"UserKnownHostsFile /a\nUserKnownHostsFile /b\n", "h"},
	{"StrictHostKeyChecking yes\n", "h"},
	{"StrictHostKeyChecking off\nStrictHostKeyChecking yes\n", "h"},
	{"StrictHostKeyChecking accept-new\n", "h"},
	{"ConnectTimeout 2h\n", "h"},
	{"IdentityFile ~/a\nHost x\nIdentityFile /b\nHost h\nIdentityFile ~/c\nIdentityFile ~/a\n",
	 "h"},
	{"IdentityFile \"~/a b\"\n", "h"},
	{"Include in1\nUser b\n", "h"},
	{"Host h\nInclude in1 in2\nUser b\nHost *\nPort 77\n", "h"},
	{"Host x\nInclude in1\nHost *\nUser b\n", "h"},
	{"Host h\nInclude in2\nUser b\nHost *\nPort 77\n", "h"},
	{"Match host h\nInclude in3\nUser b\nMatch host h\nPort 78\n", "h"},
	{"Include in[12] nothing*\nPort 79\n", "h"},
	{"IgnoreUnknown Foo*\nFooBar 1\nUser a\n", "h"},
	{"Compression yes\nCiphers aes128-ctr\nSendEnv A B\nUser a\n", "h"},
};

static const struct {
	const char *name, *text;
} includes[] = {
	{"in1", "User in1\nHost q\nPort 1\nHost h\nPort 11\n"},
	{"in2", "Host q\nUser in2\nHost *\nConnectTimeout 12\n"},
	{"in3", "HostName other\nHost nobody\n"},
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Relative names would mean ~/.ssh, which a test must not touch. */
static char *absolute_includes(const char *config)
{
	struct buf out = {0};
	const char *at;

	while ((at = strstr(config, " in")) != NULL) {
		bool name = strchr("123[", at[3]) != NULL && at[3];

		buf_add(&out, config, (size_t)(at - config) + 1);
		if (name)
			buf_addf(&out, "%s/", dir);
		buf_add_str(&out, "in");
		config = at + 3;
	}
	buf_add_str(&out, config);
	return buf_take_str(&out);
}

static const char *home_of_user(void)
{
	const struct passwd *entry = getpwuid(getuid());

	assert_non_null(entry);
	return entry->pw_dir;
}

/* In the words of ssh -G, a line for each value. */
static void ours(struct buf *out, const char *path, const char *host)
{
	const struct passwd *entry = getpwuid(getuid());
	struct ssh_config *c;
	struct ssh_options o;
	struct errmsg msg = {""};

	if (ssh_config_load(&c, path, home_of_user(), &msg) != 0 ||
	    ssh_config_lookup(c, host, NULL, 0, entry->pw_name, &o, &msg) != 0)
		fail_msg("%s", msg.text);
	buf_addf(out, "user %s\nhostname %s\nport %u\n", o.user, o.hostname, o.port);
	for (size_t i = 0; !o.identities_default && i < o.identity_count; i++)
		buf_addf(out, "identityfile %s\n", o.identity_files[i]);
	buf_add_str(out, "userknownhostsfile");
	for (size_t i = 0; i < o.user_known_hosts_count; i++)
		buf_addf(out, " %s", o.user_known_hosts[i]);
	buf_addf(out, "\nstricthostkeychecking %s\n", o.strict == SSH_STRICT_YES ? "yes" : "new");
	if (o.host_key_alias)
		buf_addf(out, "hostkeyalias %s\n", o.host_key_alias);
	if (o.connect_timeout_s)
		buf_addf(out, "connecttimeout %u\n", o.connect_timeout_s);
	ssh_options_done(&o);
	ssh_config_free(c);
}

static bool is_default_identity(const char *line)
{
	return strncmp(line, "identityfile ~/.ssh/id_", 23) == 0;
}

/* One line of ssh -G, where it says the same in another way; false: not compared. */
static bool theirs_line(struct buf *out, const char *line)
{
	static const char *const plain[] = {"user ", "hostname ", "port ", "hostkeyalias ",
					    "userknownhostsfile "};
	static const char strict[] = "stricthostkeychecking ";
	const char *value;

	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		if (strncmp(line, plain[i], strlen(plain[i])) == 0) {
			buf_addf(out, "%s\n", line);
			return true;
		}
	}
	if (strncmp(line, "identityfile ", 13) == 0 && !is_default_identity(line)) {
		char *path = config_tilde(home_of_user(), line + 13);

		buf_addf(out, "identityfile %s\n", path);
		free(path);
		return true;
	}
	if (strncmp(line, strict, strlen(strict)) == 0) {
		value = line + strlen(strict);
		buf_addf(out, "%s%s\n", strict,
			 strcmp(value, "ask") == 0 || strcmp(value, "true") == 0 ? "yes" : "new");
		return true;
	}
	if (strncmp(line, "connecttimeout ", 15) == 0 && strcmp(line + 15, "none") != 0) {
		buf_addf(out, "%s\n", line);
		return true;
	}
	return false;
}

static void theirs(struct buf *out, const char *path, const char *host)
{
	char *command = xasprintf("ssh -G -F '%s' '%s' 2>&1", path, host);
	FILE *pipe = popen(command, "re");
	char *line = NULL, last[256] = "";
	size_t size = 0, compared = 0;

	assert_non_null(pipe);
	while (getline(&line, &size, pipe) > 0) {
		line[strcspn(line, "\n")] = '\0';
		compared += theirs_line(out, line);
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
		if (strncmp(at, "identityfile ", 13) == 0)
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

static void test_like_ssh(void **state)
{
	char *path;

	(void)state;
	if (system("ssh -V >/dev/null 2>&1") != 0) {
		print_message("SKIPPED: there is no ssh on PATH to compare with\n");
		skip();
	}
	path = xasprintf("%s/config", dir);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *config = absolute_includes(rows[i].config), *a, *b;
		struct buf mine = {0}, ssh = {0};

		write_file(path, config);
		ours(&mine, path, rows[i].host);
		theirs(&ssh, path, rows[i].host);
		a = sorted(&mine);
		b = sorted(&ssh);
		if (strcmp(a, b) != 0)
			fail_msg("for %s and\n%s\nwe say\n%s\nand ssh\n%s", rows[i].host, config, a,
				 b);
		free(a);
		free(b);
		free(config);
	}
	free(path);
}

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(includes); i++) {
		char *path = xasprintf("%s/%s", dir, includes[i].name);

		write_file(path, includes[i].text);
		free(path);
	}
	return 0;
}

static int remove_dir(void **state)
{
	char *command = xasprintf("rm -rf '%s'", dir);
	int rc = system(command);

	(void)state;
	free(command);
	return rc;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_like_ssh),
	};

	/* Included files must not be writable by others. */
	umask(077);
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
