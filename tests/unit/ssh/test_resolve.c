/* Names that this computer knows by itself: no test asks a name server. */
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "resolve.h"

struct fixture {
	struct loop *loop;
	struct ssh_engine *engine;
	int calls;
	struct resolve_result result;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	f->loop = loop_new();
	f->engine = ssh_engine_new(f->loop, 1024);
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

static void on_result(void *arg, const struct resolve_result *result)
{
	struct fixture *f = arg;

	f->calls++;
	f->result = *result;
	loop_stop(f->loop);
}

static void on_unwanted(void *arg, const struct resolve_result *result)
{
	(void)arg;
	(void)result;
	fail_msg("a cancelled name was answered");
}

static uint16_t port_of(const struct resolve_result *r, size_t i)
{
	if (r->at[i].addr.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&r->at[i].addr)->sin6_port);
	return ntohs(((const struct sockaddr_in *)&r->at[i].addr)->sin_port);
}

/* --- numeric -------------------------------------------------------------------------------- */

static void test_v4(void **state)
{
	struct resolve_result r;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&r.at[0].addr;

	(void)state;
	assert_int_equal(resolve_numeric("127.7.8.9", 65535, &r), 1);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.count, 1);
	assert_int_equal(in->sin_family, AF_INET);
	assert_int_equal(ntohl(in->sin_addr.s_addr), 0x7f070809);
	assert_int_equal(port_of(&r, 0), 65535);
	assert_int_equal(r.at[0].len, sizeof *in);
}

static void test_v6(void **state)
{
	struct resolve_result r;
	const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)&r.at[0].addr;

	(void)state;
	assert_int_equal(resolve_numeric("::1", 22, &r), 1);
	assert_int_equal(r.count, 1);
	assert_int_equal(in->sin6_family, AF_INET6);
	assert_memory_equal(&in->sin6_addr, &in6addr_loopback, sizeof in6addr_loopback);
	assert_int_equal(in->sin6_scope_id, 0);
	assert_int_equal(port_of(&r, 0), 22);
	assert_int_equal(resolve_numeric("2001:DB8::192.0.2.1", 1, &r), 1);
	assert_int_equal(r.at[0].addr.ss_family, AF_INET6);
}

static void test_zones(void **state)
{
	struct resolve_result r;
	const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)&r.at[0].addr;

	(void)state;
	assert_int_equal(resolve_numeric("fe80::1%lo", 22, &r), 1);
	assert_int_equal(in->sin6_scope_id, if_nametoindex("lo"));
	assert_int_equal(resolve_numeric("fe80::1%7", 22, &r), 1);
	assert_int_equal(in->sin6_scope_id, 7);
	assert_int_equal(resolve_numeric("fe80::1%no-such-zone", 22, &r), 0);
}

static void test_what_is_a_name(void **state)
{
	static const char *const names[] = {
		"localhost", "h1",   "",	   "1.2.3.4.5", "1.2.3.256",	"[::1]",
		"::1::2",    ":::1", "127.0.0.1 ", "fe80::g",	"127.0.0.1:22", "-"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct resolve_result r;

		if (resolve_numeric(names[i], 22, &r) != 0)
			fail_msg("'%s' is taken for an address", names[i]);
	}
}

/* --- asking --------------------------------------------------------------------------------- */

static void test_localhost(void **state)
{
	struct fixture *f = *state;

	assert_non_null(resolve_start(f->engine, "localhost", 2222, on_result, f));
	assert_int_equal(f->calls, 0);
	loop_run(f->loop);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->result.error, 0);
	assert_true(f->result.count >= 1);
	for (size_t i = 0; i < f->result.count; i++)
		assert_int_equal(port_of(&f->result, i), 2222);
}

static void test_an_address_can_be_asked_for(void **state)
{
	struct fixture *f = *state;

	(void)resolve_start(f->engine, "127.0.0.1", 22, on_result, f);
	loop_run(f->loop);
	assert_int_equal(f->result.error, 0);
	assert_int_equal(f->result.count, 1);
}

/* A label of more than 63 characters can be no name (RFC 1035, 2.3.4), so nobody is asked. */
static void test_a_name_that_cannot_be(void **state)
{
	struct fixture *f = *state;
	char name[70];

	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	(void)resolve_start(f->engine, name, 22, on_result, f);
	loop_run(f->loop);
	assert_int_equal(f->calls, 1);
	assert_int_not_equal(f->result.error, 0);
	assert_int_equal(f->result.count, 0);
}

/* The name belongs to the caller and may be gone at once. */
static void test_the_name_is_copied(void **state)
{
	struct fixture *f = *state;
	char name[] = "localhost";

	(void)resolve_start(f->engine, name, 22, on_result, f);
	memset(name, 'x', sizeof name - 1);
	loop_run(f->loop);
	assert_int_equal(f->result.error, 0);
}

/* --- cancelling ----------------------------------------------------------------------------- */

static void test_cancelled_at_once(void **state)
{
	struct fixture *f = *state;

	resolve_cancel(NULL);
	for (int i = 0; i < 40; i++)
		resolve_cancel(resolve_start(f->engine, "localhost", 22, on_unwanted, NULL));
	(void)resolve_start(f->engine, "localhost", 22, on_result, f);
	loop_run(f->loop);
	assert_int_equal(f->calls, 1);
}

/* Whatever is under way, the engine can be freed. */
static void test_cancelled_and_freed(void **state)
{
	struct fixture *f = *state;

	resolve_cancel(resolve_start(f->engine, "localhost", 22, on_unwanted, NULL));
}

#define RESOLVE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v4),
		cmocka_unit_test(test_v6),
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_what_is_a_name),
		RESOLVE_TEST(test_localhost),
		RESOLVE_TEST(test_an_address_can_be_asked_for),
		RESOLVE_TEST(test_a_name_that_cannot_be),
		RESOLVE_TEST(test_the_name_is_copied),
		RESOLVE_TEST(test_cancelled_at_once),
		RESOLVE_TEST(test_cancelled_and_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
