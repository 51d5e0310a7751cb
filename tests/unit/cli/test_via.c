/* --via and --topology: what of them reaches the daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "limits.h"
#include "via.h"

static char folder[] = "/tmp/test_via.XXXXXX";

static const struct config nothing;

static struct hostlist *hosts(const char *expr)
{
	struct hostlist *list = NULL;

	assert_int_equal(hostlist_parse(&list, expr, NULL, NULL), 0);
	return list;
}

/* A topology in a file. It says under [here] who we are: the host name is not ours to choose. */
static char *topology(const char *text)
{
	char *path = xasprintf("%s/topology", folder);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	return path;
}

struct filled {
	struct job_open_msg open;
	struct via_made made;
	struct hostlist *hosts;
	struct errmsg msg;
	int rc;
};

static struct filled fill(const char *gateways, const char *path, const struct config *config,
			  const char *expr)
{
	struct filled f = {.hosts = hosts(expr)};
	struct via_values v = {.gateways = {.at = &gateways, .count = gateways != NULL},
			       .topology = path};

	f.rc = via_fill(&f.open, &f.made, &v, &(struct cmd_globals){.config = config}, f.hosts,
			&f.msg);
	return f;
}

static void filled_done(struct filled *f)
{
	via_made_done(&f->made);
	hostlist_free(f->hosts);
}

static void refused(const char *gateways, const char *path, const char *expr, int code,
		    const char *says)
{
	struct filled f = fill(gateways, path, &nothing, expr);

	if (f.rc != code || !strstr(f.msg.text, says))
		fail_msg("gives %s: %s", err_name(f.rc), f.msg.text);
	assert_null(f.open.routes);
	filled_done(&f);
}

/* What is set survives the wire. */
static void check_wire(const struct job_open_msg *open, size_t routes)
{
	char *words[] = {(char *)(uintptr_t) "true"};
	struct job_open_msg m = *open, got;
	struct buf body = {0};
	struct errmsg msg;

	m.argv = words;
	m.argc = 1;
	m.home = (char *)(uintptr_t) "/home/x";
	job_open_put(&body, &m);
	if (job_open_get(&got, body.data, body.len, &msg) != 0)
		fail_msg("%s", msg.text);
	assert_int_equal(got.route_count, routes);
	for (size_t i = 0; i < routes; i++) {
		assert_int_equal(got.routes[i].gateway_count, open->routes[i].gateway_count);
		assert_string_equal(got.routes[i].gateways[0], open->routes[i].gateways[0]);
		assert_int_equal(got.routes[i].target_count, open->routes[i].target_count);
		assert_memory_equal(got.routes[i].targets, open->routes[i].targets,
				    got.routes[i].target_count * sizeof(uint64_t));
	}
	assert_int_equal(!got.topology, !open->topology);
	job_open_done(&got);
	buf_done(&body);
}

static void test_nothing(void **state)
{
	struct filled f = fill(NULL, NULL, &nothing, "n[1-9]");

	(void)state;
	assert_int_equal(f.rc, 0);
	assert_int_equal(f.open.route_count, 0);
	filled_done(&f);
	f = fill(NULL, "none", &nothing, "n[1-9]");
	assert_int_equal(f.rc, 0);
	assert_int_equal(f.open.route_count, 0);
	filled_done(&f);
	/* Nothing is read for nobody. */
	f = fill(NULL, "/nowhere/at/all", &nothing, "");
	assert_int_equal(f.rc, 0);
	filled_done(&f);
}

static void test_via(void **state)
{
	struct filled f = fill("root@g1:22,g2", NULL, &nothing, "n[1-5],g2");

	(void)state;
	assert_int_equal(f.rc, 0);
	assert_int_equal(f.open.route_count, 2);
	assert_string_equal(f.open.routes[0].gateways[0], "root@g1:22");
	assert_string_equal(f.open.routes[0].gateways[1], "g2");
	assert_string_equal(f.open.routes[1].gateways[0], "g2");
	assert_int_equal(f.open.routes[0].target_count, 2);
	assert_int_equal(f.open.routes[1].target_count, 3);
	assert_int_equal(f.open.routes[1].targets[2], 4);
	assert_null(f.open.topology);
	check_wire(&f.open, 2);
	assert_int_equal(via_check_size(&f.open, &f.msg), 0);
	filled_done(&f);
	f = fill("g1", "none", &nothing, "n1");
	assert_int_equal(f.open.route_count, 1);
	filled_done(&f);
}

#define TWO_LEVELS "# x\n[routes]\nhq: g[1-2]\ng[1-2]: m[1-9],h1\nh1: n[1-9]\n[here]\nname: hq\n"

