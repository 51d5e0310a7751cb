/* Checks of what an expression expands to, for the tests of this folder. */
#ifndef MUSTER_TEST_EXPR_EXPECT_H
#define MUSTER_TEST_EXPR_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "hostlist.h"

struct file {
	const char *path; /* NULL: standard input */
	const char *text;
};

/* Reads from an array of files that ends with one without text. */
static inline int read_fake(void *ctx, const char *path, struct buf *out, struct errmsg *msg)
{
	for (const struct file *f = ctx; f->text; f++) {
		if (!path != !f->path || (path && strcmp(path, f->path) != 0))
			continue;
		buf_add_str(out, f->text);
		return 0;
	}
	return err_set(msg, ERR_NOTFOUND, "cannot read '%s': not there", path ? path : "-");
}

/* The labels, each followed by a space. The caller frees. */
static inline char *labels(const struct hostlist *list)
{
	struct buf b = {0};

	for (size_t i = 0; i < hostlist_count(list); i++)
		buf_addf(&b, "%s ", hostlist_at(list, i)->label);
	return buf_take_str(&b);
}

static inline void expect(const char *expr, struct file *files, const char *want)
{
	struct errmsg msg = {""};
	struct hostlist *list = NULL;
	int rc = hostlist_parse(
		&list, expr,
		&(struct hostlist_env){.read = files ? read_fake : NULL, .read_ctx = files}, &msg);
	char *got;

	if (rc)
		fail_msg("'%s': %s", expr, msg.text);
	got = labels(list);
	assert_string_equal(got, want);
	free(got);
	hostlist_free(list);
}

static inline void expect_error(const char *expr, struct file *files, int code, const char *place,
				const char *what)
{
	struct errmsg msg = {""};
	struct hostlist *untouched = (struct hostlist *)&msg, *list = untouched;
	int rc = hostlist_parse(
		&list, expr,
		&(struct hostlist_env){.read = files ? read_fake : NULL, .read_ctx = files}, &msg);

	assert_ptr_equal(list, untouched);
	if (rc != code || !strstr(msg.text, place) || !strstr(msg.text, what))
		fail_msg("'%s' gave %s: '%s', which should be %s with '%s' and '%s'", expr,
			 err_name(rc), msg.text, err_name(code), place, what);
	assert_int_equal(hostlist_parse(&list, expr,
					&(struct hostlist_env){.read = files ? read_fake : NULL,
							       .read_ctx = files},
					NULL),
			 code);
}

#endif
