#include "document.h"

#include <string.h>

#include "cell.h"
#include "utf8.h"
#include "value.h"
#include "wire.h"

static int document_fault(const struct document *d, int code, const char *rule)
{
	return err_set(d->msg, code, "byte %zu: %s", d->at + 1, rule);
}

bool document_is_blank(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* The next byte that is no blank; 0 at the end, which no JSON has outside of a string. */
static uint8_t document_peek(struct document *d)
{
	while (d->at < d->len && document_is_blank(d->text[d->at]))
		d->at++;
	return d->at < d->len ? d->text[d->at] : 0;
}

/* --- strings ------------------------------------------------------------------------------ */

static int document_hex(struct document *d, uint32_t *ret)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++, d->at++) {
		uint8_t c = d->at < d->len ? d->text[d->at] : 0;
		uint32_t digit = 16;

		if (c >= '0' && c <= '9')
			digit = c - (uint32_t)'0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (c | 0x20u) - 'a' + 10;
		if (digit == 16)
			return document_fault(d, ERR_SYNTAX, "\\u is not followed by 4 hex digits");
		v = v << 4 | digit;
	}
	*ret = v;
	return 0;
}

static void document_put_char(struct buf *out, uint32_t cp)
{
	if (cp < 0x80) {
		buf_add_char(out, (char)cp);
		return;
	}
	if (cp < 0x800) {
		buf_add_char(out, (char)(0xc0 | cp >> 6));
	} else {
		if (cp < 0x10000) {
			buf_add_char(out, (char)(0xe0 | cp >> 12));
		} else {
			buf_add_char(out, (char)(0xf0 | cp >> 18));
			buf_add_char(out, (char)(0x80 | (cp >> 12 & 0x3f)));
		}
		buf_add_char(out, (char)(0x80 | (cp >> 6 & 0x3f)));
	}
	buf_add_char(out, (char)(0x80 | (cp & 0x3f)));
}

/* After "\u". */
static int document_unicode(struct document *d)
{
	uint32_t cp = 0, low = 0;
	int r = document_hex(d, &cp);

	if (r < 0)
		return r;
	if (cp >= 0xd800 && cp < 0xe000) {
		if (cp >= 0xdc00 || d->len - d->at < 2 || d->text[d->at] != '\\' ||
		    d->text[d->at + 1] != 'u')
			return document_fault(d, ERR_RANGE, "half a surrogate pair is no text");
		d->at += 2;
		r = document_hex(d, &low);
		if (r < 0)
			return r;
		if (low < 0xdc00 || low >= 0xe000)
			return document_fault(d, ERR_RANGE, "half a surrogate pair is no text");
		cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
	}
	document_put_char(&d->string, cp);
	return 0;
}

/* After the backslash. */
static int document_escape(struct document *d)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	uint8_t c = d->at < d->len ? d->text[d->at] : 0;
	const char *found = c ? strchr(from, c) : NULL;

	if (found) {
		buf_add_char(&d->string, to[found - from]);
		d->at++;
		return 0;
	}
	if (c != 'u')
		return document_fault(d, ERR_SYNTAX, "there is no such escape in a string");
	d->at++;
	return document_unicode(d);
}

/* How many bytes of the string stand for themselves. */
static size_t document_run(const struct document *d)
{
	size_t at = d->at;

	while (at < d->len && d->text[at] >= 0x20 && d->text[at] != '"' && d->text[at] != '\\')
		at++;
	return at - d->at;
}

/* After the quote that begins it, to after the one that ends it. The text is borrowed from the
 * document, or from d->string. */
static int document_string(struct document *d, const uint8_t **ret, size_t *ret_len)
{
	size_t run = document_run(d);
	int r;

	if (run < d->len - d->at && d->text[d->at + run] == '"') {
		*ret = d->text + d->at;
		*ret_len = run;
		d->at += run + 1;
		return 0;
	}
	buf_clear(&d->string);
	for (;;) {
		buf_add(&d->string, d->text + d->at, run);
		d->at += run;
		if (d->at == d->len)
			return document_fault(d, ERR_SYNTAX, "it ends inside a string");
		if (d->text[d->at] == '"')
			break;
		if (d->text[d->at] != '\\')
			return document_fault(d, ERR_SYNTAX,
					      "a control character in a string is not escaped");
		d->at++;
		r = document_escape(d);
		if (r < 0)
			return r;
		run = document_run(d);
	}
	d->at++;
	*ret = d->string.data;
	*ret_len = d->string.len;
	return 0;
}

/* --- values ------------------------------------------------------------------------------- */

static int document_put_string(struct document *d)
{
	const uint8_t *text = NULL;
	size_t len = 0;
	int r;

	d->at++;
	r = document_string(d, &text, &len);
	if (r < 0)
		return r;
	d->is_text = d->depth == 0;
	if (d->is_text)
		buf_add(&d->value, text, len);
	else
		wire_put_text(&d->value, text, len);
	return 0;
}

static int document_put_number(struct document *d)
{
	const uint8_t *text = d->text + d->at;
	bool is_float = false;
	size_t n = cell_number(text, d->len - d->at, &is_float);

	if (!n)
		return document_fault(d, ERR_SYNTAX, "a value was expected");
	if (!cell_put_number(&d->value, text, n, is_float)) {
		d->is_text = d->depth == 0;
		if (d->is_text)
			buf_add(&d->value, text, n);
		else
			wire_put_text(&d->value, text, n);
	}
	d->at += n;
	return 0;
}

