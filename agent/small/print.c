#include "print.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct print {
	char *out;
	size_t size, len; /* len: of the whole text, which may be more than there is room for */
};

/* One conversion. */
struct print_spec {
	bool left, zero;
	int width, precision; /* precision: -1: there is none */
	char length;	      /* 0, 'l', 'L' for ll, or 'z', 'j', 't' */
};

static void print_put(struct print *p, const char *text, size_t n)
{
	size_t room = p->len < p->size ? p->size - p->len : 0;

	if (n && room)
		memcpy(p->out + p->len, text, n < room ? n : room);
	p->len += n;
}

static void print_pad(struct print *p, char c, int n)
{
	size_t room = p->len < p->size ? p->size - p->len : 0;

	if (n <= 0)
		return;
	if (room)
		memset(p->out + p->len, c, (size_t)n < room ? (size_t)n : room);
	p->len += (size_t)n;
}

static void print_word(struct print *p, const struct print_spec *s, const char *text, size_t n)
{
	int blanks = n < INT_MAX ? s->width - (int)n : 0;

	if (!s->left)
		print_pad(p, ' ', blanks);
	print_put(p, text, n);
	if (s->left)
		print_pad(p, ' ', blanks);
}

static void print_number(struct print *p, const struct print_spec *s, uintmax_t value,
			 const char *prefix, const char *base)
{
	char digits[sizeof value * CHAR_BIT / 3 + 1];
	size_t begin = sizeof digits;
	unsigned radix = (unsigned)strlen(base);
	int n, zeros, blanks;

	for (; value; value /= radix)
		digits[--begin] = base[value % radix];
	n = (int)(sizeof digits - begin);
	zeros = (s->precision < 0 ? 1 : s->precision) - n;
	if (zeros < 0)
		zeros = 0;
	/* A width beyond what the precision leaves: the subtraction cannot overflow, both are
	 * at least 0. */
	blanks = s->width - n - (int)strlen(prefix);
	blanks = blanks > zeros ? blanks - zeros : 0;
	if (s->zero && !s->left && s->precision < 0) {
		zeros += blanks;
		blanks = 0;
	}
	if (!s->left)
		print_pad(p, ' ', blanks);
	print_put(p, prefix, strlen(prefix));
	print_pad(p, '0', zeros);
	print_put(p, digits + begin, (size_t)n);
	if (s->left)
		print_pad(p, ' ', blanks);
}

static int print_count(const char **fmt)
{
	int n = 0;

	for (; **fmt >= '0' && **fmt <= '9'; ++*fmt)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, **fmt - '0', &n))
			abort();
	return n;
}

/* All between % and the letter. The list is passed as a struct: a va_list that is a parameter has
 * another type on some machines. */
struct print_args {
	va_list ap;
};

static struct print_spec print_spec(const char **fmt, struct print_args *args)
{
	struct print_spec s = {.precision = -1};

	for (; **fmt == '-' || **fmt == '0'; ++*fmt)
		*(**fmt == '-' ? &s.left : &s.zero) = true;
	if (**fmt == '*') {
		s.width = va_arg(args->ap, int);
		++*fmt;
	} else {
		s.width = print_count(fmt);
	}
	if (s.width < 0) {
		s.left = true;
		s.width = s.width == INT_MIN ? INT_MAX : -s.width;
	}
	if (**fmt == '.' && *++*fmt == '*') {
		s.precision = va_arg(args->ap, int);
		++*fmt;
	} else if ((*fmt)[-1] == '.') {
		s.precision = print_count(fmt);
	}
	if (**fmt && strchr("lzjt", **fmt))
		s.length = *(*fmt)++;
	if (s.length == 'l' && **fmt == 'l') {
		s.length = 'L';
		++*fmt;
	}
	return s;
}

static intmax_t print_signed(struct print_args *args, char length)
{
	switch (length) {
	case 'l':
		return va_arg(args->ap, long);
	case 'L':
		return va_arg(args->ap, long long);
	case 'j':
		return va_arg(args->ap, intmax_t);
	case 'z':
	case 't':
		return va_arg(args->ap, ptrdiff_t);
	default:
		return va_arg(args->ap, int);
	}
}

static uintmax_t print_unsigned(struct print_args *args, char length)
{
	switch (length) {
	case 'l':
		return va_arg(args->ap, unsigned long);
	case 'L':
		return va_arg(args->ap, unsigned long long);
	case 'j':
		return va_arg(args->ap, uintmax_t);
	case 'z':
	case 't':
		return va_arg(args->ap, size_t);
	default:
		return va_arg(args->ap, unsigned);
	}
}

static void print_string(struct print *p, const struct print_spec *s, const char *text)
{
	text = text ? text : "(null)";
	print_word(p, s, text,
		   s->precision < 0 ? strlen(text) : strnlen(text, (size_t)s->precision));
}

static void print_one(struct print *p, const struct print_spec *s, char letter,
		      struct print_args *args)
{
	intmax_t number;
	char c;

	switch (letter) {
	case 'd':
	case 'i':
		number = print_signed(args, s->length);
		print_number(p, s, number < 0 ? -(uintmax_t)number : (uintmax_t)number,
			     number < 0 ? "-" : "", "0123456789");
		break;
	case 'u':
		print_number(p, s, print_unsigned(args, s->length), "", "0123456789");
		break;
	case 'x':
		print_number(p, s, print_unsigned(args, s->length), "", "0123456789abcdef");
		break;
	case 'X':
		print_number(p, s, print_unsigned(args, s->length), "", "0123456789ABCDEF");
		break;
	case 'o':
		print_number(p, s, print_unsigned(args, s->length), "", "01234567");
		break;
	case 'c':
		c = (char)va_arg(args->ap, int);
		print_word(p, s, &c, 1);
		break;
	case 's':
		print_string(p, s, va_arg(args->ap, const char *));
		break;
	case '%':
		print_put(p, "%", 1);
		break;
	default:
		abort();
	}
}

int print_text(char *out, size_t size, const char *fmt, va_list ap)
{
	struct print p = {.out = out, .size = size};
	struct print_args args;

	va_copy(args.ap, ap);
	while (*fmt) {
		size_t plain = strcspn(fmt, "%");

		print_put(&p, fmt, plain);
		fmt += plain;
		if (*fmt) {
			struct print_spec s;

			fmt++;
			s = print_spec(&fmt, &args);
			print_one(&p, &s, *fmt++, &args);
		}
	}
	va_end(args.ap);
	if (size)
		out[p.len < size ? p.len : size - 1] = '\0';
	if (p.len > INT_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	return (int)p.len;
}
