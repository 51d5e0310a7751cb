/* What a plan makes of ssh_config: the way to a host, its bastions, methods and algorithms. */
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
#include "limits.h"
#include "plan.h"

#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
/* A key of sk-ssh-ed25519@openssh.com, for the application "ssh:". */
#define TOKEN_KEY                                                                    \
	"AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAECAwQFBgcICQoLDA0ODxAREhMUFR" \
	"YXGBkaGxwdHh8gAAAABHNzaDo="

static char home[] = "/tmp/muster-plan-XXXXXX";

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", home, name);
}

static void put(const char *name, const char *text)
{
	char *path = path_of(name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	free(path);
}

/* What is asked for beside the file. */
struct asked {
	const char *options[4];
	enum plan_host_key host_key;
	enum plan_transport transport;
};

static int make_for(const struct asked *asked, const char *config, const char *const *hosts,
		    struct plan **ret, struct errmsg *msg)
{
	struct plan_request request = {.home = xstrdup(home),
				       .config_path = path_of("config"),
				       .host_key = asked->host_key,
				       .transport = asked->transport};
	int rc;

	put("config", config);
	request.hosts = xcalloc(16, sizeof *request.hosts);
	for (; hosts[request.count]; request.count++)
		request.hosts[request.count] =
			(struct plan_host){.host = xstrdup(hosts[request.count]),
					   .hostname = xstrdup(hosts[request.count])};
	request.options = xcalloc(ARRAY_LEN(asked->options), sizeof(char *));
	for (; request.option_count < ARRAY_LEN(asked->options) &&
	       asked->options[request.option_count];
	     request.option_count++)
		request.options[request.option_count] =
			xstrdup(asked->options[request.option_count]);
	rc = plan_build(ret, &request, msg);
	plan_request_done(&request);
	return rc;
}

static struct plan *make_asked(const struct asked *asked, const char *config,
			       const char *const *hosts)
{
	struct plan *plan = NULL;
	struct errmsg msg = {{0}};

	if (make_for(asked, config, hosts, &plan, &msg) != 0)
		fail_msg("%s", msg.text);
	return plan;
}

static struct plan *make_one(const char *config)
{
	static const char *const hosts[] = {"h", NULL};

	return make_asked(&(struct asked){0}, config, hosts);
}

static void check_fault(const struct plan_target *t, const char *part)
{
	if (!t->fault || !strstr(t->fault, part))
		fail_msg("\"%s\" without \"%s\"", t->fault ? t->fault : "(none)", part);
}

static void check_one_fault(const char *config, const char *part)
{
	struct plan *plan = make_one(config);

	check_fault(plan_target(plan, 0), part);
	plan_free(plan);
}

static void test_direct(void **state)
{
	struct plan *plan = make_one("ConnectionAttempts 4\nServerAliveInterval 1m\n"
				     "ServerAliveCountMax 5\nHashKnownHosts yes\n"
				     "AddressFamily inet6\nConnectTimeout 3\n");
	const struct plan_target *t = plan_target(plan, 0);

	(void)state;
	assert_null(t->fault);
	assert_int_equal(t->way, PLAN_DIRECT);
	assert_null(t->jump);
	assert_int_equal(t->attempts, 4);
	assert_int_equal(t->alive_interval_s, 60);
	assert_int_equal(t->alive_count, 5);
	assert_int_equal(t->connect_timeout_ms, 3000);
	assert_true(t->hash_known_hosts);
	assert_false(t->accept_new);
	assert_int_equal(t->family, PLAN_INET6);
	assert_null(t->kex);
	assert_null(plan_warning(plan));
	plan_free(plan);
}

static void test_bastions_are_shared(void **state)
{
	static const char *const hosts[] = {"h1", "h2", "x1", "y1", NULL};
	struct plan *plan =
		make_asked(&(struct asked){0},
			   "Host h*\nProxyJump u@gw:2200\n"
			   "Host x*\nProxyJump first,gw\n"
			   "Host y*\nProxyJump ssh://gw/\n"
			   "Host gw\nHostName gw.example\nUser g\nPort 99\nProxyJump out\n"
			   "Host out\nHostName 10.0.0.1\n",
			   hosts);
	const struct plan_target *a = plan_target(plan, 0), *b = plan_target(plan, 1);
	const struct plan_target *x = plan_target(plan, 2), *y = plan_target(plan, 3);

	(void)state;
	assert_int_equal(a->way, PLAN_JUMP);
	assert_ptr_equal(a->jump, b->jump);
	assert_string_equal(a->jump->host, "gw");
	assert_string_equal(a->jump->hostname, "gw.example");
	assert_string_equal(a->jump->user, "u");
	assert_int_equal(a->jump->port, 2200);
	assert_int_equal(a->jump->way, PLAN_JUMP);
	assert_string_equal(a->jump->jump->hostname, "10.0.0.1");
	assert_int_equal(a->jump->jump->way, PLAN_DIRECT);
	assert_int_equal(a->jump->auth.count, 3);
	/* What stands in front outweighs what the bastion has itself. */
	assert_string_equal(x->jump->user, "g");
	assert_int_equal(x->jump->port, 99);
	assert_string_equal(x->jump->jump->host, "first");
	assert_null(x->jump->jump->jump);
	/* The way that is in use already is gone by. */
	assert_ptr_equal(y->jump->jump, a->jump->jump);
	plan_free(plan);
}

static void test_jump_faults(void **state)
{
	struct buf text = {0};
	struct plan *plan;

	(void)state;
	check_one_fault("ProxyJump h", "goes round in a circle, by h");
	check_one_fault("Host h\nProxyJump a\nHost a\nProxyJump b\nHost b\nProxyJump a\n",
			"ProxyJump a goes round in a circle, by a");
	check_one_fault("Host h\nProxyJump a:b", "no [user@]host[:port]");
	check_one_fault("Host h\nProxyJump a,", "no [user@]host[:port]");
	check_one_fault("Host h\nProxyJump ,a", "no [user@]host[:port]");
	check_one_fault("Host h\nProxyJump @a", "no [user@]host[:port]");
	check_one_fault("Host h\nProxyJump -a", "no [user@]host[:port]");
	check_one_fault("Host h\nProxyJump a:0", "no [user@]host[:port]");
	check_one_fault("Host h\nProxyJump [::1", "no [user@]host[:port]");
	check_one_fault("Host h\nProxyJump a\nHost a\nRefuseConnection gone",
			"RefuseConnection: gone");
	for (unsigned i = 0; i <= LIMIT_JUMPS; i++)
		buf_addf(&text, "Host %s%u\nProxyJump b%u\n", i ? "b" : "h b", i, i + 1);
	check_one_fault(buf_cstr(&text), "more than 8 bastions in a row");
	buf_clear(&text);
	for (unsigned i = 1; i < LIMIT_JUMPS; i++)
		buf_addf(&text, "Host b%u\nProxyJump b%u\n", i, i + 1);
	buf_add_str(&text, "Host h\nProxyJump b1\n");
	plan = make_one(buf_cstr(&text));
	assert_null(plan_target(plan, 0)->fault);
	plan_free(plan);
	/* As many, but with one that others use already. */
	buf_add_str(&text, "Host g\nProxyJump h\n");
	plan = make_asked(&(struct asked){0}, buf_cstr(&text),
			  (const char *const[]){"h", "g", NULL});
	assert_null(plan_target(plan, 0)->fault);
	check_fault(plan_target(plan, 1), "more than 8 bastions");
	plan_free(plan);
	buf_done(&text);
}

static void test_command(void **state)
{
	struct plan *plan = make_one("User me\nProxyCommand nc %h %p # %r\n");
	const struct plan_target *t = plan_target(plan, 0);

	(void)state;
	assert_int_equal(t->way, PLAN_COMMAND);
	assert_string_equal(t->proxy_command, "exec nc h 22 # me");
	plan_free(plan);
	check_one_fault("User a|b\nProxyCommand nc %r\n", "%r would carry what a shell reads");
}

static void check_auth(const char *config, const char *order, unsigned prompts)
{
	static const char letters[] = {
		[PLAN_PUBKEY] = 'k', [PLAN_PASSWORD] = 'p', [PLAN_KEYBOARD] = 'i'};
	struct plan *plan = make_one(config);
	const struct plan_auth *auth = &plan_target(plan, 0)->auth;
	char got[PLAN_METHOD_COUNT + 1] = "";

	for (unsigned i = 0; i < auth->count; i++)
		got[i] = letters[auth->order[i]];
	assert_string_equal(got, order);
	assert_int_equal(auth->pubkey, strchr(order, 'k') != NULL);
	assert_int_equal(auth->password, strchr(order, 'p') != NULL);
	assert_int_equal(auth->keyboard, strchr(order, 'i') != NULL);
	assert_int_equal(auth->prompts, prompts);
	plan_free(plan);
}

static void test_auth(void **state)
{
	(void)state;
	check_auth("", "kip", 3);
	check_auth("NumberOfPasswordPrompts 1", "kip", 1);
	check_auth("NumberOfPasswordPrompts 0", "kip", 1);
	check_auth("PreferredAuthentications password,foo,publickey,password", "pk", 3);
	check_auth("PubkeyAuthentication no", "ip", 3);
	check_auth("PasswordAuthentication no\nKbdInteractiveAuthentication no", "k", 3);
	check_auth("PreferredAuthentications password\nPasswordAuthentication no", "", 3);
}

static void test_algorithms(void **state)
{
	struct plan *plan = make_one("KexAlgorithms ^ecdh-sha2-nistp521,nonsense\n"
				     "Ciphers -chacha*,*-ctr\nMACs hmac-sha2-512,foo\n"
				     "HostKeyAlgorithms ssh-rsa,ssh-ed25519\n"
				     "PubkeyAcceptedAlgorithms +ssh-rsa\n");
	const struct plan_target *t = plan_target(plan, 0);

	(void)state;
	assert_null(t->fault);
	assert_int_equal(strncmp(t->kex, "ecdh-sha2-nistp521,curve25519-sha256,", 37), 0);
	assert_null(strstr(t->kex, "nonsense"));
	assert_string_equal(t->ciphers, "aes128-gcm@openssh.com,aes256-gcm@openssh.com");
	assert_string_equal(t->macs, "hmac-sha2-512");
	assert_string_equal(t->hostkey_algs, "ssh-rsa,ssh-ed25519");
	assert_non_null(strstr(t->pubkey_algs, "ssh-ed25519"));
	assert_string_equal(t->pubkey_algs + strlen(t->pubkey_algs) - 8, ",ssh-rsa");
	plan_free(plan);
	check_one_fault("Ciphers foo,bar", "Ciphers: nothing of 'foo,bar' is known to libssh");
	check_one_fault("KexAlgorithms -*", "KexAlgorithms: nothing of '-*' is known");
}

/* What is known of the host goes before the list where that only changes ours. */
static void test_host_key_order(void **state)
{
	struct plan *plan;

	(void)state;
	put("known", "h ssh-ed25519 " KEY "\n");
	plan = make_one("UserKnownHostsFile ~/known\nHostKeyAlgorithms -rsa*\n");
	assert_int_equal(strncmp(plan_target(plan, 0)->hostkey_algs,
				 "ssh-ed25519,ssh-ed25519,ecdsa-sha2-nistp256,", 44),
			 0);
	plan_free(plan);
	plan = make_one("UserKnownHostsFile ~/known\nHostKeyAlgorithms ^ecdsa-sha2-nistp521\n");
	assert_int_equal(
		strncmp(plan_target(plan, 0)->hostkey_algs, "ecdsa-sha2-nistp521,ssh-ed25519,", 32),
		0);
	plan_free(plan);
	plan = make_one("UserKnownHostsFile ~/known\nHostKeyAlgorithms -*ed25519*,rsa*\n");
	assert_string_equal(plan_target(plan, 0)->hostkey_algs,
			    "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521");
	plan_free(plan);
}

static const struct {
	const char *config, *why;
} openssh_rows[] = {
	{"BindAddress 127.0.0.1", "ssh_config has BindAddress for it"},
	{"BindInterface none\nKnownHostsCommand /bin/x", "ssh_config has KnownHostsCommand"},
	{"RevokedHostKeys /krl", "ssh_config has RevokedHostKeys"},
	{"PKCS11Provider /lib/x.so", "ssh_config has PKCS11Provider"},
	{"CanonicalizeHostname yes\nCanonicalDomains a.b", "ssh_config has CanonicalDomains"},
	{"ProxyCommand nc %h\nProxyUseFdpass yes", "ProxyUseFdpass"},
	{"GSSAPIAuthentication yes\nPreferredAuthentications gssapi-with-mic", "GSSAPI"},
	{"GSSAPIAuthentication yes\nPubkeyAuthentication no\nPasswordAuthentication no\n"
	 "KbdInteractiveAuthentication no",
	 "GSSAPI"},
	{"HostbasedAuthentication yes\nPreferredAuthentications hostbased", "Hostbased"},
	{"HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com", "host certificates alone"},
	{"UserKnownHostsFile ~/ca", "only a certificate authority"},
	{"IdentityFile ~/token", "/token is a FIDO key that ssh-agent does not hold"},
	{"Host h\nProxyJump b\nHost b\nBindAddress 127.0.0.1", "ssh_config has BindAddress"},
};

static void test_openssh(void **state)
{
	static const char *const hosts[] = {"h", NULL};
	const struct asked never = {.transport = PLAN_BY_LIBSSH};

	(void)state;
	put("ca", "@cert-authority h,x ssh-ed25519 " KEY "\n");
	put("token.pub", "sk-ssh-ed25519@openssh.com " TOKEN_KEY " me\n");
	put("token", "no key\n");
	for (size_t i = 0; i < ARRAY_LEN(openssh_rows); i++) {
		struct plan *plan = make_one(openssh_rows[i].config);
		const struct plan_target *t = plan_target(plan, 0);

		if (t->fault || t->way != PLAN_OPENSSH ||
		    !strstr(t->openssh_why, openssh_rows[i].why))
			fail_msg("%s: way %d, %s, %s", openssh_rows[i].config, (int)t->way,
				 t->openssh_why ? t->openssh_why : "no reason",
				 t->fault ? t->fault : "no fault");
		plan_free(plan);
		plan = make_asked(&never, openssh_rows[i].config, hosts);
		check_fault(plan_target(plan, 0), "--transport libssh forbids it");
		plan_free(plan);
	}
}

static void test_not_openssh(void **state)
{
	static const char *const rows[] = {
		"GSSAPIAuthentication yes",
		"BindAddress none",
		"CanonicalDomains a.b",
		"ProxyUseFdpass yes",
		"UserKnownHostsFile ~/both",
		"GSSAPIAuthentication yes\nPreferredAuthentications gssapi-with-mic,publickey",
		"IdentityFile ~/token\nPubkeyAuthentication no",
	};

	(void)state;
	put("both", "@cert-authority h ssh-ed25519 " KEY "\nh ssh-ed25519 " KEY "\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct plan *plan = make_one(rows[i]);

		if (plan_target(plan, 0)->way != PLAN_DIRECT)
			fail_msg("%s: %s", rows[i], plan_target(plan, 0)->openssh_why);
		plan_free(plan);
	}
}

static void test_what_is_asked_for(void **state)
{
	static const char *const hosts[] = {"h", "b", NULL};
	static const struct asked asked = {
		.options = {"User=o", "Port 7", "ProxyJump=b", "SetEnv=A=1"},
		.host_key = PLAN_HOST_KEY_NEW,
		.transport = PLAN_BY_ANY};
	static const struct asked strict = {.host_key = PLAN_HOST_KEY_STRICT,
					    .transport = PLAN_BY_OPENSSH};
	struct plan *plan = make_asked(&asked, "User f\nPort 8\nSetEnv B=1\n", hosts);
	const struct plan_target *t = plan_target(plan, 0);
	char *warning;

	(void)state;
	assert_string_equal(t->user, "o");
	assert_int_equal(t->port, 7);
	assert_true(t->accept_new);
	/* A bastion has its own options, as with ssh. */
	assert_string_equal(t->jump->user, "f");
	assert_int_equal(t->jump->port, 8);
	assert_true(t->jump->accept_new);
	/* It may be a target, too. */
	assert_ptr_equal(plan_target(plan, 1)->jump, t->jump);
	warning = xasprintf(
		"ssh_config: not applied: SetEnv (--ssh-option SetEnv=A=1), SetEnv (%s/config:3)\n",
		home);
	assert_string_equal(plan_warning(plan), warning);
	free(warning);
	plan_free(plan);
	plan = make_asked(&strict, "StrictHostKeyChecking no\n", hosts);
	assert_false(plan_target(plan, 0)->accept_new);
	assert_int_equal(plan_target(plan, 0)->way, PLAN_OPENSSH);
	assert_string_equal(plan_target(plan, 0)->openssh_why, "--transport ssh");
	plan_free(plan);
}

static void test_bad_option(void **state)
{
	static const char *const hosts[] = {"h", NULL};
	static const struct asked asked = {.options = {"Port=x"}};
	struct errmsg msg = {{0}};
	struct plan *plan = NULL;

	(void)state;
	assert_int_equal(make_for(&asked, "", hosts, &plan, &msg), ERR_SYNTAX);
	assert_null(plan);
	assert_string_equal(
		msg.text, "--ssh-option Port=x: Port must be a number from 1 to 65535, not \"x\"");
}

static int make_home(void **state)
{
	(void)state;
	return mkdtemp(home) ? 0 : -1;
}

static int remove_home(void **state)
{
	char *command = xasprintf("rm -rf '%s'", home);
	int rc = system(command);

	(void)state;
	free(command);
	return rc;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_direct),	       cmocka_unit_test(test_bastions_are_shared),
		cmocka_unit_test(test_jump_faults),    cmocka_unit_test(test_command),
		cmocka_unit_test(test_auth),	       cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_host_key_order), cmocka_unit_test(test_openssh),
		cmocka_unit_test(test_not_openssh),    cmocka_unit_test(test_what_is_asked_for),
		cmocka_unit_test(test_bad_option),
	};

	umask(077);
	return cmocka_run_group_tests(tests, make_home, remove_home);
}