static int document_put_word(struct document *d, const char *word)
{
	size_t n = strlen(word);

	if (d->len - d->at < n || memcmp(d->text + d->at, word, n) != 0)
		return document_fault(d, ERR_SYNTAX, "a value was expected");
	d->at += n;
	if (word[0] == 'n')
		wire_put_nil(&d->value);
	else
		wire_put_bool(&d->value, word[0] == 't');
	return 0;
}

static int document_open(struct document *d, bool is_map)
{
	if (d->depth == DOCUMENT_DEPTH)
		return document_fault(d, ERR_LIMIT, "it is nested too deep for a record");
	d->levels[d->depth++] = (struct document_level){
		.head = d->value.len, .key_end = d->key_end, .is_map = is_map};
	/* Most have so few elements that their head is one byte. */
	buf_add_char(&d->value, 0);
	d->at++;
	return 0;
}

static void document_close(struct document *d)
{
	struct document_level *level = &d->levels[--d->depth];
	struct buf *out = &d->value;
	size_t grown;

	buf_clear(&d->string);
	if (level->is_map)
		value_put_map(&d->string, level->count);
	else
		wire_put_array(&d->string, level->count);
	grown = d->string.len - 1;
	if (grown) {
		(void)buf_room(out, grown);
		memmove(out->data + level->head + 1 + grown, out->data + level->head + 1,
			out->len - level->head - 1);
		out->len += grown;
	}
	memcpy(out->data + level->head, d->string.data, d->string.len);
	d->key_end = level->key_end;
	d->at++;
}

static int document_value(struct document *d)
{
	uint8_t c = document_peek(d);

	if (++d->nodes > LIMIT_TYPED_NODES)
		return document_fault(d, ERR_LIMIT, "it has too many values for a record");
	if (d->value.len > LIMIT_TYPED_VALUE)
		return document_fault(d, ERR_LIMIT, "it is too big for a record");
	switch (c) {
	case '{':
	case '[':
		return document_open(d, c == '{');
	case '"':
		return document_put_string(d);
	case 't':
		return document_put_word(d, "true");
	case 'f':
		return document_put_word(d, "false");
	case 'n':
		return document_put_word(d, "null");
	default:
		return document_put_number(d);
	}
}

/* A key with its colon. */
static int document_key(struct document *d, struct document_level *level)
{
	struct document_key key = {.at = (uint32_t)d->value.len};
	const uint8_t *text = NULL;
	size_t len = 0;
	int r;

	if (document_peek(d) != '"')
		return document_fault(d, ERR_SYNTAX, "a key in quotes was expected");
	d->at++;
	r = document_string(d, &text, &len);
	if (r < 0)
		return r;
	if (!utf8_valid(text, len))
		return document_fault(d, ERR_RANGE, "a key is not valid UTF-8");
	if (level->count == LIMIT_MAP_KEYS)
		return document_fault(d, ERR_LIMIT, "an object has too many keys for a record");
	wire_put_text(&d->value, text, len);
	key.len = (uint32_t)(d->value.len - key.at);
	for (uint32_t i = level->key_end; i < d->key_end; i++)
		if (d->keys[i].len == key.len &&
		    !memcmp(d->value.data + d->keys[i].at, d->value.data + key.at, key.len))
			return document_fault(d, ERR_RANGE, "an object has the same key twice");
	d->keys[d->key_end++] = key;
	d->nodes++;
	if (document_peek(d) != ':')
		return document_fault(d, ERR_SYNTAX, "a colon was expected");
	d->at++;
	return 0;
}

/* One element of what is open, or its end. */
static int document_step(struct document *d)
{
	struct document_level *level = &d->levels[d->depth - 1];
	uint8_t c = document_peek(d);
	int r;

	if (c == (level->is_map ? '}' : ']')) {
		document_close(d);
		return 0;
	}
	if (level->count) {
		if (c != ',')
			return document_fault(d, ERR_SYNTAX,
					      level->is_map ? "a comma or } was expected"
							    : "a comma or ] was expected");
		d->at++;
	}
	if (level->is_map) {
		r = document_key(d, level);
		if (r < 0)
			return r;
	}
	level->count++;
	return document_value(d);
}

int document_parse(struct document *d, const uint8_t *text, size_t len, struct errmsg *msg)
{
	int r;

	buf_clear(&d->value);
	d->is_text = false;
	d->nodes = 0;
	d->depth = 0;
	d->key_end = 0;
	d->text = text;
	d->len = len;
	d->at = 0;
	d->msg = msg;
	r = document_value(d);
	while (!r && d->depth)
		r = document_step(d);
	if (r < 0)
		return r;
	if (document_peek(d) || d->at < len)
		return document_fault(d, ERR_SYNTAX, "something follows the value");
	if (d->nodes > LIMIT_TYPED_NODES)
		return document_fault(d, ERR_LIMIT, "it has too many values for a record");
	if (!d->is_text && d->value.len > LIMIT_TYPED_VALUE)
		return document_fault(d, ERR_LIMIT, "it is too big for a record");
	return 0;
}

void document_done(struct document *d)
{
	buf_done(&d->value);
	buf_done(&d->string);
}
