/* Rendering records in pieces, for the tests of this folder. */
#ifndef MUSTER_TEST_FORMAT_RENDER_H
#define MUSTER_TEST_FORMAT_RENDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "format.h"

static const struct render_style plain = {.labels = true};
static const struct render_style bare = {0};
static const struct render_style coloured = {.labels = true, .colour = true};
static const struct render_style terminal = {.labels = true, .colour = true, .escape = true};
static const struct render_style escaped = {.labels = true, .escape = true};
static const struct render_style bare_terminal = {.colour = true, .escape = true};

static const struct format_record record = {
	.host = "web1",
	.job = 12,
	.child = 13,
	.stream = "output",
	.seq = 18446744073709551615u,
	.time_ns = 1772368496123456789u,
	.is_text = true,
};

/* A string literal that may hold NUL, as data and length. */
#define BYTES(literal) literal, sizeof literal - 1

/* One record of an output, in pieces of step bytes. */
static inline void add(struct buf *out, const struct format *f, const struct render_style *style,
		       struct format_state *st, const struct format_record *r, const void *data,
		       size_t len, size_t step)
{
	const char *p = data;

	f->begin(out, style, st, r);
	for (size_t at = 0; at < len; at += step)
		f->piece(out, style, st, r, p + at, len - at < step ? len - at : step);
	f->end(out, style, st, r);
}

/* The same for an output of this record alone, which is not closed. */
static inline void render(struct buf *out, const struct format *f, const struct render_style *style,
			  const struct format_record *r, const void *data, size_t len, size_t step)
{
	struct format_state st = {0};

	add(out, f, style, &st, r, data, len, step);
}

static inline void expect_n(const struct format *f, const struct render_style *style,
			    const struct format_record *r, const void *data, size_t len,
			    const char *want, size_t want_len)
{
	struct buf out = {0};

	render(&out, f, style, r, data, len, len ? len : 1);
	assert_string_equal(buf_cstr(&out), want);
	assert_int_equal(out.len, want_len);
	assert_memory_equal(out.data, want, want_len);
	buf_done(&out);
}

static inline void expect(const struct format *f, const struct render_style *style,
			  const struct format_record *r, const char *text, const char *want)
{
	expect_n(f, style, r, text, strlen(text), want, strlen(want));
}

/* An output to which nothing was written. */
static inline void expect_empty(const struct format *f, const struct render_style *style,
				const char *want)
{
	struct format_state st = {0};
	struct buf out = {0};

	f->close(&out, style, &st);
	assert_string_equal(buf_cstr(&out), want);
	buf_done(&out);
}

/* Every way of cutting the value gives what the whole gives, in this output and in the next. */
static inline void expect_pieces(const struct format *f, const struct render_style *style,
				 const struct format_record *r, const void *data, size_t len,
				 size_t max_step)
{
	struct format_state whole = {0};
	struct buf want = {0};

	add(&want, f, style, &whole, r, data, len, len ? len : 1);
	add(&want, f, style, &whole, r, data, len, len ? len : 1);
	f->close(&want, style, &whole);
	for (size_t step = 1; step < max_step; step++) {
		struct format_state st = {0};
		struct buf got = {0};

		add(&got, f, style, &st, r, data, len, step);
		add(&got, f, style, &st, r, data, len, step);
		f->close(&got, style, &st);
		assert_int_equal(got.len, want.len);
		assert_memory_equal(got.data, want.data, want.len);
		buf_done(&got);
	}
	buf_done(&want);
}

#endif
