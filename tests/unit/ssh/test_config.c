#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "config.h"
#include "config_private.h"

static struct ssh_config *parse_ok(const char *text)
{
	struct ssh_config *c = config_new("/home/u");
	struct config_source source = {.name = "cfg", .user = true};
	struct errmsg msg = {""};

	if (config_parse_buffer(c, &source, text, strlen(text), &msg) != 0)
		fail_msg("%s", msg.text);
	config_index(c);
	return c;
}

/* The options of host "h" or another; freed by the caller. */
static struct ssh_options look(const char *text, const char *host)
{
	struct ssh_config *c = parse_ok(text);
	struct ssh_exec *exec = ssh_exec_new();
	struct ssh_query query = {.config = c, .host = host, .local_user = "me", .exec = exec};
	struct ssh_options o;
	struct errmsg msg = {""};

	if (ssh_config_ask(&query, &o, &msg) != 0)
		fail_msg("%s", msg.text);
	ssh_exec_free(exec);
	ssh_config_free(c);
	return o;
}

static void check_string(const char *text, const char *host, size_t offset, const char *expected)
{
	struct ssh_options o = look(text, host);
	char *value;

	memcpy(&value, (const char *)&o + offset, sizeof value);
	if (!expected)
		assert_null(value);
	else
		assert_string_equal(value ? value : "(NULL)", expected);
	ssh_options_done(&o);
}

#define CHECK(text, host, field, expected) \
	check_string(text, host, offsetof(struct ssh_options, field), expected)

static void check_port(const char *text, const char *host, uint16_t port)
{
	struct ssh_options o = look(text, host);

	assert_int_equal(o.port, port);
	ssh_options_done(&o);
}

static void test_defaults(void **state)
{
	struct ssh_options o = look("", "h");

	(void)state;
	assert_string_equal(o.hostname, "h");
	assert_string_equal(o.user, "me");
	assert_int_equal(o.port, 22);
	assert_true(o.identities_default);
	assert_int_equal(o.identity_count, 5);
	assert_string_equal(o.identity_files[0], "/home/u/.ssh/id_rsa");
	assert_string_equal(o.identity_files[1], "/home/u/.ssh/id_ecdsa");
	assert_string_equal(o.identity_files[2], "/home/u/.ssh/id_ecdsa_sk");
	assert_string_equal(o.identity_files[3], "/home/u/.ssh/id_ed25519");
	assert_string_equal(o.identity_files[4], "/home/u/.ssh/id_ed25519_sk");
	assert_false(o.identities_only);
	assert_null(o.identity_agent);
	assert_int_equal(o.user_known_hosts_count, 2);
	assert_string_equal(o.user_known_hosts[0], "/home/u/.ssh/known_hosts");
	assert_string_equal(o.user_known_hosts[1], "/home/u/.ssh/known_hosts2");
	assert_int_equal(o.global_known_hosts_count, 2);
	assert_string_equal(o.global_known_hosts[0], "/etc/ssh/ssh_known_hosts");
	assert_string_equal(o.global_known_hosts[1], "/etc/ssh/ssh_known_hosts2");
	assert_int_equal(o.strict, SSH_STRICT_YES);
	assert_int_equal(o.connect_timeout_s, 0);
	assert_null(o.host_key_alias);
	assert_null(o.proxy_jump);
	assert_null(o.proxy_command);
	ssh_options_done(&o);
	ssh_options_done(NULL);
	ssh_config_free(NULL);
}

static void test_syntax(void **state)
{
	(void)state;
	CHECK("user a", "h", user, "a");
	CHECK("USER=a\r\n", "h", user, "a");
	CHECK("  User = a  \n", "h", user, "a");
	CHECK("\tUser\ta # why\n", "h", user, "a");
	CHECK("# User x\n\n   # User y\nUser a\n", "h", user, "a");
	CHECK("User \"a b\"", "h", user, "a b");
	CHECK("User 'a\"b'", "h", user, "a\"b");
	CHECK("User a\\ b", "h", user, "a b");
	CHECK("User a\\\\b", "h", user, "a\\b");
	CHECK("User a\\xb", "h", user, "a\\xb");
	CHECK("User a#b", "h", user, "a#b");
}

static void test_first_value_wins(void **state)
{
	(void)state;
	CHECK("User a\nUser b\n", "h", user, "a");
	CHECK("Host x\nUser a\nHost *\nUser b\nHost h\nUser c\n", "h", user, "b");
	check_port("Host h\nPort 2\nHost h\nPort 3\n", "h", 2);
}