static void test_topology(void **state)
{
	char *path = topology(TWO_LEVELS);
	struct filled f = fill(NULL, path, &nothing, "m[1-2],other");

	(void)state;
	assert_int_equal(f.rc, 0);
	assert_int_equal(f.open.route_count, 2);
	assert_string_equal(f.open.routes[1].gateways[0], "g2");
	assert_null(f.open.topology); /* no gateway needs another one */
	check_wire(&f.open, 2);
	filled_done(&f);
	f = fill(NULL, path, &nothing, "m1,n1");
	assert_int_equal(f.rc, 0);
	/* It says where g1 is, but not that it is here. */
	assert_string_equal(f.open.topology,
			    "[routes]\n\nhq = g[1-2]\ng[1-2] = m[1-9],h1\nh1 = n[1-9]\n");
	check_wire(&f.open, 2);
	filled_done(&f);
	refused("g1", path, "n1", ERR_SYNTAX, "--via and --topology: one of them");
	free(path);
}

static void test_config(void **state)
{
	char *path = topology(TWO_LEVELS), *text = xasprintf("topology = %s\n", path);
	struct config config = {0}, home = {0}, none = {0};
	struct filled f;

	(void)state;
	assert_int_equal(config_parse(&config, text, strlen(text), "a", NULL), 0);
	assert_int_equal(config_parse(&none, "topology = none", 15, "a", NULL), 0);
	assert_int_equal(config_parse(&home, "topology = ~/topology", 21, "a", NULL), 0);
	assert_int_equal(setenv("HOME", folder, 1), 0);
	f = fill(NULL, NULL, &config, "m1");
	assert_int_equal(f.rc, 0);
	assert_int_equal(f.open.route_count, 1);
	filled_done(&f);
	f = fill(NULL, NULL, &home, "m1");
	assert_int_equal(f.open.route_count, 1);
	filled_done(&f);
	/* The command outweighs it. */
	f = fill(NULL, "none", &config, "m1");
	assert_int_equal(f.rc, 0);
	assert_int_equal(f.open.route_count, 0);
	filled_done(&f);
	f = fill("other", NULL, &config, "m1");
	assert_string_equal(f.open.routes[0].gateways[0], "other");
	filled_done(&f);
	f = fill(NULL, NULL, &none, "m1");
	assert_int_equal(f.open.route_count, 0);
	filled_done(&f);
	free(text);
	free(path);
}

static void test_refused(void **state)
{
	char *path;

	(void)state;
	refused("g[1-", NULL, "n1", ERR_SYNTAX, "--via: host expression 'g[1-'");
	refused("g1!g1", NULL, "n1", ERR_SYNTAX, "--via: no gateway; name one");
	refused("g[1-257]", NULL, "n1", ERR_LIMIT, "257 gateways");
	refused("-", NULL, "n1", ERR_SYNTAX, "--via: ");
	refused(NULL, "/nowhere/at/all", "n1", ERR_SYS,
		"cannot read the topology /nowhere/at/all: No such file");
	refused(NULL, "/dev/zero", "n1", ERR_LIMIT, "/dev/zero has more than 65536 bytes");
	path = topology("[routes]\na: b\nb: a\n");
	refused(NULL, path, "n1", ERR_EXISTS, "/topology:");
	free(path);
	path = topology("[routes]\na: b\n[here]\nname: c\n");
	refused(NULL, path, "n1", ERR_NOTFOUND, "this computer, c, is in no line");
	free(path);
}

static void test_size(void **state)
{
	struct filled f = fill("g[1-4]", NULL, &nothing, "n[1-99]");
	char *script = xmalloc(LIMIT_FRAME_BODY);

	(void)state;
	memset(script, 'x', LIMIT_FRAME_BODY);
	f.open.script = (uint8_t *)script;
	f.open.script_len = LIMIT_FRAME_BODY - (32u << 10);
	assert_int_equal(via_check_size(&f.open, &f.msg), 0);
	f.open.script_len = LIMIT_FRAME_BODY - (16u << 10);
	assert_int_equal(via_check_size(&f.open, &f.msg), ERR_LIMIT);
	assert_non_null(strstr(f.msg.text, "more than one message holds"));
	free(script);
	filled_done(&f);
}

static void test_given(void **state)
{
	const char *at[] = {"g"};
	struct via_values via = {.gateways = {at, 1}}, file = {.topology = "x"},
			  none = {.topology = "none"};

	(void)state;
	assert_string_equal(via_given(&via), "--via");
	assert_string_equal(via_given(&file), "--topology");
	assert_null(via_given(&none));
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	char *path = xasprintf("%s/topology", folder);

	(void)state;
	(void)unlink(path);
	free(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),	 cmocka_unit_test(test_via),
		cmocka_unit_test(test_topology), cmocka_unit_test(test_config),
		cmocka_unit_test(test_refused),	 cmocka_unit_test(test_size),
		cmocka_unit_test(test_given),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
