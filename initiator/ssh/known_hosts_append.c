#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "alloc.h"
#include "clock.h"
#include "fd.h"
#include "known_hosts.h"
#include "known_hosts_private.h"
#include "limits.h"

/* A file that is exchanged all the time (ssh-keygen -R) is opened again so often. */
#define APPEND_TRIES 16u
/* Between two looks at a lock that another has. */
#define APPEND_LOCK_PAUSE_MS 10

/* A name that would be read back as something else: a pattern, several names, another line. */
static bool append_is_name(const char *name)
{
	if (!*name || strchr("#@|!", *name))
		return false;
	for (; *name; name++) {
		if ((unsigned char)*name <= ' ' || *name == 0x7f || strchr(",*?", *name))
			return false;
	}
	return true;
}

static bool append_is_fit(const struct known_new *key)
{
	return append_is_name(key->name) && *key->type && strlen(key->type) <= KNOWN_TYPE_MAX &&
	       !strpbrk(key->type, " \t\r\n") && key->blob_len <= KNOWN_LINE_MAX / 2;
}

/* "|1|salt|hash", as sshd(8) has it. False: no HMAC could be made. */
static bool append_hash(struct buf *out, struct known_query *query)
{
	uint8_t salt[KNOWN_HASH_SIZE], hash[KNOWN_HASH_SIZE];
	unsigned char base64[4 * (KNOWN_HASH_SIZE / 3 + 1) + 1];

	if (getrandom(salt, sizeof salt, 0) != (ssize_t)sizeof salt ||
	    !known_query_hash(query, salt, hash))
		return false;
	(void)EVP_EncodeBlock(base64, salt, sizeof salt);
	buf_addf(out, "|1|%s", (const char *)base64);
	(void)EVP_EncodeBlock(base64, hash, sizeof hash);
	buf_addf(out, "|%s", (const char *)base64);
	return true;
}

static void append_line(struct buf *out, const struct known_new *key)
{
	unsigned char *base64 = xmalloc(4 * ((key->blob_len + 2) / 3) + 1);
	struct known_query query;

	known_query_init(&query, key->name, key->port, !key->alias);
	(void)EVP_EncodeBlock(base64, key->blob, (int)key->blob_len);
	if (!key->hashed || !append_hash(out, &query))
		buf_add_str(out, query.name);
	buf_addf(out, " %s %s\n", known_type(key->type), (const char *)base64);
	known_query_done(&query);
	free(base64);
}

/* Opens the file, and makes it and its directory if need be. Returns the descriptor or ERR_SYS. */
static int append_open(const char *path)
{
	int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;
	int fd = open(path, flags, 0600);
	const char *slash = strrchr(path, '/');
	char *dir;

	if (fd >= 0 || errno != ENOENT || !slash || slash == path)
		return fd >= 0 ? fd : ERR_SYS;
	dir = xstrndup(path, (size_t)(slash - path));
	if (mkdir(dir, 0700) == 0 || errno == EEXIST)
		fd = open(path, flags, 0600);
	free(dir);
	return fd >= 0 ? fd : ERR_SYS;
}

/* Whoever may read the file may lock it, and never let go. False, with EWOULDBLOCK: so it is. A
 * file system that knows no locks is written to as OpenSSH does it, without. */
