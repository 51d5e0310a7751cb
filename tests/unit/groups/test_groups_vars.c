/* group_vars/ and host_vars/ beside an inventory of Ansible. */
#include "groups_rig.h"

static void vars_dir(const char *path)
{
	assert_int_equal(mkdir(path, 0700), 0);
}

/* web is in site; a, b are in web, c is in site, d in none. */
static void vars_inventory(const char *path)
{
	rig_write(path, "d\n[site]\nc\n[site:children]\nweb\n[web]\na ansible_port=1\nb\n"
			"[web:vars]\nansible_user=inline\n[all:vars]\nansible_port=7\n");
}

/* That, and a directory for its groups. */
static void vars_with_groups(void)
{
	vars_inventory("i");
	vars_dir("group_vars");
}

/* A file beside the inventory outweighs what that says, even of a group that is deeper; of the
 * files, the deeper group; that of the host outweighs all. */
static void test_order(void **state)
{
	struct groups *g;

	vars_with_groups();
	vars_dir("host_vars");
	rig_write("group_vars/all.yml", "ansible_user: everybody\nother: {a: [1, 2]}\n");
	g = rig_open(*state, "i");
	rig_vars(g, "a", "- everybody 1");
	rig_vars(g, "d", "- everybody 7");
	groups_free(g);
	rig_write("group_vars/site", "---\nansible_user: site\nansible_port: 8\n");
	g = rig_open(*state, "i");
	rig_vars(g, "a", "- site 1");
	rig_vars(g, "b", "- site 8");
	rig_vars(g, "d", "- everybody 7");
	groups_free(g);
	rig_write("group_vars/web.json", "{\"ansible_user\": \"web\"}");
	rig_write("group_vars/ungrouped.yaml", "ansible_port: 9\n");
	rig_write("host_vars/a.yml",
		  "ansible_port: 2\nansible_host: '{{ inventory_hostname }}.x'\n");
	rig_write("host_vars/c", "ansible_user: own\n");
	g = rig_open(*state, "i");
	rig_vars(g, "a", "a.x web 2");
	rig_vars(g, "b", "- web 8");
	rig_vars(g, "c", "- own 8");
	rig_vars(g, "d", "- everybody 9");
	groups_free(g);
}

/* NAME before NAME.yml before NAME.yaml before NAME.json; a directory takes all that is in it. */
static void test_names(void **state)
{
	struct groups *g;

	vars_with_groups();
	rig_write("group_vars/all.json", "{\"ansible_user\": \"json\", \"ansible_port\": 4}");
	rig_write("group_vars/all.yaml", "ansible_user: yaml\n");
	g = rig_open(*state, "i");
	rig_vars(g, "d", "- yaml 7");
	groups_free(g);
	rig_write("group_vars/all.yml", "ansible_user: yml\n");
	g = rig_open(*state, "i");
	rig_vars(g, "d", "- yml 7");
	groups_free(g);
	vars_dir("group_vars/all");
	vars_dir("group_vars/all/more");
	vars_dir("group_vars/all/not.d");
	rig_write("group_vars/all/1.yml", "ansible_user: one\nansible_port: 3\n");
	rig_write("group_vars/all/2", "ansible_user: two\n");
	rig_write("group_vars/all/3.cfg", "ansible_user: no\n");
	rig_write("group_vars/all/4~", "ansible_user: no\n");
	rig_write("group_vars/all/.5", "ansible_user: no\n");
	rig_write("group_vars/all/not.d/6", "ansible_user: no\n");
	g = rig_open(*state, "i");
	rig_vars(g, "d", "- two 3");
	groups_free(g);
	rig_write("group_vars/all/more/x.yaml", "ansible_user: deep\n");
	g = rig_open(*state, "i");
	rig_vars(g, "d", "- deep 3");
	groups_free(g);
}

/* The priority of a group is not one of its files' variables. */
static void test_equal(void **state)
{
	struct rig *rig = *state;
	struct groups *g;

	rig_write("i", "[x]\na\n[y]\na\n[x:vars]\nansible_group_priority=2\n");
	vars_dir("group_vars");
	rig_write("group_vars/x", "ansible_user: x\n");
	rig_write("group_vars/y", "ansible_user: y\nansible_group_priority: 9\n");
	g = rig_open(rig, "i");
	rig_vars(g, "a", "- x 0");
	assert_string_equal(buf_cstr(&rig->warnings), "");
	groups_free(g);
	rig_write("i", "[x]\na\n[y]\na\n");
	g = rig_open(rig, "i");
	rig_vars(g, "a", "- y 0");
	assert_non_null(strstr(buf_cstr(&rig->warnings),
			       "a: ansible_user is x in group x and y in group y, of equal rank"));
	groups_free(g);
}

/* An inventory that is a directory has them inside; of two inventories, the later one's hold, but
 * for "all". */
