/* Topologies: what is read and refused, and who goes by whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "hostlist.h"
#include "limits.h"
#include "routes.h"

static struct routes *parse(const char *text)
{
	struct errmsg msg = {""};
	struct routes *routes = NULL;

	if (routes_parse(&routes, text, strlen(text), "t.conf", &msg))
		fail_msg("'%s': %s", text, msg.text);
	return routes;
}

static void refused(const char *text, int code, const char *says)
{
	struct errmsg msg = {""};
	struct routes *untouched = (struct routes *)&msg, *routes = untouched;
	int rc = routes_parse(&routes, text, strlen(text), "t.conf", &msg);

	assert_ptr_equal(routes, untouched);
	if (rc != code || !strstr(msg.text, says))
		fail_msg("'%s' gives %s: %s", text, err_name(rc), msg.text);
	assert_int_equal(routes_parse(&routes, text, strlen(text), "t.conf", NULL), code);
}

/* The hosts of an expression as the names that are looked for. */
struct names {
	struct hostlist *list;
	const char **at;
	size_t count;
};

static struct names names_of(const char *expr)
{
	struct errmsg msg = {""};
	struct names n = {0};

	if (hostlist_parse(&n.list, expr, NULL, &msg))
		fail_msg("'%s': %s", expr, msg.text);
	n.count = hostlist_count(n.list);
	n.at = xcalloc(n.count + 1, sizeof *n.at);
	for (size_t i = 0; i < n.count; i++)
		n.at[i] = hostlist_at(n.list, i)->name;
	return n;
}

static void names_done(struct names *n)
{
	hostlist_free(n->list);
	free(n->at);
}

/* "gw1,gw2>0,1 gw2,gw1>2 hops 1" */
static char *plan_text(const struct routes_plan *plan)
{
	struct buf b = {0};

	for (size_t i = 0; i < plan->count; i++) {
		const struct routes_part *p = &plan->parts[i];

		for (size_t k = 0; k < p->gateway_count; k++)
			buf_addf(&b, "%s%s", k ? "," : "", p->gateways[k]);
		for (size_t k = 0; k < p->target_count; k++)
			buf_addf(&b, "%c%llu", k ? ',' : '>', (unsigned long long)p->targets[k]);
		buf_add_char(&b, ' ');
	}
	buf_addf(&b, "hops %zu", plan->hops);
	return buf_take_str(&b);
}

static void check_plan(struct routes_plan *plan, const char *want)
{
	char *got = plan_text(plan);

	assert_string_equal(got, want);
	free(got);
	routes_plan_done(plan);
	routes_plan_done(plan);
}

static void found(const char *text, const char *hostname, const char *targets, const char *want)
{
	struct routes *routes = parse(text);
	struct names n = names_of(targets);
	struct routes_plan plan = {0};
	struct errmsg msg = {""};

	if (routes_find(&plan, routes, hostname, n.at, n.count, &msg))
		fail_msg("'%s' from %s to %s: %s", text, hostname, targets, msg.text);
	check_plan(&plan, want);
	names_done(&n);
	routes_free(routes);
}

static void not_found(const char *text, const char *hostname, const char *targets, int code,
		      const char *says)
{
	struct routes *routes = parse(text);
	struct names n = names_of(targets);
	struct routes_plan plan = {0};
	struct errmsg msg = {""};
	int rc = routes_find(&plan, routes, hostname, n.at, n.count, &msg);

	if (rc != code || !strstr(msg.text, says))
		fail_msg("'%s' from %s to %s gives %s: %s", text, hostname, targets, err_name(rc),
			 msg.text);
	assert_null(plan.parts);
	names_done(&n);
	routes_free(routes);
}

/* --- what is read ---------------------------------------------------------------------------- */

#define TREE                              \
	"# the example of ClusterShell\n" \
	"[routes]\n"                      \
	"rio0: rio[10-13]\n"              \
	"rio[10-11]: rio[100-240]\n"      \
	"rio[12-13]: rio[300-440]\n"

