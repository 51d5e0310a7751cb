#include "cell.h"

#include <math.h>
#include <string.h>

#include "decimal.h"
#include "value.h"
#include "wire.h"

static size_t cell_digits(const uint8_t *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] >= '0' && text[n] <= '9')
		n++;
	return n;
}

/* ".5", and then "e+5", each only if there are digits. */
static size_t cell_fraction(const uint8_t *text, size_t len)
{
	size_t n = 0, digits, sign;

	if (len && text[0] == '.') {
		digits = cell_digits(text + 1, len - 1);
		if (digits)
			n = 1 + digits;
	}
	if (n < len && (text[n] == 'e' || text[n] == 'E')) {
		sign = n + 1 < len && (text[n + 1] == '+' || text[n + 1] == '-');
		digits = cell_digits(text + n + 1 + sign, len - n - 1 - sign);
		if (digits)
			n += 1 + sign + digits;
	}
	return n;
}

size_t cell_number(const uint8_t *text, size_t len, bool *ret_is_float)
{
	size_t n = len && text[0] == '-', digits, fraction;

	digits = n < len && text[n] == '0' ? 1 : cell_digits(text + n, len - n);
	if (!digits)
		return 0;
	n += digits;
	fraction = cell_fraction(text + n, len - n);
	*ret_is_float = fraction != 0;
	return n + fraction;
}

static bool cell_put_int(struct buf *out, const uint8_t *text, size_t len)
{
	bool negative = text[0] == '-';
	uint64_t v = 0;

	for (size_t i = negative; i < len; i++)
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(text[i] - '0'), &v))
			return false;
	if (!negative)
		wire_put_u64(out, v);
	else if (v <= (uint64_t)INT64_MAX)
		wire_put_i64(out, -(int64_t)v);
	else if (v == (uint64_t)INT64_MAX + 1)
		wire_put_i64(out, INT64_MIN);
	else
		return false;
	return true;
}

bool cell_put_number(struct buf *out, const uint8_t *text, size_t len, bool is_float)
{
	double f;

	if (!is_float)
		return cell_put_int(out, text, len);
	/* A longer one stays text. */
	if (len > DECIMAL_MAX)
		return false;
	f = decimal_read(text, len);
	if (!isfinite(f))
		return false;
	value_put_float(out, f);
	return true;
}

static bool cell_is(const uint8_t *text, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(text, word, len);
}

void cell_put(struct buf *out, const uint8_t *text, size_t len)
{
	bool is_float;

	if (!len)
		wire_put_nil(out);
	else if (cell_is(text, len, "true"))
		wire_put_bool(out, true);
	else if (cell_is(text, len, "false"))
		wire_put_bool(out, false);
	else if (cell_number(text, len, &is_float) != len ||
		 !cell_put_number(out, text, len, is_float))
		wire_put_text(out, text, len);
}
