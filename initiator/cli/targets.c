#include "targets.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "limits.h"

#define TARGETS_CHUNK (64u << 10)

static int targets_read_stdin(struct buf *out, struct errmsg *msg)
{
	size_t begin = out->len;

	for (;;) {
		ssize_t n = read(STDIN_FILENO, buf_room(out, TARGETS_CHUNK), TARGETS_CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(msg, ERR_SYS, "hosts from standard input: %s",
				       strerror(errno));
		if (n == 0)
			return 0;
		out->len += (size_t)n;
		if (out->len - begin > LIMIT_HOST_FILE)
			return err_set(msg, ERR_LIMIT,
				       "hosts from standard input: more than %u bytes",
				       LIMIT_HOST_FILE);
	}
}

static int targets_read(void *ctx, const char *path, struct buf *out, struct errmsg *msg)
{
	bool *used_stdin = ctx;
	int rc;

	if (!path) {
		if (*used_stdin)
			return err_set(msg, ERR_SYNTAX,
				       "'-' stands twice: standard input can be read once");
		*used_stdin = true;
		return targets_read_stdin(out, msg);
	}
	rc = fd_read_file(out, path, LIMIT_HOST_FILE);
	if (rc == ERR_SYS)
		return err_set(msg, rc, "cannot read hosts from %s: %s", path, strerror(errno));
	if (rc)
		return err_set(msg, rc, "cannot read hosts from %s: more than %u bytes", path,
			       LIMIT_HOST_FILE);
	return 0;
}

static int targets_each(struct hostlist *all, const struct option_texts *texts, bool *used_stdin,
			void (*join)(struct hostlist *, const struct hostlist *),
			struct errmsg *msg)
{
	for (size_t i = 0; i < texts->count; i++) {
		struct hostlist *list;
		const struct hostlist_env env = {.read = targets_read, .read_ctx = used_stdin};
		int rc = hostlist_parse(&list, texts->at[i], &env, msg);

		if (rc)
			return rc;
		join(all, list);
		hostlist_free(list);
	}
	return 0;
}

int targets_find(struct hostlist **ret, const struct option_texts *targets,
		 const struct option_texts *exclude, bool allow_empty, bool stdin_taken,
		 struct errmsg *msg)
{
	struct hostlist *all = hostlist_new();
	bool used_stdin = stdin_taken;
	int rc = targets_each(all, targets, &used_stdin, hostlist_add_all, msg);

	if (rc == 0)
		rc = targets_each(all, exclude, &used_stdin, hostlist_remove_all, msg);
	if (rc == 0 && !hostlist_count(all) && !allow_empty)
		rc = err_set(msg, ERR_NOTFOUND,
			     "no host is left to run on (--allow-empty: that is fine)");
	if (rc)
		hostlist_free(all);
	else
		*ret = all;
	return rc;
}