static void test_tree(void **state)
{
	(void)state;
	found(TREE, "rio0", "rio[100-103],rio[300-301]",
	      "rio10,rio11>0,1 rio11,rio10>2,3 rio12,rio13>4 rio13,rio12>5 hops 1");
	/* Gateways themselves, hosts of no line and this computer are connected to directly. */
	found(TREE, "rio0", "rio10,other,rio0", "hops 0");
	found(TREE, "rio0", "other,rio101,rio10", "rio10,rio11>1 hops 1");
	/* On a gateway, and on a leaf. */
	found(TREE, "rio10", "rio[100-103]", "hops 0");
	found(TREE, "rio100", "rio[100-103],rio300", "hops 0");
}

static void test_spellings(void **state)
{
	static const char *const texts[] = {
		"[routes]\na: g\ng: n[1-2]",
		"\xef\xbb\xbf[routes]\r\na:g\r\ng :n[1-2]\r\n",
		"[Main]\na = g\ng= n1 n2\n",
		"[DEFAULT]\na: g\n[routes]\ng: n1,n2\n",
		"[Main]\nx: y\n[other]\nnot: a,,b\nwhatever\n[routes]\na: g\ng: n[1-2]\n",
		"; comment\n  # comment\n[routes] # comment\n\n a: g # comment\n g: n1,\n  # "
		"comment\n\n"
		"   n2\n",
		"[routes]\ng:\n\tn1\n\tn2\na: g\n",
		"[routes]\na: g\n[routes]\ng: n[1-9]!n[3-9]\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		found(texts[i], "a", "n1,n2", "g>0,1 hops 1");
}

static void test_users_and_ports(void **state)
{
	(void)state;
	found("[routes]\na: g1\nroot@g1:2222: n1\n", "a", "n1", "root@g1:2222>0 hops 1");
	found("[routes]\na: root@g1:2222\ng1: n1\n", "a", "n1", "root@g1:2222>0 hops 1");
	found("[routes]\nroot@g1:2222=n1\na=g1\n", "a", "me@n1:22", "root@g1:2222>0 hops 1");
	found("[routes]\na: [::1]:22\n[::1]: n1\n", "a", "n1", "[::1]:22>0 hops 1");
	found("[routes]\na: 2001:db8::1\n2001:db8::1: n1\n", "a", "n1", "2001:db8::1>0 hops 1");
}

static void test_malformed(void **state)
{
	(void)state;
	refused("", ERR_SYNTAX, "t.conf: there is no [routes]; put it above");
	refused("[routing]\na: b\n", ERR_SYNTAX, "there is no [routes]");
	refused("[DEFAULT]\na: b\n", ERR_SYNTAX, "there is no [routes]");
	refused("[routes]\n# a: b\n", ERR_SYNTAX, "no line under [routes]; write one");
	refused("\na: b\n[routes]\n", ERR_SYNTAX, "t.conf:2: 'a: b' stands above all headings");
	refused("[routes\n", ERR_SYNTAX, "t.conf:1: '[routes' is no heading; add the ']'");
	refused("[routes]\na b\n", ERR_SYNTAX, "t.conf:2: 'a b' has no ':'; write");
	refused("[routes]\n: b\n", ERR_SYNTAX, "t.conf:2: ': b' has nothing before");
	refused("[routes]\na:\n", ERR_SYNTAX, "t.conf:2, position 3: a host must stand here");
	refused("[routes]\na: b!b\n", ERR_SYNTAX, "t.conf:2, position 3: a host must stand here");
	refused("[routes]\na: b,,c\n", ERR_SYNTAX, "t.conf:2, position 6: a host must stand");
	refused("[routes]\n\n  a[1: b\n", ERR_SYNTAX, "t.conf:3: ");
	refused("[routes]\na: ^hosts.txt\n", ERR_SYNTAX, "files and standard input cannot");
	refused("[routes]\na: @all\n", ERR_SYNTAX, "cannot be named here");
	refused("[routes]\na: n[5-3]\n", ERR_RANGE, "t.conf:2, position ");
	refused("[here]\nnames: a\n[routes]\na: b\n", ERR_SYNTAX,
		"t.conf:2, position 1: under [here]");
	assert_int_equal(
		routes_parse(&(struct routes *){NULL}, "[routes]\na\0b: c\n", 15, "t", NULL),
		ERR_SYNTAX);
}

static void test_no_tree(void **state)
{
	(void)state;
	refused("[routes]\na: b,a\n", ERR_EXISTS, "t.conf:2: a is its own gateway; take it");
	refused("[routes]\na: b\n\na: c\n", ERR_EXISTS,
		"t.conf:4: a stands before the ':' of line 2 already; write");
	refused("[routes]\na[1-2]: b\na[2-3]: c\n", ERR_EXISTS, "t.conf:3: a2 stands before");
	refused("[routes]\na: n[1-3]\nb: n[3-4]\n", ERR_EXISTS,
		"t.conf:3: n3 is reached by line 2 already; take it");
	refused("[routes]\na: b\nb: a\n", ERR_EXISTS, "a loop: line ");
	refused("[routes]\na: b\nb: c\nc: d\nd: b2,a\n", ERR_EXISTS, "a loop: line ");
	/* Gateways of one line that have to be reached in different ways. */
	refused("[routes]\na: g1\ng[1-2]: n1\n", ERR_SYNTAX,
		"t.conf:3: g1 is reached by line 2 and g2 is reached by no line; write a line");
	refused("[routes]\na: g1\nb: g2\ng[1-2]: n1\n", ERR_SYNTAX,
		"t.conf:4: g1 is reached by line 2 and g2 is reached by line 3");
}

/* --- limits ---------------------------------------------------------------------------------- */

static void test_limits(void **state)
{
	char *text = xmalloc(LIMIT_TOPOLOGY + 2);
	struct buf b = {0};
	struct errmsg msg;

	(void)state;
	memset(text, '#', LIMIT_TOPOLOGY + 1);
	text[LIMIT_TOPOLOGY + 1] = '\0';
	refused(text, ERR_LIMIT, "more than 65536 bytes; write ranges");
	free(text);
	refused("[routes]\na: n[1-1000001]\n", ERR_LIMIT, "t.conf:2, position ");
	refused("[routes]\na: n[1-600000]\nb: m[1-600000]\n", ERR_LIMIT, "more than 1000000 hosts");
	/* Work adds up over the lines. */
	buf_add_str(&b, "[routes]\n");
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "a%d: n[1-1000000]&n%d\n", i, i + 1);
	refused(buf_cstr(&b), ERR_LIMIT, "too much work");
	buf_clear(&b);
	buf_add_str(&b, "[routes]\n");
	for (unsigned i = 0; i <= LIMIT_HOPS + 1; i++)
		buf_addf(&b, "g%u: g%u\n", i, i + 1);
	found(buf_cstr(&b), "g0", "g9", "g1>0 hops 8");
	not_found(buf_cstr(&b), "g0", "g10", ERR_LIMIT,
		  "t.conf:11: g10 lies behind more than 8 gateways; let fewer");
	buf_clear(&b);
	/* More gateways than a job may have: that many stand in, and two sets of them are too much.
	 */
	buf_add_str(&b, "[routes]\na: g[1-300],h[1-300]\ng[1-300]: n[1-999]\nh[1-300]: m[1-999]\n");
	{
		struct routes *routes = parse(buf_cstr(&b));
		struct names one = names_of("n[1-999]"), both = names_of("n[1-999],m[1-999]");
		struct routes_plan plan = {0};

		assert_int_equal(routes_find(&plan, routes, "a", one.at, one.count, NULL), 0);
		assert_int_equal(plan.count, LIMIT_GATEWAYS);
		for (size_t i = 0; i < plan.count; i++)
			assert_in_range(plan.parts[i].target_count, 3, 4);
		assert_int_equal(plan.parts[0].gateway_count, 16);
		routes_plan_done(&plan);
		assert_int_equal(routes_find(&plan, routes, "a", both.at, both.count, &msg),
				 ERR_LIMIT);
		assert_non_null(strstr(msg.text, "512 gateways at once, and one job has at most "
						 "256; name fewer"));
		names_done(&one);
		names_done(&both);
		routes_free(routes);
	}
	buf_done(&b);
}

