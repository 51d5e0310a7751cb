/*
 * Random inventories of Ansible with group_vars/ and host_vars/: what is read of them is what
 * ansible-inventory says, where that is installed.
 */
#include "groups_rig.h"

#define ORACLE_ROUNDS 4u
#define ORACLE_GROUPS 6u
#define ORACLE_HOSTS  12u

static const char *const oracle_ends[] = {"", ".yml", ".yaml", ".json"};

/* xorshift64: the same on every computer. */
static unsigned oracle_random(uint64_t *seed, unsigned below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (unsigned)(*seed % below);
}

/* Some variables, each with open in front, and between name and value. */
static void oracle_vars(struct buf *out, uint64_t *seed, const char *open, const char *between)
{
	if (oracle_random(seed, 3) == 0)
		buf_addf(out, "%sansible_host%s\"v%u\"", open, between, oracle_random(seed, 99));
	if (oracle_random(seed, 3) == 0)
		buf_addf(out, "%sansible_port%s%u", open, between, 1 + oracle_random(seed, 99));
	if (oracle_random(seed, 3) == 0)
		buf_addf(out, "%sansible_user%s\"u%u\"", open, between, oracle_random(seed, 99));
}

/* Group i has some of the hosts, and some of the groups behind it. */
static void oracle_inventory(const char *path, uint64_t *seed, bool children)
{
	struct buf out = {0};

	for (unsigned i = 0; i < ORACLE_HOSTS; i++) {
		buf_addf(&out, "h%u", i);
		if (oracle_random(seed, 4) == 0)
			oracle_vars(&out, seed, " ", "=");
		buf_add_str(&out, "\n");
	}
	for (unsigned g = 0; g < ORACLE_GROUPS; g++) {
		buf_addf(&out, "[g%u]\n", g);
		for (unsigned i = 0; i < ORACLE_HOSTS; i++)
			if (oracle_random(seed, 4) == 0)
				buf_addf(&out, "h%u\n", i);
		buf_addf(&out, "[g%u:children]\n", g);
		for (unsigned i = g + 1; children && i < ORACLE_GROUPS; i++)
			if (oracle_random(seed, 3) == 0)
				buf_addf(&out, "g%u\n", i);
		buf_addf(&out, "[g%u:vars]\n", g);
		if (oracle_random(seed, 2) == 0)
			oracle_vars(&out, seed, "\n", "=");
		if (oracle_random(seed, 3) == 0)
			buf_addf(&out, "\nansible_group_priority=%u", 1 + oracle_random(seed, 3));
		buf_add_str(&out, "\n");
	}
	buf_add_str(&out, "[all:vars]\n");
	oracle_vars(&out, seed, "\n", "=");
	buf_add_str(&out, "\n");
	rig_write(path, buf_cstr(&out));
	buf_done(&out);
}

static void oracle_file(const char *path, uint64_t *seed)
{
	struct buf out = {0};

	buf_add_str(&out, "{\"of_nobody\": {\"a\": [1, \"{{ x }}\"]}");
	oracle_vars(&out, seed, ", ", ": ");
	buf_add_str(&out, "}\n");
	rig_write(path, buf_cstr(&out));
	buf_done(&out);
}

/* Variables of one group or host: none, a file, two of which one is not read, or a directory. */
static void oracle_entry(const char *dir, const char *name, uint64_t *seed)
{
	unsigned kind = oracle_random(seed, 6), end = oracle_random(seed, 4);
	char path[128];

	if (kind < 2)
		return;
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof path, "%s/%s%s", dir, name, oracle_ends[(end + i) % 4]);
		if (kind < 5 && i <= kind / 4)
			oracle_file(path, seed);
	}
	if (kind < 5)
		return;
	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
	for (unsigned i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof path, "%s/%s/%c%s", dir, name,
			       (char)('a' + oracle_random(seed, 26)), oracle_ends[i]);
		oracle_file(path, seed);
	}
}

static void oracle_files(const char *base, uint64_t *seed)
{
	char dir[64], name[16];

	(void)snprintf(dir, sizeof dir, "%s/group_vars", base);
	assert_int_equal(mkdir(dir, 0700), 0);
	oracle_entry(dir, "all", seed);
	oracle_entry(dir, "ungrouped", seed);
	for (unsigned i = 0; i < ORACLE_GROUPS; i++) {
		(void)snprintf(name, sizeof name, "g%u", i);
		oracle_entry(dir, name, seed);
	}
	(void)snprintf(dir, sizeof dir, "%s/host_vars", base);
	assert_int_equal(mkdir(dir, 0700), 0);
	for (unsigned i = 0; i < ORACLE_HOSTS; i += 3) {
		(void)snprintf(name, sizeof name, "h%u", i);
		oracle_entry(dir, name, seed);
	}
}

static void oracle_say(struct groups *groups, const char *host, struct buf *out)
{
	struct groups_vars vars;
	struct errmsg msg = {""};

	assert_int_equal(groups_load(groups, &msg), 0);
	assert_int_equal(groups_vars(groups, host, &vars, &msg), 0);
	buf_addf(out, "%s: %s %s %u\n", host, vars.address ? vars.address : "-",
		 vars.user ? vars.user : "-", vars.port);
}

/* An inventory that is a file, and one that is a directory. */
static void oracle_round(struct rig *rig, uint64_t seed)
{
	static const char *const specs[] = {"one/i", "two"}, *const list[] = {"list.json"};
	struct buf ours = {0}, theirs = {0};
	struct groups *a, *b;

	assert_int_equal(mkdir("one", 0700), 0);
	assert_int_equal(mkdir("two", 0700), 0);
	oracle_inventory("one/i", &seed, true);
	oracle_inventory("two/j", &seed, false);
	oracle_files("one", &seed);
	oracle_files("two", &seed);
	assert_int_equal(system("LC_ALL=C.UTF-8 ansible-inventory -i one/i -i two --list "
				">list.json 2>list.err"),
			 0);
	rig->options.specs = specs;
	rig->options.spec_count = 2;
	a = groups_new(&rig->options);
	rig->options.specs = list;
	rig->options.spec_count = 1;
	b = groups_new(&rig->options);
	for (unsigned i = 0; i < ORACLE_HOSTS; i++) {
		char host[16];

		(void)snprintf(host, sizeof host, "h%u", i);
		oracle_say(a, host, &ours);
		oracle_say(b, host, &theirs);
	}
	assert_string_equal(buf_cstr(&ours), buf_cstr(&theirs));
	groups_free(a);
	groups_free(b);
	buf_done(&ours);
	buf_done(&theirs);
	assert_int_equal(system("rm -rf one two"), 0);
}

static void test_oracle(void **state)
{
	const char *given = getenv("MUSTER_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : 1;

	if (system("command -v ansible-inventory >/dev/null") != 0) {
		print_message("SKIPPED: ansible-inventory is not installed\n");
		skip();
	}
	for (uint64_t i = 0; i < ORACLE_ROUNDS; i++) {
		print_message("MUSTER_SEED=%llu\n", (unsigned long long)(seed + i));
		oracle_round(*state, (seed + i) * UINT64_C(0x9e3779b97f4a7c15));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {RIG_TEST(test_oracle)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
