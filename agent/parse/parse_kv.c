/* kv: lines of KEY=VALUE or KEY: VALUE, all one map. blocks: stanzas of such lines, each a map. */
#include <string.h>

#include "gather.h"
#include "give.h"
#include "kind.h"
#include "limits.h"
#include "pairs.h"
#include "utf8.h"

struct parse_kv {
	struct parse parse;
	struct gather lines;
	struct pairs pairs;
	struct buf unquoted;
};

/* How long the key is, 0 if the line has none: what is before the first "=", or before the first
 * colon that a blank or the end follows. */
static size_t kv_key(const uint8_t *line, size_t len)
{
	for (size_t i = 0; i < len && i <= LIMIT_COLUMN_NAME; i++)
		if (line[i] == '=' ||
		    (line[i] == ':' && (i + 1 == len || line[i + 1] == ' ' || line[i + 1] == '\t')))
			return i;
	return 0;
}

/* A text in quotes as a shell reads it; false if it is not that from end to end. */
static bool kv_unquote(struct buf *out, const uint8_t *text, size_t len)
{
	uint8_t quote = len >= 2 ? text[0] : 0;
	size_t i = 1;

	if (quote != '"' && quote != '\'')
		return false;
	buf_clear(out);
	for (; i < len && text[i] != quote; i++) {
		if (quote == '"' && text[i] == '\\' && i + 1 < len && text[i + 1] &&
		    strchr("\"\\$`", text[i + 1]))
			i++;
		buf_add_char(out, (char)text[i]);
	}
	return i + 1 == len;
}

static void kv_add(struct parse_kv *s, const uint8_t *key, size_t key_len, const uint8_t *value,
		   size_t len, bool is_string)
{
	if (pairs_add(&s->pairs, key, key_len, value, len, is_string))
		return;
	pairs_give(&s->pairs, &s->parse);
	(void)pairs_add(&s->pairs, key, key_len, value, len, is_string);
}

static void kv_pair(struct parse_kv *s, const uint8_t *raw, size_t raw_len)
{
	size_t lead = gather_blanks(raw, raw_len), len = gather_trim(raw, raw_len) - lead;
	const uint8_t *line = raw + lead;
	size_t split = kv_key(line, len), key_len = gather_trim(line, split), at;

	if (!key_len || !utf8_valid(line, key_len) || raw_len > LIMIT_RECORD_VALUE) {
		give_unparsed(&s->parse,
			      !key_len ? "the line is neither KEY=VALUE nor KEY: VALUE"
				       : "the key is not valid UTF-8",
			      raw, raw_len);
		return;
	}
	at = split + 1;
	at += gather_blanks(line + at, len - at);
	if (kv_unquote(&s->unquoted, line + at, len - at))
		kv_add(s, line, key_len, s->unquoted.data, s->unquoted.len, true);
	else
		kv_add(s, line, key_len, line + at, len - at, false);
}

static bool kv_is_comment(const uint8_t *line, size_t len)
{
	size_t lead = gather_blanks(line, len);

	return lead < len && line[lead] == '#';
}

static void kv_line(struct parse *p, const uint8_t *line, size_t len)
{
	if (gather_trim(line, len) && !kv_is_comment(line, len))
		kv_pair((struct parse_kv *)p, line, len);
}

static void blocks_line(struct parse *p, const uint8_t *line, size_t len)
{
	struct parse_kv *s = (struct parse_kv *)p;
	size_t trimmed = gather_trim(line, len);

	if (!trimmed)
		pairs_give(&s->pairs, p);
	else if (gather_blanks(line, 1) && pairs_continue(&s->pairs, line + 1, trimmed - 1))
		return;
	else if (!kv_is_comment(line, len))
		kv_pair(s, line, len);
}

static void parse_kv_add(struct parse *p, const uint8_t *data, size_t len)
{
	gather_add(&((struct parse_kv *)p)->lines, p, data, len, kv_line);
}

static void parse_kv_end(struct parse *p)
{
	struct parse_kv *s = (struct parse_kv *)p;

	gather_end(&s->lines, p, kv_line);
	pairs_give(&s->pairs, p);
}

static void parse_blocks_add(struct parse *p, const uint8_t *data, size_t len)
{
	gather_add(&((struct parse_kv *)p)->lines, p, data, len, blocks_line);
}

static void parse_blocks_end(struct parse *p)
{
	struct parse_kv *s = (struct parse_kv *)p;

	gather_end(&s->lines, p, blocks_line);
	pairs_give(&s->pairs, p);
}

static void parse_kv_done(struct parse *p)
{
	struct parse_kv *s = (struct parse_kv *)p;

	gather_done(&s->lines);
	pairs_done(&s->pairs);
	buf_done(&s->unquoted);
}

static size_t parse_kv_pending(const struct parse *p)
{
	const struct parse_kv *s = (const struct parse_kv *)p;

	return gather_pending(&s->lines) + s->pairs.text.len;
}

const struct parse_kind parse_kv_kind = {.size = sizeof(struct parse_kv),
					 .add = parse_kv_add,
					 .end = parse_kv_end,
					 .done = parse_kv_done,
					 .pending = parse_kv_pending};

const struct parse_kind parse_blocks_kind = {.size = sizeof(struct parse_kv),
					     .add = parse_blocks_add,
					     .end = parse_blocks_end,
					     .done = parse_kv_done,
					     .pending = parse_kv_pending};
