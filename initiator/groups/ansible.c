#include "ansible.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "limits.h"

#define ANSIBLE_RANGES	   8u
#define ANSIBLE_DIGITS_MAX 9u
#define ANSIBLE_SHOWN	   80

static const char ansible_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* A pattern: texts[0] ranges[0] texts[1] ... */
struct ansible_range {
	uint32_t begin, end, step; /* numbers, or places in ansible_letters */
	uint32_t at;
	unsigned width; /* of digits; 0: as they come */
	bool letters;
};

struct ansible_pattern {
	const char *texts[ANSIBLE_RANGES + 1];
	size_t lens[ANSIBLE_RANGES + 1];
	struct ansible_range ranges[ANSIBLE_RANGES];
	size_t count;
};

void ansible_hosts_done(struct ansible_hosts *hosts)
{
	free(hosts->at);
	*hosts = (struct ansible_hosts){0};
}

static int ansible_put(struct inv *inv, const char *name, size_t n, struct ansible_hosts *ret,
		       struct errmsg *msg)
{
	uint32_t host;
	int rc = inv_work(inv, 1, msg);

	if (rc == 0)
		rc = inv_host(inv, name, n, &host, msg);
	if (rc)
		return rc;
	if (ret->count == ret->size) {
		ret->size = ret->size ? ret->size * 2 : 8;
		ret->at = xrealloc(ret->at, ret->size, sizeof *ret->at);
	}
	ret->at[ret->count++] = host;
	return 0;
}

static bool ansible_number(const char *text, size_t n, uint32_t *ret)
{
	uint32_t v = 0;

	if (!n || n > ANSIBLE_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = v * 10 + (uint32_t)(text[i] - '0');
	}
	*ret = v;
	return true;
}

static bool ansible_letter(const char *text, size_t n, uint32_t *ret)
{
	const char *at = n == 1 && *text ? strchr(ansible_letters, *text) : NULL;

	if (at)
		*ret = (uint32_t)(at - ansible_letters);
	return at != NULL;
}

/* What is between the brackets: BEGIN-END or BEGIN-END/STEP. False: it is not that. */
static bool ansible_dashes(struct ansible_range *ret, const char *text, size_t n)
{
	const char *end = memchr(text, '-', n), *step;
	size_t begin_len, end_len;

	if (!end)
		return false;
	begin_len = (size_t)(end++ - text);
	end_len = n - begin_len - 1;
	step = memchr(end, '/', end_len);
	if (step)
		end_len = (size_t)(step - end);
	if (!ansible_number(text, begin_len, &ret->begin) ||
	    !ansible_number(end, end_len, &ret->end) ||
	    (step && !ansible_number(step + 1, (size_t)(text + n - step - 1), &ret->step)))
		return false;
	if (begin_len > 1 && *text == '0')
		ret->width = (unsigned)begin_len;
	/* [1-03]: of which length the names are cannot be told. */
	return ret->step && (begin_len == end_len || (!ret->width && *end != '0'));
}

/* The same, or an error; lists stay with those who know host expressions. */
static int ansible_range_dashed(struct ansible_range *ret, const char *text, size_t n,
				struct errmsg *msg)
{
	int shown = (int)(n > ANSIBLE_SHOWN ? ANSIBLE_SHOWN : n);

	*ret = (struct ansible_range){.step = 1};
	if (memchr(text, ',', n))
		return err_set(msg, ERR_SYNTAX,
			       "'[%.*s]' is a list, and only ranges such as [1-3] are read here: "
			       "have the names one by one, as 'muster hosts' or 'nodeset -e' print "
			       "them",
			       shown, text);
	if (!ansible_dashes(ret, text, n))
		return err_set(
			msg, ERR_SYNTAX,
			"'[%.*s]' is no range: [BEGIN-END] or [BEGIN-END/STEP] with numbers, "
			"of equal length where there are leading zeros",
			shown, text);
	ret->at = ret->begin;
	if (ret->begin > ret->end)
		return err_set(msg, ERR_SYNTAX, "'[%.*s]': the end is before the beginning", shown,
			       text);
	return 0;
}

