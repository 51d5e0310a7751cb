/* A child of JOB_CHECK: its host is reached as a command would be, and nothing is run there. What
 * was found is one record for who asked (docs/protocol.md, section 6.1, builtin 5). */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "host_key.h"
#include "link_private.h"
#include "remote.h"

struct link_checked {
	struct link *link;
	struct remote_task *task;
	struct event *begin; /* where the connection is there, it begins from the loop: job.h */
};

static const char *const check_verdicts[] = {
	[KNOWN_MATCH] = "known",     [KNOWN_UNKNOWN] = "new",	  [KNOWN_CHANGED] = "changed",
	[KNOWN_OTHER] = "other",     [KNOWN_REVOKED] = "revoked", [KNOWN_CA_ONLY] = "authority",
	[KNOWN_ERROR] = "unchecked",
};

/* --- what is told ---------------------------------------------------------------------------- */

/* A field of the record: what would end it is replaced. */
static void check_put(struct buf *out, const char *name, const char *value)
{
	if (out->len)
		buf_add_char(out, '\t');
	buf_addf(out, "%s=", name);
	for (; *value; value++)
		buf_add_char(out, (unsigned char)*value < ' ' ? '?' : *value);
}

static void check_put_number(struct buf *out, const char *name, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	check_put(out, name, text);
}

/* Where the key that it should have shown stands, and its hash. */
static void check_put_known(struct buf *out, const struct plan_target *t,
			    const struct known_where *where)
{
	char print[HOST_KEY_PRINT_SIZE];
	const uint8_t *blob;
	size_t len;

	check_put(out, "where", where->path);
	check_put_number(out, "line", where->line);
	if (!t->trust || !known_hosts_key_at(t->trust->files, t->trust->count, where, &blob, &len))
		return;
	host_key_print(print, blob, len);
	check_put(out, "known", print);
}

static void check_put_key(struct buf *out, const struct plan_target *t)
{
	const struct host_key_note *note = host_key_noted(t);
	char print[HOST_KEY_PRINT_SIZE];
	struct buf blob = {0};

	if (!note)
		return;
	host_key_print(print, note->blob, note->len);
	host_key_base64(&blob, note->blob, note->len);
	check_put(out, "key", check_verdicts[note->verdict]);
	check_put(out, "key_type", note->type);
	check_put(out, "fingerprint", print);
	check_put(out, "blob", buf_cstr(&blob));
	check_put(out, "name", t->key_name);
	check_put_number(out, "port", t->port);
	check_put_number(out, "alias", t->key_alias);
	check_put_number(out, "hashed", t->hash_known_hosts);
	if (t->trust && t->trust->append_to)
		check_put(out, "file", t->trust->append_to);
	if (note->where.path)
		check_put_known(out, t, &note->where);
	buf_done(&blob);
}

void link_check_report(struct link *link)
{
	const struct link_live *live = link->live;
	struct record record = {.stream = STREAM_INFORMATION, .time_ns = clock_wall_ns()};
	struct buf text = {0};

	check_put_number(&text, "ms", (clock_mono_ns() - live->since_ns) / 1000000u);
	check_put_key(&text, run_target(link->run, child_index(link->child)));
	if (live->has_agent) {
		check_put(&text, "agent", "ready");
		if (live->program)
			check_put(&text, "program", live->program);
		check_put(&text, "durable", live->can & AGENT_CAN_DURABLE ? "yes" : "no");
	}
	if (live->note)
		check_put(&text, "note", live->note);
	record.value = text.data;
	record.len = text.len;
	link_on_record(link, &record);
	buf_done(&text);
}

/* --- the agent ------------------------------------------------------------------------------- */

static void check_done(struct link_checked *check)
{
	check->link->live->handle = NULL;
	event_free(check->begin);
	free(check);
}

static void check_end(struct link_checked *check, const struct outcome *outcome)
{
	struct link *link = check->link;

	check_done(check);
	link_end(link, outcome);
}

