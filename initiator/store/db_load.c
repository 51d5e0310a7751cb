/* Reading all rows. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "db_private.h"

struct db_rows {
	struct db *db;
	sqlite3_stmt *jobs;
	sqlite3_stmt *children; /* its row is the next one; or it has ended */
	int rc;			/* of children */
	struct store_child *list;
	size_t room;
	struct errmsg *msg;
};

static uint64_t db_u64(sqlite3_stmt *statement, int i)
{
	return (uint64_t)sqlite3_column_int64(statement, i);
}

static void db_uuid(uint8_t uuid[16], sqlite3_stmt *statement, int i)
{
	const void *data = sqlite3_column_blob(statement, i);

	memset(uuid, 0, 16);
	if (data && sqlite3_column_bytes(statement, i) == 16)
		memcpy(uuid, data, 16);
}

static char *db_text(sqlite3_stmt *statement, int i)
{
	const unsigned char *text = sqlite3_column_text(statement, i);

	return text ? xstrdup((const char *)text) : NULL;
}

static void db_get_child(sqlite3_stmt *statement, struct store_child *child)
{
	const uint8_t *read;

	child->id = db_u64(statement, 0);
	db_uuid(child->uuid, statement, 1);
	child->step = db_u64(statement, 2);
	child->cause = db_u64(statement, 3);
	child->flags = db_u64(statement, 4);
	child->exit_code = sqlite3_column_int64(statement, 5);
	child->signal = db_text(statement, 6);
	child->text = db_text(statement, 7);
	child->begin_ns = db_u64(statement, 8);
	child->end_ns = db_u64(statement, 9);
	read = sqlite3_column_blob(statement, 10);
	if (!read || sqlite3_column_bytes(statement, 10) != (int)DB_READ_SIZE)
		return;
	for (size_t i = 0; i < STORE_STREAMS; i++)
		for (size_t b = 0; b < 8; b++)
			child->read[i] = child->read[i] << 8 | read[i * 8 + b];
}

static void db_clear_children(struct db_rows *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free((void *)(uintptr_t)rows->list[i].signal);
		free((void *)(uintptr_t)rows->list[i].text);
	}
}

/* Children that have no job, which a row of another release could have, are passed over. A number
 * of children that is not so is no reason to reserve memory for them. */
static size_t db_get_children(struct db_rows *rows, const struct store_job *job)
{
	size_t count = 0;

	for (; rows->rc == SQLITE_ROW; rows->rc = sqlite3_step(rows->children)) {
		uint64_t id = db_u64(rows->children, 0);

		if (id <= job->id)
			continue;
		if (id - job->id > job->child_count)
			break;
		if (id != job->id + count + 1)
			continue;
		if (count == rows->room) {
			rows->room = rows->room ? rows->room * 2 : 64;
			rows->list = xrealloc(rows->list, rows->room, sizeof *rows->list);
		}
		rows->list[count] = (struct store_child){0};
		db_get_child(rows->children, &rows->list[count++]);
	}
	return count;
}

static int db_get_job(struct db_rows *rows, const struct store_loader *loader, void *arg)
{
	sqlite3_stmt *statement = rows->jobs;
	struct store_job job = {
		.id = db_u64(statement, 0),
		.child_count = db_u64(statement, 1),
		.hidden = db_u64(statement, 3) != 0,
		.begin_ns = db_u64(statement, 4),
		.end_ns = db_u64(statement, 5),
		.wish = db_u64(statement, 6),
		.spec_len = (size_t)sqlite3_column_bytes(statement, 7),
	};
	size_t count;
	int r = 0;

	job.spec = sqlite3_column_blob(statement, 7);
	db_uuid(job.uuid, statement, 2);
	count = db_get_children(rows, &job);
	if (count != job.child_count)
		r = err_set(rows->msg, ERR_PROTO,
			    DB_NAME " is damaged: job %llu has %llu children, and rows for %zu",
			    (unsigned long long)job.id, (unsigned long long)job.child_count, count);
	else if (loader->job)
		loader->job(arg, &job, rows->list);
	db_clear_children(rows, count);
	return r;
}

static int db_load_jobs(struct db *db, const struct store_loader *loader, void *arg,
			struct errmsg *msg)
{
	struct db_rows rows = {.db = db, .msg = msg};
	int rc = SQLITE_ERROR, r = 0;

	rows.jobs = db_statement(db, DB_LOAD_JOBS, msg);
	rows.children = db_statement(db, DB_LOAD_CHILDREN, msg);
	if (!rows.jobs || !rows.children)
		return ERR_PROTO;
	rows.rc = sqlite3_step(rows.children);
	while (r == 0 && (rc = sqlite3_step(rows.jobs)) == SQLITE_ROW)
		r = db_get_job(&rows, loader, arg);
	if (r == 0 && rc != SQLITE_DONE)
		r = db_error(db, rc, msg);
	if (r == 0 && rows.rc != SQLITE_DONE && rows.rc != SQLITE_ROW)
		r = db_error(db, rows.rc, msg);
	(void)sqlite3_reset(rows.jobs);
	(void)sqlite3_reset(rows.children);
	free(rows.list);
	return r;
}

static int db_load_values(struct db *db, const struct store_loader *loader, void *arg,
			  struct errmsg *msg)
{
	sqlite3_stmt *statement = db_statement(db, DB_LOAD_VALUES, msg);
	int rc, r = 0;

	if (!statement)
		return ERR_PROTO;
	while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
		const unsigned char *name = sqlite3_column_text(statement, 0);
		const void *data = sqlite3_column_blob(statement, 1);

		if (name && loader->value)
			loader->value(arg, (const char *)name, data,
				      (size_t)sqlite3_column_bytes(statement, 1));
	}
	if (rc != SQLITE_DONE)
		r = db_error(db, rc, msg);
	(void)sqlite3_reset(statement);
	return r;
}

int db_load(struct db *db, const struct store_loader *loader, void *arg, struct errmsg *msg)
{
	int r = db_load_jobs(db, loader, arg, msg);

	return r < 0 ? r : db_load_values(db, loader, arg, msg);
}
