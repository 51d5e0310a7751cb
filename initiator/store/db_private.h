/* Only for db*.c: the statements, and what becomes of an error. */
#ifndef MUSTER_STORE_DB_PRIVATE_H
#define MUSTER_STORE_DB_PRIVATE_H

#include <sqlite3.h>

#include "db.h"

enum db_statement {
	DB_BEGIN,
	DB_COMMIT,
	DB_ROLLBACK,
	DB_PUT_JOB,
	DB_PUT_CHILD,
	DB_UPDATE_JOB,
	DB_UPDATE_CHILD,
	DB_UPDATE_READ,
	DB_REMOVE_JOB,
	DB_REMOVE_CHILDREN,
	DB_PUT_VALUE,
	DB_REMOVE_VALUE,
	DB_SET_NUMBER,
	DB_GET_NUMBER,
	DB_LOAD_JOBS,
	DB_LOAD_CHILDREN,
	DB_LOAD_VALUES,
	DB_STATEMENTS
};

#define DB_READ_SIZE (STORE_STREAMS * 8u)

struct db {
	sqlite3 *handle;
	sqlite3_stmt *statements[DB_STATEMENTS];
};

/* Our code for one of SQLite's, with its text. */
int db_error(struct db *db, int rc, struct errmsg *msg);
int db_exec(struct db *db, const char *sql, struct errmsg *msg);
/* Prepared at the first use, with nothing bound. NULL: msg is set. */
sqlite3_stmt *db_statement(struct db *db, enum db_statement which, struct errmsg *msg);
/* Runs one that gives no rows. */
int db_run(struct db *db, sqlite3_stmt *statement, struct errmsg *msg);

/* The tables as this release has them (db_schema.c). */
int db_migrate(struct db *db, struct errmsg *msg);

#endif
