/* What routes a job may have: initiator/daemon/relays_check.c; and those that a gateway makes:
 * submit_routes.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "limits.h"
#include "relays.h"
#include "submit_routes.h"

static char *gateways[] = {"gw1", "root@gw2:2222"};
static uint64_t first[] = {0, 2}, second[] = {1};

static void check(const struct job_open_msg *m, size_t count, int code, const char *words)
{
	struct errmsg msg = {""};

	assert_int_equal(relays_check(m, count, &msg), code);
	if (!strstr(msg.text, words))
		fail_msg("\"%s\" does not say \"%s\"", msg.text, words);
}

static void test_good(void **state)
{
	struct job_route routes[] = {{gateways, 2, first, 2}, {gateways + 1, 1, second, 1}};
	struct job_open_msg m = {.routes = routes, .route_count = 2, .hops = LIMIT_HOPS - 1};

	(void)state;
	check(&m, 3, 0, "");
	check(&(struct job_open_msg){.local = true, .hops = LIMIT_HOPS}, 0, 0, "");
}

static void test_what_does_not_go_by_gateways(void **state)
{
	struct job_route route = {gateways, 1, first, 2};
	struct job_open_msg m = {.routes = &route, .route_count = 1};

	(void)state;
	m.local = true;
	check(&m, 3, ERR_SYNTAX, "local");
	m.local = false;
	m.session_count = 1;
	check(&m, 3, ERR_SYNTAX, "sessions");
	m.session_count = 0;
	m.durable = JOB_DURABLE_ALWAYS;
	check(&m, 3, ERR_SYNTAX, "durable");
	m.durable = JOB_DURABLE_AUTO;
	m.detached = true;
	check(&m, 3, ERR_SYNTAX, "disconnected");
	m.detached = false;
	m.hops = LIMIT_HOPS;
	check(&m, 3, ERR_RANGE, "a loop");
}

static void test_targets(void **state)
{
	uint64_t far[] = {3};
	struct job_route routes[] = {{gateways, 1, first, 2}, {gateways, 1, first, 1}};
	struct job_open_msg m = {.routes = routes, .route_count = 2};

	(void)state;
	check(&m, 3, ERR_RANGE, "target 0, which has one");
	routes[1].targets = far;
	check(&m, 3, ERR_RANGE, "target 3, which there is not");
	routes[1].target_count = 0;
	check(&m, 3, ERR_SYNTAX, "without a target");
	routes[1] = (struct job_route){gateways, 0, second, 1};
	check(&m, 3, ERR_SYNTAX, "without a gateway");
}

static void test_gateways(void **state)
{
	static char *const bad[] = {"", "gw[1-2]", "gw1,gw2", "^/etc/passwd", "-", "gw1:x", "!a"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *one = bad[i];
		struct job_route route = {&one, 1, first, 2};
		struct job_open_msg m = {.routes = &route, .route_count = 1};

		check(&m, 3, ERR_SYNTAX, "gateway '");
	}
}

static const char topology[] =
	"[here]\nname: admin\n[routes]\n"
	"admin: a[1-2]\na[1-2]: b\nb: c[1-4]\n[here]\nname: b\n[here]\nname: ";

static void find(struct job_open_msg *m, const char *name, int code)
{
	struct plan_host hosts[] = {{.hostname = "c1"}, {.hostname = "else"}, {.hostname = "c4"}};
	struct plan_request request = {.hosts = hosts, .count = 3};
	struct errmsg msg;

	*m = (struct job_open_msg){.hops = 1, .topology = xasprintf("%s%s\n", topology, name)};
	assert_int_equal(submit_find_routes(m, &request, &msg), code);
}

static void test_a_gateway_makes_routes(void **state)
{
	struct job_open_msg m;

	(void)state;
	find(&m, "a2", 0);
	assert_int_equal(m.route_count, 1);
	assert_string_equal(m.routes[0].gateways[0], "b");
	assert_int_equal(m.routes[0].target_count, 2);
	assert_int_equal(m.routes[0].targets[1], 2);
	job_open_done(&m);
	/* It is next to them. */
	find(&m, "b", 0);
	assert_int_equal(m.route_count, 0);
	job_open_done(&m);
	find(&m, "nobody", ERR_NOTFOUND);
	job_open_done(&m);
}

static void test_nobody_else_makes_routes(void **state)
{
	char text[] = "nonsense";
	struct job_open_msg m = {.topology = text};
	struct plan_request request = {0};

	(void)state;
	assert_int_equal(submit_find_routes(&m, &request, NULL), 0);
	m.hops = 1;
	assert_int_not_equal(submit_find_routes(&m, &request, NULL), 0);
	m.topology = NULL;
	assert_int_equal(submit_find_routes(&m, &request, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_what_does_not_go_by_gateways),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_gateways),
		cmocka_unit_test(test_a_gateway_makes_routes),
		cmocka_unit_test(test_nobody_else_makes_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
