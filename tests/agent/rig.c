#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "fd.h"
#include "value.h"

#define RIG_PATIENCE_NS 60000000000u
#define RIG_ROUND_MS	20

/* --- what comes ----------------------------------------------------------------------------- */

static void rig_add_record(struct rig_task *t, const struct record *r)
{
	struct buf *stream = &t->streams[r->stream];

	if (t->count == t->size) {
		t->size = t->size ? t->size * 2 : 64;
		t->records = xrealloc(t->records, t->size, sizeof *t->records);
	}
	t->records[t->count++] = (struct rig_record){.stream = r->stream,
						     .flags = r->flags,
						     .schema = r->schema,
						     .is_text = r->is_text,
						     .is_typed = r->is_typed,
						     .at = t->values.len,
						     .len = r->len};
	buf_add(&t->values, r->value, r->len);
	if (r->is_typed)
		return;
	buf_add(stream, r->value, r->len);
	if (!(r->flags & (RECORD_CONTINUES | RECORD_NO_EOL)))
		buf_add_char(stream, '\n');
}

static int rig_on_record(void *arg, uint64_t child, uint64_t seq, const struct record *r)
{
	struct rig_task *t = arg;

	assert_int_equal(child, t->id);
	assert_int_equal(seq, t->next_record);
	t->next_record++;
	assert_true(r->time_ns > 0);
	t->came++;
	/* Large runs are only counted and kept as text. */
	if (t->count < RIG_RECORDS_KEPT) {
		rig_add_record(t, r);
	} else if (!r->is_typed) {
		buf_add(&t->streams[r->stream], r->value, r->len);
		if (!(r->flags & (RECORD_CONTINUES | RECORD_NO_EOL)))
			buf_add_char(&t->streams[r->stream], '\n');
	}
	return 0;
}

static void rig_on_running(struct rig_task *t, const struct frame *f)
{
	struct task_running_msg m;

	assert_int_equal(task_running_get(&m, f->body, f->len, NULL), 0);
	t->running = true;
	t->pid = m.pid;
	task_running_done(&m);
}

/* A frame may go beyond the credit, but not begin without any. */
static void rig_charge(struct rig_task *t, const struct frame *f)
{
	if (t->received >= t->granted)
		fail_msg("task %d: %llu bytes came, %llu were granted", (int)t->id,
			 (unsigned long long)t->received, (unsigned long long)t->granted);
	t->received += f->len;
}

static void rig_on_records(struct rig_task *t, const struct frame *f)
{
	struct errmsg msg = {""};

	rig_charge(t, f);
	if (records_get(f->body, f->len, rig_on_record, t, &msg) < 0)
		fail_msg("%s", msg.text);
}

static void rig_on_schema(struct rig_task *t, const struct frame *f)
{
	struct task_schema_msg m;
	struct buf text = {0};

	rig_charge(t, f);
	assert_int_equal(task_schema_get(&m, f->body, f->len, NULL), 0);
	for (size_t i = 0; i < m.column_count; i++)
		buf_addf(&text, "%s%s", i ? "," : "", m.columns[i]);
	free(t->columns);
	t->columns = buf_take_str(&text);
	task_schema_done(&m);
}

static void rig_on_state(struct rig_task *t, const struct frame *f)
{
	struct task_state_msg m;

	assert_int_equal(task_state_get(&m, f->body, f->len, NULL), 0);
	t->suspended = m.suspended;
	t->stalled = m.stalled;
	t->states++;
	task_state_done(&m);
}

static void rig_on_room(struct rig_task *t, const struct frame *f)
{
	struct task_stdin_room_msg m;

	assert_int_equal(task_stdin_room_get(&m, f->body, f->len, NULL), 0);
	assert_true(m.taken > t->taken);
	t->taken = m.taken;
	task_stdin_room_done(&m);
}

static void rig_on_end(struct rig_task *t, const struct frame *f)
{
	assert_int_equal(task_end_get(&t->end, f->body, f->len, NULL), 0);
	t->ended = true;
}

static void rig_on_attached(struct rig_task *t, const struct frame *f)
{
	assert_int_equal(task_attached_get(&t->at, f->body, f->len, NULL), 0);
	t->attached = true;
}

static void rig_on_detach(struct rig_task *t, const struct frame *f)
{
	(void)f;
	t->detached = true;
}

/* Its records go on where the last one was, or reach back and go beyond that. */
static void rig_on_gap(struct rig_task *t, const struct frame *f)
{
	struct task_gap_msg m;
	uint64_t next;

	rig_charge(t, f);
	assert_int_equal(task_gap_get(&m, f->body, f->len, NULL), 0);
	next = m.first_record ? m.first_record + m.records : t->next_record;
	assert_true(m.first_record <= t->next_record && next >= t->next_record);
	t->gap_records += next - t->next_record;
	t->next_record = next;
	t->gaps++;
}

