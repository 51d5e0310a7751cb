// NEEDS: hosts
/*
 * Fuzzing of topologies. The input is a topology and, after a NUL byte, the host expression of the
 * targets; the first name in the topology is where we are. What is read is written again and must
 * then lead to the same parts, in which no target stands twice.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "hostlist_private.h"
#include "limits.h"
#include "routes.h"
#include "routes_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void fuzz_require(int holds)
{
	if (!holds)
		abort();
}

static void fuzz_parts(const struct routes_plan *plan, size_t count)
{
	char *seen = xcalloc(count + 1, 1);

	fuzz_require(plan->count <= LIMIT_GATEWAYS && plan->hops <= LIMIT_HOPS);
	for (size_t i = 0; i < plan->count; i++) {
		const struct routes_part *p = &plan->parts[i];

		fuzz_require(p->target_count && p->gateway_count &&
			     p->gateway_count <= LIMIT_GATEWAYS);
		for (size_t k = 0; k < p->target_count; k++) {
			fuzz_require(p->targets[k] < count && !seen[p->targets[k]]);
			seen[p->targets[k]] = 1;
		}
	}
	free(seen);
}

/* The parts, as one text. */
static char *fuzz_find(const struct routes *routes, const struct hostlist *targets)
{
	size_t n = hostlist_count(targets);
	const char **names = xcalloc(n + 1, sizeof *names);
	struct routes_plan plan = {0};
	struct errmsg msg = {""};
	struct buf b = {0};
	int rc;

	for (size_t i = 0; i < n; i++)
		names[i] = hostlist_at(targets, i)->name;
	rc = routes_find(&plan, routes, hostlist_at(routes->names, 0)->name, names, n, &msg);
	fuzz_require(!rc == !msg.text[0]);
	fuzz_parts(&plan, n);
	buf_addf(&b, "%d", rc);
	for (size_t i = 0; i < plan.count; i++)
		buf_addf(&b, " %s %zu", plan.parts[i].gateways[0], plan.parts[i].target_count);
	routes_plan_done(&plan);
	free(names);
	return buf_take_str(&b);
}

static struct routes *fuzz_reparse(const struct routes *routes, const char *here)
{
	struct routes *again = NULL;
	struct buf text = {0};

	routes_text(routes, here, &text);
	fuzz_require(routes_parse(&again, buf_cstr(&text), text.len, "again", NULL) == 0 ||
		     text.len > LIMIT_TOPOLOGY);
	buf_done(&text);
	return again;
}

static void fuzz_again(const struct routes *routes, const struct hostlist *targets)
{
	struct routes *same = fuzz_reparse(routes, NULL);
	struct routes *other = fuzz_reparse(routes, hostlist_at(routes->names, 0)->label);
	char *one = fuzz_find(routes, targets), *two;

	if (same && !routes->here) {
		two = fuzz_find(same, targets);
		fuzz_require(strcmp(one, two) == 0);
		free(two);
	}
	fuzz_require(!other || (other->here && hostlist_count(other->here) == 1));
	free(one);
	routes_free(same);
	routes_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct expr_limits limits = {1000, 2000000};
	const uint8_t *end = n ? memchr(data, 0, n) : NULL;
	size_t len = end ? (size_t)(end - data) : n;
	char *text = xmalloc(n + 1), *expr = xstrdup("");
	struct hostlist *targets = NULL;
	struct routes *routes = NULL;
	struct errmsg msg = {""};

	if (n)
		memcpy(text, data, n);
	text[n] = '\0';
	if (end) {
		free(expr);
		expr = xstrdup(text + len + 1);
	}
	if (routes_parse(&routes, text, len, "file", &msg) == 0) {
		if (expr_parse(&targets, expr, &limits, NULL, NULL) != 0)
			targets = hostlist_new();
		fuzz_again(routes, targets);
	} else {
		fuzz_require(msg.text[0] && strlen(msg.text) < ERRMSG_MAX);
	}
	/* A NUL byte is no part of a topology. */
	fuzz_require(!end || routes_parse(&routes, text, n, "file", NULL) != 0);
	hostlist_free(targets);
	routes_free(routes);
	free(expr);
	free(text);
	return 0;
}
