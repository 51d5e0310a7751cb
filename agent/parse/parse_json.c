/*
 * json: documents one after the other, of an array each element on its own, so that one element
 * is the most that is ever kept. jsonl: a document a line.
 *
 * What is kept of json is found by its brackets and quotes alone; document.c then judges it.
 */
#include <string.h>

#include "document.h"
#include "gather.h"
#include "give.h"
#include "kind.h"

enum json_state {
	JSON_TOP,	  /* between documents */
	JSON_ARRAY_FIRST, /* after the bracket of an array: an element, or its end */
	JSON_ARRAY_VALUE, /* after a comma in it */
	JSON_ARRAY_NEXT,  /* after an element: a comma, or its end */
	JSON_VALUE,	  /* in a value that began in one of the above */
	JSON_REST	  /* after a fault: lines */
};

struct parse_json {
	struct parse parse;
	enum json_state state;
	enum json_state after; /* a value: JSON_TOP or JSON_ARRAY_NEXT */
	uint64_t number;       /* of the value, from 1 */
	struct buf text;       /* of the value, at most LIMIT_LINE_JSON */
	struct pieces pieces;  /* of one that is longer */
	bool over;	       /* it is */
	bool is_scalar;	       /* ends at a blank or at punctuation */
	bool begun;	       /* its first byte has been seen */
	bool in_string;
	bool escaped;
	uint64_t depth;
	struct gather lines; /* of JSON_REST; of jsonl */
	struct errmsg why;
	struct document document;
};

static void json_give(struct parse_json *j)
{
	struct document *d = &j->document;

	if (d->is_text)
		give_text(&j->parse, 0, d->value.data, d->value.len);
	else
		give_typed(&j->parse, &d->value, d->nodes, 0);
}

static void json_rest_line(struct parse *p, const uint8_t *line, size_t len)
{
	struct parse_json *j = (struct parse_json *)p;

	if (gather_trim(line, len))
		give_unparsed(p, j->why.text, line, len);
}

/* No JSON from here on. */
static void json_fault(struct parse_json *j, const char *rule, const uint8_t *text, size_t len)
{
	(void)err_set(&j->why, ERR_SYNTAX, "not JSON from value %llu on: %s",
		      (unsigned long long)j->number, rule);
	j->state = JSON_REST;
	if (len)
		gather_add(&j->lines, &j->parse, text, len, json_rest_line);
}

static void json_finish(struct parse_json *j, const uint8_t *text, size_t len)
{
	struct errmsg inner;
	int r = document_parse(&j->document, text, len, &inner);

	if (r == ERR_SYNTAX) {
		json_fault(j, inner.text, text, len);
		return;
	}
	j->state = j->after;
	if (r == 0) {
		json_give(j);
		return;
	}
	(void)err_set(&j->why, r, "JSON value %llu: %s", (unsigned long long)j->number, inner.text);
	give_unparsed(&j->parse, j->why.text, text, len);
}

static void json_value_begin(struct parse_json *j, uint8_t first, enum json_state after)
{
	j->state = JSON_VALUE;
	j->after = after;
	j->number++;
	j->is_scalar = first != '{' && first != '[' && first != '"';
	j->begun = false;
	j->in_string = false;
	j->escaped = false;
	j->depth = 0;
	j->over = false;
	buf_clear(&j->text);
}

static size_t json_scan_scalar(const uint8_t *data, size_t len, bool *ret_end)
{
	for (size_t i = 0; i < len; i++)
		if (document_is_blank(data[i]) || (data[i] && strchr(",:[]{}\"", data[i]))) {
			*ret_end = true;
			return i;
		}
	return len;
}

/* After what of a string is here: behind the quote that ends it, or at the end. */
static size_t json_scan_string(struct parse_json *j, const uint8_t *data, size_t at, size_t len)
{
	bool escaped = j->escaped;

	for (; at < len; at++) {
		if (escaped)
			escaped = false;
		else if (data[at] == '\\')
			escaped = true;
		else if (data[at] == '"')
			break;
	}
	j->escaped = escaped;
	j->in_string = at == len;
	return at < len ? at + 1 : len;
}

/* How many bytes belong to the value; *ret_end is set if it ends there. */
static size_t json_scan(struct parse_json *j, const uint8_t *data, size_t len, bool *ret_end)
{
	uint64_t depth = j->depth;
	size_t at = 0;

	if (j->is_scalar)
		return json_scan_scalar(data, len, ret_end);
	if (j->in_string)
		at = json_scan_string(j, data, 0, len);
	/* Before its first byte nothing is open. */
	while (at < len && (depth || !j->begun)) {
		uint8_t c = data[at++];

		j->begun = true;
		if (c == '"')
			at = json_scan_string(j, data, at, len);
		else if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
	}
	j->depth = depth;
	*ret_end = !depth && !j->in_string;
	return at;
}

