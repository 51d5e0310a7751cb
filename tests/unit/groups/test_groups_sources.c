/* Groups of ClusterShell, dsh and ssh; commands that fail, hang and flood; what is kept of them. */
#include "groups_rig.h"

#include <signal.h>

#include "limits.h"

static void clush_files(void)
{
	rig_write("groups.conf",
		  "[Main]\ndefault: loc\nconfdir: $CFGDIR/conf.d \"$CFGDIR/none\"\n"
		  "autodir: $CFGDIR/groups.d\n\n[loc,loc2]\n# no\n"
		  "map: echo $GROUP-$SOURCE $$HOME ${CFGDIR}x; pwd\nlist: echo g1 g2\n"
		  "all: echo @g1,b\nreverse: echo of-$NODE\n"
		  "[few]\nmap: case $GROUP in\n   a) echo h1;;\n   e) ;; *) exit 1;; esac\n"
		  "list: echo a; echo e\n");
	(void)mkdir("conf.d", 0700);
	(void)mkdir("groups.d", 0700);
	rig_write("conf.d/more.conf", "[more]\nmap: pwd\n");
	rig_write("groups.d/y.yaml", "yy:\n  web: 'web[1-3]'\n  l: [a1, '@web', '@loc:x']\n");
}

static void test_clush(void **state)
{
	struct rig *rig = *state;
	struct groups *g;
	char *want;

	clush_files();
	(void)rmdir("none");
	assert_int_equal(mkdir("none", 0700), 0);
	g = rig_open(rig, NULL);
	want = xasprintf("g1-loc %s %sx %s ", rig->dir, rig->dir, rig->dir);
	rig_expect(g, NULL, "g1", want);
	free(want);
	want = xasprintf("%s/conf.d ", rig->dir);
	rig_expect(g, "more", "x", want);
	free(want);
	rig_expect(g, NULL, "*", "@loc:g1,b ");
	rig_expect(g, "yy", "l", "a1 @yy:web @loc:x  ");
	rig_expect(g, "few", "a", "h1 ");
	rig_expect(g, "few", "e", "");
	rig_refuse(g, "few", "nn", ERR_NOTFOUND, "ended with status 1");
	rig_refuse(g, "yy", "wbe", ERR_NOTFOUND, "no group wbe in source yy (near: web)");
	rig_refuse(g, "nn", "x", ERR_NOTFOUND, "there is no source of groups 'nn'");
	rig_refuse(g, NULL, "a;id", ERR_SYNTAX, "no name that can go into its command");
	rig_refuse(g, "more", "*", ERR_UNSUPPORTED, "it has no 'list'");
	groups_free(g);
}

static void test_clush_lists(void **state)
{
	struct groups *g;
	struct buf out = {0};

	clush_files();
	assert_int_equal(mkdir("none", 0700), 0);
	g = rig_open(*state, NULL);
	assert_int_equal(groups_list(g, NULL, &out, NULL), 0);
	assert_string_equal(buf_cstr(&out), "g1\ng2\n");
	buf_clear(&out);
	assert_int_equal(groups_reverse(g, NULL, "h", &out, NULL), 0);
	assert_string_equal(buf_cstr(&out), "of-h\n");
	buf_clear(&out);
	assert_int_equal(groups_sources(g, &out, NULL), 0);
	assert_non_null(strstr(buf_cstr(&out), "loc\n"));
	assert_ptr_equal(strstr(buf_cstr(&out), "loc\n"), buf_cstr(&out));
	assert_non_null(strstr(buf_cstr(&out), "\nyy\n"));
	buf_done(&out);
	groups_free(g);
}

static void clush_bad(struct rig *rig, const char *conf, int code, const char *part)
{
	struct groups *g;

	rig_write("groups.conf", conf);
	g = rig_open(rig, "clustershell:.");
	rig_refuse(g, NULL, "x", code, part);
	groups_free(g);
}

