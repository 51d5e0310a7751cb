/* Changes of rows. */
#include <string.h>

#include "db_private.h"

static void db_bind_u64(sqlite3_stmt *statement, int i, uint64_t v)
{
	(void)sqlite3_bind_int64(statement, i, (sqlite3_int64)v);
}

static void db_bind_text(sqlite3_stmt *statement, int i, const char *text)
{
	if (text)
		(void)sqlite3_bind_text(statement, i, text, -1, SQLITE_STATIC);
}

static void db_bind_blob(sqlite3_stmt *statement, int i, const void *data, size_t len)
{
	/* NULL would be another value than an empty one. */
	(void)sqlite3_bind_blob64(statement, i, len ? data : "", len, SQLITE_STATIC);
}

static void db_bind_read(sqlite3_stmt *statement, int i, const struct store_child *child)
{
	uint8_t bytes[DB_READ_SIZE];

	for (size_t k = 0; k < STORE_STREAMS; k++)
		for (size_t b = 0; b < 8; b++)
			bytes[k * 8 + b] = (uint8_t)(child->read[k] >> (56 - 8 * b));
	(void)sqlite3_bind_blob(statement, i, bytes, sizeof bytes, SQLITE_TRANSIENT);
}

static int db_fail(struct db *db, struct errmsg *msg)
{
	return db_error(db, sqlite3_extended_errcode(db->handle), msg);
}

/* Both statements have the columns in this order. */
static int db_put_child(struct db *db, enum db_statement which, const struct store_child *child,
			struct errmsg *msg)
{
	sqlite3_stmt *statement = db_statement(db, which, msg);

	if (!statement)
		return db_fail(db, msg);
	db_bind_u64(statement, 1, child->id);
	db_bind_blob(statement, 2, child->uuid, sizeof child->uuid);
	db_bind_u64(statement, 3, child->step);
	db_bind_u64(statement, 4, child->cause);
	db_bind_u64(statement, 5, child->flags);
	(void)sqlite3_bind_int64(statement, 6, child->exit_code);
	db_bind_text(statement, 7, child->signal);
	db_bind_text(statement, 8, child->text);
	db_bind_u64(statement, 9, child->begin_ns);
	db_bind_u64(statement, 10, child->end_ns);
	db_bind_read(statement, 11, child);
	return db_run(db, statement, msg);
}

static int db_do_put_job(struct db *db, const struct rowop *op, struct errmsg *msg)
{
	sqlite3_stmt *statement = db_statement(db, DB_PUT_JOB, msg);
	const struct store_job *job = &op->job;
	int r;

	if (!statement)
		return db_fail(db, msg);
	db_bind_u64(statement, 1, job->id);
	db_bind_u64(statement, 2, job->child_count);
	db_bind_blob(statement, 3, job->uuid, sizeof job->uuid);
	db_bind_u64(statement, 4, job->hidden);
	db_bind_u64(statement, 5, job->begin_ns);
	db_bind_u64(statement, 6, job->end_ns);
	db_bind_u64(statement, 7, job->wish);
	db_bind_blob(statement, 8, job->spec, job->spec_len);
	r = db_run(db, statement, msg);
	for (uint64_t i = 0; r == 0 && i < job->child_count; i++)
		r = db_put_child(db, DB_PUT_CHILD, &op->children[i], msg);
	return r;
}

static int db_do_job(struct db *db, const struct rowop *op, struct errmsg *msg)
{
	sqlite3_stmt *statement = db_statement(db, DB_UPDATE_JOB, msg);

	if (!statement)
		return db_fail(db, msg);
	db_bind_u64(statement, 1, op->job.id);
	db_bind_u64(statement, 2, op->job.begin_ns);
	db_bind_u64(statement, 3, op->job.end_ns);
	db_bind_u64(statement, 4, op->job.wish);
	return db_run(db, statement, msg);
}

static int db_do_child(struct db *db, const struct rowop *op, struct errmsg *msg)
{
	return db_put_child(db, DB_UPDATE_CHILD, op->children, msg);
}

static int db_do_remove(struct db *db, const struct rowop *op, struct errmsg *msg)
{
	static const enum db_statement both[] = {DB_REMOVE_CHILDREN, DB_REMOVE_JOB};
	int r = 0;

	for (size_t i = 0; r == 0 && i < 2; i++) {
		sqlite3_stmt *statement = db_statement(db, both[i], msg);

		if (!statement)
			return db_fail(db, msg);
		db_bind_u64(statement, 1, op->id);
		r = db_run(db, statement, msg);
	}
	return r;
}

static int db_do_value(struct db *db, const struct rowop *op, struct errmsg *msg)
{
	sqlite3_stmt *statement = db_statement(db, op->len ? DB_PUT_VALUE : DB_REMOVE_VALUE, msg);

	if (!statement)
		return db_fail(db, msg);
	db_bind_text(statement, 1, op->name);
	if (op->len)
		db_bind_blob(statement, 2, op->data, op->len);
	return db_run(db, statement, msg);
}

static int db_do_ids(struct db *db, const struct rowop *op, struct errmsg *msg)
{
	uint64_t last;
	int r = db_get_number(db, DB_LAST_ID, &last, msg);

	return r == 0 && op->id > last ? db_set_number(db, DB_LAST_ID, op->id, msg) : r;
}

int db_apply(struct db *db, const struct rowop *op, struct errmsg *msg)
{
	static int (*const run[])(struct db *, const struct rowop *, struct errmsg *) = {
		[ROWOP_PUT_JOB] = db_do_put_job, [ROWOP_JOB] = db_do_job,
		[ROWOP_CHILD] = db_do_child,	 [ROWOP_REMOVE] = db_do_remove,
		[ROWOP_VALUE] = db_do_value,	 [ROWOP_IDS] = db_do_ids,
	};

	return run[op->kind](db, op, msg);
}

int db_apply_early(struct db *db, const struct rowop *op, struct errmsg *msg)
{
	sqlite3_stmt *statement;

	if (op->kind == ROWOP_REMOVE)
		return db_do_remove(db, op, msg);
	if (op->kind != ROWOP_CHILD)
		return 0;
	statement = db_statement(db, DB_UPDATE_READ, msg);
	if (!statement)
		return db_fail(db, msg);
	db_bind_u64(statement, 1, op->children->id);
	db_bind_read(statement, 2, op->children);
	return db_run(db, statement, msg);
}

/* --- numbers -------------------------------------------------------------------------------- */

int db_get_number(struct db *db, enum db_number which, uint64_t *ret, struct errmsg *msg)
{
	sqlite3_stmt *statement = db_statement(db, DB_GET_NUMBER, msg);
	int rc;

	if (!statement)
		return db_fail(db, msg);
	(void)sqlite3_bind_int(statement, 1, (int)which);
	rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW)
		*ret = (uint64_t)sqlite3_column_int64(statement, 0);
	else if (rc == SQLITE_DONE)
		*ret = 0;
	else
		(void)db_fail(db, msg);
	(void)sqlite3_reset(statement);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : db_error(db, rc, NULL);
}

int db_set_number(struct db *db, enum db_number which, uint64_t value, struct errmsg *msg)
{
	sqlite3_stmt *statement = db_statement(db, DB_SET_NUMBER, msg);

	if (!statement)
		return db_fail(db, msg);
	(void)sqlite3_bind_int(statement, 1, (int)which);
	db_bind_u64(statement, 2, value);
	return db_run(db, statement, msg);
}
