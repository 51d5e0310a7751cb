#include "control_get.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "control_msg.h"
#include "daemon_private.h"
#include "registry.h"
#include "run.h"

static void control_send_row(struct client *client, struct get_row_msg *row)
{
	struct buf body = {0};

	get_row_put(&body, row);
	client_send(client, MSG_GET_ROW, &body);
	get_row_done(row);
}

static void control_send_job(struct client *client, const struct job *job)
{
	size_t n = job_child_count(job);
	struct get_row_msg row = {.id = job_id(job),
				  .name = xstrdup(job_name(job)),
				  .type = xstrdup(job_type(job)),
				  .state = xstrdup(job_state_name(job_state(job))),
				  .location = job_location(job),
				  .command = xstrdup(job_command(job)),
				  .begin_ns = job_begin_ns(job),
				  .end_ns = job_end_ns(job),
				  .exit_code = -1,
				  .instance_id = xstrdup(job_instance_id(job)),
				  .children = xcalloc(n, sizeof(uint64_t)),
				  .child_count = n};

	for (size_t i = 0; i < n; i++)
		row.children[i] = job_id(job) + 1 + i;
	control_send_row(client, &row);
}

static void control_send_child(struct client *client, const struct child *child)
{
	const struct job *job = child_job(child);
	struct outcome o = {.exit_code = -1};
	char uuid[UUID_TEXT_SIZE];
	struct get_row_msg row = {.id = child_id(child),
				  .parent_id = job_id(job),
				  .state = xstrdup(job_state_name(child_state(child))),
				  .location = xstrdup(child_location(child)),
				  .command = xstrdup(job_command(job)),
				  .begin_ns = child_begin_ns(child),
				  .end_ns = child_end_ns(child),
				  .exit_code = -1,
				  .instance_id = xstrdup(child_instance_id(child, uuid))};

	row.name = xasprintf("Job%llu", (unsigned long long)row.id);
	if (child_outcome(child, &o)) {
		row.cause = xstrdup(cause_name(o.cause));
		row.exit_code = o.exit_code;
		row.signal = o.signal[0] ? xstrdup(o.signal) : NULL;
		row.text = o.text[0] ? xstrdup(o.text) : NULL;
	}
	control_send_row(client, &row);
}

static void control_send_run(struct client *client, const struct run *run, bool children)
{
	struct job *job = run_job(run);

	control_send_job(client, job);
	for (size_t i = 0; children && i < job_child_count(job); i++)
		control_send_child(client, job_child(job, i));
}

/* Those that were asked for by id, in the order of asking. Returns how many were none. */
static size_t control_get_ids(struct client *client, const struct get_msg *m, uint64_t *missing)
{
	size_t count = 0;

	for (size_t i = 0; i < m->id_count; i++) {
		uint64_t id = m->ids[i];
		struct run *run = registry_find(client_daemon(client)->registry, id);

		if (!run)
			missing[count++] = id;
		else if (job_id(run_job(run)) == id)
			control_send_run(client, run, m->children);
		else
			control_send_child(client, job_child_by_id(run_job(run), id));
	}
	return count;
}

int control_get(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct registry *registry = client_daemon(client)->registry;
	struct get_end_msg end = {0};
	struct buf body = {0};
	struct get_msg m;
	int rc = get_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	end.missing = xcalloc(m.id_count, sizeof *end.missing);
	end.missing_count = control_get_ids(client, &m, end.missing);
	for (size_t i = 0; !m.id_count && i < registry_count(registry); i++) {
		const struct run *run = registry_at(registry, i);

		if (m.all || !job_is_hidden(run_job(run)))
			control_send_run(client, run, m.children);
	}
	get_done(&m);
	get_end_put(&body, &end);
	client_send(client, MSG_GET_END, &body);
	get_end_done(&end);
	return 0;
}