static void check_on_open(void *arg, uint64_t task, uint64_t can, const char *note)
{
	struct link_checked *check = arg;
	struct outcome outcome = {.cause = CAUSE_EXITED, .began = true};
	struct link_live *live = check->link->live;
	const char *program;

	(void)task;
	live->has_agent = true;
	live->can = can;
	live->note = note ? xstrdup(note) : NULL;
	program = remote_task_program(check->task);
	live->program = program ? xstrdup(program) : NULL;
	remote_task_leave(check->task, TRACK_LEAVE_FREE, false);
	link_on_running(check->link);
	check_end(check, &outcome);
}

static int check_on_frame(void *arg, const struct frame *frame, struct errmsg *msg)
{
	(void)arg;
	(void)frame;
	return err_set(msg, ERR_PROTO, "a message of a task that was not opened");
}

static void check_on_burst_end(void *arg)
{
	(void)arg;
}

static void check_on_lost(void *arg, enum cause cause, const char *text)
{
	struct outcome outcome = {.cause = cause, .exit_code = -1};

	(void)snprintf(outcome.text, sizeof outcome.text, "%s", text);
	check_end(arg, &outcome);
}

static void check_on_no_agent(void *arg, const char *why)
{
	struct link_checked *check = arg;
	struct link *link = check->link;
	struct outcome outcome = {.cause = CAUSE_NO_AGENT, .exit_code = -1};

	/* A command would run without it. */
	if (run_open(link->run)->agent == JOB_AGENT_AUTO && !link->live->stopping) {
		link->live->note = xstrdup(why);
		check_done(check);
		link_plain_start(link);
		return;
	}
	(void)snprintf(outcome.text, sizeof outcome.text, "%s", why);
	check_end(check, &outcome);
}

static const struct remote_events check_events = {
	.open = check_on_open,
	.frame = check_on_frame,
	.burst_end = check_on_burst_end,
	.lost = check_on_lost,
	.no_agent = check_on_no_agent,
};

/* --- as a transport of the link -------------------------------------------------------------- */

static void check_stop(struct link *link)
{
	struct link_checked *check = link->live->handle;
	struct outcome outcome = {.cause = CAUSE_STOPPED, .exit_code = -1};

	remote_task_leave(check->task, TRACK_LEAVE_FREE, false);
	check_end(check, &outcome);
}

/* Nothing runs that could be halted, and nothing comes that could be held back. */
static void check_ignore(struct link *link, bool on)
{
	(void)link;
	(void)on;
}

static void check_free(struct link *link)
{
	struct link_checked *check = link->live->handle;

	remote_task_leave(check->task, TRACK_LEAVE_FREE, false);
	check_done(check);
}

static void check_on_begin(evutil_socket_t fd, short what, void *arg)
{
	struct link_checked *check = arg;

	(void)fd;
	(void)what;
	remote_task_begin(check->task);
}

static const struct link_transport check_transport = {
	.stop = check_stop, .suspend = check_ignore, .hold = check_ignore, .free = check_free};

void link_check_start(struct link *link)
{
	struct link_live *live = link->live;
	struct link_checked *check;
	struct remote_spec spec = {.target = run_target(link->run, child_index(link->child)),
				   .job = run_open(link->run),
				   .password = run_password(link->run),
				   .login = run_login(link->run)};

	live->since_ns = clock_mono_ns();
	if (run_open(link->run)->agent == JOB_AGENT_NEVER) {
		link_plain_start(link);
		return;
	}
	check = xcalloc(1, sizeof *check);
	check->link = link;
	live->transport = &check_transport;
	live->handle = check;
	check->task = remote_start(run_daemon(link->run)->remotes, &spec, &check_events, check);
	check->begin = evtimer_new(loop_base(run_daemon(link->run)->loop), check_on_begin, check);
	if (!check->begin)
		abort();
	event_active(check->begin, EV_TIMEOUT, 0);
}
