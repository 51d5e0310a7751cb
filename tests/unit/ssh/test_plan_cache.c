/*
 * What plans take over from each other: ssh_config and known_hosts, as long as the files are the
 * same. Each test has a home directory of its own; all are made at once, as a file must be two
 * seconds old before what was made from it is kept.
 */
#include <fcntl.h>
#include <pthread.h>
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
#include "clock.h"
#include "plan_private.h"

#define LONG_S	 120u
#define KEY_1	 "AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
#define KEY_2	 "AAAAC3NzaC1lZDI1NTE5AAAAICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
#define AT_ONCE	 24u
#define MANY	 20u
#define BIG	 3u
#define BIG_SIZE (PLAN_CACHE_SIZE / 2 - 65536)

enum home {
	HOME_SAME,
	HOME_KNOWN,
	HOME_INCLUDE,
	HOME_GLOB,
	HOME_COMES,
	HOME_GOES,
	HOME_FOLDER,
	HOME_RIGHTS,
	HOME_YOUNG,
	HOME_TILDE,
	HOME_MANY,
	HOME_ONCE,
	HOME_COUNT
};

static char root[] = "/tmp/muster-plan-XXXXXX";

struct fixture {
	struct loop *loop;
	struct ssh_engine *engine;
	struct plan_cache *cache;
	struct plan *plans[AT_ONCE]; /* in the order of their coming */
	struct errmsg msg;
	size_t begun, ended;
};

static char *path_of(enum home home, const char *name)
{
	return xasprintf("%s/%d/.ssh/%s", root, (int)home, name);
}