static bool append_lock(int fd)
{
	static const struct timespec pause = {.tv_nsec = APPEND_LOCK_PAUSE_MS * 1000000L};
	uint64_t end = clock_mono_ns() + LIMIT_KNOWN_LOCK_MS * UINT64_C(1000000);

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return true;
		if (clock_mono_ns() >= end)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

/* The same, locked, and still the file of that name: ssh-keygen puts another one in its place. */
static int append_open_locked(const char *path, struct stat *ret)
{
	struct stat named;
	int fd;

	for (unsigned i = 0; i < APPEND_TRIES; i++) {
		fd = append_open(path);
		if (fd < 0)
			return fd;
		if (!append_lock(fd)) {
			fd_close(&fd);
			errno = EWOULDBLOCK;
			return ERR_SYS;
		}
		if (fstat(fd, ret) == 0 && stat(path, &named) == 0 && named.st_dev == ret->st_dev &&
		    named.st_ino == ret->st_ino)
			return fd;
		fd_close(&fd);
	}
	errno = EBUSY;
	return ERR_SYS;
}

/* --- what others have written meanwhile ------------------------------------------------------ */

static void tail_drop(struct known_tail *tail)
{
	while (tail->count)
		known_hosts_free(tail->parts[--tail->count]);
}

void known_tail_done(struct known_tail *tail)
{
	tail_drop(tail);
}

static int tail_pread(int fd, off_t from, off_t end, struct buf *out)
{
	char piece[16384];

	if (end - from > (off_t)LIMIT_KNOWN_HOSTS) {
		errno = EFBIG;
		return ERR_SYS;
	}
	while (from < end) {
		size_t want =
			end - from < (off_t)sizeof piece ? (size_t)(end - from) : sizeof piece;
		ssize_t n = pread(fd, piece, want, from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? ERR_SYS : 0;
		buf_add(out, piece, (size_t)n);
		from += n;
	}
	return 0;
}

/* Reads what has come behind what is known; all of it if it is another file than before. */
static int tail_read(struct known_tail *tail, const char *path, int fd, const struct stat *st)
{
	struct buf text = {0};
	int rc;

	if (tail->dev != st->st_dev || tail->ino != st->st_ino || st->st_size < tail->end) {
		tail_drop(tail);
		*tail = (struct known_tail){.dev = st->st_dev, .ino = st->st_ino};
	} else if (tail->count == ARRAY_LEN(tail->parts)) {
		tail_drop(tail);
		tail->end = tail->start;
	}
	if (st->st_size == tail->end)
		return 0;
	rc = tail_pread(fd, tail->end, st->st_size, &text);
	if (rc == 0) {
		tail->parts[tail->count++] = known_hosts_from_text(path, &text);
		tail->end = st->st_size;
	}
	buf_done(&text);
	return rc;
}

/* --- which of them are new ------------------------------------------------------------------- */

static void append_judge(const struct known_tail *tail, struct known_new *key)
{
	const struct known_hosts *const *parts = (const struct known_hosts *const *)tail->parts;
	enum known_verdict verdict =
		known_hosts_check(parts, tail->count, key->name, key->port, key->alias, key->type,
				  key->blob, key->blob_len, &key->where);

	if (verdict == KNOWN_MATCH)
		key->result = KNOWN_PRESENT;
	else if (verdict == KNOWN_CHANGED || verdict == KNOWN_REVOKED)
		key->result = KNOWN_CONFLICT;
	/* Lines are counted from the beginning of the file alone. */
	if (tail->start || tail->count != 1)
		key->where.line = 0;
}

struct append_row {
	char *name;
	struct known_new *key;
	size_t index;
};

static int append_by_name(const void *va, const void *vb)
{
	const struct append_row *a = va, *b = vb;
	int rc = strcmp(a->name, b->name);

	return rc ? rc : (a->index > b->index) - (a->index < b->index);
}

/* Of keys for the same name the first is the one. */
static void append_settle(struct known_new *keys, size_t count)
{
	struct append_row *rows = xcalloc(count ? count : 1, sizeof *rows);
	size_t first = 0;

	for (size_t i = 0; i < count; i++) {
		struct known_query query;

		known_query_init(&query, keys[i].name, keys[i].port, !keys[i].alias);
		rows[i] = (struct append_row){xstrdup(query.name), &keys[i], i};
		known_query_done(&query);
	}
	qsort(rows, count, sizeof *rows, append_by_name);
	for (size_t i = 1; i < count; i++) {
		struct known_new *a = rows[first].key, *b = rows[i].key;

		if (strcmp(rows[first].name, rows[i].name) != 0 || a->result == KNOWN_UNFIT)
			first = i;
		else if (b->result == KNOWN_ADDED)
			b->result = a->blob_len == b->blob_len &&
						    memcmp(a->blob, b->blob, a->blob_len) == 0
					    ? KNOWN_PRESENT
					    : KNOWN_CONFLICT;
	}
	for (size_t i = 0; i < count; i++)
		free(rows[i].name);
	free(rows);
}

/* All in one write. What a full disk takes only a part of is taken back: no line is torn. */
static int append_write(int fd, struct known_tail *tail, const struct buf *lines)
{
	off_t before = tail->end;
	struct stat st;
	ssize_t n;

	do
		n = write(fd, lines->data, lines->len);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)lines->len) {
		/* Nobody else has written, as OpenSSH may without a lock: these are known. */
		if (fstat(fd, &st) == 0 && st.st_size == before + (off_t)n)
			tail->end = st.st_size;
		return 0;
	}
	if (n > 0) {
		if (fstat(fd, &st) == 0 && st.st_size == before + (off_t)n &&
		    ftruncate(fd, before) < 0)
			return ERR_SYS;
		errno = ENOSPC;
	}
	return ERR_SYS;
}

