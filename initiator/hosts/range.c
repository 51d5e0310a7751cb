#include "range.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

struct range_number {
	uint64_t value;
	size_t len;  /* as written */
	bool zeroed; /* as in 07 */
};

/* A place in the brackets. */
struct range_scan {
	const struct expr_text *text;
	struct expr_env *env;
	size_t at, end;
};

static bool range_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void range_skip_space(struct range_scan *s)
{
	while (s->at < s->end && expr_is_space(s->text->data[s->at]))
		s->at++;
}

static size_t range_digits(uint64_t value)
{
	size_t n = 1;

	for (; value >= 10; value /= 10)
		n++;
	return n;
}

/* The element from start to the next comma, for messages. */
static const char *range_quote(const struct range_scan *s, size_t start, char *out)
{
	const char *from = s->text->data + start;
	const char *comma = memchr(from, ',', s->end - start);

	return expr_quote(out, from, comma ? (size_t)(comma - from) : s->end - start);
}

static int range_number(struct range_scan *s, struct range_number *ret)
{
	const char *data = s->text->data;
	struct range_number num = {0};
	char shown[EXPR_QUOTE_SIZE];
	size_t start = s->at;

	for (; s->at < s->end && range_is_digit(data[s->at]); s->at++) {
		num.value = num.value * 10 + (uint64_t)(data[s->at] - '0');
		if (num.value > RANGE_NUMBER_MAX)
			return expr_fail(s->env, s->text, start, ERR_RANGE,
					 "'%s' is too large; numbers in brackets go up to %llu",
					 range_quote(s, start, shown),
					 (unsigned long long)RANGE_NUMBER_MAX);
	}
	num.len = s->at - start;
	if (!num.len && (s->at == s->end || data[s->at] == ','))
		return expr_fail(s->env, s->text, start, ERR_SYNTAX,
				 "a number is missing; write [1-3], [1,5] or [1-9/2]");
	if (!num.len)
		return expr_fail(s->env, s->text, start, ERR_SYNTAX,
				 "'%s' is no number; brackets hold numbers, ranges and steps, as in"
				 " [1,5-9,10-20/2]",
				 range_quote(s, start, shown));
	if (num.len > LIMIT_HOST_NAME)
		return expr_fail(s->env, s->text, start, ERR_LIMIT,
				 "this number has %zu digits; a host name has at most %u bytes",
				 num.len, LIMIT_HOST_NAME);
	num.zeroed = num.len > 1 && data[start] == '0';
	*ret = num;
	return 0;
}

/* Refuses bounds that do not go together. */
static int range_check(struct range_scan *s, size_t start, const struct range_number *lo,
		       const struct range_number *hi)
{
	if (hi->value < lo->value)
		return expr_fail(s->env, s->text, start, ERR_RANGE,
				 "the range %llu-%llu runs downwards; write %llu-%llu",
				 (unsigned long long)lo->value, (unsigned long long)hi->value,
				 (unsigned long long)hi->value, (unsigned long long)lo->value);
	if (hi->zeroed && hi->len != lo->len)
		return expr_fail(s->env, s->text, start, ERR_RANGE,
				 "the upper bound is padded to %zu digits and the lower one has "
				 "%zu; write both with %zu, as in %0*llu-%0*llu",
				 hi->len, lo->len, hi->len, (int)hi->len,
				 (unsigned long long)lo->value, (int)hi->len,
				 (unsigned long long)hi->value);
	return 0;
}

/* NUMBER, NUMBER-NUMBER or NUMBER-NUMBER/NUMBER. */
static int range_element(struct range_scan *s, struct range *ret)
{
	struct range_number lo, hi, step = {.value = 1};
	const char *data = s->text->data;
	size_t start = s->at, step_at;
	int rc = range_number(s, &lo);

	if (rc)
		return rc;
	hi = lo;
	if (s->at < s->end && data[s->at] == '-') {
		s->at++;
		rc = range_number(s, &hi);
		if (!rc)
			rc = range_check(s, start, &lo, &hi);
		if (!rc && s->at < s->end && data[s->at] == '/') {
			step_at = ++s->at;
			rc = range_number(s, &step);
			if (!rc && !step.value)
				rc = expr_fail(s->env, s->text, step_at, ERR_RANGE,
					       "a step of 0 never ends; write 1 or more");
		}
	}
	if (!rc)
		*ret = (struct range){lo.value, hi.value, step.value, lo.zeroed ? lo.len : 0};
	return rc;
}

static int range_push(struct range_set *set, const struct range *row, struct range_scan *s,
		      size_t start)
{
	uint64_t count = (row->hi - row->lo) / row->step + 1;
	size_t width = range_digits(row->hi);

	if (count > s->env->left.hosts || set->count + count > s->env->left.hosts)
		return expr_fail_hosts(s->env, s->text, start);
	if (set->len == set->size) {
		set->size = set->size ? set->size * 2 : 4;
		set->rows = xrealloc(set->rows, set->size, sizeof *set->rows);
	}
	set->rows[set->len++] = *row;
	set->count += count;
	if (width < row->pad)
		width = row->pad;
	if (set->width < width)
		set->width = width;
	return 0;
}

int range_parse(struct range_set *ret, const struct expr_text *text, size_t at, size_t end,
		struct expr_env *env)
{
	struct range_scan s = {.text = text, .env = env, .at = at, .end = end};

	for (;;) {
		char shown[EXPR_QUOTE_SIZE];
		struct range row = {0};
		size_t start;
		int rc;

		range_skip_space(&s);
		start = s.at;
		rc = range_element(&s, &row);
		if (!rc)
			rc = range_push(ret, &row, &s, start);
		if (rc)
			return rc;
		range_skip_space(&s);
		if (s.at == s.end)
			return 0;
		if (text->data[s.at] != ',')
			return expr_fail(env, text, s.at, ERR_SYNTAX,
					 "'%s' is unexpected in brackets; they hold numbers, ranges"
					 " and steps, as in [1,5-9,10-20/2]",
					 range_quote(&s, s.at, shown));
		s.at++;
	}
}

void range_done(struct range_set *set)
{
	free(set->rows);
	*set = (struct range_set){0};
}

void range_first(const struct range_set *set, struct range_cursor *cur)
{
	*cur = (struct range_cursor){0, set->rows[0].lo};
}

bool range_next(const struct range_set *set, struct range_cursor *cur)
{
	const struct range *row = &set->rows[cur->row];

	if (row->hi - cur->value >= row->step) {
		cur->value += row->step;
		return true;
	}
	if (++cur->row < set->len) {
		cur->value = set->rows[cur->row].lo;
		return true;
	}
	range_first(set, cur);
	return false;
}

size_t range_print(const struct range_set *set, const struct range_cursor *cur, char *out)
{
	size_t n = range_digits(cur->value), pad = set->rows[cur->row].pad;
	uint64_t value = cur->value;

	if (n < pad)
		n = pad;
	for (size_t i = n; i--; value /= 10)
		out[i] = (char)('0' + value % 10);
	return n;
}
