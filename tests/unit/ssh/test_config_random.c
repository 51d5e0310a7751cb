/*
 * ssh_config files by chance, each judged by `ssh -G` too. MUSTER_SEED is where it begins, and
 * MUSTER_RUNS how many files it makes. Skipped where there is no ssh.
 */
#include <sys/stat.h>

#include "config_oracle.h"

#define RUNS 150u

static char dir[] = "/tmp/muster-random-XXXXXX";
static const char *const hosts[] = {"h", "web1", "n", "Db2"};

struct chance {
	uint64_t state;
};

/* As Knuth's MMIX; the upper bits. */
static unsigned pick(struct chance *c, unsigned count)
{
	c->state = c->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(c->state >> 33) % count;
}

#define PICK(c, list) (list)[pick(c, (unsigned)ARRAY_LEN(list))]

static const struct {
	const char *keyword;
	const char *values[4];
} settings[] = {
	{"User", {"a", "b", "\"c-d\"", "a"}},
	{"HostName", {"n", "%h.example.org", "N", "10.0.0.1"}},
	{"Port", {"22", "2200", "77", "1"}},
	{"IdentityFile", {"/a", "~/b", "/c", "none"}},
	{"CertificateFile", {"/a-cert.pub", "~/b-cert.pub", "/c-cert.pub", "/d"}},
	{"IdentitiesOnly", {"yes", "no", "true", "false"}},
	{"IdentityAgent", {"none", "/s/%h", "~/s", "/s/%r-%p"}},
	{"UserKnownHostsFile", {"/k /l", "~/k", "/k/%h-%n-%k", "/k/%L/%i/%d"}},
	{"StrictHostKeyChecking", {"yes", "no", "ask", "accept-new"}},
	{"HashKnownHosts", {"yes", "no", "yes", "no"}},
	{"HostKeyAlias", {"k", "l", "m.n", "k"}},
	{"ConnectTimeout", {"7", "1m", "none", "1h1s"}},
	{"ConnectionAttempts", {"1", "2", "9", "3"}},
	{"ServerAliveInterval", {"0", "15", "none", "2m"}},
	{"ServerAliveCountMax", {"1", "2", "9", "3"}},
	{"AddressFamily", {"any", "inet", "inet6", "inet"}},
	{"ProxyJump", {"a", "u@a:7,b", "none", "[::1]:22"}},
	{"ProxyCommand", {"nc a b", "none", "x \"y z\" # w", "nc"}},
	{"ProxyUseFdpass", {"yes", "no", "no", "no"}},
	{"KexAlgorithms",
	 {"curve25519-sha256", "ecdh-sha2-nistp256,curve25519-sha256", "ecdh-sha2-nistp384",
	  "curve25519-sha256"}},
	{"Ciphers",
	 {"aes128-ctr", "aes256-ctr,aes128-ctr", "aes256-gcm@openssh.com", "aes192-ctr"}},
	{"MACs", {"hmac-sha2-256", "hmac-sha2-512,hmac-sha2-256", "hmac-sha2-512", "hmac-sha1"}},
	{"HostKeyAlgorithms",
	 {"ssh-ed25519", "rsa-sha2-512,ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-256"}},
	{"PubkeyAcceptedAlgorithms",
	 {"ssh-ed25519", "rsa-sha2-512,ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-256"}},
	{"PreferredAuthentications", {"publickey", "password,publickey", "none", "x"}},
	{"PubkeyAuthentication", {"yes", "no", "unbound", "host-bound"}},
	{"PasswordAuthentication", {"yes", "no", "yes", "no"}},
	{"KbdInteractiveAuthentication", {"yes", "no", "yes", "no"}},
	{"GSSAPIAuthentication", {"yes", "no", "yes", "no"}},
	{"HostbasedAuthentication", {"yes", "no", "yes", "no"}},
	{"NumberOfPasswordPrompts", {"1", "2", "9", "3"}},
	{"Compression", {"yes", "no", "yes", "no"}},
	{"SendEnv", {"A", "B C", "LC_*", "D"}},
};

