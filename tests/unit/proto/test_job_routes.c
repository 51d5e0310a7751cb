/* proto/control_msg.c: what JOB_OPEN and JOB_TARGETS have for gateways, and JOB_CHILDREN. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "control_msg.h"
#include "limits.h"

static char *gateways[] = {"gw1", "root@gw2:22"};
static uint64_t few[] = {0, 1, 2, 9}, one[] = {4};
static char *argv[] = {"id"};

static int again(struct job_open_msg *ret, const struct job_open_msg *m, struct errmsg *msg)
{
	struct buf body = {0};
	int rc;

	job_open_put(&body, m);
	rc = job_open_get(ret, body.data, body.len, msg);
	buf_done(&body);
	return rc;
}

static void test_routes(void **state)
{
	struct job_route routes[] = {{gateways, 2, few, 4}, {gateways + 1, 1, one, 1}};
	struct job_open_msg m = {.argv = argv,
				 .argc = 1,
				 .routes = routes,
				 .route_count = 2,
				 .topology = "[routes]\n",
				 .hops = LIMIT_HOPS,
				 .whole = LIMIT_HOSTS};
	struct job_open_msg got;

	(void)state;
	assert_int_equal(again(&got, &m, NULL), 0);
	assert_int_equal(got.route_count, 2);
	assert_int_equal(got.routes[0].gateway_count, 2);
	assert_string_equal(got.routes[0].gateways[1], "root@gw2:22");
	assert_int_equal(got.routes[0].target_count, 4);
	assert_memory_equal(got.routes[0].targets, few, sizeof few);
	assert_string_equal(got.routes[1].gateways[0], "root@gw2:22");
	assert_int_equal(got.routes[1].targets[0], 4);
	assert_string_equal(got.topology, "[routes]\n");
	assert_int_equal(got.hops, LIMIT_HOPS);
	assert_int_equal(got.whole, LIMIT_HOSTS);
	job_open_done(&got);
}

static void test_limits_of_routes(void **state)
{
	struct job_open_msg got, m = {.argv = argv, .argc = 1};
	struct errmsg msg;

	(void)state;
	m.hops = LIMIT_HOPS + 1;
	assert_int_equal(again(&got, &m, &msg), ERR_PROTO);
	m.hops = 0;
	m.whole = LIMIT_HOSTS + 1;
	assert_int_equal(again(&got, &m, &msg), ERR_PROTO);
	m.whole = 0;
	m.route_count = LIMIT_GATEWAYS + 1;
	m.routes = xcalloc(m.route_count, sizeof *m.routes);
	assert_int_equal(again(&got, &m, &msg), ERR_LIMIT);
	free(m.routes);
}

static void test_ranks(void **state)
{
	struct job_target target = {"h", "h", NULL, 0, LIMIT_HOSTS};
	struct job_targets_msg got, m = {&target, 1};
	struct buf body = {0};

	(void)state;
	job_targets_put(&body, &m);
	assert_int_equal(job_targets_get(&got, body.data, body.len, NULL), 0);
	assert_int_equal(got.targets[0].rank, LIMIT_HOSTS);
	job_targets_done(&got);
	buf_clear(&body);
	target.rank++;
	job_targets_put(&body, &m);
	assert_int_equal(job_targets_get(&got, body.data, body.len, NULL), ERR_PROTO);
	buf_done(&body);
}

static int get_children(struct job_children_msg *ret, const struct job_children_msg *m)
{
	struct buf body = {0};
	int rc;

	job_children_put(&body, m);
	rc = job_children_get(ret, body.data, body.len, NULL);
	buf_done(&body);
	return rc;
}

static void test_children(void **state)
{
	struct job_children_msg got, m = {JOB_CHILDREN_STOP, few, 4};

	(void)state;
	for (; m.verb < JOB_CHILDREN_VERB_COUNT; m.verb++) {
		assert_int_equal(get_children(&got, &m), 0);
		assert_true(got.verb == m.verb && got.count == 4 && got.children[3] == 9);
		job_children_done(&got);
	}
	assert_int_equal(get_children(&got, &m), ERR_PROTO);
	m.verb = 0;
	assert_int_equal(get_children(&got, &m), ERR_PROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_limits_of_routes),
		cmocka_unit_test(test_ranks),
		cmocka_unit_test(test_children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
