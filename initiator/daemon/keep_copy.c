#include "keep_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "job.h"
#include "keep.h"
#include "limits.h"
#include "wire.h"

/* --- lines ---------------------------------------------------------------------------------- */

static void keep_copy_note(struct store *store, const struct child *child, enum keep_note kind,
			   struct buf *body)
{
	store_put_note(store, job_id(child_job(child)), kind, child_id(child), 0, body->data,
		       body->len);
	buf_done(body);
}

void keep_copy_said(struct store *store, const struct child *child,
		    const struct keep_copy_said *said)
{
	struct buf body = {0};

	wire_put_array(&body, 2);
	wire_put_u64(&body, said->seq);
	wire_put_u64(&body, said->line);
	keep_copy_note(store, child, KEEP_COPY_SAID, &body);
}

int keep_copy_said_get(struct keep_copy_past *past, const void *data, size_t len,
		       struct errmsg *msg)
{
	struct keep_copy_said said;
	struct wire_in *in;
	int rc = wire_in_new(&in, data, len, msg);

	if (rc)
		return rc;
	said.seq = wire_get_u64(in, "seq", UINT64_MAX);
	said.line = wire_get_u64(in, "line", UINT64_MAX);
	rc = wire_in_end(in, msg);
	wire_in_free(in);
	if (rc || past->said_count >= LIMIT_COPY_TROUBLES)
		return rc;
	/* Grown by doubling: at 0, 1, 2, 4 ... lines. */
	if ((past->said_count & (past->said_count - 1)) == 0)
		past->said = xrealloc(past->said, past->said_count ? past->said_count * 2 : 1,
				      sizeof *past->said);
	past->said[past->said_count++] = said;
	return 0;
}

/* --- the end -------------------------------------------------------------------------------- */

void keep_copy_end(struct store *store, const struct child *child, uint64_t seq,
		   const struct outcome *outcome)
{
	struct buf body = {0};

	wire_put_array(&body, 3);
	wire_put_u64(&body, seq);
	wire_put_u64(&body, (uint64_t)outcome->exit_code);
	wire_put_str(&body, outcome->text);
	keep_copy_note(store, child, KEEP_COPY_END, &body);
}

int keep_copy_end_get(struct keep_copy_past *past, const void *data, size_t len, struct errmsg *msg)
{
	struct outcome end = {.cause = CAUSE_EXITED, .began = true};
	struct wire_in *in;
	uint64_t seq;
	char *text;
	int rc = wire_in_new(&in, data, len, msg);

	if (rc)
		return rc;
	seq = wire_get_u64(in, "seq", UINT64_MAX);
	end.exit_code = (int)wire_get_u64(in, "exit_code", 255);
	text = wire_get_str(in, "text", sizeof end.text - 1);
	(void)snprintf(end.text, sizeof end.text, "%s", text ? text : "");
	free(text);
	rc = wire_in_end(in, msg);
	wire_in_free(in);
	if (rc)
		return rc;
	past->end_seq = seq;
	past->end = end;
	return 0;
}

/* --- where it goes -------------------------------------------------------------------------- */

void keep_copy_place(struct store *store, const struct child *child, bool is_name)
{
	struct buf body = {0};

	wire_put_array(&body, 1);
	wire_put_bool(&body, is_name);
	keep_copy_note(store, child, KEEP_COPY_PLACE, &body);
}

int keep_copy_place_get(struct keep_copy_past *past, const void *data, size_t len,
			struct errmsg *msg)
{
	struct wire_in *in;
	bool is_name;
	int rc = wire_in_new(&in, data, len, msg);

	if (rc)
		return rc;
	is_name = wire_get_bool(in, "is_name");
	rc = wire_in_end(in, msg);
	wire_in_free(in);
	if (rc)
		return rc;
	past->placed = true;
	past->is_name = is_name;
	return 0;
}

void keep_copy_past_done(struct keep_copy_past *past)
{
	free(past->said);
	*past = (struct keep_copy_past){0};
}

/* --- how far it is -------------------------------------------------------------------------- */

void keep_copy_tally(struct store *store, uint64_t child, const struct copy_tally *tally)
{
	char name[sizeof KEEP_COPY_VALUE + 20];
	struct buf body = {0};

	(void)snprintf(name, sizeof name, KEEP_COPY_VALUE "%" PRIu64, child);
	if (tally) {
		wire_put_array(&body, 3);
		wire_put_u64(&body, tally->files);
		wire_put_u64(&body, tally->bytes);
		wire_put_u64(&body, tally->moved);
	}
	store_put_value(store, name, body.data, body.len);
	buf_done(&body);
}

int keep_copy_tally_get(struct copy_tally *ret, uint64_t *ret_child, const char *name,
			const void *data, size_t len, struct errmsg *msg)
{
	struct copy_tally tally = {0};
	struct wire_in *in;
	char rest;
	int rc;

	if (sscanf(name, KEEP_COPY_VALUE "%20" SCNu64 "%c", ret_child, &rest) != 1)
		return err_set(msg, ERR_PROTO, "it has a name of another form");
	rc = wire_in_new(&in, data, len, msg);
	if (rc)
		return rc;
	tally.files = wire_get_u64(in, "files", UINT64_MAX);
	tally.bytes = wire_get_u64(in, "bytes", UINT64_MAX);
	tally.moved = wire_get_u64(in, "moved", UINT64_MAX);
	rc = wire_in_end(in, msg);
	wire_in_free(in);
	if (rc == 0)
		*ret = tally;
	return rc;
}