static void rig_on_session(struct rig_task *t, const struct frame *f)
{
	task_session_done(&t->left);
	assert_int_equal(task_session_get(&t->left, f->body, f->len, NULL), 0);
	t->lefts++;
}

static const struct {
	uint8_t type;
	void (*fn)(struct rig_task *t, const struct frame *f);
} rig_messages[] = {
	{MSG_TASK_SESSION, rig_on_session}, {MSG_TASK_RUNNING, rig_on_running},
	{MSG_TASK_RECORDS, rig_on_records}, {MSG_TASK_SCHEMA, rig_on_schema},
	{MSG_TASK_STATE, rig_on_state},	    {MSG_TASK_STDIN_ROOM, rig_on_room},
	{MSG_TASK_END, rig_on_end},	    {MSG_TASK_ATTACHED, rig_on_attached},
	{MSG_TASK_DETACH, rig_on_detach},   {MSG_TASK_GAP, rig_on_gap},
};

/* Every body of a task's message begins with its number. */
static struct rig_task *rig_find(struct rig *rig, const struct frame *f)
{
	struct value_in in = value_in(f->body, f->len);
	struct value v = {0};

	assert_true(value_next(&in, &v) && v.kind == VALUE_ARRAY);
	assert_true(value_next(&in, &v) && v.kind == VALUE_UINT);
	assert_true(v.u >= 1 && v.u <= rig->count);
	return &rig->tasks[v.u - 1];
}

static int rig_on_message(void *arg, const struct frame *f, struct errmsg *msg)
{
	struct rig *rig = arg;
	struct rig_task *t;
	struct errmsg inner = {""};

	(void)msg;
	if (f->type == MSG_PING) {
		rig->pings++;
		return 0;
	}
	t = rig_find(rig, f);
	if (task_order_take(&t->order, f, &inner) != 1)
		fail_msg("task %d: %s", (int)t->id, inner.text);
	for (size_t i = 0; i < ARRAY_LEN(rig_messages); i++)
		if (rig_messages[i].type == f->type)
			rig_messages[i].fn(t, f);
	if (t->grants && !t->ended && !t->detached && t->granted < t->received + RIG_CREDIT)
		rig_credit(rig, t, RIG_CREDIT);
	return 0;
}

static int rig_on_hello(void *arg, const struct agent_hello_msg *hello, struct errmsg *msg)
{
	struct rig *rig = arg;

	(void)msg;
	rig->arch = xstrdup(hello->arch ? hello->arch : "");
	rig->uid = hello->uid;
	rig->capabilities = hello->capabilities;
	rig->durable_note = xstrdup(hello->durable_note ? hello->durable_note : "");
	rig->open = true;
	return 0;
}

/* --- the loop ------------------------------------------------------------------------------- */

static void rig_read(struct rig *rig)
{
	static uint8_t piece[1 << 16];
	struct errmsg msg = {""};
	ssize_t n = read(rig->out, piece, sizeof piece);

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0 || peer_feed(rig->peer, piece, (size_t)n, &msg) < 0) {
		if (!rig->fails)
			fail_msg("the agent has ended: %s", msg.text);
		rig->failed = true;
		if (!rig->error)
			rig->error = xstrdup(msg.text);
	}
}

void rig_wait(struct rig *rig, rig_until *until, void *arg)
{
	uint64_t late = clock_mono_ns() + RIG_PATIENCE_NS;

	while (!until(rig, arg)) {
		struct pollfd p = {.fd = rig->failed ? -1 : rig->out, .events = POLLIN};

		if (clock_mono_ns() > late)
			fail_msg("waited too long");
		if (poll(&p, 1, RIG_ROUND_MS) > 0)
			rig_read(rig);
	}
}

static bool rig_is_open(struct rig *rig, void *arg)
{
	(void)arg;
	return rig->open;
}

static bool rig_is_ended(struct rig *rig, void *arg)
{
	(void)rig;
	return ((struct rig_task *)arg)->ended;
}

void rig_wait_end(struct rig *rig, struct rig_task *task)
{
	rig_wait(rig, rig_is_ended, task);
}

struct rig_has {
	struct rig_task *task;
	const char *text;
};

static bool rig_has_output(struct rig *rig, void *arg)
{
	struct rig_has *has = arg;

	(void)rig;
	if (has->task->ended && !strstr(rig_text(has->task, STREAM_OUTPUT), has->text))
		fail_msg("it ended without '%s': %s", has->text, rig_text(has->task, STREAM_ERROR));
	return strstr(rig_text(has->task, STREAM_OUTPUT), has->text) != NULL;
}

