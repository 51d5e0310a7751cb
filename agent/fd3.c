#include "fd3.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "escape.h"
#include "limits.h"
#include "parse.h"
#include "value.h"

#define FD3_WARNINGS  100
#define FD3_SHOWN     200 /* bytes of a bad line in a warning */
#define FD3_NO_STREAM STREAM_COUNT

struct fd3 {
	struct parse *parse;
	fd3_fn *fn;
	void *arg;
	int warnings;
};

/* The members of an object that mean something. */
struct fd3_line {
	uint64_t stream; /* FD3_NO_STREAM: not told */
	bool bad_stream;
	const uint8_t *value; /* msgpack; NULL: none */
	size_t len;
	uint32_t nodes;
};

static void fd3_give_text(struct fd3 *f, uint64_t stream, const void *data, size_t len)
{
	const uint8_t *at = data;

	do {
		struct record r = {.stream = stream, .value = at, .len = len};

		if (len > LIMIT_RECORD_VALUE) {
			r.len = LIMIT_RECORD_VALUE;
			r.flags = RECORD_CONTINUES;
		}
		f->fn(f->arg, &r);
		at += r.len;
		len -= r.len;
	} while (len);
}

static void fd3_warn(struct fd3 *f, const char *what, const void *line, size_t len)
{
	struct buf text = {0};

	if (f->warnings > FD3_WARNINGS)
		return;
	if (f->warnings++ == FD3_WARNINGS) {
		buf_add_str(&text, "MUSTER_FD: further lines that are no messages are not shown");
	} else {
		buf_addf(&text, "MUSTER_FD: %s: ", what);
		escape_display(&text, line, len < FD3_SHOWN ? len : FD3_SHOWN);
		buf_add_str(&text, len > FD3_SHOWN ? "..." : "");
	}
	fd3_give_text(f, STREAM_WARNING, text.data, text.len);
	buf_done(&text);
}

static bool fd3_is(const struct value *v, const char *text)
{
	return v->kind == VALUE_STR && v->len == strlen(text) && !memcmp(v->data, text, v->len);
}

static uint64_t fd3_stream(const struct value *v)
{
	for (uint64_t stream = 0; stream < STREAM_COUNT; stream++)
		if (stream != STREAM_ERROR && fd3_is(v, record_stream_name(stream)))
			return stream;
	return FD3_NO_STREAM;
}

static bool fd3_member(struct value_in *in, struct fd3_line *line)
{
	bool is_value, is_progress;
	const uint8_t *begin;
	struct value v;
	uint32_t nodes;

	if (!value_next(in, &v))
		return false;
	if (fd3_is(&v, "stream")) {
		if (!value_next(in, &v))
			return false;
		line->stream = fd3_stream(&v);
		line->bad_stream = line->stream == FD3_NO_STREAM;
		return v.kind == VALUE_STR;
	}
	is_progress = fd3_is(&v, "progress");
	is_value = fd3_is(&v, "value");
	begin = in->next;
	if (!value_skip(in, &nodes))
		return false;
	if (is_progress)
		line->stream = STREAM_PROGRESS;
	if (is_progress || is_value) {
		line->value = begin;
		line->len = (size_t)(in->next - begin);
		line->nodes = nodes;
	}
	return true;
}

static bool fd3_read(const struct record *record, struct fd3_line *ret)
{
	struct fd3_line line = {.stream = FD3_NO_STREAM};
	struct value_in in = value_in(record->value, record->len);
	struct value map;

	if (!record->is_typed || record->schema || !value_next(&in, &map) || map.kind != VALUE_MAP)
		return false;
	for (uint32_t i = 0; i < map.count; i++)
		if (!fd3_member(&in, &line))
			return false;
	*ret = line;
	return true;
}

/* Of a line that is no JSON the parser gives a map of why and what, or pieces of the line. */
static void fd3_on_unparsed(struct fd3 *f, const struct record *record)
{
	struct value_in in = value_in(record->value, record->len);
	struct value v = {.data = record->value, .len = record->len};

	if (record->is_typed)
		while (value_next(&in, &v) && !fd3_is(&v, "$raw"))
			;
	if (record->is_typed && !value_next(&in, &v))
		v.len = 0;
	fd3_warn(f, "not a JSON object", v.data, v.len);
}

static void fd3_on_record(void *arg, const struct record *record)
{
	struct fd3 *f = arg;
	struct fd3_line line;
	struct value_in in;
	struct value v;

	if (record->flags & RECORD_UNPARSED) {
		fd3_on_unparsed(f, record);
		return;
	}
	if (!fd3_read(record, &line)) {
		fd3_warn(f, "not a JSON object", "", 0);
		return;
	}
	if (line.bad_stream || line.stream == FD3_NO_STREAM || !line.value) {
		fd3_warn(f,
			 line.bad_stream ? "there is no such stream"
					 : "an object without stream and value, or progress",
			 "", 0);
		return;
	}
	in = value_in(line.value, line.len);
	if (value_next(&in, &v) && (v.kind == VALUE_STR || v.kind == VALUE_BIN)) {
		fd3_give_text(f, line.stream, v.data, v.len);
		return;
	}
	f->fn(f->arg, &(struct record){.stream = line.stream,
				       .value = line.value,
				       .len = line.len,
				       .is_typed = true,
				       .nodes = line.nodes});
}

static void fd3_on_schema(void *arg, uint64_t schema, const char *const *columns, size_t count)
{
	(void)arg;
	(void)schema;
	(void)columns;
	(void)count;
}

struct fd3 *fd3_new(fd3_fn *fn, void *arg)
{
	static const struct parse_events events = {fd3_on_record, fd3_on_schema};
	struct fd3 *f = xcalloc(1, sizeof *f);

	f->fn = fn;
	f->arg = arg;
	/* There is nothing in this that could be wrong. */
	if (parse_new(&f->parse, PARSE_JSONL, NULL, &events, f, NULL) < 0)
		abort();
	return f;
}

void fd3_free(struct fd3 *f)
{
	if (f)
		parse_free(f->parse);
	free(f);
}

void fd3_add(struct fd3 *f, const void *data, size_t len)
{
	parse_add(f->parse, data, len);
}

void fd3_end(struct fd3 *f)
{
	parse_end(f->parse);
}
