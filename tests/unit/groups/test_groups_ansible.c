/* Inventories of Ansible, and files of hosts: what is in them, and what is said of bad ones. */
#include "groups_rig.h"

static void test_ini(void **state)
{
	struct groups *g;

	rig_write("i", "lone\n; no\n[web]\nweb[01:05:2] ansible_user=deploy # c\nwebx:2222\n"
		       "[db]\ndb-[a:c].x ansible_host=10.0.0.1 ansible_port=\"22\"\n"
		       "[all:vars]\nansible_user = root\n[web:vars]\nansible_port=2200\n"
		       "[prod:children]\nweb\ndb\n[prod:vars]\nansible_user=\"prod\" # x\n");
	g = rig_open(*state, "i");
	rig_expect(g, NULL, "web", "web01 web03 web05 webx ");
	rig_expect(g, "inventory", "prod", "web01 web03 web05 webx db-a.x db-b.x db-c.x ");
	rig_expect(g, NULL, "ungrouped", "lone ");
	rig_expect(g, NULL, "*", "lone web01 web03 web05 webx db-a.x db-b.x db-c.x ");
	rig_vars(g, "lone", "- root 0");
	rig_vars(g, "web03", "- deploy 2200");
	rig_vars(g, "webx", "- prod 2222");
	rig_vars(g, "db-b.x", "10.0.0.1 prod 22");
	rig_vars(g, "unknown", "- - 0");
	rig_refuse(g, NULL, "wbe", ERR_NOTFOUND, "(near: web)");
	groups_free(g);
}

static void test_ini_v6(void **state)
{
	struct groups *g;

	rig_write("i", "[six]\n[::1]:2222\nfe80::1\n");
	g = rig_open(*state, "ansible:i");
	rig_expect(g, NULL, "six", "[::1] [fe80::1] ");
	rig_vars(g, "::1", "- - 2222");
	groups_free(g);
}

static void test_ini_bad(void **state)
{
	rig_bad(*state, "i", "[a]\nx\n[b:kids]\n", ERR_SYNTAX, "i:3: '[b:kids]' is neither");
	rig_bad(*state, "i", "[a]\nx y z=1\n", ERR_SYNTAX, "i:2: 'y' stands behind a host");
	rig_bad(*state, "i", "[a:children]\nb\n", ERR_SYNTAX, "i:2: there is no group b");
	rig_bad(*state, "i", "[b:vars]\nx=1\n", ERR_SYNTAX, "i:1: there is no group b");
	rig_bad(*state, "i", "[a]\nx v='1\n", ERR_SYNTAX, "i:2: 'x v='1' has a quote");
	rig_bad(*state, "i", "[a]\nx[5:1]\n", ERR_SYNTAX, "i:2: '[5:1]': the end is before");
	rig_bad(*state, "i", "[a]\nx[01:100]\n", ERR_SYNTAX, "i:2: '[01:100]' is no range");
	rig_bad(*state, "i", "[a]\nx[0:999999999]\n", ERR_LIMIT, "i:2: a name that stands for");
	rig_bad(*state, "i", "[a]\nx;y\n", ERR_SYNTAX, "i:2: 'x;y' is no host name");
	rig_bad(*state, "i", "[a]\nx\n[a:vars]\nnothing\n", ERR_SYNTAX, "i:4: 'nothing' is no VAR");
	rig_bad(*state, "i", "[a:children]\nb\n[b:children]\nc\n[c:children]\na\n", ERR_SYNTAX,
		"groups in a loop: ");
	rig_bad(*state, "i", "[a:children]\na\n", ERR_SYNTAX, "a in a");
	rig_bad(*state, "i", "[a:children]\nall\n", ERR_SYNTAX, "i:2: group all cannot be in");
}

/* A variable of a group that is deeper counts; then the priority, then the name. */
static void test_precedence(void **state)
{
	struct rig *rig = *state;
	struct groups *g;

	rig_write("i", "[z]\nh1\n[a:children]\nz\n[z:vars]\nansible_user=z\n"
		       "[a:vars]\nansible_user=a\nansible_port=1\n"
		       "[m]\nh2\n[n]\nh2\n[m:vars]\nansible_host=m\n[n:vars]\nansible_host=n\n"
		       "[p]\nh3\n[q]\nh3\n[p:vars]\nansible_user=p\nansible_group_priority=9\n"
		       "[q:vars]\nansible_user=q\nansible_ssh_user=q2\n");
	g = rig_open(rig, "i");
	rig_vars(g, "h1", "- z 1");
	rig_vars(g, "h2", "n - 0");
	rig_vars(g, "h3", "- q2 0");
	rig_expect(g, NULL, "m", "h2 ");
	assert_string_equal(buf_cstr(&rig->warnings),
			    "h2: ansible_host is m in group m and n in group n, of equal rank: n "
			    "holds\n");
	groups_free(g);
}