static void put(enum home home, const char *name, const char *text)
{
	char *path = path_of(home, name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
	free(path);
}

static void put_known(enum home home, const char *name, const char *key)
{
	char *text = xasprintf("h ssh-ed25519 %s\n", key);

	put(home, name, text);
	free(text);
}

static void put_home(enum home home)
{
	char *dir = xasprintf("%s/%d", root, (int)home), *config;

	assert_int_equal(mkdir(dir, 0700), 0);
	config = xasprintf("Include inc\nInclude d/*\n%sHost *\nUserKnownHostsFile ~/.ssh/kh\n"
			   "GlobalKnownHostsFile none\nIdentityFile none\nUser other\n",
			   home == HOME_TILDE ? "Host x\nIdentityFile ~root/x\n" : "");
	free(dir);
	dir = path_of(home, "");
	assert_int_equal(mkdir(dir, 0700), 0);
	free(dir);
	dir = path_of(home, "d");
	assert_int_equal(mkdir(dir, 0700), 0);
	free(dir);
	put(home, "config", config);
	put(home, "inc", "User first\n");
	if (home != HOME_COMES)
		put_known(home, "kh", KEY_1);
	free(config);
}

static void put_many(void)
{
	char config[MANY * 64] = "";

	for (unsigned i = 0; i < MANY; i++) {
		size_t at = strlen(config);
		char name[16];

		(void)snprintf(config + at, sizeof config - at,
			       "Host h%u\nUserKnownHostsFile ~/.ssh/kh%u\n", i, i);
		(void)snprintf(name, sizeof name, "kh%u", i);
		put_known(HOME_MANY, name, KEY_1);
	}
	put(HOME_MANY, "inc", config);
}

/* Files that hold nothing and are large in memory. */
static void put_big(void)
{
	for (unsigned i = 0; i < BIG; i++) {
		char name[16], *path;

		(void)snprintf(name, sizeof name, "big%u", i);
		put(HOME_MANY, name, "");
		path = path_of(HOME_MANY, name);
		assert_int_equal(truncate(path, BIG_SIZE), 0);
		free(path);
	}
}

/* Waits until what is read now, and so all that was written before, is old enough to be kept. */
static void settle(enum home home, const char *name)
{
	char *path = path_of(home, name);
	bool settled = false;

	while (!settled) {
		struct known_hosts *kh = NULL;

		assert_int_equal(known_hosts_load(&kh, path, NULL), 0);
		settled = known_hosts_is_settled(kh);
		known_hosts_free(kh);
		if (!settled)
			(void)usleep(20000);
	}
	free(path);
}

static int make_homes(void **state)
{
	(void)state;
	(void)alarm(LONG_S);
	if (!mkdtemp(root))
		return -1;
	for (enum home home = 0; home < HOME_COUNT; home++)
		put_home(home);
	put_many();
	put_big();
	put(HOME_MANY, "last", "");
	settle(HOME_MANY, "last");
	return 0;
}

static int remove_homes(void **state)
{
	char *command = xasprintf("rm -rf '%s'", root);
	int rc = system(command);

	(void)state;
	free(command);
	return rc;
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	f->loop = loop_new();
	f->engine = ssh_engine_new(f->loop, 256);
	f->cache = ssh_engine_plans(f->engine);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	ssh_engine_free(f->engine);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void on_plan(void *arg, struct plan *plan, const struct errmsg *msg)
{
	struct fixture *f = arg;

	f->plans[f->ended++] = plan;
	f->msg = *msg;
	if (f->ended == f->begun)
		loop_stop(f->loop);
}

static void begin(struct fixture *f, enum home home, const char *config, const char *format,
		  size_t count)
{
	struct plan_request request = {.count = count};

	request.hosts = xcalloc(count, sizeof *request.hosts);
	for (size_t i = 0; i < count; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "%s%zu", format, i);
		request.hosts[i].host = xstrdup(count > 1 ? name : format);
		request.hosts[i].hostname = xstrdup(count > 1 ? name : format);
	}
	request.config_path = config ? path_of(home, config) : NULL;
	request.home = xasprintf("%s/%d", root, (int)home);
	f->begun++;
	(void)plan_start(f->engine, &request, on_plan, f);
}

/* One plan, of one host. NULL: f->msg says why. */
static struct plan *plan_of(struct fixture *f, enum home home, const char *config)
{
	f->begun = f->ended = 0;
	begin(f, home, config, "h", 1);
	loop_run(f->loop);
	return f->plans[0];
}

static const struct known_hosts *known_of(const struct plan *plan)
{
	return plan->known[0].file;
}

static bool is_known(const struct plan *plan, const char *types)
{
	const char *algs = plan_target(plan, 0)->hostkey_algs;

	return algs ? strncmp(algs, types, strlen(types)) == 0 : !types[0];
}

static void test_same_files(void **state)
{
	struct fixture *f = *state;
	struct plan *one = plan_of(f, HOME_SAME, "config"), *two = plan_of(f, HOME_SAME, "config");
	struct plan *other = plan_of(f, HOME_KNOWN, "config"), *three;

	assert_ptr_equal(known_of(two), known_of(one));
	assert_ptr_equal(two->config, one->config);
	assert_ptr_not_equal(known_of(other), known_of(one));
	assert_ptr_not_equal(other->config, one->config);
	assert_int_equal(plan_cache_count(f->cache), 4);
	plan_free(one);
	plan_free(other);
	three = plan_of(f, HOME_SAME, "config");
	assert_ptr_equal(known_of(three), known_of(two));
	plan_free(two);
	assert_string_equal(plan_target(three, 0)->user, "first");
	assert_true(is_known(three, "ssh-ed25519"));
	plan_free(three);
	assert_int_equal(plan_cache_count(f->cache), 4);
}

/* Another content of the same size, with the old time of the content. */
static void test_known_hosts_change(void **state)
{
	struct fixture *f = *state;
	struct plan *one = plan_of(f, HOME_KNOWN, "config"), *two;
	const struct known_hosts *old = known_of(one);
	char *path = path_of(HOME_KNOWN, "kh");
	struct timespec times[2];
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	put_known(HOME_KNOWN, "kh", KEY_2);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	two = plan_of(f, HOME_KNOWN, "config");
	assert_ptr_not_equal(known_of(two), old);
	assert_ptr_equal(two->config, one->config);
	/* What is young is not kept, and what it replaces neither. */
	assert_int_equal(plan_cache_count(f->cache), 1);
	plan_free(one);
	plan_free(two);
	free(path);
}

static void test_include_changes(void **state)
{
	struct fixture *f = *state;
	struct plan *one = plan_of(f, HOME_INCLUDE, "config"), *two;

	assert_string_equal(plan_target(one, 0)->user, "first");
	put(HOME_INCLUDE, "inc", "User again\n");
	two = plan_of(f, HOME_INCLUDE, "config");
	assert_string_equal(plan_target(two, 0)->user, "again");
	assert_ptr_equal(known_of(two), known_of(one));
	assert_string_equal(plan_target(one, 0)->user, "first");
	plan_free(one);
	plan_free(two);
}

/* A file that a wildcard finds comes, goes, and one that is named goes. */
static void test_include_finds(void **state)
{
	struct fixture *f = *state;
	struct plan *plan = plan_of(f, HOME_GLOB, "config");
	char *path = path_of(HOME_GLOB, "inc"), *more = path_of(HOME_GLOB, "d/more");

	assert_string_equal(plan_target(plan, 0)->user, "first");
	plan_free(plan);
	put(HOME_GLOB, "d/more", "Port 1234\n");
	settle(HOME_GLOB, "d/more");
	plan = plan_of(f, HOME_GLOB, "config");
	assert_int_equal(plan_target(plan, 0)->port, 1234);
	plan_free(plan);
	assert_int_equal(plan_cache_count(f->cache), 2);
	assert_int_equal(unlink(more), 0);
	assert_int_equal(unlink(path), 0);
	plan = plan_of(f, HOME_GLOB, "config");
	assert_int_equal(plan_target(plan, 0)->port, 22);
	assert_string_equal(plan_target(plan, 0)->user, "other");
	plan_free(plan);
	free(more);
	free(path);
}

static void test_known_hosts_come(void **state)
{
	struct fixture *f = *state;
	struct plan *one = plan_of(f, HOME_COMES, "config"),
		    *two = plan_of(f, HOME_COMES, "config");

	assert_ptr_equal(known_of(two), known_of(one));
	assert_true(is_known(one, ""));
	put_known(HOME_COMES, "kh", KEY_1);
	plan_free(two);
	two = plan_of(f, HOME_COMES, "config");
	assert_true(is_known(two, "ssh-ed25519"));
	plan_free(one);
	plan_free(two);
}

static void test_known_hosts_go(void **state)
{
	struct fixture *f = *state;
	struct plan *plan = plan_of(f, HOME_GOES, "config");
	char *path = path_of(HOME_GOES, "kh");

	assert_true(is_known(plan, "ssh-ed25519"));
	plan_free(plan);
	assert_int_equal(unlink(path), 0);
	plan = plan_of(f, HOME_GOES, "config");
	assert_true(is_known(plan, ""));
	plan_free(plan);
	free(path);
}

static void test_known_hosts_unreadable(void **state)
{
	struct fixture *f = *state;
	struct plan *plan = plan_of(f, HOME_FOLDER, "config");
	char *path = path_of(HOME_FOLDER, "kh");

	assert_null(plan_target(plan, 0)->fault);
	plan_free(plan);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	plan = plan_of(f, HOME_FOLDER, "config");
	assert_non_null(strstr(plan_target(plan, 0)->fault, path));
	plan_free(plan);
	assert_int_equal(plan_cache_count(f->cache), 1);
	free(path);
}

/* The rules for ~/.ssh/config hold for one that was read before. */
static void test_config_rights(void **state)
{
	struct fixture *f = *state;
	struct plan *plan = plan_of(f, HOME_RIGHTS, NULL);
	char *path = path_of(HOME_RIGHTS, "config");

	assert_non_null(plan);
	plan_free(plan);
	assert_int_equal(chmod(path, 0622), 0);
	assert_null(plan_of(f, HOME_RIGHTS, NULL));
	assert_non_null(strstr(f->msg.text, "can be written by others"));
	free(path);
}

static void test_young_files(void **state)
{
	struct fixture *f = *state;

	put_known(HOME_YOUNG, "kh", KEY_1);
	put(HOME_YOUNG, "inc", "User young\n");
	plan_free(plan_of(f, HOME_YOUNG, "config"));
	assert_int_equal(plan_cache_count(f->cache), 0);
}

/* Where ~user is comes from no file that is known here. */
static void test_other_users(void **state)
{
	struct fixture *f = *state;
	struct plan *plan = plan_of(f, HOME_TILDE, "config");

	assert_false(ssh_config_is_settled(plan->config));
	assert_int_equal(plan_cache_count(f->cache), 1);
	plan_free(plan);
}

static void test_bounds(void **state)
{
	struct fixture *f = *state;
	struct plan *plan;

	f->begun = f->ended = 0;
	begin(f, HOME_MANY, "config", "h", MANY);
	loop_run(f->loop);
	plan = f->plans[0];
	assert_int_equal(plan->paths.count, MANY);
	assert_int_equal(plan_cache_count(f->cache), PLAN_CACHE_MAX);
	plan_free(plan);
	plan_cache_clean(f->cache, clock_mono_ns() + PLAN_CACHE_KEEP_NS / 2);
	assert_int_equal(plan_cache_count(f->cache), PLAN_CACHE_MAX);
	plan_cache_clean(f->cache, clock_mono_ns() + PLAN_CACHE_KEEP_NS);
	assert_int_equal(plan_cache_count(f->cache), 0);
}

static void test_large_files(void **state)
{
	struct fixture *f = *state;
	char config[1024] = "UserKnownHostsFile";
	struct plan *plan;

	for (unsigned i = 0; i < BIG; i++) {
		size_t at = strlen(config);

		(void)snprintf(config + at, sizeof config - at, " ~/.ssh/big%u", i);
	}
	put(HOME_MANY, "inc", config);
	plan = plan_of(f, HOME_MANY, "config");
	assert_int_equal(plan->paths.count, BIG);
	/* The configuration is young. */
	assert_in_range(plan_cache_count(f->cache), 1, BIG - 1);
	plan_free(plan);
}

static void *free_plans(void *arg)
{
	struct fixture *f = arg;

	for (size_t i = 0; i < AT_ONCE; i++)
		plan_free(f->plans[i]);
	return NULL;
}

/* Plans that are made on several threads while files change, and freed on another one. */
static void test_at_once(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;

	plan_free(plan_of(f, HOME_ONCE, "config"));
	for (unsigned round = 0; round < 8; round++) {
		f->begun = f->ended = 0;
		for (unsigned i = 0; i < AT_ONCE; i++)
			begin(f, HOME_ONCE, "config", "h", 1);
		if (round == 4)
			put_known(HOME_ONCE, "kh", KEY_2);
		loop_run(f->loop);
		assert_int_equal(f->ended, AT_ONCE);
		for (unsigned i = 0; i < AT_ONCE; i++)
			assert_string_equal(plan_target(f->plans[i], 0)->user, "first");
		assert_int_equal(pthread_create(&thread, NULL, free_plans, f), 0);
		plan_cache_clean(f->cache, clock_mono_ns() + (round % 2) * PLAN_CACHE_KEEP_NS);
		assert_int_equal(pthread_join(thread, NULL), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_same_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_known_hosts_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_include_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_include_finds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_known_hosts_come, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_known_hosts_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_known_hosts_unreadable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_config_rights, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_young_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_users, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bounds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_large_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_at_once, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, make_homes, remove_homes);
}
