#include "stage.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "copy_msg.h"
#include "copy_pull.h"
#include "daemon_private.h"
#include "escape.h"
#include "limits.h"
#include "stage_dir.h"
#include "uuid.h"

/* Half full, it waits for its client to come again: longer than that takes to see that it was lost.
 */
#define STAGE_KEEP_MS 40000u
#define STAGE_MAX     256u

struct stages {
	struct daemon *daemon;
	struct stage *first;
	size_t count;
};

struct stage {
	struct stages *stages;
	struct stage *next;
	char key[UUID_TEXT_SIZE];
	char *path;
	int fd;			       /* its lock; -1: it is not there so far */
	struct stage_opening *opening; /* a thread makes it */
	struct client *writer;	       /* who tells what is to be in it */
	uint64_t task;		       /* the number of that */
	struct copy_pull *pull;
	struct copy_name *names;
	size_t name_count;
	size_t name_size;
	size_t name_bytes;
	size_t refs; /* clients and jobs */
	bool whole;
	bool broken;
	struct event *keep;
};

struct stage_opening {
	struct stage *stage; /* NULL: nobody wants it any more */
	struct work_pool *pool;
	char *root;
	char key[UUID_TEXT_SIZE];
	int rc;
	struct errmsg msg;
};

/* What a client has. */
struct stage_hold {
	struct stage *stage;
	struct client *client;
};

/* --- its end -------------------------------------------------------------------------------- */

static void stage_forget_names(struct stage *stage)
{
	for (size_t i = 0; i < stage->name_count; i++) {
		free(stage->names[i].path);
		free(stage->names[i].text);
	}
	free(stage->names);
	stage->names = NULL;
	stage->name_count = stage->name_size = stage->name_bytes = 0;
}

static void stage_free(struct stage *stage, bool now)
{
	struct stages *stages = stage->stages;
	struct stage **at = &stages->first;

	while (*at != stage)
		at = &(*at)->next;
	*at = stage->next;
	stages->count--;
	copy_pull_free(stage->pull);
	if (stage->opening)
		stage->opening->stage = NULL;
	if (stage->fd >= 0)
		stage_dir_remove_by(now ? NULL : daemon_copies(stages->daemon),
				    stages->daemon->options.stage_path, stage->key, stage->fd);
	stage_forget_names(stage);
	event_free(stage->keep);
	free(stage->path);
	free(stage);
}

static void stage_on_keep(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	stage_free(arg, false);
}

static void stage_unref(void *arg)
{
	struct stage *stage = arg;
	struct timeval tv = loop_ms(STAGE_KEEP_MS);

	if (--stage->refs)
		return;
	if (stage->whole || stage->broken || stage->fd < 0)
		stage_free(stage, false);
	else
		(void)event_add(stage->keep, &tv);
}

static void stage_drop_hold(void *arg)
{
	struct stage_hold *hold = arg;
	struct stage *stage = hold->stage;

	if (stage->writer == hold->client) {
		stage->writer = NULL;
		copy_pull_free(stage->pull);
		stage->pull = NULL;
	}
	free(hold);
	stage_unref(stage);
}

void stages_free(struct stages *stages)
{
	if (!stages)
		return;
	while (stages->first)
		stage_free(stages->first, true);
	free(stages);
}

/* --- what comes into it --------------------------------------------------------------------- */

static void stage_break(struct stage *stage, const char *text)
{
	char *all = xasprintf("the files cannot be kept there: %s", text);

	if (stage->writer && !stage->broken)
		client_send_error(stage->writer, ERR_SYS, all);
	stage->broken = true;
	free(all);
}

static void stage_on_send(void *arg, struct buf *frames)
{
	struct stage *stage = arg;

	if (stage->writer)
		client_send_frames(stage->writer, frames);
	else
		buf_done(frames);
}

static void stage_on_say(void *arg, bool is_error, const char *name, const char *text)
{
	struct buf line = {0};

	escape_display(&line, name, strlen(name));
	buf_add_str(&line, ": ");
	buf_add_str(&line, text);
	if (is_error)
		stage_break(arg, buf_cstr(&line));
	buf_done(&line);
}

static void stage_send_end(struct client *client, uint64_t task)
{
	struct copy_end_msg m = {.task = task};
	struct buf body = {0};

	copy_end_put(&body, &m);
	client_send(client, MSG_COPY_END, &body);
	client_set_state(client, CLIENT_IDLE);
}

static void stage_on_settled(void *arg)
{
	struct stage *stage = arg;

	copy_pull_free(stage->pull);
	stage->pull = NULL;
	if (stage->broken)
		return;
	stage->whole = true;
	stage_send_end(stage->writer, stage->task);
	stage->writer = NULL;
}

static void stage_on_failed(void *arg, bool is_host, const char *text)
{
	(void)is_host;
	stage_break(arg, text);
}

/* --- its beginning -------------------------------------------------------------------------- */