void rig_wait_output(struct rig *rig, struct rig_task *task, const char *text)
{
	struct rig_has has = {task, text};

	rig_wait(rig, rig_has_output, &has);
}

/* --- what is sent --------------------------------------------------------------------------- */

void rig_send(struct rig *rig, uint8_t type, struct buf *body)
{
	struct buf out = {0};
	size_t begin = frame_begin(&out);

	buf_add(&out, body->data, body->len);
	assert_int_equal(frame_end(&out, begin, type, 0, 0), 0);
	(void)fd_write_all(rig->in, out.data, out.len);
	buf_done(&out);
	buf_done(body);
}

void rig_signal(struct rig *rig, const struct rig_task *task, enum task_signal signal)
{
	struct task_signal_msg m = {.task = task->id, .signal = signal};
	struct buf body = {0};

	task_signal_put(&body, &m);
	rig_send(rig, MSG_TASK_SIGNAL, &body);
}

void rig_credit(struct rig *rig, struct rig_task *task, uint64_t bytes)
{
	struct task_credit_msg m = {.task = task->id, .bytes = bytes};
	struct buf body = {0};

	task->granted += bytes;
	task_credit_put(&body, &m);
	rig_send(rig, MSG_TASK_CREDIT, &body);
}

void rig_stdin(struct rig *rig, const struct rig_task *task, const void *data, size_t len, bool end)
{
	struct task_stdin_msg m = {
		.task = task->id, .data = (uint8_t *)(uintptr_t)data, .len = len, .end = end};
	struct buf body = {0};

	task_stdin_put(&body, &m);
	rig_send(rig, MSG_TASK_STDIN, &body);
}

static void rig_send_task(struct rig *rig, uint8_t type, uint64_t task, uint64_t seq)
{
	struct task_ack_msg ack = {.task = task, .seq = seq};
	struct task_detach_msg detach = {.task = task};
	struct buf body = {0};

	if (type == MSG_TASK_ACK)
		task_ack_put(&body, &ack);
	else
		task_detach_put(&body, &detach);
	rig_send(rig, type, &body);
}

void rig_ack(struct rig *rig, const struct rig_task *task, uint64_t seq)
{
	rig_send_task(rig, MSG_TASK_ACK, task->id, seq);
}

void rig_detach(struct rig *rig, const struct rig_task *task)
{
	rig_send_task(rig, MSG_TASK_DETACH, task->id, 0);
}

void rig_ping(struct rig *rig, uint64_t number)
{
	struct ping_msg m = {.number = number};
	struct buf body = {0};

	ping_put(&body, &m);
	rig_send(rig, MSG_PING, &body);
}

struct task_open_msg rig_shell(const char *script)
{
	static char *argv[3] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c"};
	static char instance[] = "11111111-2222-4333-8444-555555555555";

	argv[2] = (char *)(uintptr_t)script;
	return (struct task_open_msg){
		.instance = instance, .argv = argv, .argc = 3, .credit = 2 * RIG_CREDIT};
}

struct rig_task *rig_open(struct rig *rig, struct task_open_msg *open)
{
	struct rig_task *t = &rig->tasks[rig->count++];
	struct buf body = {0};

	assert_true(rig->count <= RIG_TASKS_MAX);
	t->id = open->task = rig->count;
	t->granted = open->credit;
	t->grants = open->credit >= RIG_CREDIT;
	t->next_record = 1;
	t->durable = open->durable;
	if (t->durable)
		task_order_attach(&t->order, 0);
	task_open_put(&body, open);
	rig_send(rig, MSG_TASK_OPEN, &body);
	return t;
}

struct rig_task *rig_attach(struct rig *rig, const char *instance, uint64_t epoch,
			    uint64_t next_seq, uint64_t next_record)
{
	struct rig_task *t = &rig->tasks[rig->count++];
	struct task_attach_msg m = {.task = rig->count,
				    .instance = (char *)(uintptr_t)instance,
				    .epoch = epoch,
				    .next_seq = next_seq,
				    .credit = 2 * RIG_CREDIT};
	struct buf body = {0};

	assert_true(rig->count <= RIG_TASKS_MAX);
	t->id = rig->count;
	t->granted = m.credit;
	t->grants = t->durable = true;
	t->next_record = next_record;
	task_order_attach(&t->order, next_seq - 1);
	task_attach_put(&body, &m);
	rig_send(rig, MSG_TASK_ATTACH, &body);
	return t;
}

struct rig_task *rig_run(struct rig *rig, const char *script)
{
	struct task_open_msg open = rig_shell(script);
	struct rig_task *t = rig_open(rig, &open);