static void test_host_patterns(void **state)
{
	static const char text[] = "Host web* !web3 db\n Port 1\nHost web3 a b\n Port 2\n"
				   "Host !x\n Port 3\nHost ?\n Port 4\nHost * !?\n Port 5\n";
	(void)state;
	check_port(text, "web1", 1);
	check_port(text, "db", 1);
	check_port(text, "web3", 2);
	check_port(text, "a", 2);
	check_port(text, "b", 2);
	check_port(text, "q", 4);
	check_port(text, "zz", 5);
	/* As ssh: the case of a name counts for Host. */
	check_port("Host WEB\nPort 9\n", "web", 22);
	check_port("Host WEB\nPort 9\n", "WEB", 9);
}

static void test_host_name(void **state)
{
	(void)state;
	CHECK("Host h\nHostName %h.Example.org\n", "h", hostname, "h.example.org");
	CHECK("HostName a%%b", "h", hostname, "a%b");
	CHECK("", "UPPER", hostname, "upper");
	/* Host looks at the name as the user gave it, Match host at the one so far. */
	CHECK("Host h\nHostName n\nHost n\nUser no\nHost h\nUser yes\n", "h", user, "yes");
	CHECK("HostName n\nMatch host n\nUser yes\n", "h", user, "yes");
	CHECK("Match host n\nUser no\nMatch all\nHostName n\nUser late\n", "h", user, "late");
	CHECK("HostName n\nMatch host h\nUser no\n", "h", user, "me");
	CHECK("HostName n\nMatch originalhost h\nUser yes\n", "h", user, "yes");
	CHECK("HostName %h.N\nMatch host *.n\nUser yes\n", "h", user, "yes");
}

static void test_match(void **state)
{
	(void)state;
	check_port("Match all\nPort 5\n", "h", 5);
	check_port("Match !all\nPort 5\n", "h", 22);
	check_port("Match host a,h\nPort 5\n", "h", 5);
	check_port("Match host=a,h\nPort 5\n", "h", 5);
	check_port("Match host *,!h\nPort 5\n", "h", 22);
	check_port("Match !host a\nPort 5\n", "h", 5);
	check_port("Match host H\nPort 5\n", "h", 5);
	check_port("Match user me\nPort 5\n", "h", 5);
	check_port("User x\nMatch user me\nPort 5\n", "h", 22);
	check_port("User x\nMatch user x\nPort 5\n", "h", 5);
	check_port("User x\nMatch localuser me\nPort 5\n", "h", 5);
	check_port("Match localuser me user you\nPort 5\n", "h", 22);
	check_port("Match LocalUser me Host \"h\" # both\nPort 5\n", "h", 5);
	check_port("Tag t\nMatch tagged t\nPort 5\n", "h", 5);
	check_port("Match tagged t\nPort 5\n", "h", 22);
}

/* The files are read again where final asks for it, or where CanonicalizeHostname is set. */
static void test_second_pass(void **state)
{
	(void)state;
	check_port("Match final\nPort 5\n", "h", 5);
	check_port("Match canonical all\nPort 5\n", "h", 22);
	check_port("Match canonical all\nPort 5\nMatch final\nUser x\n", "h", 5);
	check_port("CanonicalizeHostname yes\nMatch canonical all\nPort 5\n", "h", 5);
	check_port("CanonicalizeHostname no\nMatch canonical all\nPort 5\n", "h", 22);
	check_port("Match !final host h\nPort 5\n", "h", 5);
	check_port("Match final host h\nPort 5\nHost *\nPort 6\n", "h", 6);
	/* Host looks at the name that HostName has made. */
	check_port("Host n\nPort 5\nHost h\nHostName n\nMatch final\nUser x\n", "h", 5);
	check_port("Match final originalhost h host n\nPort 5\nHost h\nHostName n\n", "h", 5);
	/* HostName does not count again. */
	CHECK("Host n\nHostName m\nHost h\nHostName n\nMatch final\nUser x\n", "h", hostname, "n");
}

static void test_exec(void **state)
{
	(void)state;
	check_port("Match exec true\nPort 5\n", "h", 5);
	check_port("Match exec false\nPort 5\n", "h", 22);
	check_port("Match !exec false\nPort 5\n", "h", 5);
	check_port("Match exec \"test %h%p%r%n%u = h22bhme\"\nPort 5\nMatch all\nUser b\n", "h",
		   22);
	check_port("User b\nMatch exec \"test %h%p%r%n%u = h22bhme\"\nPort 5\n", "h", 5);
	check_port("Match exec \"test -f /x\" host h\nPort 5\nHost h\nPort 6\n", "h", 6);
	/* What stands before it does not hold: it is not run, and so is no error. */
	check_port("Match host x exec \"%z\"\nPort 5\n", "h", 22);
}

