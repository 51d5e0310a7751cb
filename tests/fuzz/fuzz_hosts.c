// NEEDS: hosts
/*
 * Fuzzing of host expressions. The input is an expression and, after NUL bytes, the content of the
 * files named 0, 1, 2, ...; what can be parsed is folded and must expand to the same hosts.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "fold.h"
#include "hostlist.h"
#include "hostlist_private.h"

#define FUZZ_HOSTS 1000u
#define FUZZ_WORK  2000000u

struct input {
	const uint8_t *data;
	size_t n;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The part of the input that follows the index-th NUL. */
static int fuzz_read(void *ctx, const char *path, struct buf *out, struct errmsg *msg)
{
	const struct input *in = ctx;
	const uint8_t *at = in->data, *end = in->data + in->n, *stop;

	for (int skip = path ? path[0] - '0' : 0; skip >= 0; skip--) {
		at = at < end ? memchr(at, 0, (size_t)(end - at)) : NULL;
		if (!at)
			return err_set(msg, ERR_NOTFOUND, "no such file");
		at++;
	}
	stop = at < end ? memchr(at, 0, (size_t)(end - at)) : NULL;
	buf_add(out, at, (size_t)((stop ? stop : end) - at));
	return 0;
}

static void fuzz_require(int holds)
{
	if (!holds)
		abort();
}

static void fuzz_fold(const struct hostlist *list)
{
	size_t n = hostlist_count(list);
	const char **names = xcalloc(n, sizeof *names);
	struct hostlist *again = NULL;
	char *text;

	for (size_t i = 0; i < n; i++) {
		fuzz_require(hostlist_name_ok(hostlist_at(list, i)->name));
		names[i] = hostlist_at(list, i)->label;
	}
	text = fold_names(names, n);
	fuzz_require(hostlist_parse(&again, text, NULL, NULL) == 0);
	fuzz_require(hostlist_count(again) == n);
	hostlist_add_all(again, list);
	fuzz_require(hostlist_count(again) == n);
	hostlist_free(again);
	free(text);
	free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct expr_limits limits = {FUZZ_HOSTS, FUZZ_WORK};
	struct input in = {data, n};
	struct errmsg msg = {""};
	struct hostlist *list = NULL;
	char *expr = xmalloc(n + 1);

	if (n)
		memcpy(expr, data, n);
	expr[n] = '\0';
	if (expr_parse(&list, expr, &limits,
		       &(struct hostlist_env){.read = fuzz_read, .read_ctx = &in}, &msg) == 0) {
		fuzz_fold(list);
		hostlist_free(list);
	} else {
		fuzz_require(msg.text[0] && strlen(msg.text) < ERRMSG_MAX);
	}
	free(expr);
	return 0;
}
