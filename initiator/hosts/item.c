/* One item: [user@]name[:port], where name may hold ranges, or be an IPv6 address. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "hostlist_private.h"
#include "range.h"

#define ITEM_RANGES_MAX 32u

/* A name in parts: a literal, a range, a literal, a range, ..., a literal. Of the arrays only what
 * range_count says is ever set: most names have no range, and the arrays are large. */
struct item {
	struct host_text host; /* but for the name */
	struct {
		const char *data;
		size_t len;
	} literals[ITEM_RANGES_MAX + 1];
	struct range_set ranges[ITEM_RANGES_MAX];
	size_t range_count;
	bool wild; /* a '*' or a '?' stands in the name */
};

/* Where an item stands, and what may be said about it. */
struct item_span {
	const struct expr_text *text;
	struct expr_env *env;
	size_t at, end;
};

/* What to say about a byte that cannot be in a name. */
static const struct {
	char c;
	const char *why;
} item_bad_bytes[] = {
	{'{', "braces are not supported; write brackets for numbers, as web[1-3] or web[1,3], and "
	      "names one by one, as weba,webb"},
	{'}', "braces are not supported; write brackets for numbers, as web[1-3] or web[1,3], and "
	      "names one by one, as weba,webb"},
	{'%', "'%' is no wildcard, and only an IPv6 address has a zone, as in fe80::1%eth0"},
	{']', "this ']' closes nothing; remove it or add the '['"},
	{'[', "ranges are for host names only; list addresses and user names one by one"},
	{'(', "parentheses are not supported; operators apply from left to right"},
	{')', "parentheses are not supported; operators apply from left to right"},
	{'@', "a group begins an item, as in @web; users are given by --user, or for each host"},
};

static int item_bad_byte(struct item_span *s, size_t at, const char *where)
{
	const char *data = s->text->data + at;
	char shown[EXPR_QUOTE_SIZE];
	size_t n = 1;

	for (size_t i = 0; i < sizeof item_bad_bytes / sizeof item_bad_bytes[0]; i++)
		if (item_bad_bytes[i].c == *data)
			return expr_fail(s->env, s->text, at, ERR_SYNTAX, "%s",
					 item_bad_bytes[i].why);
	while (at + n < s->end && n < 4 && ((uint8_t)data[n] & 0xc0) == 0x80)
		n++;
	return expr_fail(s->env, s->text, at, ERR_SYNTAX,
			 "'%s' cannot be in a %s; letters, digits, '.', '-' and '_' can",
			 expr_quote(shown, data, n), where);
}

/* Offset of the first c outside brackets, from at to end; end if there is none. */
static size_t item_find(const struct item_span *s, char c)
{
	bool inside = false;

	for (size_t i = s->at; i < s->end; i++) {
		char here = s->text->data[i];

		if (here == '[' || here == ']')
			inside = here == '[';
		else if (here == c && !inside)
			return i;
	}
	return s->end;
}

/* Takes USER@ off the front: all up to the last '@', as ssh does. */
static int item_user(struct item *item, struct item_span *s)
{
	struct item_span rest = *s;
	size_t start = s->at, at, bad;

	for (at = item_find(&rest, '@'); at < s->end; at = item_find(&rest, '@')) {
		if (at == rest.at)
			return item_bad_byte(s, at, "user name");
		rest.at = at + 1;
	}
	if (rest.at == start)
		return 0;
	item->host.user = s->text->data + start;
	item->host.user_len = rest.at - 1 - start;
	s->at = rest.at;
	bad = name_user_bad_at(item->host.user, item->host.user_len);
	if (bad < item->host.user_len)
		return item_bad_byte(s, start + bad, "user name");
	if (item->host.user[0] == '-')
		return expr_fail(s->env, s->text, start, ERR_SYNTAX,
				 "a user name that begins with '-' could be taken for an option; "
				 "remove the '-'");
	if (item->host.user_len > HOST_USER_MAX)
		return expr_fail(s->env, s->text, start, ERR_LIMIT,
				 "the user name is longer than %u bytes", HOST_USER_MAX);
	return 0;
}

