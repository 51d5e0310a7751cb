#include "decimal.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* A double is made of an integer of 53 bits, which is below 2^53, times 2^exponent. */
#define DECIMAL_BITS	 53
#define DECIMAL_EXP_MIN	 (-1074)
#define DECIMAL_EXP_OVER 972 /* from here on it is infinite */

/* 10^310 is infinite, and 10^-330 is zero. */
#define DECIMAL_POWER_MAX 310
#define DECIMAL_POWER_MIN (-330)

/* Powers of ten up to this one, and integers of 53 bits, are doubles without rounding. */
#define DECIMAL_EXACT_POWER 22

/* The longest is 10^(330 + DECIMAL_MAX), of 1944 bits, and then DECIMAL_QUOTIENT more. */
#define DECIMAL_WORDS	 64
#define DECIMAL_QUOTIENT 63

/* A natural number; word[0] is the least, word[count - 1] is not 0. */
struct decimal_big {
	uint32_t word[DECIMAL_WORDS];
	size_t count;
};

/* What a text says: digits * 10^power, digits[0] is not 0. */
struct decimal {
	uint8_t digits[DECIMAL_MAX];
	int count, power;
	bool negative;
};

static void big_push(struct decimal_big *b, uint32_t word)
{
	if (word)
		b->word[b->count++] = word;
}

/* b = b * factor + more */
static void big_multiply(struct decimal_big *b, uint32_t factor, uint32_t more)
{
	uint64_t carry = more;

	for (size_t i = 0; i < b->count; i++) {
		carry += (uint64_t)b->word[i] * factor;
		b->word[i] = (uint32_t)carry;
		carry >>= 32;
	}
	big_push(b, (uint32_t)carry);
}

static void big_power_of_ten(struct decimal_big *b, int power)
{
	for (; power >= 9; power -= 9)
		big_multiply(b, 1000000000, 0);
	for (; power > 0; power--)
		big_multiply(b, 10, 0);
}

static void big_shift(struct decimal_big *b, int bits)
{
	size_t words = (size_t)bits / 32;

	if (!b->count)
		return;
	big_multiply(b, UINT32_C(1) << bits % 32, 0);
	memmove(b->word + words, b->word, b->count * sizeof b->word[0]);
	memset(b->word, 0, words * sizeof b->word[0]);
	b->count += words;
}

static int big_bits(const struct decimal_big *b)
{
	return (int)b->count * 32 - __builtin_clz(b->word[b->count - 1]);
}

/* a -= b, if a is not less than b: then true. */
static bool big_subtract(struct decimal_big *a, const struct decimal_big *b)
{
	size_t i = a->count;
	int64_t borrow = 0;

	if (a->count != b->count) {
		if (a->count < b->count)
			return false;
	} else {
		while (i && a->word[i - 1] == b->word[i - 1])
			i--;
		if (i && a->word[i - 1] < b->word[i - 1])
			return false;
	}
	for (i = 0; i < a->count; i++) {
		borrow += (int64_t)a->word[i] - (i < b->count ? b->word[i] : 0);
		a->word[i] = (uint32_t)borrow;
		borrow >>= 32;
	}
	while (a->count && !a->word[a->count - 1])
		a->count--;
	return true;
}

/* significand * 2^exponent, rounded to the nearest; its lowest bit stands for all bits behind it.
 */
static double decimal_round(uint64_t significand, int exponent)
{
	int drop = 64 - __builtin_clzll(significand) - DECIMAL_BITS;
	uint64_t kept, rest, half;
	double f;

	if (drop < DECIMAL_EXP_MIN - exponent)
		drop = DECIMAL_EXP_MIN - exponent;
	for (; drop > 63; drop--, exponent++)
		significand = significand >> 1 | (significand & 1);
	kept = significand >> drop;
	rest = significand & ((UINT64_C(1) << drop) - 1);
	half = UINT64_C(1) << (drop - 1);
	kept += rest > half || (rest == half && kept & 1);
	exponent += drop;
	if (exponent >= DECIMAL_EXP_OVER)
		return (double)INFINITY;
	/* A bit above the 52 that are stored counts the exponent up by one: that is so for normal
	 * numbers, not so for those below them, and right if rounding has carried. */
	kept += (uint64_t)(exponent - DECIMAL_EXP_MIN) << (DECIMAL_BITS - 1);
	memcpy(&f, &kept, sizeof f);
	return f;
}