static size_t json_in_value(struct parse_json *j, const uint8_t *data, size_t len)
{
	bool ended = false;
	size_t n = json_scan(j, data, len, &ended);

	if (!j->over && n > LIMIT_LINE_JSON - j->text.len) {
		j->over = true;
		pieces_add(&j->pieces, &j->parse, RECORD_UNPARSED, j->text.data, j->text.len);
		buf_clear(&j->text);
	}
	if (j->over) {
		pieces_add(&j->pieces, &j->parse, RECORD_UNPARSED, data, n);
		if (ended) {
			pieces_end(&j->pieces, &j->parse, RECORD_UNPARSED);
			j->state = j->after;
			j->over = false;
		}
	} else if (ended && !j->text.len) {
		json_finish(j, data, n);
	} else {
		buf_add(&j->text, data, n);
		if (ended) {
			json_finish(j, j->text.data, j->text.len);
			buf_clear(&j->text);
		}
	}
	return n;
}

/* Where no value has begun: what the first byte that is no blank leads to. Returns how many bytes
 * it has taken. */
static size_t json_between(struct parse_json *j, uint8_t c)
{
	bool in_array = j->state != JSON_TOP;

	if (c == '[' && !in_array) {
		j->state = JSON_ARRAY_FIRST;
		return 1;
	}
	if (c == ']' && (j->state == JSON_ARRAY_FIRST || j->state == JSON_ARRAY_NEXT)) {
		j->state = JSON_TOP;
		return 1;
	}
	if (j->state == JSON_ARRAY_NEXT) {
		if (c != ',') {
			json_fault(j, "after it, a comma or ] was expected", NULL, 0);
			return 0;
		}
		j->state = JSON_ARRAY_VALUE;
		return 1;
	}
	json_value_begin(j, c, in_array ? JSON_ARRAY_NEXT : JSON_TOP);
	if (c && strchr(",:]}", c))
		json_fault(j, "a value was expected", NULL, 0);
	return 0;
}

static void parse_json_add(struct parse *p, const uint8_t *data, size_t len)
{
	struct parse_json *j = (struct parse_json *)p;

	while (len) {
		size_t n;

		if (j->state == JSON_REST) {
			gather_add(&j->lines, p, data, len, json_rest_line);
			return;
		}
		if (j->state == JSON_VALUE)
			n = json_in_value(j, data, len);
		else
			n = document_is_blank(*data) ? 1 : json_between(j, *data);
		data += n;
		len -= n;
	}
}

static void parse_json_end(struct parse *p)
{
	struct parse_json *j = (struct parse_json *)p;

	if (j->state == JSON_VALUE) {
		if (j->over)
			pieces_end(&j->pieces, p, RECORD_UNPARSED);
		else if (j->is_scalar)
			json_finish(j, j->text.data, j->text.len);
		else
			json_fault(j, "the output ends inside it", j->text.data, j->text.len);
	}
	if (j->state == JSON_REST)
		gather_end(&j->lines, p, json_rest_line);
	else if (j->state != JSON_TOP && !j->over)
		give_unparsed(p, "not JSON: the output ends inside an array", (const uint8_t *)"",
			      0);
}

static void parse_json_done(struct parse *p)
{
	struct parse_json *j = (struct parse_json *)p;

	buf_done(&j->text);
	pieces_done(&j->pieces);
	gather_done(&j->lines);
	document_done(&j->document);
}

static size_t parse_json_pending(const struct parse *p)
{
	const struct parse_json *j = (const struct parse_json *)p;

	return j->text.len + j->pieces.rest.len + gather_pending(&j->lines);
}

const struct parse_kind parse_json_kind = {.size = sizeof(struct parse_json),
					   .skips_bom = true,
					   .add = parse_json_add,
					   .end = parse_json_end,
					   .done = parse_json_done,
					   .pending = parse_json_pending};

static void jsonl_line(struct parse *p, const uint8_t *line, size_t len)
{
	struct parse_json *j = (struct parse_json *)p;
	struct errmsg inner;

	if (!gather_trim(line, len))
		return;
	if (document_parse(&j->document, line, len, &inner) == 0) {
		json_give(j);
		return;
	}
	(void)err_set(&j->why, ERR_SYNTAX, "not a JSON line: %s", inner.text);
	give_unparsed(p, j->why.text, line, len);
}

static void parse_jsonl_add(struct parse *p, const uint8_t *data, size_t len)
{
	gather_add(&((struct parse_json *)p)->lines, p, data, len, jsonl_line);
}

static void parse_jsonl_end(struct parse *p)
{
	gather_end(&((struct parse_json *)p)->lines, p, jsonl_line);
}

const struct parse_kind parse_jsonl_kind = {.size = sizeof(struct parse_json),
					    .skips_bom = true,
					    .add = parse_jsonl_add,
					    .end = parse_jsonl_end,
					    .done = parse_json_done,
					    .pending = parse_json_pending};