/* What is between the brackets: BEGIN:END or BEGIN:END:STEP; no BEGIN is 0. */
static int ansible_range(struct ansible_range *ret, const char *text, size_t n, struct errmsg *msg)
{
	const char *end = memchr(text, ':', n), *step;
	size_t begin_len, end_len;
	bool fine = false;

	*ret = (struct ansible_range){.step = 1};
	if (end) {
		begin_len = (size_t)(end++ - text);
		end_len = n - begin_len - 1;
		step = memchr(end, ':', end_len);
		if (step)
			end_len = (size_t)(step - end);
		fine = !step || ansible_number(step + 1, (size_t)(text + n - step - 1), &ret->step);
		ret->letters = ansible_letter(text, begin_len, &ret->begin) &&
			       ansible_letter(end, end_len, &ret->end);
		fine = fine && ret->step &&
		       (ret->letters ||
			((!begin_len || ansible_number(text, begin_len, &ret->begin)) &&
			 ansible_number(end, end_len, &ret->end)));
		if (fine && !ret->letters && begin_len > 1 && *text == '0') {
			ret->width = (unsigned)begin_len;
			fine = begin_len == end_len;
		}
	}
	ret->at = ret->begin;
	if (!fine)
		return err_set(msg, ERR_SYNTAX,
			       "'[%.*s]' is no range of Ansible: [BEGIN:END] or [BEGIN:END:STEP] "
			       "with numbers, of equal length where there are leading zeros, or "
			       "letters",
			       (int)(n > ANSIBLE_SHOWN ? ANSIBLE_SHOWN : n), text);
	if (ret->begin > ret->end)
		return err_set(msg, ERR_SYNTAX, "'[%.*s]': the end is before the beginning",
			       (int)(n > ANSIBLE_SHOWN ? ANSIBLE_SHOWN : n), text);
	return 0;
}

static int ansible_split(struct ansible_pattern *ret, const char *text, size_t n, bool dashes,
			 struct errmsg *msg)
{
	const char *end = text + n;
	uint64_t total = 1;

	ret->count = 0;
	for (;;) {
		const char *open = memchr(text, '[', (size_t)(end - text)), *close;
		struct ansible_range *range = &ret->ranges[ret->count];
		int rc;

		ret->texts[ret->count] = text;
		ret->lens[ret->count] = (size_t)((open ? open : end) - text);
		if (!open)
			return 0;
		close = memchr(open, ']', (size_t)(end - open));
		if (!close || ret->count == ANSIBLE_RANGES)
			return err_set(msg, ERR_SYNTAX,
				       close ? "more than %u ranges in one name"
					     : "'[' without ']'",
				       ANSIBLE_RANGES);
		n = (size_t)(close - open - 1);
		rc = (dashes && !memchr(open, ':', n + 1) ? ansible_range_dashed
							  : ansible_range)(range, open + 1, n, msg);
		if (rc)
			return rc;
		total *= (range->end - range->begin) / range->step + 1;
		if (total > LIMIT_HOSTS)
			return err_set(msg, ERR_LIMIT, "a name that stands for more than %u hosts",
				       LIMIT_HOSTS);
		ret->count++;
		text = close + 1;
	}
}

/* The next combination, the last range fastest. */
static bool ansible_step(struct ansible_pattern *pattern)
{
	for (size_t i = pattern->count; i-- > 0;) {
		struct ansible_range *range = &pattern->ranges[i];

		if (range->end - range->at >= range->step) {
			range->at += range->step;
			return true;
		}
		range->at = range->begin;
	}
	return false;
}

static int ansible_combine(struct inv *inv, struct ansible_pattern *pattern,
			   struct ansible_hosts *ret, struct errmsg *msg)
{
	struct buf name = {0};
	int rc;

	do {
		buf_clear(&name);
		for (size_t i = 0; i < pattern->count; i++) {
			const struct ansible_range *range = &pattern->ranges[i];

			buf_add(&name, pattern->texts[i], pattern->lens[i]);
			if (range->letters)
				buf_add_char(&name, ansible_letters[range->at]);
			else
				buf_addf(&name, "%0*u", (int)range->width, range->at);
		}
		buf_add(&name, pattern->texts[pattern->count], pattern->lens[pattern->count]);
		rc = ansible_put(inv, (const char *)name.data, name.len, ret, msg);
	} while (rc == 0 && ansible_step(pattern));
	buf_done(&name);
	return rc;
}

static bool ansible_is_v6(const char *text, size_t n)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (n >= sizeof copy)
		return false;
	memcpy(copy, text, n);
	copy[n] = '\0';
	return inet_pton(AF_INET6, copy, &address) == 1;
}