static void stage_begin(struct stage *stage)
{
	static const struct copy_pull_ops ops = {.send = stage_on_send,
						 .say = stage_on_say,
						 .settled = stage_on_settled,
						 .failed = stage_on_failed};
	struct daemon *daemon = stage->stages->daemon;
	struct copy_open_msg m = {
		.task = stage->task, .to = stage->key, .window = LIMIT_COPY_STAGE};
	struct buf body = {0};

	stage->pull = copy_pull_new(&(struct copy_pull_spec){.folder = daemon->options.stage_path,
							     .name = stage->key,
							     .pool = daemon_copies(daemon),
							     .window = LIMIT_COPY_STAGE,
							     .ops = &ops,
							     .arg = stage});
	copy_pull_begin(stage->pull, stage->task);
	copy_open_put(&body, &m);
	client_send(stage->writer, MSG_COPY_OPEN, &body);
}

static void stage_opening_run(void *arg)
{
	struct stage_opening *o = arg;

	o->rc = stage_dir_open(o->root, o->key, &o->msg);
}

static void stage_opening_done(void *arg, bool cancelled)
{
	struct stage_opening *o = arg;
	struct stage *stage = o->stage;

	if (stage && !cancelled) {
		stage->opening = NULL;
		stage->fd = o->rc < 0 ? -1 : o->rc;
		if (o->rc < 0)
			stage_break(stage, o->msg.text);
		else if (stage->writer)
			stage_begin(stage);
	} else if (o->rc >= 0) {
		/* What is in it from before may be much. */
		stage_dir_remove_by(cancelled ? NULL : o->pool, o->root, o->key, o->rc);
	}
	free(o->root);
	free(o);
}

static void stage_open(struct stage *stage)
{
	struct daemon *daemon = stage->stages->daemon;
	struct stage_opening *o = xcalloc(1, sizeof *o);

	o->stage = stage;
	o->pool = daemon_copies(daemon);
	o->root = xstrdup(daemon->options.stage_path);
	o->rc = ERR_SYS;
	memcpy(o->key, stage->key, sizeof o->key);
	stage->opening = o;
	(void)work_submit(o->pool, stage_opening_run, stage_opening_done, o);
}

static struct stage *stage_find(struct stages *stages, const char *key)
{
	struct stage *stage = stages->first;

	while (stage && strcmp(stage->key, key) != 0)
		stage = stage->next;
	return stage;
}

static struct stage *stage_new(struct stages *stages, const char *key)
{
	struct stage *stage = xcalloc(1, sizeof *stage);

	stage->stages = stages;
	stage->next = stages->first;
	stages->first = stage;
	stages->count++;
	memcpy(stage->key, key, sizeof stage->key);
	stage->path = xasprintf("%s/%s", stages->daemon->options.stage_path, key);
	stage->fd = -1;
	stage->keep = evtimer_new(loop_base(stages->daemon->loop), stage_on_keep, stage);
	if (!stage->keep)
		abort();
	return stage;
}

/* It begins anew, and finds what is there. */
static void stage_write(struct stage *stage, struct client *client, uint64_t task)
{
	copy_pull_free(stage->pull);
	stage->pull = NULL;
	stage_forget_names(stage);
	stage->writer = client;
	stage->task = task;
	if (stage->fd >= 0)
		stage_begin(stage);
	else if (!stage->opening)
		stage_open(stage);
}

static int stage_join(struct client *client, const struct copy_open_msg *m, struct errmsg *msg)
{
	struct daemon *daemon = client_daemon(client);
	char key[UUID_TEXT_SIZE];
	struct stage_hold *hold;
	struct stage *stage;
	struct uuid uuid;

	if (m->pull || !uuid_parse(&uuid, m->to))
		return err_set(msg, ERR_PROTO, "COPY_OPEN without the key of a stage");
	if (client_held(client))
		return err_set(msg, ERR_PROTO, "a second stage");
	if (!daemon->options.stage_path)
		return err_set(msg, ERR_NOTFOUND,
			       "there is no place for the files: neither XDG_STATE_HOME nor HOME "
			       "is an absolute path there");
	if (!daemon->stages) {
		daemon->stages = xcalloc(1, sizeof *daemon->stages);
		daemon->stages->daemon = daemon;
	}
	stage = stage_find(daemon->stages, uuid_text(key, &uuid));
	if (!stage && daemon->stages->count >= STAGE_MAX)
		return err_set(msg, ERR_LIMIT, "more than %u copies by way of it", STAGE_MAX);
	if (stage && stage->broken)
		return err_set(msg, ERR_ORDER, "the files could not be kept there");
	if (!stage)
		stage = stage_new(daemon->stages, key);
	(void)event_del(stage->keep);
	stage->refs++;
	hold = xcalloc(1, sizeof *hold);
	*hold = (struct stage_hold){.stage = stage, .client = client};
	client_set_held(client, hold, stage_drop_hold);
	client_set_state(client, CLIENT_STAGING);
	client_expect(client, LIMIT_RELAY_LEASE_MS);
	if (stage->whole)
		stage_send_end(client, m->task);
	else
		stage_write(stage, client, m->task);
	return 0;
}