static void test_values(void **state)
{
	struct groups *g;

	rig_write("i", "[a]\nh.x ansible_host={{inventory_hostname_short}}.y ansible_port=70000\n"
		       "g ansible_host=\"{{ lookup('x') }}\"\nf ansible_host=-oProxyCommand=x\n"
		       "e ansible_user=-x\nd.z ansible_host=\"{{ inventory_hostname }}.w\"\n");
	g = rig_open(*state, "i");
	rig_vars(g, "h.x", "h.x: ansible_port is '70000' in its inventory: a port is");
	rig_vars(g, "g", "{{ inventory_hostname }} is all");
	rig_vars(g, "f", "this is no name or address");
	rig_vars(g, "e", "this is no name of a user");
	rig_vars(g, "d.z", "d.z.w - 0");
	groups_free(g);
}

static void test_yaml(void **state)
{
	struct groups *g;

	rig_write("i.yml", "all:\n  hosts:\n    lone:\n  vars: {ansible_user: root}\n  children:\n"
			   "    web:\n      hosts:\n        web[1:2]: &v {ansible_port: 2200}\n"
			   "        web9: *v\n        w7: {<<: *v, ansible_user: me}\n"
			   "    ungrouped:\n    site:\n      children:\n        web:\n");
	g = rig_open(*state, "i.yml");
	rig_expect(g, NULL, "site", "web1 web2 web9 w7 ");
	rig_expect(g, NULL, "ungrouped", "lone ");
	rig_vars(g, "web9", "- root 2200");
	rig_vars(g, "w7", "- me 2200");
	groups_free(g);
}

static void test_yaml_bad(void **state)
{
	struct buf deep = {0};

	rig_bad(*state, "i.yml", "a: [\n", ERR_SYNTAX, "i.yml:2: did not find");
	rig_bad(*state, "i.yml", "a:\n  hosts: [x]\n", ERR_SYNTAX, "i.yml:2: 'hosts' (names");
	rig_bad(*state, "i.yml", "a:\n  hosts:\n    x: 5\n", ERR_SYNTAX, "i.yml:3: what stands");
	rig_bad(*state, "i.yml", "- x\n", ERR_SYNTAX, "i.yml:1: an inventory of Ansible must");
	rig_bad(*state, "i.yml", "plugin: x\n", ERR_UNSUPPORTED, "cmd:ansible-inventory");
	rig_bad(*state, "i.yml", "a: &a\n  children:\n    b: *a\n", ERR_SYNTAX, "its own anchor");
	rig_bad(*state, "i.yml", "a: *x\n", ERR_SYNTAX, "without its anchor");
	rig_bad(*state, "i.yml", "a:\n  hosts:\n    x: {ansible_host: [1]}\n", ERR_SYNTAX,
		"ansible_host is a list and no text");
	for (int i = 0; i < 100; i++)
		buf_addf(&deep, "{a: ");
	rig_bad(*state, "i.yml", buf_cstr(&deep), ERR_LIMIT, "nested too deeply");
	buf_done(&deep);
}

/* Ten times ten times ... groups of a short file: refused, and not waited for. */
static void test_yaml_laughs(void **state)
{
	struct buf text = {0};

	buf_add_str(&text, "g0: &a0 {hosts: {x: }}\n");
	for (int level = 1; level < 12; level++) {
		buf_addf(&text, "g%d: &a%d {children: {", level, level);
		for (int i = 0; i < 10; i++)
			buf_addf(&text, "h%d-%d: *a%d, ", level, i, level - 1);
		buf_add_str(&text, "}}\n");
	}
	rig_bad(*state, "i.yml", buf_cstr(&text), ERR_LIMIT, "more than");
	buf_done(&text);
}