static void test_scattered(void **state)
{
	struct routes *routes = parse("[routes]\na: g\ng: n[1-20000/2]\n");
	struct names n = names_of("n[1-20000]");
	struct routes_plan plan = {0};
	struct errmsg msg;

	(void)state;
	assert_int_equal(routes_find(&plan, routes, "a", n.at, 2 * ROUTES_RUNS_MAX, &msg), 0);
	routes_plan_done(&plan);
	assert_int_equal(routes_find(&plan, routes, "a", n.at, n.count, &msg), ERR_LIMIT);
	assert_non_null(
		strstr(msg.text, "behind gateway g stand among others more than 4096 times"));
	names_done(&n);
	routes_free(routes);
}

/* --- where this is --------------------------------------------------------------------------- */

static void test_here(void **state)
{
	(void)state;
	found("[routes]\na: g\ng: n1\n", "a.example.com", "n1", "g>0 hops 1");
	found("[routes]\na.example.com: g\ng: n1\n", "a.example.com", "n1", "g>0 hops 1");
	/* Both are known: the one that reaches others. */
	found("[routes]\na: g\ng: n1,a.example.com\n", "a.example.com", "n1", "g>0 hops 1");
	found("[here]\nname: a\n[routes]\na: g\ng: n1\n", "ip-10-0-0-7", "n1", "g>0 hops 1");
	found("[routes]\na: g\ng: n1\n[here]\nname: x\n[here]\nname: root@a:22", "g", "n1",
	      "g>0 hops 1");
	not_found("[routes]\na: g\ng: n1\n", "c.d", "n1", ERR_NOTFOUND,
		  "t.conf: this computer, c.d, is in no line; add the line 'c.d: GATEWAYS'");
	not_found("[routes]\na: g\ng: n1\n[here]\nname: c\n", "a", "n1", ERR_NOTFOUND,
		  "t.conf: this computer, c, is in no line");
	not_found("[routes]\na: g\ng: n1\n", "", "n1", ERR_NOTFOUND, "is in no line");
}

