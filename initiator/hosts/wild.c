/* Wildcards: web*, held against every host that the default source knows. */
#include <string.h>

#include "hostlist_private.h"

/* The byte behind the character at p. */
static const char *wild_next(const char *p)
{
	do
		p++;
	while (((uint8_t)*p & 0xc0) == 0x80);
	return p;
}

bool wild_fits(const char *pattern, size_t pattern_len, const char *name)
{
	const char *end = pattern + pattern_len, *star = NULL, *from = name;

	/* What a '*' stands for grows by one where the rest does not fit; only the last one grows.
	 */
	while (*name) {
		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			from = name;
		} else if (pattern < end && *pattern == '?') {
			pattern++;
			name = wild_next(name);
		} else if (pattern < end && *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = from = wild_next(from);
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

int wild_eval(struct hostlist *list, const struct host_text *pattern, const struct expr_text *text,
	      size_t at, struct expr_env *env)
{
	const struct hostlist *all;
	int rc = group_all(&all, text, at, env);

	if (rc)
		return rc;
	rc = expr_spend(env, text, at, hostlist_count(all) * (uint64_t)EXPR_WORK_MATCH);
	for (size_t i = 0; !rc && i < hostlist_count(all); i++) {
		const struct host *host = hostlist_at(all, i);
		struct host_text found = hostlist_text(host);

		if (!wild_fits(pattern->name, pattern->name_len, host->name))
			continue;
		if (pattern->user) {
			found.user = pattern->user;
			found.user_len = pattern->user_len;
		}
		if (pattern->port) {
			found.port = pattern->port;
			found.brackets |= strchr(host->name, ':') != NULL;
		}
		hostlist_put(list, &found);
	}
	return rc;
}