/* Short texts that would be work for hours, or take all memory. */
static void test_bombs(void **state)
{
	struct buf text = {0};
	struct groups *g;
	char *value = xcalloc(100001, 1);

	memset(value, 'u', 100000);
	/* A large value, for each of many hosts. */
	buf_addf(&text, "h[1:100000] ansible_user=%s\nh1 ansible_user=me\n", value);
	rig_write("i.ini", buf_cstr(&text));
	g = rig_open(*state, "i.ini");
	rig_vars(g, "h1", "- me 0");
	groups_free(g);
	buf_clear(&text);
	buf_addf(&text, "a: {hosts: {h0: {ansible_user: &u %s}", value);
	for (int i = 1; i < 3000; i++)
		buf_addf(&text, ", h%d: {ansible_user: *u}", i);
	buf_add_str(&text, "}}\n");
	rig_bad(*state, "i.yml", buf_cstr(&text), ERR_LIMIT, "values of variables of more than");
	free(value);
	/* A large map, which is looked through for each of many groups. */
	buf_clear(&text);
	buf_add_str(&text, "g: &g {");
	for (int i = 0; i < 30000; i++)
		buf_addf(&text, "k%d: 1, ", i);
	buf_add_str(&text, "}\n");
	for (int i = 0; i < 30000; i++)
		buf_addf(&text, "g%d: *g\n", i);
	rig_bad(*state, "i.yml", buf_cstr(&text), ERR_LIMIT, "more than 33554432 names and");
	/* The same by way of a merge key, for variables. */
	buf_clear(&text);
	buf_add_str(&text, "x: {vars: &v {");
	for (int i = 0; i < 10000; i++)
		buf_addf(&text, "k%d: 1, ", i);
	buf_add_str(&text, "}}\na: {hosts: {'h[1:10000]': {<<: [*v, *v]}}}\n");
	rig_bad(*state, "i.yml", buf_cstr(&text), ERR_LIMIT, "more than 33554432 names and");
	buf_done(&text);
}

/* The last anchor of a name counts. */
static void test_anchors(void **state)
{
	struct buf text = {0};
	struct groups *g;

	rig_write("i.yml", "a: {hosts: {x: &v {ansible_user: one}, y: &v {ansible_user: two}, "
			   "z: *v}}\n");
	g = rig_open(*state, "i.yml");
	rig_vars(g, "z", "- two 0");
	groups_free(g);
	for (int i = 0; i < 10001; i++)
		buf_addf(&text, "g%d: &a%d {}\n", i, i);
	rig_bad(*state, "i.yml", buf_cstr(&text), ERR_LIMIT, "i.yml:10001: too many anchors");
	buf_done(&text);
}

static void test_list(void **state)
{
	static const char json[] =
		"{\"_meta\": {\"hostvars\": {\"a\": {\"ansible_host\": \"1.2.3.4\",\n"
		"  \"ansible_port\": 22}, \"gone\": {}}},\n\"web\": [\"a\", \"b\"],"
		"\"db\":{\"hosts\":[\"c\"],\"vars\":{\"ansible_user\":\"u\"},\"children\":[]},\n"
		"\"all\": {\"children\": [\"web\", \"db\", \"ungrouped\"]}}";
	struct groups *g;

	rig_write("i.json", json);
	g = rig_open(*state, "i.json");
	rig_expect(g, NULL, "web", "a b ");
	rig_expect(g, NULL, "all", "a b c ");
	rig_vars(g, "a", "1.2.3.4 - 22");
	rig_vars(g, "c", "- u 0");
	groups_free(g);
	rig_write("i.sh", "#!/bin/sh\n[ \"$*\" = --list ] && cat i.json\n");
	assert_int_equal(chmod("i.sh", 0700), 0);
	g = rig_open(*state, "i.sh");
	rig_expect(g, NULL, "db", "c ");
	groups_free(g);
	rig_bad(*state, "i.json", "{\"a\": {\"hosts\": 5}}", ERR_SYNTAX, "i.json:1: 'hosts' must");
}

static void test_directory(void **state)
{
	struct groups *g;

	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(mkdir("d/group_vars", 0700), 0);
	rig_write("d/1", "[web]\na ansible_user=x\n");
	rig_write("d/2.yml", "web:\n  hosts:\n    a: {ansible_user: y}\n    b:\n");
	rig_write("d/3.bak", "[web]\nc\n");
	rig_write("d/.4", "[web]\nd\n");
	g = rig_open(*state, "d");
	rig_expect(g, NULL, "web", "a b ");
	rig_vars(g, "a", "- y 0");
	groups_free(g);
}

static void test_hosts(void **state)
{
	struct groups *g;

	rig_write("h", "# hosts\nu@a:22\nb  me # c\n\nc\n[::1]:2200\n");
	g = rig_open(*state, "h");
	rig_expect(g, NULL, "*", "a b c [::1] ");
	rig_vars(g, "a", "- u 22");
	rig_vars(g, "b", "- me 0");
	rig_vars(g, "::1", "- - 2200");
	groups_free(g);
	rig_bad(*state, "h", "a b c\n", ERR_SYNTAX, "h:1: more than HOST and USER");
	rig_bad(*state, "h", "a\nu@b v\n", ERR_SYNTAX, "h:2: two users");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_ini),	   RIG_TEST(test_ini_v6), RIG_TEST(test_ini_bad),
		RIG_TEST(test_precedence), RIG_TEST(test_values), RIG_TEST(test_yaml),
		RIG_TEST(test_yaml_bad),   RIG_TEST(test_list),	  RIG_TEST(test_yaml_laughs),
		RIG_TEST(test_directory),  RIG_TEST(test_hosts),  RIG_TEST(test_bombs),
		RIG_TEST(test_anchors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
