/* What an ssh_config must not hold: each refusal names the place, and the cure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static const struct {
	const char *text, *message;
} bad_rows[] = {
	{"\nPort abc\n", "cfg:2: Port must be a number from 1 to 65535, not \"abc\""},
	{"Port 70000", "cfg:1: Port must be"},
	{"Port 0", "cfg:1: Port must be"},
	{"Port -1", "cfg:1: Port must be"},
	{"Port 99999999999999999999", "cfg:1: Port must be"},
	{"Host x\nPort", "cfg:2: Port needs an argument"},
	{"Port # 1", "cfg:1: Port needs an argument"},
	{"Port 1 2", "cfg:1: Port takes at most 1 argument, not 2"},
	{"User \"\"", "cfg:1: User has an empty argument"},
	{"User \"a", "cfg:1: User: a quote is not closed"},
	{"Host", "cfg:1: Host needs an argument"},
	{"Host a \"\"", "cfg:1: Host has an empty argument"},
	{"Match", "cfg:1: Match needs an argument"},
	{"Match host", "cfg:1: Match host needs an argument"},
	{"Match exec", "cfg:1: Match exec needs an argument"},
	{"Match hots a", "cfg:1: unknown Match attribute \"hots\""},
	{"Match all host a", "cfg:1: Match all must stand alone"},
	{"Match host a all", "cfg:1: Match all must stand alone"},
	{"StrictHostKeyChecking maybe", "cfg:1: StrictHostKeyChecking must be yes, accept-new"},
	{"IdentitiesOnly 1", "cfg:1: IdentitiesOnly must be yes or no"},
	{"ConnectTimeout x", "cfg:1: ConnectTimeout must be a time"},
	{"ConnectTimeout 1x", "cfg:1: ConnectTimeout must be a time"},
	{"ConnectTimeout 99999999w", "cfg:1: ConnectTimeout must be a time"},
	{"ConnectTimeout 99999999999", "cfg:1: ConnectTimeout must be a time"},
	{"UserKnownHostsFile none /a", "cfg:1: UserKnownHostsFile: none must stand alone"},
	{"IdentityAgent $a-b", "cfg:1: IdentityAgent must be"},
	{"ProxyCommand =", "cfg:1: ProxyCommand needs an argument"},
	{"Ciphers", "cfg:1: Ciphers needs an argument"},
	{"AddressFamily ipx", "cfg:1: AddressFamily must be any, inet or inet6"},
	{"ConnectionAttempts x", "cfg:1: ConnectionAttempts must be a number"},
	{"CanonicalizeHostname maybe", "cfg:1: CanonicalizeHostname must be"},
	{"PubkeyAuthentication maybe", "cfg:1: PubkeyAuthentication must be"},
	{"ProxyJump # x", "cfg:1: ProxyJump needs an argument"},
	{"Prot 22", "cfg:1: unknown keyword \"Prot\"; correct it, or put \"IgnoreUnknown Prot\""},
	{"User\"a\"", "cfg:1: unknown keyword"},
	{"IgnoreUnknown a*\nBcd 1", "cfg:2: unknown keyword \"Bcd\""},
	{"\x1b[2J 1", "cfg:1: unknown keyword \"\\x1b[2J\""},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
		struct ssh_config *c = config_new("/home/u");
		struct config_source source = {.name = "cfg", .user = true};
		struct errmsg msg = {""};
		const char *text = bad_rows[i].text;

		if (config_parse_buffer(c, &source, text, strlen(text), &msg) != ERR_SYNTAX)
			fail_msg("accepted: %s", text);
		if (strncmp(msg.text, bad_rows[i].message, strlen(bad_rows[i].message)) != 0)
			fail_msg("\"%s\" instead of \"%s\"", msg.text, bad_rows[i].message);
		ssh_config_free(c);
	}
}

static void test_nul_byte(void **state)
{
	struct ssh_config *c = config_new("/home/u");
	struct config_source source = {.name = "cfg"};
	struct errmsg msg = {""};

	(void)state;
	assert_int_equal(config_parse_buffer(c, &source, "User a\nUser\0b\n", 14, &msg),
			 ERR_SYNTAX);
	assert_string_equal(msg.text, "cfg:2: a NUL byte; is this a text file?");
	ssh_config_free(c);
}

static const struct {
	const char *text, *message;
} unusable_rows[] = {
	{"HostName %z", "cfg:1: cannot use \"%z\" for host h: %z is no token"},
	{"HostName a%", "cfg:1: cannot use \"a%\" for host h: % is no token"},
	{"HostName %p", "cfg:1: cannot use \"%p\" for host h: %p is no token"},
	{"IdentityFile %T", "cfg:1: cannot use"},
	{"IdentityFile ${MUSTER_TEST_NONE}",
	 "cfg:1: cannot use \"${MUSTER_TEST_NONE}\" for host h: "
	 "MUSTER_TEST_NONE is not set"},
	{"IdentityFile ${X", "cfg:1: cannot use \"${X\" for host h: ${ is not closed"},
	{"UserKnownHostsFile ~nobody-here/x", "cfg:1: cannot use"},
	{"ProxyJump %d", "cfg:1: cannot use"},
	{"ProxyCommand nc %d", "cfg:1: cannot use"},
	{"CertificateFile %z", "cfg:1: cannot use"},
	{"User a;b\nProxyCommand nc -l %r", "cfg:2: cannot use \"nc -l %r\" for host h: %r would"},
	{"HostName -x\nProxyCommand nc %h", "cfg:2: cannot use \"nc %h\" for host h: %h would"},
	{"HostKeyAlias $(x)\nProxyCommand nc %k", "cfg:2: cannot use"},
};

static void test_unusable_only_where_it_holds(void **state)
{
	(void)state;
	unsetenv("MUSTER_TEST_NONE");
	for (size_t i = 0; i < ARRAY_LEN(unusable_rows); i++) {
		struct ssh_config *c = parse_ok(unusable_rows[i].text);
		struct ssh_options o = {.port = 1234};
		struct errmsg msg = {""};
		char *other;

		assert_int_equal(ssh_config_lookup(c, "h", NULL, 0, "me", &o, &msg), ERR_SYNTAX);
		assert_int_equal(o.port, 1234);
		if (strncmp(msg.text, unusable_rows[i].message, strlen(unusable_rows[i].message)))
			fail_msg("\"%s\" instead of \"%s\"", msg.text, unusable_rows[i].message);
		ssh_config_free(c);
		other = xasprintf("Host other\n%s\n", unusable_rows[i].text);
		c = parse_ok(other);
		assert_int_equal(ssh_config_lookup(c, "h", NULL, 0, "me", &o, &msg), 0);
		assert_string_equal(o.user, "me");
		ssh_options_done(&o);
		ssh_config_free(c);
		free(other);
	}
}

static void test_exec(void **state)
{
	static const struct {
		const char *text, *message;
		int code;
		bool without;
	} rows[] = {
		{"Match exec %H", "cfg:1: cannot use \"%H\" for host h: %H is no token", ERR_SYNTAX,
		 false},
		{"User `x`\nMatch exec \"test %r\"",
		 "cfg:2: cannot use \"test %r\" for host h: %r would carry what a shell reads",
		 ERR_SYNTAX, false},
		{"Match exec true", "cfg:1: Match exec \"true\": nothing can be run here",
		 ERR_UNSUPPORTED, true},
		{"\nMatch exec \"sleep 60 & sleep 60\"",
		 "cfg:2: Match exec \"sleep 60 & sleep 60\": it did not end within 5 s, and was "
		 "killed",
		 ERR_TIMEOUT, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ssh_config *c = parse_ok(rows[i].text);
		struct ssh_exec *exec = rows[i].without ? NULL : ssh_exec_new();
		struct ssh_query query = {
			.config = c, .host = "h", .local_user = "me", .exec = exec};
		struct errmsg msg = {""};
		struct ssh_options o;

		assert_int_equal(ssh_config_ask(&query, &o, &msg), rows[i].code);
		if (strncmp(msg.text, rows[i].message, strlen(rows[i].message)) != 0)
			fail_msg("\"%s\" instead of \"%s\"", msg.text, rows[i].message);
		ssh_exec_free(exec);
		ssh_config_free(c);
	}
}

/* The command line: above the files, and without their structure. */
static void test_options(void **state)
{
	static const struct {
		const char *text, *message;
		int code;
	} rows[] = {
		{"Port=x", "--ssh-option Port=x: Port must be a number from 1 to 65535, not \"x\"",
		 ERR_SYNTAX},
		{"Prot=1", "--ssh-option Prot=1: ssh_config knows no \"Prot\"", ERR_SYNTAX},
		{"Host h", "--ssh-option Host h: Host is for files; use -F", ERR_SYNTAX},
		{"Match all", "--ssh-option Match all: Match is for files; use -F", ERR_SYNTAX},
		{"Include x", "--ssh-option Include x: Include is for files; use -F", ERR_SYNTAX},
		{"User=a\nPort=2", "--ssh-option User=a\\x0aPort=2: a line break", ERR_SYNTAX},
		{"", "--ssh-option : no keyword", ERR_SYNTAX},
		{"User", "--ssh-option User: User needs an argument", ERR_SYNTAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *option = xstrdup(rows[i].text);
		struct ssh_config *c = NULL;
		struct errmsg msg = {""};

		assert_int_equal(ssh_config_options(&c, &option, 1, "/home/u", &msg), rows[i].code);
		assert_null(c);
		if (strncmp(msg.text, rows[i].message, strlen(rows[i].message)) != 0)
			fail_msg("\"%s\" instead of \"%s\"", msg.text, rows[i].message);
		free(option);
	}
}

static void test_too_many_identities(void **state)
{
	struct buf text = {0};
	struct ssh_options o;
	struct errmsg msg = {""};
	struct ssh_config *c;

	(void)state;
	for (unsigned i = 0; i <= CONFIG_IDENTITIES; i++)
		buf_addf(&text, "IdentityFile /k%u\n", i);
	c = parse_ok(buf_cstr(&text));
	assert_int_equal(ssh_config_lookup(c, "h", NULL, 0, "me", &o, &msg), ERR_LIMIT);
	assert_non_null(strstr(msg.text, "cfg:101: more than 100 IdentityFile"));
	ssh_config_free(c);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_unusable_only_where_it_holds),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_too_many_identities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