/* Takes :PORT off the end, where the ':' is at colon. */
static int item_port(struct item *item, struct item_span *s, size_t colon)
{
	const char *digits = s->text->data + colon + 1;
	size_t n = s->end - colon - 1;
	char shown[EXPR_QUOTE_SIZE];
	unsigned port = 0;

	for (size_t i = 0; i < n && port <= UINT16_MAX; i++) {
		if (digits[i] < '0' || digits[i] > '9' || digits[0] == '0') {
			port = 0;
			break;
		}
		port = port * 10 + (unsigned)(digits[i] - '0');
	}
	if (!port || port > UINT16_MAX)
		return expr_fail(s->env, s->text, colon + 1, ERR_RANGE,
				 "'%s' is no port; write a number from 1 to 65535, as in web1:2222",
				 expr_quote(shown, digits, n));
	item->host.port = (uint16_t)port;
	s->end = colon;
	return 0;
}

/* Takes what is between at and end for an IPv6 address, with or without a zone. */
static int item_ipv6(struct item *item, struct item_span *s)
{
	const char *data = s->text->data + s->at;
	size_t n = s->end - s->at, len = n;
	char address[INET6_ADDRSTRLEN], shown[EXPR_QUOTE_SIZE];
	const char *zone = memchr(data, '%', n);
	struct in6_addr ignored;
	bool ok;

	if (zone)
		len = (size_t)(zone - data);
	ok = len < sizeof address && n <= LIMIT_HOST_NAME;
	if (ok) {
		memcpy(address, data, len);
		address[len] = '\0';
		ok = strlen(address) == len && inet_pton(AF_INET6, address, &ignored) == 1;
	}
	/* A zone is the name or the number of an interface. */
	if (ok && zone)
		ok = n > len + 1 && name_bad_at(data, n) == n &&
		     !memchr(zone + 1, '%', n - len - 1) && !memchr(zone, ':', n - len);
	if (!ok)
		return expr_fail(s->env, s->text, s->at, ERR_SYNTAX,
				 "'%s' is no IPv6 address; write 2001:db8::1, [2001:db8::1]:22, or "
				 "name:port with one ':'",
				 expr_quote(shown, data, n));
	item->literals[0].data = data;
	item->literals[0].len = n;
	return 0;
}

/* [ADDRESS] or [ADDRESS]:PORT, where the ']' is at close. */
static int item_brackets(struct item *item, struct item_span *s, size_t close)
{
	struct item_span inside = {s->text, s->env, s->at + 1, close};
	int rc = item_ipv6(item, &inside);

	item->host.brackets = true;
	if (!rc && close + 1 < s->end && s->text->data[close + 1] != ':')
		return expr_fail(s->env, s->text, close + 1, ERR_SYNTAX,
				 "only ':' and a port may follow an IPv6 address in brackets");
	if (!rc && close + 1 < s->end)
		rc = item_port(item, s, close + 1);
	return rc;
}

static void item_begin(struct item *item)
{
	item->host = (struct host_text){0};
	item->literals[0].data = "";
	item->literals[0].len = 0;
	item->range_count = 0;
	item->wild = false;
}

static void item_keep(struct item *item, const char *data, size_t n)
{
	item->literals[item->range_count].data = data;
	item->literals[item->range_count].len = n;
}

static int item_literal(struct item *item, struct item_span *s, size_t at, size_t end)
{
	const char *data = s->text->data + at;
	size_t n = end - at, bad = 0;
	const char *zone = memchr(data, '%', n);

	for (bad = name_bad_at(data, n); bad < n && (data[bad] == '*' || data[bad] == '?');
	     bad += name_bad_at(data + bad, n - bad)) {
		item->wild = true;
		bad++;
	}
	if (zone && (size_t)(zone - data) < bad)
		bad = (size_t)(zone - data);
	if (bad < n)
		return item_bad_byte(s, at + bad, "host name");
	item_keep(item, data, n);
	return 0;
}

