/* What the database looks like, version by version. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "db_private.h"
#include "fd.h"

/* Step i leads from version i to i + 1. What was released never changes: a new version is a step
 * more. */
static const char *const db_steps[] = {
	"CREATE TABLE numbers (which INTEGER PRIMARY KEY, value INTEGER NOT NULL);"
	"CREATE TABLE jobs (id INTEGER PRIMARY KEY, child_count INTEGER NOT NULL, uuid BLOB NOT "
	"NULL,"
	" hidden INTEGER NOT NULL, begin_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL,"
	" wish INTEGER NOT NULL, spec BLOB NOT NULL);"
	"CREATE TABLE children (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL, step INTEGER NOT NULL,"
	" cause INTEGER NOT NULL, flags INTEGER NOT NULL, exit_code INTEGER NOT NULL, signal TEXT,"
	" text TEXT, begin_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, read BLOB NOT NULL);"
	"CREATE TABLE vals (name TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;",
};

_Static_assert(ARRAY_LEN(db_steps) == DB_VERSION, "a step for each version");

/* https://www.sqlite.org/fileformat2.html, section 1.3 */
#define DB_HEADER     100u
#define DB_AT_VERSION 60u
static const char db_magic[16] = "SQLite format 3";

static int db_version_error(uint64_t version, struct errmsg *msg)
{
	return err_set(msg, ERR_VERSION,
		       "it was made by a newer release of muster (its version is %llu, this "
		       "program knows %u); nothing was changed. Use that release, or another store",
		       (unsigned long long)version, DB_VERSION);
}

int db_peek(int dir_fd, bool *ret_fresh, struct errmsg *msg)
{
	uint8_t head[DB_HEADER];
	uint64_t version = 0;
	ssize_t n;
	int fd = openat(dir_fd, DB_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_set(msg, ERR_SYS, "cannot read " DB_NAME ": %s", err_text(ERR_SYS));
	n = pread(fd, head, sizeof head, 0);
	fd_close(&fd);
	if (n < 0)
		return err_set(msg, ERR_SYS, "cannot read " DB_NAME ": %s", err_text(ERR_SYS));
	*ret_fresh = n == 0;
	if (n == 0)
		return 0;
	if ((size_t)n < sizeof head || memcmp(head, db_magic, sizeof db_magic) != 0)
		return err_set(msg, ERR_PROTO, DB_NAME " is no database");
	for (size_t i = 0; i < 4; i++)
		version = version << 8 | head[DB_AT_VERSION + i];
	return version > DB_VERSION ? db_version_error(version, msg) : 0;
}

static int db_get_version(struct db *db, uint64_t *ret, struct errmsg *msg)
{
	sqlite3_stmt *statement;
	int rc = sqlite3_prepare_v2(db->handle, "PRAGMA user_version", -1, &statement, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW)
		*ret = (uint64_t)sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return rc == SQLITE_ROW ? 0 : db_error(db, rc, msg);
}

int db_migrate(struct db *db, struct errmsg *msg)
{
	char pragma[64];
	uint64_t version = 0;
	int r = db_get_version(db, &version, msg);

	if (r < 0)
		return r;
	/* Only in its log as yet: that release was killed before it could say so in the header. */
	if (version > DB_VERSION)
		return db_version_error(version, msg);
	if (version == DB_VERSION)
		return 0;
	r = db_begin(db, msg);
	for (uint64_t i = version; r == 0 && i < DB_VERSION; i++)
		r = db_exec(db, db_steps[i], msg);
	(void)snprintf(pragma, sizeof pragma, "PRAGMA user_version = %u", DB_VERSION);
	if (r == 0)
		r = db_exec(db, pragma, msg);
	if (r == 0 && version)
		r = db_commit(db, msg);
	return r;
}
