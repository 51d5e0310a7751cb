/*
 * auto: JSON if it begins as JSON, otherwise lines. A bracket alone says little (logs begin with
 * "[12.5] ..."), so the beginning is held back until an object has been read from it, or it has
 * turned out to be none, or enough has been seen.
 */
#include "document.h"
#include "give.h"
#include "kind.h"
#include "limits.h"

#define AUTO_HEAD LIMIT_RECORD_VALUE /* bytes that are held back at most */

struct parse_auto {
	struct parse parse;
	struct parse *probe; /* reads the head as JSON and gives to nobody */
	struct parse *chosen;
	struct buf head;
	bool begun;	 /* past blanks */
	bool has_object; /* the probe has given one */
	bool has_fault;
};

/* The first word counts. */
static void auto_record(void *arg, const struct record *record)
{
	struct parse_auto *s = arg;

	if (s->has_object || s->has_fault)
		return;
	if (record->flags & RECORD_UNPARSED)
		s->has_fault = true;
	else if (record->is_typed) /* A map has one of three forms. */
		s->has_object =
			(record->value[0] & 0xf0) == 0x80 || (record->value[0] & 0xfe) == 0xde;
}

static void auto_schema(void *arg, uint64_t schema, const char *const *columns, size_t count)
{
	(void)arg, (void)schema, (void)columns, (void)count;
}

static void auto_choose(struct parse_auto *s, uint64_t kind)
{
	parse_free(s->probe);
	s->probe = NULL;
	(void)parse_new(&s->chosen, kind, NULL, &s->parse.events, s->parse.arg, NULL);
	parse_add(s->chosen, s->head.data, s->head.len);
	buf_done(&s->head);
}

static int parse_auto_begin(struct parse *p, const char *argument, struct errmsg *msg)
{
	static const struct parse_events events = {auto_record, auto_schema};
	struct parse_auto *s = (struct parse_auto *)p;

	(void)argument;
	return parse_new(&s->probe, PARSE_JSON, NULL, &events, s, msg);
}

/* Whether what it begins with is decided; the head has data at its end. */
static void auto_look(struct parse_auto *s, const uint8_t *data, size_t len)
{
	while (!s->begun && len && document_is_blank(*data)) {
		data++;
		len--;
	}
	if (len && !s->begun && *data != '{' && *data != '[') {
		auto_choose(s, PARSE_LINES);
		return;
	}
	s->begun = s->begun || len;
	parse_add(s->probe, data, len);
	if (s->has_fault)
		auto_choose(s, PARSE_LINES);
	else if (s->has_object)
		auto_choose(s, PARSE_JSON);
	else if (s->head.len == AUTO_HEAD)
		auto_choose(s, s->begun ? PARSE_JSON : PARSE_LINES);
}

static void parse_auto_add(struct parse *p, const uint8_t *data, size_t len)
{
	struct parse_auto *s = (struct parse_auto *)p;

	if (!s->chosen) {
		size_t n = len < AUTO_HEAD - s->head.len ? len : AUTO_HEAD - s->head.len;

		buf_add(&s->head, data, n);
		auto_look(s, data, n);
		data += n;
		len -= n;
	}
	if (len)
		parse_add(s->chosen, data, len);
}

static void parse_auto_end(struct parse *p)
{
	struct parse_auto *s = (struct parse_auto *)p;

	if (!s->chosen) {
		parse_end(s->probe);
		auto_choose(s, s->begun && !s->has_fault ? PARSE_JSON : PARSE_LINES);
	}
	parse_end(s->chosen);
}

static void parse_auto_done(struct parse *p)
{
	struct parse_auto *s = (struct parse_auto *)p;

	parse_free(s->probe);
	parse_free(s->chosen);
	buf_done(&s->head);
}

static size_t parse_auto_pending(const struct parse *p)
{
	const struct parse_auto *s = (const struct parse_auto *)p;

	return s->chosen ? parse_pending(s->chosen) : s->head.len;
}

const struct parse_kind parse_auto_kind = {.size = sizeof(struct parse_auto),
					   .begin = parse_auto_begin,
					   .add = parse_auto_add,
					   .end = parse_auto_end,
					   .done = parse_auto_done,
					   .pending = parse_auto_pending};
