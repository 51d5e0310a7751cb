#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

static const struct {
	const char *name;
	const char *text;
} err_rows[] = {
#define ERR_ROW(name, text) {#name, text},
#include "err.def"
#undef ERR_ROW
};

#define ERR_COUNT ((int)(sizeof err_rows / sizeof err_rows[0]))

_Static_assert(sizeof err_rows / sizeof err_rows[0] < (size_t)-ERR_FIRST_, "codes are negative");

static int err_index(int code)
{
	if (code <= ERR_FIRST_ || code > ERR_FIRST_ + ERR_COUNT)
		return -1;
	return code - ERR_FIRST_ - 1;
}

const char *err_name(int code)
{
	int i = err_index(code);

	if (code == ERR_OK)
		return "ERR_OK";
	return i < 0 ? "ERR_?" : err_rows[i].name;
}

const char *err_text(int code)
{
	int i = err_index(code);

	if (code == ERR_OK)
		return "no error";
	if (code == ERR_SYS)
		return strerror(errno);
	return i < 0 ? "unknown error" : err_rows[i].text;
}

/* A text that was cut must not end in half a character. */
static void err_trim(struct errmsg *msg)
{
	size_t end = strlen(msg->text), n = end;

	while (n && end - n < 3 && (msg->text[n - 1] & 0xc0) == 0x80)
		n--;
	if (n && (msg->text[n - 1] & 0xc0) == 0xc0 && !utf8_valid(msg->text + n - 1, end - n + 1))
		msg->text[n - 1] = '\0';
}

int err_set(struct errmsg *msg, int code, const char *fmt, ...)
{
	int saved = errno, n;
	va_list ap;

	if (!msg)
		return code;
	va_start(ap, fmt);
	n = vsnprintf(msg->text, sizeof msg->text, fmt, ap);
	va_end(ap);
	if (n >= ERRMSG_MAX)
		err_trim(msg);
	for (n = (int)strlen(msg->text); n && msg->text[n - 1] == '\n'; n--)
		msg->text[n - 1] = '\0';
	errno = saved;
	return code;
}