static void test_no_way(void **state)
{
	static const char two[] = "[routes]\na: g1\ng1: n1\nb: g2\ng2: n2\n";

	(void)state;
	found(two, "a", "n1", "g1>0 hops 1");
	not_found(two, "a", "n1,n2", ERR_NOTFOUND,
		  "t.conf:5: n2 is reached by way of b, and no line leads there from this computer "
		  "(a)");
	not_found(two, "g1", "g1,g2", ERR_NOTFOUND, "t.conf:4: g2 is reached by way of b");
	found(two, "g1", "g1,a", "hops 0");
}

static void test_hops(void **state)
{
	static const char text[] = "[routes]\na: g[1-2]\ng[1-2]: h[1-2]\nh1: m[1-9]\nh2: n[1-9]\n";

	(void)state;
	found(text, "a", "h1", "g1,g2>0 hops 1");
	found(text, "a", "n1,h2,m1,g2,x", "g1,g2>0 g2,g1>1,2 hops 2");
	found(text, "g1", "n1,h2,m1,x", "h2>0 h1>2 hops 1");
}

/* What gateways get says the same, whoever wrote it. */
static void test_text(void **state)
{
	static const char text[] =
		"# x\n[here]\nname: b\n[Main]\n  root@a:22 = g[1-2], # y\n\n     g3\n"
		"  g[1-3]: n[1-9]\n[other]\n\xff\n";
	struct routes *routes = parse(text), *again;
	struct buf b = {0}, c = {0};

	(void)state;
	routes_text(routes, NULL, &b);
	assert_string_equal(buf_cstr(&b), "[routes]\n\n\n\nroot@a:22 = g[1-2],\n\n     g3\n"
					  "g[1-3] = n[1-9]\n");
	again = parse(buf_cstr(&b));
	routes_text(again, NULL, &c);
	assert_string_equal(buf_cstr(&c), buf_cstr(&b));
	buf_clear(&c);
	routes_text(again, "root@g2:2222", &c);
	routes_free(again);
	found(buf_cstr(&c), "a", "n1", "hops 0");
	buf_add_str(&c, "[here]\nname: a\n");
	found(buf_cstr(&c), "x", "n1", "g1,g2,g3>0 hops 1");
	buf_done(&b);
	buf_done(&c);
	routes_free(routes);
}

