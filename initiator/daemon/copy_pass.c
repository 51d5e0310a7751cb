#include "copy_pass.h"

#include <stdlib.h>

#include "alloc.h"
#include "copy_msg.h"
#include "copy_route.h"
#include "file_entry.h"
#include "limits.h"
#include "link_private.h"
#include "reader.h"

/* Names, beside the window, that a host may tell while who asked does not keep up. */
#define COPY_PASS_NAMES (4u << 20)

struct copy_pass {
	struct link *link;
	uint64_t window;
	void (*send)(void *arg, struct buf *frames);
	void *arg;
	uint64_t task;	 /* towards the host; 0: there is no copy now */
	uint64_t number; /* towards who asked */
	uint32_t beginnings;
	uint64_t under_way; /* bytes that were not given back */
	uint64_t behind;    /* bytes of names that came while too much waits to be read */
};

struct copy_pass *copy_pass_new(struct link *link, uint64_t window,
				void (*send)(void *arg, struct buf *frames), void *arg)
{
	struct copy_pass *pass = xcalloc(1, sizeof *pass);

	*pass = (struct copy_pass){.link = link, .window = window, .send = send, .arg = arg};
	link->live->pass = pass;
	return pass;
}

void copy_pass_free(struct copy_pass *pass)
{
	if (!pass)
		return;
	if (pass->link->live)
		pass->link->live->pass = NULL;
	free(pass);
}

uint64_t copy_pass_window(const struct copy_pass *pass)
{
	return pass->window;
}

void copy_pass_begin(struct copy_pass *pass, uint64_t task)
{
	const struct child *child = pass->link->child;
	char *from[] = {(char *)(uintptr_t)child_location(child)}; /* only read */
	struct copy_open_msg m = {
		.pull = true, .from = from, .from_count = 1, .window = pass->window};
	struct buf frame = {0};
	size_t begin = frame_begin(&frame);

	pass->task = task;
	pass->number = COPY_PASS_NUMBER(child_index(child), ++pass->beginnings);
	pass->under_way = pass->behind = 0;
	m.task = pass->number;
	copy_open_put(&frame, &m);
	if (frame_end(&frame, begin, MSG_COPY_OPEN, 0, 0) != 0)
		abort(); /* a name is short */
	run_pass_on(pass->link->run, &frame, NULL);
}

void copy_pass_pause(struct copy_pass *pass)
{
	pass->task = 0;
}

static int pass_charge_data(struct copy_pass *pass, const struct frame *frame, struct errmsg *msg)
{
	struct copy_data_msg m;
	int rc = copy_data_borrow(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	pass->under_way += m.len;
	if (pass->under_way > pass->window + LIMIT_COPY_PIECE)
		return err_set(msg, ERR_PROTO, "more of a copy than was allowed to come");
	return 0;
}

int copy_pass_on_frame(struct copy_pass *pass, const struct frame *frame, struct errmsg *msg)
{
	struct buf out = {0};
	bool full = false;
	int rc = 0;

	if (frame->type == MSG_COPY_DATA)
		rc = pass_charge_data(pass, frame, msg);
	else if (frame->type != MSG_COPY_ENTRY)
		rc = err_set(msg, ERR_PROTO, "message %u of a copy from a host", frame->type);
	else if (pass->behind > COPY_PASS_NAMES)
		rc = err_set(msg, ERR_PROTO, "more names of a copy than can be passed on");
	if (rc == 0)
		rc = copy_route_put(&out, frame, pass->number, msg);
	if (rc == 0)
		run_pass_on(pass->link->run, &out, &full);
	if (frame->type == MSG_COPY_ENTRY)
		pass->behind = full ? pass->behind + frame->len : 0;
	buf_done(&out);
	return rc;
}

/* --- answers -------------------------------------------------------------------------------- */

static int pass_credit(struct copy_pass *pass, const struct frame *frame, struct errmsg *msg)
{
	struct copy_credit_msg m;
	int rc = copy_credit_get(&m, frame->body, frame->len, msg);

	if (rc == 0 && m.bytes > pass->under_way)
		rc = err_set(msg, ERR_PROTO, "COPY_CREDIT for more than was sent");
	if (rc == 0)
		pass->under_way -= m.bytes;
	return rc;
}

static int pass_answer(struct copy_pass *pass, const struct frame *frame, struct errmsg *msg)
{
	struct copy_answer_msg m;
	struct buf out = {0};
	int rc;

	if (frame->type == MSG_COPY_CREDIT) {
		rc = pass_credit(pass, frame, msg);
	} else {
		rc = copy_answer_get(&m, frame->body, frame->len, msg);
		if (rc == 0)
			copy_answer_done(&m);
	}
	if (rc == 0)
		rc = copy_route_put(&out, frame, pass->task, msg);
	if (rc == 0)
		pass->send(pass->arg, &out);
	buf_done(&out);
	return rc;
}

/* What crossed with another beginning, or with the end, is nobody's. */
int copy_pass_on_answer(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct run *run = client_state(client) == CLIENT_READING ? reader_live_run(client) : NULL;
	struct link *link = NULL;
	struct copy_pass *pass;
	uint64_t number;
	int rc = copy_route_task(&number, frame, msg);

	if (rc)
		return rc;
	if (run && COPY_PASS_AT(number) < job_child_count(run_job(run)))
		link = child_link(job_child(run_job(run), COPY_PASS_AT(number)));
	pass = link && link->live ? link->live->pass : NULL;
	if (!pass || !pass->task || pass->number != number)
		return 0;
	return pass_answer(pass, frame, msg);
}
