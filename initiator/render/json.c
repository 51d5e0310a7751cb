#include "json.h"

#include <stdbool.h>
#include <string.h>

#include "clock.h"
#include "escape.h"
#include "utf8.h"

static const char json_hex[] = "0123456789abcdef";

/* The first bytes of all characters beyond ASCII that escape_is_harmful() names. */
static bool json_is_suspect(uint8_t c)
{
	return c == 0xc2 || c == 0xd8 || c == 0xe2;
}

static bool json_is_plain(uint8_t c)
{
	return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f && !json_is_suspect(c);
}

/* How many bytes from the front need no escape: eight at a time while all are plain ASCII. */
static size_t json_plain(const uint8_t *p, size_t n)
{
	const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
	size_t i = 0;

	for (; n - i >= 8; i += 8) {
		uint64_t w, quote, slash, del, found;

		memcpy(&w, p + i, 8);
		quote = w ^ ones * '"';
		slash = w ^ ones * '\\';
		del = w ^ ones * 0x7f;
		/* A borrow out of a byte below the limit sets the top bit: none set, none found. */
		found = (w - ones * 0x20) | (quote - ones) | (slash - ones) | (del - ones) | w;
		if (found & tops)
			break;
	}
	while (i < n && json_is_plain(p[i]))
		i++;
	return i;
}

static void json_escape_one(struct buf *out, uint32_t cp)
{
	static const char letters[] = "btn\0fr";
	char text[6] = {'\\', 'u'};

	if (cp == '"' || cp == '\\' || (cp >= '\b' && cp <= '\r' && cp != '\v')) {
		text[1] = cp >= 0x20 ? (char)cp : letters[cp - '\b'];
		buf_add(out, text, 2);
		return;
	}
	for (size_t i = 2; i < 6; i++)
		text[i] = json_hex[cp >> (4 * (5 - i)) & 15];
	buf_add(out, text, 6);
}

/* A character beyond ASCII. Returns its length. */
static size_t json_escape_suspect(struct buf *out, const uint8_t *p, size_t n)
{
	uint32_t cp;
	int len = utf8_decode(p, n, &cp);

	if (len > 0 && escape_is_harmful(cp)) {
		json_escape_one(out, cp);
		return (size_t)len;
	}
	buf_add(out, p, 1);
	return 1;
}

void json_escape(struct buf *out, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len;) {
		size_t n = json_plain(p + i, len - i);

		buf_add(out, p + i, n);
		i += n;
		if (i == len)
			return;
		if (json_is_suspect(p[i])) {
			i += json_escape_suspect(out, p + i, len - i);
		} else {
			json_escape_one(out, p[i]);
			i++;
		}
	}
}

void json_str(struct buf *out, const char *text)
{
	size_t len;

	if (!text) {
		buf_add_str(out, "null");
		return;
	}
	len = strlen(text);
	if (utf8_valid(text, len)) {
		buf_add_char(out, '"');
		json_escape(out, text, len);
		buf_add_char(out, '"');
	} else {
		buf_add_str(out, "{\"$bytes\":\"");
		json_base64(out, (const uint8_t *)text, len);
		buf_add_str(out, "\"}");
	}
}

void json_key(struct buf *out, const char *key)
{
	if (out->len && out->data[out->len - 1] != '{')
		buf_add_char(out, ',');
	json_str(out, key);
	buf_add_char(out, ':');
}

void json_base64(struct buf *out, const uint8_t *data, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t *to;

	if (!len)
		return;
	to = buf_room(out, len / 3 * 4 + 4);
	for (; len >= 3; data += 3, len -= 3) {
		*to++ = (uint8_t)digits[data[0] >> 2];
		*to++ = (uint8_t)digits[(data[0] & 3) << 4 | data[1] >> 4];
		*to++ = (uint8_t)digits[(data[1] & 15) << 2 | data[2] >> 6];
		*to++ = (uint8_t)digits[data[2] & 63];
	}
	if (len) {
		uint8_t second = len == 2 ? data[1] : 0;

		*to++ = (uint8_t)digits[data[0] >> 2];
		*to++ = (uint8_t)digits[(data[0] & 3) << 4 | second >> 4];
		*to++ = len == 2 ? (uint8_t)digits[(second & 15) << 2] : (uint8_t)'=';
		*to++ = '=';
	}
	out->len = (size_t)(to - out->data);
}

void json_time(struct buf *out, uint64_t wall_ns)
{
	char text[CLOCK_RFC3339_SIZE];

	if (!wall_ns) {
		buf_add_str(out, "null");
		return;
	}
	buf_add_char(out, '"');
	buf_add_str(out, clock_rfc3339(text, wall_ns));
	buf_add_char(out, '"');
}
