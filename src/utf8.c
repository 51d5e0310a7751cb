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

bool utf8_valid(const void *data, size_t n)
{
	const uint8_t *p = data;
	uint32_t cp;

	while (n) {
		uint64_t word;
		int len;

		/* Eight ASCII bytes at a time: most output is nothing else. */
		if (n >= 8) {
			memcpy(&word, p, 8);
			if (!(word & 0x8080808080808080u)) {
				p += 8;
				n -= 8;
				continue;
			}
		}
		len = utf8_decode(p, n, &cp);
		if (len <= 0)
			return false;
		p += len;
		n -= (size_t)len;
	}
	return true;
}
