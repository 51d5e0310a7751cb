#include "uuid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "log.h"

static void uuid_random(uint8_t *out, size_t n)
{
	while (n > 0) {
		/* Above 256 bytes it may be interrupted or come up short, getrandom(2). */
		ssize_t got = getrandom(out, n, 0);

		if (got < 0 && errno != EINTR) {
			log_error("cannot make an identifier: getrandom: %s", strerror(errno));
			abort();
		}
		if (got > 0) {
			out += got;
			n -= (size_t)got;
		}
	}
}

void uuid_make(struct uuid *out, size_t count)
{
	uuid_random(out->bytes, count * sizeof *out);
	for (size_t i = 0; i < count; i++) {
		out[i].bytes[6] = (uint8_t)((out[i].bytes[6] & 0x0f) | 0x40);
		out[i].bytes[8] = (uint8_t)((out[i].bytes[8] & 0x3f) | 0x80);
	}
}

char *uuid_text(char *out, const struct uuid *uuid)
{
	static const char digits[] = "0123456789abcdef";
	char *p = out;

	for (size_t i = 0; i < sizeof uuid->bytes; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[uuid->bytes[i] >> 4];
		*p++ = digits[uuid->bytes[i] & 0x0f];
	}
	*p = '\0';
	return out;
}

static int uuid_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool uuid_parse(struct uuid *ret, const char *text)
{
	struct uuid uuid;

	for (size_t i = 0; i < sizeof uuid.bytes; i++) {
		int high, low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return false;
		/* The second is looked at only if the first was no NUL. */
		high = uuid_digit(text[0]);
		low = high < 0 ? -1 : uuid_digit(text[1]);
		if (low < 0)
			return false;
		uuid.bytes[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	if (*text != '\0')
		return false;
	*ret = uuid;
	return true;
}

int uuid_compare(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}