/* Cuts ":PORT" off the end; *ret_port are its digits, *ret_len is 0 for none. */
static size_t ansible_cut_port(const char *text, size_t n, const char **ret_port, size_t *ret_len)
{
	size_t at = n, colons = 0, depth = 0;
	uint32_t port;

	for (size_t i = 0; i < n; i++) {
		depth += text[i] == '[';
		depth -= text[i] == ']' && depth;
		if (text[i] == ':' && !depth) {
			colons++;
			at = i;
		}
	}
	*ret_len = 0;
	if (colons != 1 || !ansible_number(text + at + 1, n - at - 1, &port))
		return n;
	*ret_port = text + at + 1;
	*ret_len = n - at - 1;
	return at;
}

int ansible_expand(struct inv *inv, const char *pattern, size_t n, bool dashes,
		   struct ansible_hosts *ret, struct errmsg *msg)
{
	struct ansible_pattern split;
	const char *port = NULL;
	size_t port_len;
	int rc;

	ret->count = 0;
	if (ansible_is_v6(pattern, n))
		return ansible_put(inv, pattern, n, ret, msg);
	n = ansible_cut_port(pattern, n, &port, &port_len);
	if (n > 2 && *pattern == '[' && pattern[n - 1] == ']' && ansible_is_v6(pattern + 1, n - 2))
		rc = ansible_put(inv, pattern + 1, n - 2, ret, msg);
	else if (!memchr(pattern, '[', n))
		rc = ansible_put(inv, pattern, n, ret, msg);
	else {
		rc = ansible_split(&split, pattern, n, dashes, msg);
		if (rc == 0)
			rc = ansible_combine(inv, &split, ret, msg);
	}
	if (rc == 0 && port_len)
		rc = inv_hosts_set(inv, ret->at, ret->count, INV_PORT, port, port_len, msg);
	return rc;
}

/* value may be what is merged in: one level of it. */
static int ansible_set_var(struct inv *inv, bool group, uint32_t id, const struct doc_node *key,
			   const struct doc_node *value, struct errmsg *msg)
{
	enum inv_var var =
		key->kind == DOC_TEXT ? inv_var_find(key->text, key->len) : INV_VAR_COUNT;

	if (var == INV_VAR_COUNT || value->kind == DOC_NULL)
		return 0;
	if (value->kind != DOC_TEXT)
		return err_set(msg, ERR_SYNTAX, "%s is %s and no text", inv_var_name(var),
			       doc_kind_name(value->kind));
	if (group)
		return inv_group_set(inv, id, var, value->text, value->len, msg);
	return inv_hosts_set(inv, &id, 1, var, value->text, value->len, msg);
}

static size_t ansible_keys(const struct doc *doc, const struct doc_node *map)
{
	size_t count = 0;

	for (uint32_t i = doc_first(map); i != DOC_NONE; i = doc_next(doc, i))
		count++;
	return count;
}

int ansible_work(struct inv *inv, const struct doc *doc, const struct doc_node *map,
		 struct errmsg *msg)
{
	const struct doc_node *merge = doc_get(doc, map, "<<");
	int rc = inv_work(inv, ansible_keys(doc, map), msg);

	if (rc || !merge)
		return rc;
	rc = inv_work(inv, ansible_keys(doc, merge), msg);
	for (uint32_t i = merge->kind == DOC_LIST ? merge->first : DOC_NONE;
	     rc == 0 && i != DOC_NONE; i = doc_next(doc, i))
		rc = inv_work(inv, ansible_keys(doc, doc_at(doc, i)), msg);
	return rc;
}

static int ansible_set_own(struct inv *inv, bool group, uint32_t id, const struct doc *doc,
			   const struct doc_node *map, struct errmsg *msg)
{
	int rc = 0;

	for (uint32_t i = map->kind == DOC_MAP ? map->first : DOC_NONE; rc == 0 && i != DOC_NONE;
	     i = doc_next(doc, doc_next(doc, i)))
		rc = ansible_set_var(inv, group, id, doc_at(doc, i), doc_at(doc, doc_next(doc, i)),
				     msg);
	return rc;
}

int ansible_set_vars(struct inv *inv, bool group, uint32_t id, const struct doc *doc,
		     const struct doc_node *map, struct errmsg *msg)
{
	const struct doc_node *merge = doc_get(doc, map, "<<");
	int rc = ansible_work(inv, doc, map, msg);

	if (rc)
		return rc;
	if (merge && merge->kind == DOC_LIST) {
		for (uint32_t i = merge->first; rc == 0 && i != DOC_NONE; i = doc_next(doc, i))
			rc = ansible_set_own(inv, group, id, doc, doc_at(doc, i), msg);
	} else if (merge) {
		rc = ansible_set_own(inv, group, id, doc, merge, msg);
	}
	return rc ? rc : ansible_set_own(inv, group, id, doc, map, msg);
}
