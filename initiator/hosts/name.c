/* Which bytes names are made of. */
#include <string.h>

#include "alloc.h"
#include "hostlist_private.h"
#include "utf8.h"

/*
 * Characters outside ASCII that are no letters, or that cannot be seen or told apart: controls,
 * spaces, punctuation, symbols, fillers, private use, what turns the direction of text.
 */
static const struct {
	uint32_t lo, hi;
} name_no_letters[] = {
	{0x0080, 0x00bf}, {0x00d7, 0x00d7}, {0x00f7, 0x00f7}, {0x034f, 0x034f},	   {0x061c, 0x061c},
	{0x115f, 0x1160}, {0x1680, 0x1680}, {0x17b4, 0x17b5}, {0x180b, 0x180f},	   {0x2000, 0x20ff},
	{0x2190, 0x2bff}, {0x3000, 0x3004}, {0x3164, 0x3164}, {0xe000, 0xf8ff},	   {0xfe00, 0xfe0f},
	{0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xffff}, {0xe0000, 0x10ffff},
};

static bool name_is_letter(uint32_t cp)
{
	for (size_t i = 0; i < ARRAY_LEN(name_no_letters); i++)
		if (cp >= name_no_letters[i].lo && cp <= name_no_letters[i].hi)
			return false;
	return true;
}

static size_t name_scan(const char *name, size_t n, const char *others)
{
	const uint8_t *p = (const uint8_t *)name;
	size_t i = 0;

	while (i < n) {
		uint32_t cp;
		int len = 1;

		if (p[i] >= 0x80) {
			len = utf8_decode(p + i, n - i, &cp);
			if (len <= 0 || !name_is_letter(cp))
				return i;
		} else if (!((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z') &&
			   !(p[i] >= '0' && p[i] <= '9') && (!p[i] || !strchr(others, p[i]))) {
			return i;
		}
		i += (size_t)len;
	}
	return n;
}

size_t name_bad_at(const char *name, size_t n)
{
	return name_scan(name, n, ".-_:%");
}

size_t name_user_bad_at(const char *user, size_t n)
{
	return name_scan(user, n, ".-_+$\\@");
}

int hostlist_name_ok(const char *name)
{
	size_t n = strnlen(name, LIMIT_HOST_NAME + 1);

	return n >= 1 && n <= LIMIT_HOST_NAME && name[0] != '-' && name_bad_at(name, n) == n;
}
