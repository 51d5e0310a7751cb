/*
 * The rows of the store in SQLite: jobs, children, values, and a few numbers. One thread at a time.
 * Functions return 0 or a negative ERR_*, with msg saying what SQLite said; nothing of SQLite is
 * seen outside of db*.c.
 */
#ifndef MUSTER_STORE_DB_H
#define MUSTER_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "rowop.h"
#include "store.h"

#define DB_NAME	   "jobs.db"
#define DB_VERSION 1u

struct db;

/* Numbers that are kept beside the rows. */
enum db_number { DB_GENERATION, DB_LAST_ID, DB_MARK, DB_NUMBERS };

/*
 * What stands in the first bytes of a database: ERR_VERSION if a newer release made it, ERR_PROTO
 * if it is none, otherwise 0. *ret_fresh: nothing is in it. Changes nothing, not even beside it.
 */
int db_peek(int dir_fd, bool *ret_fresh, struct errmsg *msg);

/* Opens the file, which exists, and brings its tables to DB_VERSION in one transaction, which is
 * left open if it was fresh: db_commit ends it. ERR_PROTO: it is damaged. path: absolute, without
 * a symbolic link. */
int db_open(struct db **ret, const char *path, struct errmsg *msg);
void db_close(struct db *db); /* NULL is fine */

/* A group of changes. db_begin does nothing if one is open. ERR_LIMIT: no room; the changes are
 * taken back. ERR_SYS: it failed, for good. */
int db_begin(struct db *db, struct errmsg *msg);
int db_commit(struct db *db, struct errmsg *msg);
void db_rollback(struct db *db);

/* One of a group. */
int db_apply(struct db *db, const struct rowop *op, struct errmsg *msg);
/* Of a change only what may go before its turn, as it makes room: a removal; how far a child was
 * read. */
int db_apply_early(struct db *db, const struct rowop *op, struct errmsg *msg);

/* 0 if it was never set. */
int db_get_number(struct db *db, enum db_number which, uint64_t *ret, struct errmsg *msg);
int db_set_number(struct db *db, enum db_number which, uint64_t value, struct errmsg *msg);

/* Rows in order of id, each job with its children. What is given is borrowed. */
int db_load(struct db *db, const struct store_loader *loader, void *arg, struct errmsg *msg);

#endif