/* As a fraction of two integers, which is divided bit by bit. */
static double decimal_divide(const struct decimal *d)
{
	struct decimal_big over = {.count = 0}, under = {.word = {1}, .count = 1};
	uint64_t quotient = 0;
	int exponent;

	for (int i = 0; i < d->count; i++)
		big_multiply(&over, 10, d->digits[i]);
	big_power_of_ten(&over, d->power);
	big_power_of_ten(&under, -d->power);
	/* So that the quotient has DECIMAL_QUOTIENT bits, or one more. */
	exponent = big_bits(&over) - big_bits(&under) - DECIMAL_QUOTIENT;
	if (exponent < 0)
		big_shift(&over, -exponent);
	else
		big_shift(&under, exponent);
	big_shift(&under, DECIMAL_QUOTIENT);
	for (int i = 0; i <= DECIMAL_QUOTIENT; i++) {
		quotient = quotient << 1 | big_subtract(&over, &under);
		big_multiply(&over, 2, 0);
	}
	return decimal_round(quotient | (over.count != 0), exponent);
}

/* Where one operation on two exact doubles is all, the processor rounds right. */
static bool decimal_quick(const struct decimal *d, double *ret_f)
{
	uint64_t digits = 0;
	double power = 1;

	if (d->count > 18 || d->power > DECIMAL_EXACT_POWER || d->power < -DECIMAL_EXACT_POWER)
		return false;
	for (int i = 0; i < d->count; i++)
		digits = digits * 10 + d->digits[i];
	if (digits >> DECIMAL_BITS)
		return false;
	for (int i = d->power < 0 ? -d->power : d->power; i; i--)
		power *= 10;
	*ret_f = d->power < 0 ? (double)digits / power : (double)digits * power;
	return true;
}

static int decimal_exponent(const uint8_t *text, size_t len)
{
	bool negative = len && text[0] == '-';
	int n = 0;

	/* Far beyond all that is not infinite or zero, whatever the digits are. */
	for (size_t i = negative || (len && text[0] == '+'); i < len && n < 10000; i++)
		n = n * 10 + (text[i] - '0');
	return negative ? -n : n;
}

static void decimal_scan(struct decimal *d, const uint8_t *text, size_t len)
{
	bool fraction = false;
	size_t i = d->negative = text[0] == '-';

	for (; i < len && (text[i] | 0x20) != 'e'; i++) {
		if (text[i] == '.') {
			fraction = true;
			continue;
		}
		if (d->count || text[i] != '0')
			d->digits[d->count++] = (uint8_t)(text[i] - '0');
		d->power -= fraction;
	}
	if (i < len)
		d->power += decimal_exponent(text + i + 1, len - i - 1);
	/* 1.50 is 15 * 10^-1: the shorter, the quicker. */
	for (; d->count && !d->digits[d->count - 1]; d->count--)
		d->power++;
}

double decimal_read(const uint8_t *text, size_t len)
{
	struct decimal d = {.count = 0};
	double f = 0;

	decimal_scan(&d, text, len);
	if (!d.count || d.count + d.power < DECIMAL_POWER_MIN)
		f = 0;
	else if (d.count + d.power > DECIMAL_POWER_MAX)
		f = (double)INFINITY;
	else if (!decimal_quick(&d, &f))
		f = decimal_divide(&d);
	return d.negative ? -f : f;
}