	rig_wait_end(rig, t);
	return t;
}

const char *rig_text(struct rig_task *task, enum record_stream stream)
{
	struct buf *b = &task->streams[stream];

	return b->len ? buf_cstr(b) : "";
}

/* --- beginning and end ---------------------------------------------------------------------- */

static _Noreturn void rig_exec(int in, int out)
{
	const char *agent = getenv("MUSTER_AGENT"), *runner = getenv("MUSTER_AGENT_RUNNER");

	(void)dup2(in, 0);
	(void)dup2(out, 1);
	if (runner && runner[0])
		(void)execlp(runner, runner, agent, (char *)NULL);
	else
		(void)execl(agent, agent, (char *)NULL);
	_exit(99);
}

void rig_start(struct rig *rig)
{
	static const struct peer_events events = {rig_on_hello, rig_on_message};
	struct agent_hello_msg hello = {.pid = 1};
	struct buf out = {0};
	int in[2], from[2];

	if (!getenv("MUSTER_AGENT"))
		fail_msg("MUSTER_AGENT must name the agent to be tested");
	(void)signal(SIGPIPE, SIG_IGN);
	*rig = (struct rig){0};
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	rig->pid = fork();
	assert_true(rig->pid >= 0);
	if (rig->pid == 0)
		rig_exec(in[0], from[1]);
	fd_close(&in[0]);
	fd_close(&from[1]);
	rig->in = in[1];
	rig->out = from[0];
	rig->peer = peer_new(PEER_INITIATOR, &events, rig);
	peer_put_hello(&out, &hello);
	(void)fd_write_all(rig->in, out.data, out.len);
	buf_done(&out);
	rig_wait(rig, rig_is_open, NULL);
}

static void rig_free_task(struct rig_task *t)
{
	free(t->records);
	task_session_done(&t->left);
	free(t->columns);
	buf_done(&t->values);
	for (int s = 0; s < STREAM_COUNT; s++)
		buf_done(&t->streams[s]);
	task_end_done(&t->end);
}

int rig_done(struct rig *rig)
{
	int status = 0;

	fd_close(&rig->in);
	fd_close(&rig->out);
	assert_int_equal(waitpid(rig->pid, &status, 0), rig->pid);
	peer_free(rig->peer);
	for (size_t i = 0; i < rig->count; i++)
		rig_free_task(&rig->tasks[i]);
	free(rig->arch);
	free(rig->durable_note);
	free(rig->error);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- processes ------------------------------------------------------------------------------ */

static bool rig_is_marked(const char *pid, const char *mark)
{
	char *path = xasprintf("/proc/%s/environ", pid), *entry = xasprintf("MARK=%s", mark);
	struct buf env = {0};
	bool marked = false;

	if (fd_read_file(&env, path, 1 << 20) == 0 && env.len)
		marked = memmem(env.data, env.len, entry, strlen(entry)) != NULL;
	buf_done(&env);
	free(path);
	free(entry);
	return marked;
}

size_t rig_count_marked(const char *mark)
{
	const struct dirent *entry;
	DIR *dir = opendir("/proc");
	size_t count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		count += rig_is_marked(entry->d_name, mark);
	(void)closedir(dir);
	return count;
}

void rig_adopt(void)
{
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void rig_end_children(void)
{
	char *path = xasprintf("/proc/self/task/%d/children", (int)getpid());

	for (;;) {
		struct buf text = {0};
		const char *at = NULL;
		char *end;

		if (fd_read_file(&text, path, 1 << 20) == 0 && text.len)
			at = buf_cstr(&text);
		while (at && *at) {
			long pid = strtol(at, &end, 10);

			if (end == at)
				break;
			(void)kill((pid_t)pid, SIGKILL);
			at = end;
		}
		buf_done(&text);
		if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
			break;
	}
	free(path);
}

static bool rig_is_gone(struct rig *rig, void *arg)
{
	(void)rig;
	return rig_count_marked(arg) == 0;
}

void rig_wait_gone(struct rig *rig, const char *mark)
{
	rig_wait(rig, rig_is_gone, (void *)(uintptr_t)mark);
}

struct rig_marked {
	const char *mark;
	size_t count;
};

static bool rig_has_marked(struct rig *rig, void *arg)
{
	const struct rig_marked *m = arg;

	(void)rig;
	return rig_count_marked(m->mark) == m->count;
}

void rig_wait_marked(struct rig *rig, const char *mark, size_t count)
{
	struct rig_marked m = {mark, count};

	rig_wait(rig, rig_has_marked, &m);
}

char *rig_mark(void)
{
	return xasprintf("MARK=%d-%llu", (int)getpid(), (unsigned long long)clock_mono_ns());
}