int stage_on_open(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct copy_open_msg m;
	int rc = copy_open_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	rc = stage_join(client, &m, msg);
	copy_open_done(&m);
	return rc;
}

/* --- what is told --------------------------------------------------------------------------- */

/* NULL: what is said is for nobody any more, as something has failed. */
static struct stage *stage_of(struct client *client)
{
	struct stage_hold *hold = client_held(client);
	struct stage *stage = hold ? hold->stage : NULL;

	return stage && stage->writer == client && stage->pull && !stage->broken ? stage : NULL;
}

static int stage_note(struct stage *stage, const struct copy_entry_msg *m, struct errmsg *msg)
{
	struct copy_name *name;

	stage->name_bytes += strlen(stage->path) + strlen(m->name) + sizeof *name +
			     (m->text ? strlen(m->text) : 0);
	if (stage->name_count >= LIMIT_COPY_ENTRIES || stage->name_bytes > LIMIT_COPY_NAMES)
		return err_set(msg, ERR_LIMIT, "too many files for one copy by way of a gateway");
	if (stage->name_count == stage->name_size) {
		stage->name_size = stage->name_size ? stage->name_size * 2 : 16;
		stage->names = xrealloc(stage->names, stage->name_size, sizeof *stage->names);
	}
	name = &stage->names[stage->name_count++];
	*name = (struct copy_name){.path = xasprintf("%s/%s", stage->path, m->name),
				   .name_at = strlen(stage->path) + 1,
				   .kind = (enum file_kind)m->kind,
				   .mode = (uint32_t)m->mode,
				   .mtime_ns = m->mtime_ns,
				   .size = m->size,
				   .text = m->text ? xstrdup(m->text) : NULL};
	return 0;
}

/* In the stage its mode is one with which we can read and remove it. */
static int stage_put(struct stage *stage, struct copy_entry_msg *m, struct errmsg *msg)
{
	struct frame own = {.type = MSG_COPY_ENTRY};
	struct buf body = {0};
	int rc;

	m->mode = m->kind == FILE_FOLDER ? 0700 : 0600;
	copy_entry_put(&body, m);
	own.body = body.data;
	own.len = body.len;
	rc = copy_pull_on_frame(stage->pull, &own, msg);
	buf_done(&body);
	return rc;
}

int stage_on_entry(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct stage *stage = stage_of(client);
	struct copy_entry_msg m;
	int rc = copy_entry_get(&m, frame->body, frame->len, msg);

	if (rc)
		return rc;
	if (stage)
		rc = stage_note(stage, &m, msg);
	/* What cannot be copied is said to each host, and nothing of it comes here. */
	if (stage && rc == 0 && m.kind != FILE_SPECIAL && m.kind != FILE_TROUBLE)
		rc = stage_put(stage, &m, msg);
	copy_entry_done(&m);
	return rc;
}

int stage_on_data(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct stage *stage = stage_of(client);

	return stage ? copy_pull_on_frame(stage->pull, frame, msg) : 0;
}

int stage_on_end(struct client *client, const struct frame *frame, struct errmsg *msg)
{
	struct stage *stage = stage_of(client);
	struct copy_end_msg m;
	int rc = copy_end_get(&m, frame->body, frame->len, msg);

	if (rc == 0 && stage)
		copy_pull_end(stage->pull);
	return rc;
}

/* --- who reads it --------------------------------------------------------------------------- */

static bool stage_is_wanted(const struct job_open_msg *open)
{
	return open->hops && open->builtin == JOB_COPY && !(open->copy_flags & JOB_COPY_PULL);
}

int stage_check(struct client *client, const struct job_open_msg *open, struct errmsg *msg)
{
	struct stage_hold *hold = client_held(client);

	if (stage_is_wanted(open) && !(hold && hold->stage->whole))
		return err_set(msg, ERR_ORDER, "a copy by way of this computer before its files");
	return 0;
}

struct copy_plan *stage_take(struct client *client, const struct job_open_msg *open)
{
	struct stage_hold *hold = client_held(client);
	struct stage *stage = hold ? hold->stage : NULL;
	struct copy_name *names;

	if (!stage_is_wanted(open) || !stage || !stage->whole)
		return NULL;
	names = xcalloc(stage->name_count ? stage->name_count : 1, sizeof *names);
	for (size_t i = 0; i < stage->name_count; i++) {
		names[i] = stage->names[i];
		names[i].path = xstrdup(names[i].path);
		names[i].text = names[i].text ? xstrdup(names[i].text) : NULL;
	}
	stage->refs++;
	return copy_plan_new_told(daemon_copies(client_daemon(client)), names, stage->name_count,
				  stage_unref, stage);
}
