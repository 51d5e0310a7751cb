#include "db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "db_private.h"

static const char *const db_sql[DB_STATEMENTS] = {
	[DB_BEGIN] = "BEGIN IMMEDIATE",
	[DB_COMMIT] = "COMMIT",
	[DB_ROLLBACK] = "ROLLBACK",
	[DB_PUT_JOB] = "INSERT OR REPLACE INTO jobs VALUES (?,?,?,?,?,?,?,?)",
	[DB_PUT_CHILD] = "INSERT OR REPLACE INTO children VALUES (?,?,?,?,?,?,?,?,?,?,?)",
	[DB_UPDATE_JOB] = "UPDATE jobs SET begin_ns = ?2, end_ns = ?3, wish = ?4 WHERE id = ?1",
	[DB_UPDATE_CHILD] =
		"UPDATE children SET uuid = ?2, step = ?3, cause = ?4, flags = ?5, exit_code = ?6,"
		" signal = ?7, text = ?8, begin_ns = ?9, end_ns = ?10, read = ?11 WHERE id = ?1",
	[DB_UPDATE_READ] = "UPDATE children SET read = ?2 WHERE id = ?1",
	[DB_REMOVE_CHILDREN] = "DELETE FROM children WHERE id > ?1 AND"
			       " id <= ?1 + (SELECT child_count FROM jobs WHERE jobs.id = ?1)",
	[DB_REMOVE_JOB] = "DELETE FROM jobs WHERE id = ?1",
	[DB_PUT_VALUE] = "INSERT OR REPLACE INTO vals VALUES (?,?)",
	[DB_REMOVE_VALUE] = "DELETE FROM vals WHERE name = ?",
	[DB_SET_NUMBER] = "INSERT OR REPLACE INTO numbers VALUES (?,?)",
	[DB_GET_NUMBER] = "SELECT value FROM numbers WHERE which = ?",
	[DB_LOAD_JOBS] = "SELECT * FROM jobs ORDER BY id",
	[DB_LOAD_CHILDREN] = "SELECT * FROM children ORDER BY id",
	[DB_LOAD_VALUES] = "SELECT * FROM vals ORDER BY name",
};

int db_error(struct db *db, int rc, struct errmsg *msg)
{
	const char *text = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);
	int code = ERR_SYS;

	switch (rc & 0xff) {
	case SQLITE_FULL:
		code = ERR_LIMIT;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* our statements are right: the tables are not ours */
	case SQLITE_MISMATCH:
		code = ERR_PROTO;
		break;
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_AUTH:
		code = ERR_DENIED;
		break;
	default:
		break;
	}
	return err_set(msg, code, DB_NAME ": %s (%d)", text, rc);
}

int db_exec(struct db *db, const char *sql, struct errmsg *msg)
{
	int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_error(db, sqlite3_extended_errcode(db->handle), msg);
}

sqlite3_stmt *db_statement(struct db *db, enum db_statement which, struct errmsg *msg)
{
	sqlite3_stmt **at = &db->statements[which];
	int rc = SQLITE_OK;

	if (!*at)
		rc = sqlite3_prepare_v3(db->handle, db_sql[which], -1, SQLITE_PREPARE_PERSISTENT,
					at, NULL);
	if (rc != SQLITE_OK) {
		(void)db_error(db, rc, msg);
		return NULL;
	}
	(void)sqlite3_reset(*at);
	(void)sqlite3_clear_bindings(*at);
	return *at;
}

int db_run(struct db *db, sqlite3_stmt *statement, struct errmsg *msg)
{
	int rc = sqlite3_step(statement), r = 0;

	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		r = db_error(db, sqlite3_extended_errcode(db->handle), msg);
	(void)sqlite3_reset(statement);
	return r;
}

/* --- opening -------------------------------------------------------------------------------- */

static int db_check(struct db *db, struct errmsg *msg)
{
	sqlite3_stmt *statement;
	const unsigned char *text = NULL;
	int rc = sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &statement, NULL);
	int r = 0;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW)
		text = sqlite3_column_text(statement, 0);
	if (rc != SQLITE_ROW)
		r = db_error(db, sqlite3_extended_errcode(db->handle), msg);
	else if (!text || strcmp((const char *)text, "ok") != 0)
		r = err_set(msg, ERR_PROTO, DB_NAME " is damaged: %.200s",
			    text ? (const char *)text : "no answer");
	(void)sqlite3_finalize(statement);
	return r;
}

/* One process has the file, which its lock has seen to: no shared memory then. FULL, as a commit
 * that a power cut takes back would have been told as durable. */
static const char db_setup[] = "PRAGMA locking_mode = EXCLUSIVE;"
			       "PRAGMA journal_mode = WAL;"
			       "PRAGMA synchronous = FULL;"
			       "PRAGMA trusted_schema = OFF;"
			       "PRAGMA cell_size_check = ON;"
			       "PRAGMA temp_store = MEMORY;";

int db_open(struct db **ret, const char *path, struct errmsg *msg)
{
	struct db *db = xcalloc(1, sizeof *db);
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
	int rc = sqlite3_open_v2(path, &db->handle, flags, NULL), r = 0;

	if (rc != SQLITE_OK)
		r = db_error(db, rc, msg);
	/* A file that we refuse is not to be touched by closing it either. */
	if (r == 0)
		(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (r == 0)
		(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (r == 0)
		r = db_exec(db, db_setup, msg);
	if (r == 0)
		r = db_check(db, msg);
	if (r == 0)
		r = db_migrate(db, msg);
	if (r < 0) {
		db_close(db);
		return r;
	}
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	*ret = db;
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < DB_STATEMENTS; i++)
		(void)sqlite3_finalize(db->statements[i]);
	(void)sqlite3_close_v2(db->handle);
	free(db);
}

/* --- transactions --------------------------------------------------------------------------- */

static int db_do(struct db *db, enum db_statement which, struct errmsg *msg)
{
	sqlite3_stmt *statement = db_statement(db, which, msg);

	return statement ? db_run(db, statement, msg)
			 : db_error(db, sqlite3_extended_errcode(db->handle), NULL);
}

int db_begin(struct db *db, struct errmsg *msg)
{
	return sqlite3_get_autocommit(db->handle) ? db_do(db, DB_BEGIN, msg) : 0;
}

int db_commit(struct db *db, struct errmsg *msg)
{
	int r = db_do(db, DB_COMMIT, msg);

	if (r < 0)
		db_rollback(db);
	return r;
}

void db_rollback(struct db *db)
{
	if (!sqlite3_get_autocommit(db->handle))
		(void)db_do(db, DB_ROLLBACK, NULL);
}