static void test_identity_adds_up(void **state)
{
	struct ssh_options o = look("IdentityFile ~/a\nHost h\nIdentityFile /b\nIdentityFile c\n"
				    "Host x\nIdentityFile /d\nMatch all\nIdentityFile ~/a\n"
				    "IdentityFile none\n",
				    "h");

	(void)state;
	assert_false(o.identities_default);
	assert_int_equal(o.identity_count, 3);
	assert_string_equal(o.identity_files[0], "/home/u/a");
	assert_string_equal(o.identity_files[1], "/b");
	assert_string_equal(o.identity_files[2], "/home/u/c");
	ssh_options_done(&o);

	o = look("IdentityFile none\n", "h");
	assert_false(o.identities_default);
	assert_int_equal(o.identity_count, 0);
	ssh_options_done(&o);
}

static void check_identity(const char *value, const char *expected)
{
	char *text = xasprintf(
		"HostName real\nUser ru\nPort 77\nHostKeyAlias al\nIdentityFile %s\n", value);
	struct ssh_options o = look(text, "Orig");

	assert_int_equal(o.identity_count, 1);
	assert_string_equal(o.identity_files[0], expected);
	ssh_options_done(&o);
	free(text);
}

static void test_tokens(void **state)
{
	(void)state;
	check_identity("%d/%h/%n/%p/%r/%u/%k/%%", "/home/u/real/Orig/77/ru/me/al/%");
	check_identity("/%j", "/");
	setenv("MUSTER_TEST_VAR", "v%h", 1);
	check_identity("/x/${MUSTER_TEST_VAR}/y", "/x/v%h/y");
	check_identity("/x/$y", "/x/$y");
	check_identity("~root/k", "/root/k");
	CHECK("ProxyJump %r@%h:%p,%n", "h", proxy_jump, "me@h:22,h");
}

static void test_known_hosts_files(void **state)
{
	struct ssh_options o = look("UserKnownHostsFile ~/a /b/%k \"c d\"\n"
				    "GlobalKnownHostsFile /g1 /g2 /g3\nHostKeyAlias al\n",
				    "h");

	(void)state;
	assert_int_equal(o.user_known_hosts_count, 3);
	assert_string_equal(o.user_known_hosts[0], "/home/u/a");
	assert_string_equal(o.user_known_hosts[1], "/b/al");
	assert_string_equal(o.user_known_hosts[2], "/home/u/c d");
	assert_int_equal(o.global_known_hosts_count, 3);
	assert_string_equal(o.global_known_hosts[2], "/g3");
	assert_string_equal(o.host_key_alias, "al");
	ssh_options_done(&o);

	o = look("UserKnownHostsFile none\nGlobalKnownHostsFile NONE\n", "h");
	assert_int_equal(o.user_known_hosts_count, 0);
	assert_int_equal(o.global_known_hosts_count, 0);
	ssh_options_done(&o);
}

static void test_strict(void **state)
{
	static const struct {
		const char *text;
		enum ssh_strict strict;
	} rows[] = {
		{"StrictHostKeyChecking yes", SSH_STRICT_YES},
		{"StrictHostKeyChecking ask", SSH_STRICT_YES},
		{"StrictHostKeyChecking no", SSH_STRICT_ACCEPT_NEW},
		{"StrictHostKeyChecking off", SSH_STRICT_ACCEPT_NEW},
		{"StrictHostKeyChecking Accept-New", SSH_STRICT_ACCEPT_NEW},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ssh_options o = look(rows[i].text, "h");

		assert_int_equal(o.strict, rows[i].strict);
		ssh_options_done(&o);
	}
}

static void test_connect_timeout(void **state)
{
	static const struct {
		const char *text;
		unsigned seconds;
	} rows[] = {
		{"ConnectTimeout 7", 7},      {"ConnectTimeout 7s", 7},
		{"ConnectTimeout 1m30s", 90}, {"ConnectTimeout 1H", 3600},
		{"ConnectTimeout none", 0},   {"ConnectTimeout none # x\nConnectTimeout 3", 3},
		{"ConnectTimeout 1d", 86400}, {"ConnectTimeout 2w", 1209600},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ssh_options o = look(rows[i].text, "h");

		assert_int_equal(o.connect_timeout_s, rows[i].seconds);
		ssh_options_done(&o);
	}
}

static void test_agent(void **state)
{
	(void)state;
	setenv("MUSTER_TEST_SOCK", "/run/sock", 1);
	unsetenv("MUSTER_TEST_NONE");
	CHECK("IdentityAgent SSH_AUTH_SOCK", "h", identity_agent, NULL);
	CHECK("IdentityAgent none", "h", identity_agent, "none");
	CHECK("IdentityAgent $MUSTER_TEST_SOCK", "h", identity_agent, "/run/sock");
	CHECK("IdentityAgent $MUSTER_TEST_NONE", "h", identity_agent, "none");
	CHECK("IdentityAgent ${MUSTER_TEST_SOCK}.2", "h", identity_agent, "/run/sock.2");
	CHECK("IdentityAgent ~/s/%r", "h", identity_agent, "/home/u/s/me");
}

