#include "portion.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "duration.h"
#include "limits.h"

static int portion_number(uint64_t *ret, const char *text, size_t len)
{
	char *copy = xstrndup(text, len);
	int rc = len && strspn(copy, "0123456789") == len
			 ? count_parse(ret, copy, 0, LIMIT_HOSTS, "--shard", NULL)
			 : ERR_SYNTAX;

	free(copy);
	return rc;
}

int portion_parse(struct portion *ret, const char *text, struct errmsg *msg)
{
	const char *slash = strchr(text, '/');
	uint64_t index, of;
	int rc = slash ? portion_number(&index, text, (size_t)(slash - text)) : ERR_SYNTAX;

	if (rc == 0)
		rc = portion_number(&of, slash + 1, strlen(slash + 1));
	if (rc == ERR_RANGE)
		return err_set(msg, rc, "--shard: '%s' has a number above %u", text, LIMIT_HOSTS);
	if (rc)
		return err_set(msg, rc,
			       "--shard: '%s' is not I/N: which portion, counted from 0, of how "
			       "many, as in 0/8",
			       text);
	if (of == 0)
		return err_set(msg, ERR_RANGE, "--shard: '%s': there is at least 1 portion: 0/1",
			       text);
	if (index >= of)
		return err_set(msg, ERR_RANGE,
			       "--shard: '%s': portions of %llu count from 0 to %llu", text,
			       (unsigned long long)of, (unsigned long long)of - 1);
	*ret = (struct portion){.index = (size_t)index, .of = (size_t)of};
	return 0;
}

bool portion_take(const struct portion *portion, struct hostlist *hosts, struct errmsg *text)
{
	size_t count = hostlist_count(hosts);

	hostlist_keep_nth(hosts, portion->index, portion->of);
	if (!count || hostlist_count(hosts))
		return false;
	(void)err_set(text, 0, "shard %zu/%zu of %zu host%s is empty: there is nothing to do",
		      portion->index, portion->of, count, count == 1 ? "" : "s");
	return true;
}
