#include "upcall.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "limits.h"

extern char **environ;

/* What was said in this process. */
struct upcall_memo {
	struct buf key, said;
};

struct upcalls {
	struct upcalls_options options;
	struct upcall_memo *memos;
	size_t count;
};

struct upcalls *upcalls_new(const struct upcalls_options *options)
{
	struct upcalls *upcalls = xcalloc(1, sizeof *upcalls);

	upcalls->options = *options;
	if (!upcalls->options.deadline_ms)
		upcalls->options.deadline_ms = LIMIT_UPCALL_MS;
	return upcalls;
}

void upcalls_free(struct upcalls *upcalls)
{
	if (!upcalls)
		return;
	for (size_t i = 0; i < upcalls->count; i++) {
		buf_done(&upcalls->memos[i].key);
		buf_done(&upcalls->memos[i].said);
	}
	free(upcalls->memos);
	free(upcalls);
}

static void upcall_key_text(struct buf *key, const char *text)
{
	buf_add(key, text ? text : "", text ? strlen(text) + 1 : 1);
}

/* Another file of this name, or other content, is another stamp. */
static void upcall_key_file(struct buf *key, const char *path)
{
	struct stat st;

	if (!path || stat(path, &st) != 0)
		st = (struct stat){0};
	buf_addf(key, "%ju %ju %ju %jd.%09ld %jd.%09ld", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino,
		 (uintmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
		 (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	buf_add_char(key, '\0');
}

/* Shells count in these, or tell of what does not matter to a command. */
static bool upcall_env_counts(const char *entry)
{
	static const char *const passing[] = {"_=", "SHLVL=", "OLDPWD=", "COLUMNS=", "LINES="};

	for (size_t i = 0; i < ARRAY_LEN(passing); i++)
		if (strncmp(entry, passing[i], strlen(passing[i])) == 0)
			return false;
	return true;
}

/* The environment may have secrets: two sums of it, and not itself, are kept. */
static void upcall_key_env(struct buf *key)
{
	uint64_t a = UINT64_C(0xcbf29ce484222325), b = UINT64_C(0x9e3779b97f4a7c15);

	for (char **entry = environ; entry && *entry; entry++) {
		if (!upcall_env_counts(*entry))
			continue;
		for (const unsigned char *c = (const unsigned char *)*entry;; c++) {
			a = (a ^ *c) * UINT64_C(0x100000001b3);
			b = (b + *c) * UINT64_C(0xd6e8feb86659fd93);
			b ^= b >> 32;
			if (!*c)
				break;
		}
	}
	buf_addf(key, "%016jx%016jx", (uintmax_t)a, (uintmax_t)b);
	buf_add_char(key, '\0');
}

/* All that what the command says can depend on, and that we can know. */
static void upcall_key(struct buf *key, const struct upcall *call)
{
	char *cwd = getcwd(NULL, 0);

	upcall_key_text(key, call->program ? "program" : "sh");
	upcall_key_text(key, call->command);
	upcall_key_text(key, call->dir);
	upcall_key_text(key, cwd);
	upcall_key_text(key, call->file);
	upcall_key_file(key, call->file);
	upcall_key_file(key, call->program ? call->command : NULL);
	buf_addf(key, "%ju %ju", (uintmax_t)geteuid(), (uintmax_t)getegid());
	buf_add_char(key, '\0');
	upcall_key_env(key);
	free(cwd);
}

static bool upcall_same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static void upcall_remember(struct upcalls *upcalls, const struct buf *key, const void *said,
			    size_t n)
{
	struct upcall_memo *memo;

	if (upcalls->count >= LIMIT_GROUP_UPCALLS)
		return;
	upcalls->memos = xrealloc(upcalls->memos, upcalls->count + 1, sizeof *memo);
	memo = &upcalls->memos[upcalls->count++];
	*memo = (struct upcall_memo){0};
	buf_add(&memo->key, key->data, key->len);
	if (n)
		buf_add(&memo->said, said, n);
}

static int upcall_keyed(struct upcalls *upcalls, const struct upcall *call, const struct buf *key,
			struct buf *out, struct errmsg *msg)
{
	const struct upcalls_options *o = &upcalls->options;
	uint64_t cache_ms = call->cache_ms < o->cache_ms ? call->cache_ms : o->cache_ms;
	size_t begin = out->len;
	int rc;

	for (size_t i = 0; i < upcalls->count; i++)
		if (upcall_same(&upcalls->memos[i].key, key)) {
			buf_add(out, upcalls->memos[i].said.data, upcalls->memos[i].said.len);
			return 0;
		}
	if (o->cache_dir && cache_ms && !o->refresh &&
	    upcall_cache_get(o->cache_dir, key, cache_ms, out)) {
		upcall_remember(upcalls, key, out->data + begin, out->len - begin);
		return 0;
	}
	rc = upcall_run(call, o->deadline_ms, out, msg);
	if (rc) {
		out->len = begin;
		return rc;
	}
	if (o->cache_dir && cache_ms)
		upcall_cache_put(o->cache_dir, key, out->data + begin, out->len - begin);
	upcall_remember(upcalls, key, out->data + begin, out->len - begin);
	return 0;
}

int upcall(struct upcalls *upcalls, const struct upcall *call, struct buf *out, struct errmsg *msg)
{
	struct buf key = {0};
	int rc;

	upcall_key(&key, call);
	rc = upcall_keyed(upcalls, call, &key, out, msg);
	buf_done(&key);
	return rc;
}
