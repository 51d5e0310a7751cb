#include "utf8.h"

#include <string.h>

/* One row for each form of RFC 3629, section 4: first byte, then the range of the second. */
static const struct {
	uint8_t first_lo, first_hi, second_lo, second_hi;
	uint8_t len;
} utf8_forms[] = {
	{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
	{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
	{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static int utf8_tail(const uint8_t *data, size_t n, size_t form, uint32_t *ret_cp)
{
	uint8_t len = utf8_forms[form].len;
	uint32_t cp = data[0] & (0xffu >> (len + 1));

	for (uint8_t i = 1; i < len; i++) {
		uint8_t lo = i == 1 ? utf8_forms[form].second_lo : 0x80;
		uint8_t hi = i == 1 ? utf8_forms[form].second_hi : 0xbf;

		if (i >= n)
			return -1;
		if (data[i] < lo || data[i] > hi)
			return 0;
		cp = cp << 6 | (data[i] & 0x3fu);
	}
	*ret_cp = cp;
	return len;
}

int utf8_decode(const uint8_t *data, size_t n, uint32_t *ret_cp)
{
	if (data[0] < 0x80) {
		*ret_cp = data[0];
		return 1;
	}
	for (size_t i = 0; i < sizeof utf8_forms / sizeof utf8_forms[0]; i++)
		if (data[0] >= utf8_forms[i].first_lo && data[0] <= utf8_forms[i].first_hi)
			return utf8_tail(data, n, i, ret_cp);
	return 0;
}

/* The words that are looked at together while there is nothing but ASCII. */
#define UTF8_WORDS 4u
#define UTF8_HIGH  UINT64_C(0x8080808080808080)

/* How many bytes at the front are ASCII, at least: most output is nothing else. */
static size_t utf8_ascii(const uint8_t *p, size_t n)
{
	uint64_t words[UTF8_WORDS];
	size_t at = 0;

	for (; n - at >= sizeof words; at += sizeof words) {
		memcpy(words, p + at, sizeof words);
		if ((words[0] | words[1] | words[2] | words[3]) & UTF8_HIGH)
			break;
	}
	for (; n - at >= sizeof words[0]; at += sizeof words[0]) {
		memcpy(words, p + at, sizeof words[0]);
		if (words[0] & UTF8_HIGH)
			break;
	}
	while (at < n && p[at] < 0x80)
		at++;
	return at;
}

static bool utf8_is_tail(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The length of the character at the front, which is not ASCII: 0: it is none. The same table as
 * above, as questions in order of how common their answer is. */
static size_t utf8_char(const uint8_t *p, size_t n)
{
	uint8_t first = p[0], second = n > 1 ? p[1] : 0;

	if (!utf8_is_tail(second) || first < 0xc2 || first > 0xf4)
		return 0;
	if (first < 0xe0)
		return 2;
	if (n < 3 || !utf8_is_tail(p[2]))
		return 0;
	if (first < 0xf0)
		return (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ? 0 : 3;
	if (n < 4 || !utf8_is_tail(p[3]))
		return 0;
	return (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f) ? 0 : 4;
}

bool utf8_valid(const void *data, size_t n)
{
	const uint8_t *p = data;

	while (n) {
		size_t len = p[0] < 0x80 ? utf8_ascii(p, n) : utf8_char(p, n);

		if (!len)
			return false;
		p += len;
		n -= len;
	}
	return true;
}