static const char *const patterns[] = {"h",	"web*", "*",	"n",	 "db?",	 "Db2", "!h",
				       "!web1", "h n",	"* !n", "*.org", "web1", "!x",	"?"};

static const char *const terms[] = {
	"host h",
	"host *,!n",
	"!host web*",
	"originalhost h,n",
	"user a",
	"!user b",
	"localuser *",
	"localuser nobody-here",
	"final",
	"canonical",
	"!final",
	"exec true",
	"exec \"false\"",
	"!exec \"exit 3\"",
	"host=n",
	"exec \"test %n = h\"",
	"host *.org",
	"user *",
	"exec \"test %p%r = 22a\"",
	"exec \"test %h-%k = n-k\"",
};

static void add_block(struct buf *out, struct chance *c)
{
	unsigned kind = pick(c, 6);

	if (kind < 3) {
		buf_addf(out, "Host %s", PICK(c, patterns));
		if (pick(c, 3) == 0)
			buf_addf(out, " %s", PICK(c, patterns));
	} else if (kind == 3) {
		buf_add_str(out, pick(c, 2) ? "Match all" : "Match final all");
	} else {
		buf_addf(out, "Match %s", PICK(c, terms));
		for (unsigned n = pick(c, 3); n; n--)
			buf_addf(out, " %s", PICK(c, terms));
	}
	buf_add_char(out, '\n');
}

static void add_setting(struct buf *out, struct chance *c)
{
	static const char *const joints[] = {" ", "=", "\t", " = "};
	unsigned n = pick(c, (unsigned)ARRAY_LEN(settings));

	buf_addf(out, "%s%s%s%s\n", pick(c, 2) ? "  " : "", settings[n].keyword, PICK(c, joints),
		 settings[n].values[pick(c, 4)]);
}

/* blocks: of one file. include: a name that may be included; NULL: none. */
static void add_file(struct buf *out, struct chance *c, unsigned blocks, const char *include)
{
	for (unsigned b = 0; b < blocks; b++) {
		if (b || pick(c, 3) == 0)
			add_block(out, c);
		for (unsigned n = pick(c, 6); n; n--)
			add_setting(out, c);
		if (include && pick(c, 4) == 0)
			buf_addf(out, "Include %s/%s\n", dir, include);
	}
	if (include && pick(c, 5) == 0)
		buf_add_str(out, "CanonicalizeHostname yes\n");
}

static void run_one(uint64_t seed)
{
	struct chance c = {.state = seed * UINT64_C(0x9e3779b97f4a7c15)};
	char *path = xasprintf("%s/config", dir), *inner = xasprintf("%s/inner", dir);
	struct buf main_text = {0}, inner_text = {0}, all = {0};

	(void)pick(&c, 2);
	add_file(&inner_text, &c, 1 + pick(&c, 3), NULL);
	add_file(&main_text, &c, 2 + pick(&c, 6), "inn[e]r");
	write_file(inner, buf_cstr(&inner_text));
	write_file(path, buf_cstr(&main_text));
	buf_addf(&all, "# seed %llu\n%s# included:\n%s", (unsigned long long)seed,
		 buf_cstr(&main_text), buf_cstr(&inner_text));
	oracle_compare(path, hosts[seed % ARRAY_LEN(hosts)], buf_cstr(&all));
	buf_done(&main_text);
	buf_done(&inner_text);
	buf_done(&all);
	free(path);
	free(inner);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void test_by_chance(void **state)
{
	uint64_t seed = number_of("MUSTER_SEED", 1), runs = number_of("MUSTER_RUNS", RUNS);

	(void)state;
	if (!oracle_is_there()) {
		print_message("SKIPPED: there is no ssh on PATH to compare with\n");
		skip();
	}
	for (uint64_t i = 0; i < runs; i++)
		run_one(seed + i);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
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
		cmocka_unit_test(test_by_chance),
	};

	/* Included files must not be writable by others. */
	umask(077);
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