static void test_proxy(void **state)
{
	(void)state;
	CHECK("ProxyJump a@b:1,c", "h", proxy_jump, "a@b:1,c");
	CHECK("ProxyJump none", "h", proxy_jump, NULL);
	CHECK("ProxyJump a, b # c", "h", proxy_jump, "a, b");
	CHECK("ProxyCommand  nc -q0 %h \"%p\" # x", "h", proxy_command, "exec nc -q0 h \"22\" # x");
	CHECK("ProxyCommand=nc %%%n:%r@%k", "h", proxy_command, "exec nc %h:me@h");
	CHECK("ProxyCommand none", "h", proxy_command, NULL);
	CHECK("ProxyJump a\nProxyCommand b", "h", proxy_command, NULL);
	CHECK("ProxyCommand b\nProxyJump a", "h", proxy_jump, NULL);
	CHECK("ProxyJump none\nProxyCommand b", "h", proxy_command, "exec b");
	CHECK("ProxyJump none\nProxyJump a", "h", proxy_jump, NULL);
	CHECK("ProxyCommand none\nProxyJump a", "h", proxy_jump, NULL);
}

static void test_caller_first(void **state)
{
	struct ssh_config *c = parse_ok("User file\nPort 7\nIdentitiesOnly yes\n"
					"Match user cli\nHostName n\n");
	struct ssh_options o;

	(void)state;
	assert_int_equal(ssh_config_lookup(c, "h", "cli", 9, "me", &o, NULL), 0);
	assert_string_equal(o.user, "cli");
	assert_int_equal(o.port, 9);
	assert_string_equal(o.hostname, "n");
	assert_true(o.identities_only);
	ssh_options_done(&o);
	ssh_config_free(c);
}

static void test_ignored(void **state)
{
	struct ssh_config *c = parse_ok("SendEnv LANG\nSetEnv A=1\nHashKnownHosts yes\n"
					"SetEnv B=1\nForwardAgent no\nHost x\nForwardAgent yes\n"
					"Match localnetwork 10/8\nMatch localnetwork 11/8\n"
					"Match version 1\n");

	(void)state;
	assert_string_equal(ssh_config_ignored(c),
			    "SetEnv (cfg:2), ForwardAgent (cfg:7), "
			    "Match localnetwork (cfg:8), Match version (cfg:10)");
	ssh_config_free(c);
	c = parse_ok("SendEnv LANG\nVerifyHostKeyDNS no\n");
	assert_null(ssh_config_ignored(c));
	ssh_config_free(c);
}

static void test_ignore_unknown(void **state)
{
	(void)state;
	CHECK("IgnoreUnknown usekey*,Foo\nUseKeychain yes\nfoo\nUser a\n", "h", user, "a");
}

/* The literal blocks are not walked: only those with wildcards stand in the short list. */
static void test_many_hosts(void **state)
{
	struct buf text = {0};
	struct ssh_config *c;
	struct errmsg msg;

	(void)state;
	buf_add_str(&text, "Host h1*\nHostName %h.lan\n");
	for (unsigned i = 0; i < 10000; i++)
		buf_addf(&text, "Host h%u alias%u\nPort %u\n", i, i, i + 1);
	buf_add_str(&text, "Host *\nPort 50000\nUser last\n");
	c = parse_ok(buf_cstr(&text));
	assert_int_equal(c->walked_count, 3);
	assert_int_equal(c->literal_count, 20000);
	for (unsigned i = 0; i < 10000; i++) {
		struct ssh_options o;
		char host[32];

		(void)snprintf(host, sizeof host, "%s%u", i % 2 ? "h" : "alias", i);
		assert_int_equal(ssh_config_lookup(c, host, NULL, 0, "me", &o, &msg), 0);
		assert_int_equal(o.port, i + 1);
		assert_string_equal(o.user, "last");
		ssh_options_done(&o);
	}
	ssh_config_free(c);
	buf_done(&text);
}

static void test_many_matches(void **state)
{
	struct buf text = {0};

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		buf_addf(&text, "Match host m%u user me\nPort %u\n", i, i + 1);
	check_port(buf_cstr(&text), "m0", 1);
	check_port(buf_cstr(&text), "m999", 1000);
	check_port(buf_cstr(&text), "m1000", 22);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_first_value_wins),
		cmocka_unit_test(test_host_patterns),
		cmocka_unit_test(test_host_name),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_second_pass),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_identity_adds_up),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_known_hosts_files),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_connect_timeout),
		cmocka_unit_test(test_agent),
		cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_caller_first),
		cmocka_unit_test(test_ignored),
		cmocka_unit_test(test_ignore_unknown),
		cmocka_unit_test(test_many_hosts),
		cmocka_unit_test(test_many_matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
