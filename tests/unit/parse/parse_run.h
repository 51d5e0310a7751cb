/*
 * A parser's events as text, an event a line, and tables of input and expected text:
 *
 *   schema 1(name,size)     row 1["a",2]      value {"k":nil}     text|plain bytes\x00
 *   followed by " continues", " no_eol", " unparsed" for the flags.
 *
 * What is typed must also pass through a message as it goes to the initiator.
 */
#ifndef MUSTER_PARSE_RUN_H
#define MUSTER_PARSE_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "limits.h"
#include "parse.h"
#include "utf8.h"
#include "value.h"

struct parse_case {
	const char *name;
	uint64_t kind;
	const char *argument;
	const char *input;
	size_t len; /* 0: strlen */
	const char *expected;
};

#define BYTES(text) text, sizeof(text) - 1

static inline void run_put_bytes(struct buf *out, const uint8_t *data, size_t len)
{
	bool is_text = utf8_valid(data, len);

	for (size_t i = 0; i < len; i++)
		if (data[i] < 0x20 || data[i] == 0x7f || (data[i] >= 0x80 && !is_text))
			buf_addf(out, "\\x%02x", data[i]);
		else
			buf_add_char(out, (char)data[i]);
}

static inline void run_put_value(struct buf *out, struct value_in *in)
{
	struct value v;

	assert_true(value_next(in, &v));
	switch (v.kind) {
	case VALUE_NIL:
		buf_add_str(out, "nil");
		break;
	case VALUE_BOOL:
		buf_add_str(out, v.b ? "true" : "false");
		break;
	case VALUE_UINT:
		buf_addf(out, "%" PRIu64, v.u);
		break;
	case VALUE_INT:
		buf_addf(out, "%" PRId64, v.i);
		break;
	case VALUE_FLOAT:
		buf_addf(out, "%gf", v.f);
		break;
	case VALUE_STR:
	case VALUE_BIN:
		buf_add_str(out, v.kind == VALUE_BIN ? "b\"" : "\"");
		run_put_bytes(out, v.data, v.len);
		buf_add_char(out, '"');
		break;
	case VALUE_ARRAY:
	case VALUE_MAP:
		buf_add_char(out, v.kind == VALUE_MAP ? '{' : '[');
		for (uint32_t i = 0; i < v.count; i++) {
			if (i)
				buf_add_char(out, ',');
			run_put_value(out, in);
			if (v.kind == VALUE_MAP) {
				buf_add_char(out, ':');
				run_put_value(out, in);
			}
		}
		buf_add_char(out, v.kind == VALUE_MAP ? '}' : ']');
		break;
	case VALUE_TIME:
	default:
		fail_msg("no parser makes this type");
	}
}

static inline int run_received(void *arg, uint64_t child, uint64_t seq, const struct record *record)
{
	const struct record *sent = arg;

	(void)child;
	(void)seq;
	assert_int_equal(record->is_typed, sent->is_typed);
	assert_int_equal(record->flags, sent->flags);
	assert_int_equal(record->schema, sent->schema);
	assert_int_equal(record->len, sent->len);
	assert_memory_equal(record->value, sent->value, sent->len);
	if (sent->is_typed)
		assert_int_equal(record->nodes, sent->nodes);
	return 0;
}

/* As the agent sends it. */
static inline void run_send(const struct record *record)
{
	struct record_batch batch = {0};
	struct record sent = *record;
	struct buf body = {0};
	struct errmsg msg;

	record_batch_add(&batch, record);
	records_put(&body, 1, 1, &batch);
	if (records_get(body.data, body.len, run_received, &sent, &msg) < 0)
		fail_msg("%s", msg.text);
	buf_done(&body);
	record_batch_done(&batch);
}