/* --- gateways that are named ----------------------------------------------------------------- */

static void via(const char *gateways, const char *targets, const char *want)
{
	struct names g = names_of(gateways), n = names_of(targets);
	struct routes_plan plan = {0};
	struct errmsg msg = {""};

	if (routes_via(&plan, g.list, n.at, n.count, &msg))
		fail_msg("%s via %s: %s", targets, gateways, msg.text);
	check_plan(&plan, want);
	names_done(&g);
	names_done(&n);
}

static void test_via(void **state)
{
	struct names many = names_of("g[1-257]");
	struct errmsg msg;

	(void)state;
	via("g1", "n[1-3]", "g1>0,1,2 hops 1");
	via("g[1-3]", "n[1-7]", "g1,g2,g3>0,1 g2,g3,g1>2,3 g3,g1,g2>4,5,6 hops 1");
	via("g[1-3]", "n1", "g1,g2,g3>0 hops 1");
	via("root@g1:22,g2", "n1,g1,n2,g2", "root@g1:22,g2>0 g2,root@g1:22>2 hops 1");
	via("g1", "g1", "hops 0");
	via("", "n1", "hops 0");
	via("g1", "", "hops 0");
	assert_int_equal(routes_via(&(struct routes_plan){0}, many.list, many.at, 1, &msg),
			 ERR_LIMIT);
	assert_non_null(strstr(msg.text, "257 gateways"));
	names_done(&many);
}

/* --- size ------------------------------------------------------------------------------------ */

/* Every target is in one part, parts of a set differ by one at most, and nothing is quadratic: the
 * limit has much room for sanitizers. */
static void test_ten_thousand(void **state)
{
	struct names n = names_of("n[1-10000]");
	char *seen = xcalloc(n.count, 1);
	uint64_t begin = clock_mono_ns();
	struct routes *routes = parse("[routes]\nadmin: g[1-32]\ng[1-16]: n[1-5000]\n"
				      "g[17-32]: n[5001-10000]\n");
	struct routes_plan plan = {0};
	uint64_t took;

	(void)state;
	assert_int_equal(routes_find(&plan, routes, "admin", n.at, n.count, NULL), 0);
	took = clock_mono_ns() - begin;
	print_message("10,000 targets: %llu us\n", (unsigned long long)took / 1000);
	assert_in_range(took, 0, UINT64_C(500000000));
	assert_int_equal(plan.count, 32);
	for (size_t i = 0; i < plan.count; i++) {
		const struct routes_part *p = &plan.parts[i];

		assert_in_range(p->target_count, 312, 313);
		assert_int_equal(p->gateway_count, 16);
		for (size_t k = 0; k < p->target_count; k++) {
			assert_int_equal(seen[p->targets[k]], 0);
			seen[p->targets[k]] = 1;
		}
	}
	assert_null(memchr(seen, 0, n.count));
	free(seen);
	routes_plan_done(&plan);
	routes_free(routes);
	names_done(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_users_and_ports),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_no_tree),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_scattered),
		cmocka_unit_test(test_here),
		cmocka_unit_test(test_no_way),
		cmocka_unit_test(test_hops),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_via),
		cmocka_unit_test(test_ten_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