static void test_clush_bad(void **state)
{
	struct groups *g;

	clush_bad(*state, "x: y\n", ERR_SYNTAX, "./groups.conf:1: an option above all");
	clush_bad(*state, "[a\n", ERR_SYNTAX, "./groups.conf:1: no [section]");
	clush_bad(*state, "[a]\nmap\n", ERR_SYNTAX, "./groups.conf:2: this is no 'option: value'");
	clush_bad(*state, "[a]\ncache_time: x\n", ERR_SYNTAX, "2: cache_time: 'x' is no number");
	clush_bad(*state, "[Main]\ndefault: z\n", ERR_NOTFOUND, "[Main] default is z");
	rig_write("groups.conf", "[Main]\ndefault: a\n[a]\nmap: echo $GROUP\nlist: echo -x\n");
	g = rig_open(*state, "clustershell:.");
	rig_refuse(g, NULL, "*", ERR_SYNTAX, "'-x' is no name that can go into its command");
	groups_free(g);
	assert_int_equal(mkdir("y", 0700), 0);
	rig_write("y/a.yaml", "s:\n  g: {a: b}\n");
	clush_bad(*state, "[Main]\nautodir: y\n", ERR_SYNTAX, "a.yaml:2: a group is a text or");
	rig_write("y/a.yaml", "s: {}\n");
	rig_write("y/b.yaml", "\ns: {}\n");
	clush_bad(*state, "[Main]\nautodir: y\n", ERR_EXISTS, "b.yaml:2: there is a source s in");
}

static void test_dsh(void **state)
{
	struct groups *g;

	assert_int_equal(mkdir("dsh", 0700), 0);
	rig_write("dsh/web", "web[1-3] # c\n#include other\nu@x\n");
	rig_write("dsh/other", "o1\n");
	g = rig_open(*state, "dsh:dsh");
	rig_expect(g, NULL, "web", "web[1-3] @inventory:other u@x ");
	rig_refuse(g, NULL, "../dsh/web", ERR_NOTFOUND, "there is no group");
	groups_free(g);
	g = rig_open(*state, NULL);
	rig_expect(g, "dsh", "other", "o1 ");
	groups_free(g);
}

static void test_ssh(void **state)
{
	struct groups *g;

	assert_int_equal(mkdir(".ssh", 0700), 0);
	rig_write(".ssh/config",
		  "Include more*\nHost a b *.x !n \"c\"\n HostName 1.2.3.4\nhost=d\n");
	rig_write(".ssh/more1", "Host m1\nMatch host q\n");
	g = rig_open(*state, "ssh:.ssh/config");
	rig_expect(g, NULL, "*", "m1 a b c d ");
	groups_free(g);
	rig_write(".ssh/more1", "Include more1\nHost z\n");
	g = rig_open(*state, "ssh:.ssh/config");
	rig_refuse(g, NULL, "*", ERR_LIMIT, "include one another");
	groups_free(g);
}

static void test_command(void **state)
{
	struct groups *g = rig_open(*state, "cmd:echo a b; echo c:22");

	rig_expect(g, NULL, "*", "a b c ");
	groups_free(g);
	g = rig_open(*state, "cmd:cat; echo -n; echo why >&2; echo not >&2; exit 3");
	rig_refuse(g, NULL, "*", ERR_SYS, "ended with status 3: why");
	groups_free(g);
	g = rig_open(*state, "cmd:kill -9 $$");
	rig_refuse(g, NULL, "*", ERR_SYS, "killed by signal 9");
	groups_free(g);
	g = rig_open(*state, "cmd:echo '{'");
	rig_refuse(g, NULL, "*", ERR_SYNTAX, "'echo '{'':");
	groups_free(g);
	g = rig_open(*state, "cmd:exec yes");
	rig_refuse(g, NULL, "*", ERR_LIMIT, "MiB and was killed");
	groups_free(g);
}