/* NAME with any number of [ranges]. any: the rest may be any bytes. */
static int item_name(struct item *item, struct item_span *s, bool any)
{
	const char *data = s->text->data;
	size_t at = s->at;

	for (;;) {
		const char *open = memchr(data + at, '[', s->end - at);
		size_t stop = open ? (size_t)(open - data) : s->end, close;
		int rc = 0;

		if (any)
			item_keep(item, data + at, stop - at);
		else
			rc = item_literal(item, s, at, stop);
		if (rc || !open)
			return rc;
		if (item->range_count == ITEM_RANGES_MAX)
			return expr_fail(s->env, s->text, stop, ERR_LIMIT,
					 "a name may have at most %u pairs of brackets",
					 ITEM_RANGES_MAX);
		close = (size_t)((const char *)memchr(open, ']', s->end - stop) - data);
		item->ranges[item->range_count] = (struct range_set){0};
		rc = range_parse(&item->ranges[item->range_count++], s->text, stop + 1, close,
				 s->env);
		if (rc)
			return rc;
		at = close + 1;
	}
}

static int item_parse(struct item *item, struct item_span *s)
{
	const char *data = s->text->data, *close;
	size_t colon;
	int rc = item_user(item, s);

	if (rc)
		return rc;
	if (s->at < s->end && data[s->at] == '[') {
		close = memchr(data + s->at, ']', s->end - s->at);
		if (memchr(data + s->at, ':', (size_t)(close - data) - s->at))
			return item_brackets(item, s, (size_t)(close - data));
	}
	colon = item_find(s, ':');
	if (colon < s->end) {
		struct item_span rest = {s->text, s->env, colon + 1, s->end};

		if (item_find(&rest, ':') < s->end)
			return item_ipv6(item, s);
		rc = item_port(item, s, colon);
		if (rc)
			return rc;
	}
	if (s->at == s->end)
		return expr_fail(s->env, s->text, s->at, ERR_SYNTAX, "a host name is missing here");
	if (data[s->at] == '-')
		return expr_fail(
			s->env, s->text, s->at, ERR_SYNTAX,
			"a host name that begins with '-' could be taken for an option; to "
			"leave a host out write '!' before its name");
	return item_name(item, s, false);
}

/* Refuses names that are too long and more hosts than allowed, before any is made. */
static int item_check(const struct item *item, struct item_span *s, size_t start, size_t *ret_count)
{
	size_t len = item->literals[0].len;
	uint64_t count = 1;

	for (size_t i = 0; i < item->range_count; i++) {
		len += item->ranges[i].width + item->literals[i + 1].len;
		if (item->ranges[i].count > s->env->left.hosts / count)
			return expr_fail_hosts(s->env, s->text, start);
		count *= item->ranges[i].count;
	}
	if (len > LIMIT_HOST_NAME)
		return expr_fail(s->env, s->text, s->at, ERR_LIMIT,
				 "the host name has %zu bytes; at most %u are possible", len,
				 LIMIT_HOST_NAME);
	*ret_count = (size_t)count;
	return expr_spend(s->env, s->text, start, count * EXPR_WORK_HOST);
}

/* Makes every name; the last range runs fastest. Ends when fn returns other than 0, with that. */
static int item_expand(const struct item *item, item_names_fn *fn, void *arg)
{
	struct range_cursor cur[ITEM_RANGES_MAX];
	char name[LIMIT_HOST_NAME + 1];
	size_t turning;
	int rc;

	for (size_t i = 0; i < item->range_count; i++)
		range_first(&item->ranges[i], &cur[i]);
	do {
		size_t n = item->literals[0].len;

		memcpy(name, item->literals[0].data, n);
		for (size_t i = 0; i < item->range_count; i++) {
			n += range_print(&item->ranges[i], &cur[i], name + n);
			memcpy(name + n, item->literals[i + 1].data, item->literals[i + 1].len);
			n += item->literals[i + 1].len;
		}
		rc = fn(arg, name, n);
		for (turning = item->range_count; turning; turning--)
			if (range_next(&item->ranges[turning - 1], &cur[turning - 1]))
				break;
	} while (turning && !rc);
	return rc;
}