static void test_places(void **state)
{
	static const char *const both[] = {"one/i", "two"};
	struct rig *rig = *state;
	struct groups *g;

	vars_dir("one");
	vars_dir("one/group_vars");
	vars_dir("two");
	vars_dir("two/group_vars");
	vars_dir("two/inner");
	vars_dir("two/inner/group_vars");
	vars_inventory("one/i");
	rig_write("two/j", "[db]\ne\n");
	rig_write("two/inner/k", "[db]\nf\n");
	rig_write("two/inner/group_vars/all", "ansible_user: nobody\n");
	rig_write("one/group_vars/web", "ansible_user: one\nansible_port: 5\n");
	rig_write("two/group_vars/site", "ansible_user: two\n");
	rig_write("two/group_vars/all", "ansible_port: 6\n");
	rig->options.specs = both;
	rig->options.spec_count = 2;
	g = groups_new(&rig->options);
	rig_vars(g, "b", "- two 5");
	rig_vars(g, "e", "- - 6");
	rig_vars(g, "f", "- - 6");
	groups_free(g);
	assert_int_equal(chdir("one"), 0);
	g = rig_open(rig, "i");
	rig_vars(g, "b", "- one 5");
	groups_free(g);
	assert_int_equal(chdir(".."), 0);
	assert_int_equal(setenv("ANSIBLE_INVENTORY", "one/i", 1), 0);
	g = rig_open(rig, NULL);
	rig_expect(g, "ansible", "web", "a b ");
	rig_vars(g, "b", "- one 5");
	groups_free(g);
}

/* Whole files that only Ansible can read are told of; values count for the hosts that are used. */
static void test_closed(void **state)
{
	struct rig *rig = *state;
	struct groups *g;

	vars_with_groups();
	vars_dir("group_vars/all");
	rig_write("group_vars/all/vault", "$ANSIBLE_VAULT;1.1;AES256\n3133\n");
	rig_write("group_vars/all/x", "ansible_user: x\nsecret: !vault |\n  $ANSIBLE_VAULT;1.1\n");
	rig_write("group_vars/web", "ansible_host: '{{ lookup(\"env\", \"X\") }}'\n");
	g = rig_open(rig, "i");
	rig_vars(g, "d", "- x 7");
	rig_vars(g, "a", "a: ansible_host is '{{ lookup");
	assert_string_equal(buf_cstr(&rig->warnings),
			    "./group_vars/all/vault: encrypted by ansible-vault, and not read; "
			    "should it say how hosts are logged in to, put that into a file of its "
			    "own\n");
	groups_free(g);
	rig_write("group_vars/web", "a: 1\nansible_user: !vault |\n  $ANSIBLE_VAULT;1.1\n  33\n");
	g = rig_open(rig, "i");
	rig_vars(g, "a", "$ANSIBLE_VAULT' in its inventory: only Ansible can decrypt that");
	groups_free(g);
}

static void vars_bad(struct rig *rig, const char *path, const char *text, int code,
		     const char *part)
{
	struct groups *g;

	rig_write(path, text);
	g = rig_open(rig, "i");
	rig_refuse(g, NULL, "*", code, part);
	groups_free(g);
	assert_int_equal(unlink(path), 0);
}

static void test_bad(void **state)
{
	struct rig *rig = *state;
	struct groups *g;

	vars_inventory("i");
	rig_write("host_vars", "");
	g = rig_open(rig, "i");
	rig_vars(g, "a", "- inline 1");
	assert_string_equal(buf_cstr(&rig->warnings),
			    "./host_vars is no directory, and is passed over\n");
	groups_free(g);
	assert_int_equal(unlink("host_vars"), 0);
	vars_dir("group_vars");
	vars_dir("host_vars");
	vars_bad(rig, "host_vars/a", "- x\n", ERR_SYNTAX,
		 "host_vars/a:1: variables must be a map, and this is a list");
	vars_bad(rig, "group_vars/web.yml", "a: 1\nansible_port: [1]\n", ERR_SYNTAX,
		 "group_vars/web.yml:1: ansible_port is a list and no text");
	vars_bad(rig, "group_vars/all", "a: 1\nb: {\n", ERR_SYNTAX, "group_vars/all:");
	assert_int_equal(symlink("/nonexistent", "group_vars/all"), 0);
	assert_int_equal(mkfifo("group_vars/web", 0600), 0);
	rig_write("host_vars/stranger", "{");
	g = rig_open(rig, "i");
	rig_vars(g, "a", "- inline 1");
	groups_free(g);
}

/* A directory that leads into itself. */
static void test_loop(void **state)
{
	struct groups *g;

	vars_with_groups();
	vars_dir("group_vars/all");
	assert_int_equal(symlink(".", "group_vars/all/again"), 0);
	g = rig_open(*state, "i");
	rig_refuse(g, NULL, "*", ERR_LIMIT, "more than 8 directories in one another");
	groups_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_order),  RIG_TEST(test_names),  RIG_TEST(test_equal),
		RIG_TEST(test_places), RIG_TEST(test_closed), RIG_TEST(test_bad),
		RIG_TEST(test_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