/* Words as ClusterShell folds them; ranges of Ansible stay what they are. */
static void test_ranges(void **state)
{
	static const struct {
		const char *word, *hosts, *error;
		int code;
	} cases[] = {
		{"web[1-3]", "web1 web2 web3 ", NULL, 0},
		{"web[01-05/2].x", "web01.x web03.x web05.x ", NULL, 0},
		{"r[1-2]n[8-10]", "r1n8 r1n9 r1n10 r2n8 r2n9 r2n10 ", NULL, 0},
		{"w[1:2] u@w-[5-5]:22", "w1 w2 w-5 ", NULL, 0},
		{"web[1-3,5]", NULL, "'[1-3,5]' is a list, and only ranges", ERR_SYNTAX},
		{"web[3-1]", NULL, "'[3-1]': the end is before the beginning", ERR_SYNTAX},
		{"web[1-03]", NULL, "'[1-03]' is no range: [BEGIN-END]", ERR_SYNTAX},
		{"web[01-100]", NULL, "'[01-100]' is no range", ERR_SYNTAX},
		{"web[a-c]", NULL, "'[a-c]' is no range", ERR_SYNTAX},
		{"web[1-]", NULL, "'[1-]' is no range", ERR_SYNTAX},
		{"web[-3]", NULL, "'[-3]' is no range", ERR_SYNTAX},
		{"web[1-3/0]", NULL, "'[1-3/0]' is no range", ERR_SYNTAX},
		{"web[1-3/]", NULL, "'[1-3/]' is no range", ERR_SYNTAX},
		{"web[1-2-3]", NULL, "'[1-2-3]' is no range", ERR_SYNTAX},
		{"web[]", NULL, "'[]' is no range", ERR_SYNTAX},
		{"web[1-999999999]", NULL, "stands for more than", ERR_LIMIT},
		{"web[1-9999999999]", NULL, "is no range", ERR_SYNTAX},
		{"web[1-3", NULL, "'[' without ']'", ERR_SYNTAX},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *spec = xasprintf("cmd:echo '%s'", cases[i].word);
		struct groups *g = rig_open(*state, spec);

		if (cases[i].hosts)
			rig_expect(g, NULL, "*", cases[i].hosts);
		else
			rig_refuse(g, NULL, "*", cases[i].code, cases[i].error);
		groups_free(g);
		free(spec);
	}
}

/* It hangs, with a child that holds the pipe: both are killed. */
static void test_hang(void **state)
{
	struct rig *rig = *state;
	struct groups *g;
	FILE *file;
	int pid = 0;

	rig->options.upcall_ms = 2000;
	g = rig_open(rig, "cmd:sleep 1000 & echo $! >pid; echo hm >&2; wait");
	rig_refuse(g, NULL, "*", ERR_TIMEOUT, "not ended within 2000 ms and was killed: hm");
	groups_free(g);
	file = fopen("pid", "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	(void)fclose(file);
	for (int i = 0; i < 6000 && kill(pid, 0) == 0; i++) {
		char path[64], state_of[2] = "";
		FILE *stat_file;

		(void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
		stat_file = fopen(path, "r");
		if (stat_file) {
			(void)fscanf(stat_file, "%*d %*s %1s", state_of);
			(void)fclose(stat_file);
		}
		if (*state_of == 'Z') /* whoever is its parent now has not looked yet */
			return;
		(void)usleep(10000);
	}
	assert_int_not_equal(kill(pid, 0), 0);
}

static void cache_expect(struct rig *rig, const char *want)
{
	struct groups *g = rig_open(rig, "cmd:echo x >>count; wc -l <count");

	rig_expect(g, NULL, "*", want);
	rig_expect(g, NULL, "*", want);
	groups_free(g);
}

static void test_cache(void **state)
{
	struct rig *rig = *state;

	cache_expect(rig, "1 ");
	cache_expect(rig, "2 ");
	rig->options.cache_dir = "cache/muster";
	rig->options.cache_ms = 3600 * 1000;
	cache_expect(rig, "3 ");
	cache_expect(rig, "3 ");
	rig->options.refresh = true;
	cache_expect(rig, "4 ");
	rig->options.refresh = false;
	cache_expect(rig, "4 ");
	assert_int_equal(setenv("RIG_OTHER", "1", 1), 0); /* it may depend on that */
	cache_expect(rig, "5 ");
	assert_int_equal(unsetenv("RIG_OTHER"), 0);
	cache_expect(rig, "4 ");
	assert_int_equal(system("for f in cache/muster/*; do echo >>$f; done"), 0); /* damaged */
	cache_expect(rig, "6 ");
	assert_int_equal(system("chmod 644 cache/muster/*"), 0); /* others could have read it */
	cache_expect(rig, "7 ");
	assert_int_equal(system("touch -d '2 hours ago' cache/muster/*"), 0);
	cache_expect(rig, "8 ");
	assert_int_equal(system("touch -d 'next year' cache/muster/*"), 0);
	cache_expect(rig, "9 ");
	assert_int_equal(chmod("cache/muster", 0755), 0);
	cache_expect(rig, "10 ");
	cache_expect(rig, "11 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_clush),  RIG_TEST(test_clush_lists), RIG_TEST(test_clush_bad),
		RIG_TEST(test_dsh),    RIG_TEST(test_ssh),	   RIG_TEST(test_command),
		RIG_TEST(test_ranges), RIG_TEST(test_hang),	   RIG_TEST(test_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