static int append_locked(int fd, struct known_tail *tail, const char *path, const struct stat *st,
			 struct known_new *keys, size_t count)
{
	struct buf lines = {0};
	size_t added = 0;
	char last = '\n';
	int rc = tail_read(tail, path, fd, st);

	if (rc)
		return rc;
	for (size_t i = 0; i < count; i++)
		if (keys[i].result == KNOWN_ADDED)
			append_judge(tail, &keys[i]);
	append_settle(keys, count);
	/* An editor may leave the last line without its end. */
	if (st->st_size && (pread(fd, &last, 1, st->st_size - 1) != 1 || last != '\n'))
		buf_add_char(&lines, '\n');
	for (size_t i = 0; i < count; i++)
		if (keys[i].result == KNOWN_ADDED) {
			append_line(&lines, &keys[i]);
			added++;
		}
	if (added)
		rc = append_write(fd, tail, &lines);
	buf_done(&lines);
	return rc;
}

int known_tail_append(struct known_tail *tail, const char *path, struct known_new *keys,
		      size_t count, struct errmsg *msg)
{
	struct stat st;
	int fd, rc = 0;

	for (size_t i = 0; i < count; i++) {
		keys[i].result = append_is_fit(&keys[i]) ? KNOWN_ADDED : KNOWN_UNFIT;
		keys[i].where = (struct known_where){0};
	}
	fd = append_open_locked(path, &st);
	if (fd < 0 && errno == EWOULDBLOCK)
		return err_set(msg, ERR_SYS,
			       "cannot add a host key to %s: another program has kept it locked "
			       "for %u s; lslocks(8) shows which",
			       path, LIMIT_KNOWN_LOCK_MS / 1000);
	if (fd < 0)
		return err_set(msg, ERR_SYS, "cannot open %s to add a host key: %s", path,
			       strerror(errno));
	/* /dev/null, as some configure it: nothing is kept. */
	if (!S_ISREG(st.st_mode)) {
		for (size_t i = 0; i < count; i++)
			keys[i].result = KNOWN_PRESENT;
	} else {
		rc = append_locked(fd, tail, path, &st, keys, count);
	}
	if (rc < 0)
		err_set(msg, rc, "cannot add a host key to %s: %s", path, strerror(errno));
	fd_close(&fd);
	return rc;
}

int known_hosts_append_all(const char *path, struct known_new *keys, size_t count,
			   struct errmsg *msg)
{
	struct known_tail tail = {0};
	int rc = known_tail_append(&tail, path, keys, count, msg);

	for (size_t i = 0; i < count; i++)
		keys[i].where.path = NULL;
	known_tail_done(&tail);
	return rc;
}

int known_hosts_append(const char *path, const char *name, uint16_t port, int alias,
		       const char *type, const uint8_t *blob, size_t blob_len, struct errmsg *msg)
{
	struct known_new key = {.name = name,
				.port = port,
				.alias = alias != 0,
				.type = type,
				.blob = blob,
				.blob_len = blob_len};

	if (!append_is_fit(&key)) {
		errno = EINVAL;
		return err_set(msg, ERR_SYS,
			       "cannot add the host key to %s: the name or the key has characters "
			       "or a size that such a file cannot hold",
			       path);
	}
	return known_hosts_append_all(path, &key, 1, msg);
}
