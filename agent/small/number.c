#include "number.h"

/* 36 and more: no digit. Neither isspace(3) nor isalnum(3), which a locale may change. */
static int number_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return 36;
}

struct number number_read(const char *text, int base)
{
	struct number n = {.end = text};
	const char *at = text;

	while (*at == ' ' || (*at >= '\t' && *at <= '\r'))
		at++;
	n.negative = *at == '-';
	at += *at == '-' || *at == '+';
	if ((base == 0 || base == 16) && at[0] == '0' && (at[1] == 'x' || at[1] == 'X') &&
	    number_digit(at[2]) < 16) {
		at += 2;
		base = 16;
	}
	if (!base)
		base = *at == '0' ? 8 : 10;
	for (; number_digit(*at) < base; n.end = ++at)
		if (__builtin_mul_overflow(n.value, (uint64_t)base, &n.value) ||
		    __builtin_add_overflow(n.value, (uint64_t)number_digit(*at), &n.value))
			n.overflow = true;
	if (n.overflow)
		n.value = UINT64_MAX;
	return n;
}
