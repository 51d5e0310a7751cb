/* Asks `ssh -G` what holds for a host, and demands the same of us. Skipped where there is no ssh.
 */
#include <sys/stat.h>

#include "config_oracle.h"

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
	{"ProxyJump none\nProxyCommand nc a\n", "h"},
	{"ProxyCommand none\nProxyJump a,u@b:77\n", "h"},
	{"ProxyJump a # b\nProxyCommand nc\n", "h"},
	{"Match final\nUser f\nHost n\nPort 5\nHost h\nHostName n\n", "h"},
	{"CanonicalizeHostname yes\nMatch canonical host n\nUser c\nHost h\nHostName n\n", "h"},
	{"Match canonical all\nUser c\n", "h"},
	{"Match exec \"test %h%n%p%r = nh22u\"\nPort 9\nHost h\nUser u\nHostName n\n"
	 "Match exec \"test %h%n%p%r = nh22u\"\nUserKnownHostsFile /x\n",
	 "h"},
	{"UserKnownHostsFile /%C/%L/%d/%i/%u\nHostName N\nUser u\n", "h"},
	{"IdentityAgent ~/s/%C-%h\n", "h"},
	{"ServerAliveInterval none\nServerAliveInterval 1m\nServerAliveCountMax 0\n", "h"},
};

static const struct {
	const char *name, *text;
} includes[] = {
	{"in1", "User in1\nHost q\nPort 1\nHost h\nPort 11\n"},
	{"in2", "Host q\nUser in2\nHost *\nConnectTimeout 12\n"},
	{"in3", "HostName other\nHost nobody\n"},
};

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

static void test_like_ssh(void **state)
{
	char *path;

	(void)state;
	if (!oracle_is_there()) {
		print_message("SKIPPED: there is no ssh on PATH to compare with\n");
		skip();
	}
	path = xasprintf("%s/config", dir);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *config = absolute_includes(rows[i].config);

		write_file(path, config);
		oracle_compare(path, rows[i].host, config);
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