/* Where the names of an item go. */
struct item_sink {
	struct hostlist *list;
	struct host_text host; /* but for the name */
	const struct item_span *span;
};

static int item_put(void *arg, const char *name, size_t n)
{
	struct item_sink *sink = arg;

	sink->host.name = name;
	sink->host.name_len = n;
	hostlist_put(sink->list, &sink->host);
	return 0;
}

static int item_append(void *arg, const char *name, size_t n)
{
	struct item_sink *sink = arg;

	sink->host.name = name;
	sink->host.name_len = n;
	hostlist_append(sink->list, &sink->host);
	return 0;
}

static int item_put_wild(void *arg, const char *name, size_t n)
{
	struct item_sink *sink = arg;

	sink->host.name = name;
	sink->host.name_len = n;
	return wild_eval(sink->list, &sink->host, sink->span->text, sink->span->at,
			 sink->span->env);
}

/*
 * True if no two of its names can be the same: each range is one run of numbers with one padding,
 * and between two of them stands what is no digit. a[1-11][1-11] is a111 twice.
 */
static bool item_is_distinct(const struct item *item)
{
	for (size_t i = 0; i < item->range_count; i++) {
		size_t digits = 0;

		if (item->ranges[i].len != 1)
			return false;
		while (digits < item->literals[i].len && item->literals[i].data[digits] >= '0' &&
		       item->literals[i].data[digits] <= '9')
			digits++;
		if (i && digits == item->literals[i].len)
			return false;
	}
	return true;
}

static void item_done(struct item *item)
{
	for (size_t i = 0; i < item->range_count; i++)
		range_done(&item->ranges[i]);
}

/* How a list takes the names of an item. */
static item_names_fn *item_way(const struct item *item, const struct hostlist *list)
{
	if (item->wild)
		return item_put_wild;
	return !hostlist_count(list) && item_is_distinct(item) ? item_append : item_put;
}

int item_names(const struct expr_text *text, size_t at, size_t end, struct expr_env *env,
	       item_names_fn *fn, void *arg)
{
	struct item_span span = {.text = text, .env = env, .at = at, .end = end};
	struct item item;
	size_t count;
	int rc;

	item_begin(&item);
	rc = item_name(&item, &span, true);
	if (!rc)
		rc = item_check(&item, &span, at, &count);
	if (!rc)
		rc = item_expand(&item, fn, arg);
	item_done(&item);
	return rc;
}

int item_eval_name(struct hostlist *list, const struct expr_text *text, struct expr_env *env)
{
	struct host_text host = {.name = text->data, .name_len = text->len};
	int rc = expr_spend(env, text, 0, EXPR_WORK_HOST);

	if (rc)
		return rc;
	hostlist_put(list, &host);
	return hostlist_count(list) > env->left.hosts ? expr_fail_hosts(env, text, 0) : 0;
}

int item_eval(struct hostlist *list, const struct expr_text *text, size_t at, size_t end,
	      struct expr_env *env)
{
	struct item_span span = {.text = text, .env = env, .at = at, .end = end};
	struct item_sink sink = {.list = list, .span = &span};
	struct item item;
	size_t count;
	int rc;

	item_begin(&item);
	rc = item_parse(&item, &span);
	if (!rc)
		rc = item_check(&item, &span, at, &count);
	if (!rc) {
		if (!item.wild && count > 1)
			hostlist_reserve(list, count);
		sink.host = item.host;
		rc = item_expand(&item, item_way(&item, list), &sink);
	}
	if (!rc && hostlist_count(list) > env->left.hosts)
		rc = expr_fail_hosts(env, text, at);
	item_done(&item);
	return rc;
}
