#include "pattern.h"

#include <string.h>

static bool pattern_same(char a, char b, bool fold)
{
	if (a == b)
		return true;
	if (!fold)
		return false;
	if (a >= 'A' && a <= 'Z')
		a = (char)(a + ('a' - 'A'));
	if (b >= 'A' && b <= 'Z')
		b = (char)(b + ('a' - 'A'));
	return a == b;
}

bool pattern_match(const char *text, const char *pattern, size_t len, bool fold)
{
	const char *end = pattern + len, *star = NULL, *resume = NULL;

	/* Only the last star needs another try: an earlier one already took the least it can. */
	while (*text) {
		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			resume = text;
		} else if (pattern < end &&
			   (*pattern == '?' || pattern_same(*text, *pattern, fold))) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

int pattern_list_match(const char *text, const char *list, bool fold)
{
	int found = 0;

	for (;;) {
		size_t len = strcspn(list, ",");
		bool negated = len && *list == '!';

		if (len > negated && pattern_match(text, list + negated, len - negated, fold)) {
			if (negated)
				return -1;
			found = 1;
		}
		if (!list[len])
			return found;
		list += len + 1;
	}
}

bool pattern_is_literal(const char *text)
{
	return *text != '!' && !strpbrk(text, "*?");
}