static inline void run_record(void *arg, const struct record *record)
{
	struct buf *out = arg;

	run_send(record);
	if (record->is_typed) {
		struct value_in in = value_in(record->value, record->len);

		if (record->schema)
			buf_addf(out, "row %" PRIu64, record->schema);
		else
			buf_add_str(out, "value ");
		run_put_value(out, &in);
		assert_ptr_equal(in.next, in.end);
	} else {
		buf_add_str(out, "text|");
		run_put_bytes(out, record->value, record->len);
	}
	if (record->flags & RECORD_CONTINUES)
		buf_add_str(out, " continues");
	if (record->flags & RECORD_NO_EOL)
		buf_add_str(out, " no_eol");
	if (record->flags & RECORD_UNPARSED)
		buf_add_str(out, " unparsed");
	buf_add_char(out, '\n');
}

static inline void run_schema(void *arg, uint64_t schema, const char *const *columns, size_t count)
{
	struct buf *out = arg;

	buf_addf(out, "schema %" PRIu64 "(", schema);
	for (size_t i = 0; i < count; i++)
		buf_addf(out, "%s%s", i ? "," : "", columns[i]);
	buf_add_str(out, ")\n");
}

static const struct parse_events run_events = {run_record, run_schema};

static inline struct parse *run_new(uint64_t kind, const char *argument,
				    const struct parse_events *events, void *arg)
{
	struct parse *p = NULL;
	struct errmsg msg;

	if (parse_new(&p, kind, argument, events, arg, &msg) < 0)
		fail_msg("%s", msg.text);
	return p;
}

/* The input in portions: first bytes, then step by step. An exact copy of each, for sanitizers. */
static inline char *run_parser(const struct parse_case *c, size_t first, size_t step)
{
	size_t len = c->len ? c->len : strlen(c->input), at = 0;
	struct buf out = {0};
	struct parse *p = run_new(c->kind, c->argument, &run_events, &out);

	while (at < len) {
		size_t n = at ? step : first;
		uint8_t *portion;

		n = n < len - at ? n : len - at;
		if (!n)
			n = step < len ? step : len;
		portion = xmalloc(n);
		memcpy(portion, c->input + at, n);
		parse_add(p, portion, n);
		free(portion);
		at += n;
	}
	parse_end(p);
	parse_free(p);
	return buf_take_str(&out);
}

static inline void run_check(const struct parse_case *c, size_t first, size_t step)
{
	char *found = run_parser(c, first, step);

	if (strcmp(found, c->expected) != 0)
		fail_msg("%s (portions of %zu, %zu):\n--- found:\n%s--- expected:\n%s", c->name,
			 first, step, found, c->expected);
	free(found);
}

/* Whole, cut in two at every byte, and byte by byte: always the same. */
static inline void run_cases(const struct parse_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = cases[i].len ? cases[i].len : strlen(cases[i].input);

		for (size_t cut = 1; cut <= len; cut++)
			run_check(&cases[i], cut, len);
		run_check(&cases[i], 1, 1);
		run_check(&cases[i], 3, 2);
	}
}

/* What a long input leads to, counted. */
struct run_count {
	size_t records;
	size_t unparsed;
	size_t typed;
	size_t bytes; /* of texts */
	size_t longest;
	uint64_t last_flags;
};

static inline void run_count_record(void *arg, const struct record *record)
{
	struct run_count *c = arg;

	c->records++;
	c->unparsed += (record->flags & RECORD_UNPARSED) != 0;
	c->typed += record->is_typed;
	c->last_flags = record->flags;
	if (record->is_typed)
		return;
	c->bytes += record->len;
	c->longest = record->len > c->longest ? record->len : c->longest;
}

static inline void run_count_schema(void *arg, uint64_t schema, const char *const *columns,
				    size_t count)
{
	(void)arg, (void)schema, (void)columns, (void)count;
}

static const struct parse_events run_count_events = {run_count_record, run_count_schema};

/* A parser of which only counts are looked at. */
static inline struct parse *run_counter(uint64_t kind, const char *argument, struct run_count *ret)
{
	*ret = (struct run_count){0};
	return run_new(kind, argument, &run_count_events, ret);
}

/* The same text again and again. */
static inline void run_repeat(struct parse *p, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		parse_add(p, text, strlen(text));
}

static inline void run_finish(struct parse *p)
{
	parse_end(p);
	parse_free(p);
}

#endif
