#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "copy_set.h"
#include "durable.h"
#include "fd.h"
#include "harden.h"
#include "limits.h"
#include "message.h"
#include "out.h"
#include "peer.h"
#include "pollset.h"
#include "spooldir.h"
#include "task.h"

#define AGENT_PIECE	  (64u << 10)
#define AGENT_OUT_MAX	  (4u << 20) /* answers that are not read: then nothing more is asked */
#define AGENT_FAREWELL_MS 2000	     /* for the ERROR that says why */

enum agent_role {
	AGENT_ROLE_NONE,
	AGENT_ROLE_IN,
	AGENT_ROLE_OUT,
	AGENT_ROLE_SIGNAL,
	AGENT_ROLE_DURABLE,				   /* and on: the first, the second, ... */
	AGENT_ROLE_COPY = AGENT_ROLE_DURABLE + LIMIT_TASKS /* and on: two for each */
};

struct agent {
	int in, out_fd, signals;
	struct peer *peer;
	struct out out;
	struct spawn_limits limits;
	struct task **tasks;
	size_t count;
	struct spooldir dirs;
	struct durable_host host;
	struct durable **durables;
	size_t durable_count;
	struct copy_set copies;
	size_t turn; /* who is served first in this round */
	bool over;
	int status;
};

/* --- messages ------------------------------------------------------------------------------- */

/* NULL for one that has ended: the initiator may not have heard of it. */
static struct task *agent_find(const struct agent *a, uint64_t id)
{
	for (size_t i = 0; i < a->count; i++)
		if (task_id(a->tasks[i]) == id)
			return a->tasks[i];
	return NULL;
}

static struct durable *agent_find_durable(const struct agent *a, uint64_t id)
{
	for (size_t i = 0; i < a->durable_count; i++)
		if (durable_task(a->durables[i]) == id)
			return a->durables[i];
	return NULL;
}

/* True if another one can be begun; *ret_rc then is 0, as where it was refused. */
static bool agent_has_room(struct agent *a, uint64_t id, int *ret_rc, struct errmsg *msg)
{
	*ret_rc = 0;
	if (agent_find(a, id) || agent_find_durable(a, id) || copy_set_find(&a->copies, id))
		*ret_rc = err_set(msg, ERR_PROTO, "task %llu is there already",
				  (unsigned long long)id);
	else if (a->count + a->durable_count + a->copies.count == LIMIT_TASKS)
		task_refuse(&a->out, id, "too many commands at once on this host");
	else
		return true;
	return false;
}

static void agent_add_durable(struct agent *a, struct durable *d)
{
	if (d)
		a->durables[a->durable_count++] = d;
}

static int agent_on_open(struct agent *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_open_msg m;
	int rc = task_open_get(&m, frame->body, frame->len, msg);

	if (rc < 0)
		return rc;
	if (!agent_has_room(a, m.task, &rc, msg))
		;
	else if (m.durable)
		agent_add_durable(a, durable_open(&a->host, &m));
	else
		a->tasks[a->count++] = task_new(&m, &a->limits, &a->out);
	task_open_done(&m);
	return rc;
}

static int agent_on_attach(struct agent *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_attach_msg m;
	int rc = task_attach_get(&m, frame->body, frame->len, msg);

	if (rc < 0)
		return rc;
	if (agent_has_room(a, m.task, &rc, msg))
		agent_add_durable(a, durable_attach(&a->host, &m));
	task_attach_done(&m);
	return rc;
}

static int agent_on_copy_open(struct agent *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_detach_msg m; /* the task, which is first in every message of one */
	int rc = task_detach_get(&m, frame->body, frame->len, msg);

	if (rc == 0 && agent_has_room(a, m.task, &rc, msg))
		copy_set_add(&a->copies, copy_new(m.task, frame, &a->out));
	return rc;
}

static int agent_on_copy(struct agent *a, const struct frame *frame, struct errmsg *msg)
{
	return copy_set_message(&a->copies, frame, msg);
}

/* What is said of a durable run: true if it is one. Every such message begins with the task. */
static bool agent_on_durable(struct agent *a, const struct frame *frame, int *ret_rc,
			     struct errmsg *msg)
{
	struct task_detach_msg m;
	struct durable *d = NULL;

	if (a->durable_count && task_detach_get(&m, frame->body, frame->len, NULL) == 0)
		d = agent_find_durable(a, m.task);
	if (d)
		*ret_rc = durable_on_message(d, frame, msg);
	return d != NULL;
}

/* Of a task that has ended, or is none of that kind. */
static int agent_on_late(struct agent *a, const struct frame *frame, struct errmsg *msg)
{
	(void)a;
	(void)frame;
	(void)msg;
	return 0;
}

static int agent_on_ping(struct agent *a, const struct frame *frame, struct errmsg *msg)
{
	struct ping_msg m;
	int rc = ping_get(&m, frame->body, frame->len, msg);
	size_t begin;

	if (rc < 0)
		return rc;
	begin = frame_begin(&a->out.buf);
	ping_put(&a->out.buf, &m);
	return frame_end(&a->out.buf, begin, MSG_PING, 0, 0);
}

static int agent_on_stdin(struct agent *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_stdin_msg m;
	struct task *task;
	int rc = task_stdin_get(&m, frame->body, frame->len, msg);

	if (rc < 0)
		return rc;
	task = agent_find(a, m.task);
	if (task)
		rc = task_input(task, &m, msg);
	task_stdin_done(&m);
	return rc;
}

static int agent_on_signal(struct agent *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_signal_msg m;
	struct task *task;
	int rc = task_signal_get(&m, frame->body, frame->len, msg);

	if (rc < 0)
		return rc;
	task = agent_find(a, m.task);
	if (task)
		task_signal(task, (enum task_signal)m.signal);
	else if (copy_set_find(&a->copies, m.task))
		copy_signal(copy_set_find(&a->copies, m.task), (enum task_signal)m.signal);
	task_signal_done(&m);
	return 0;
}

static int agent_on_credit(struct agent *a, const struct frame *frame, struct errmsg *msg)
{
	struct task_credit_msg m;
	struct task *task;
	int rc = task_credit_get(&m, frame->body, frame->len, msg);

	if (rc < 0)
		return rc;
	task = agent_find(a, m.task);
	if (task)
		task_credit(task, m.bytes);
	task_credit_done(&m);
	return 0;
}

static const struct {
	uint8_t type;
	bool of_task; /* goes to its durable run, if there is one */
	int (*fn)(struct agent *a, const struct frame *frame, struct errmsg *msg);
} agent_messages[] = {
	{MSG_TASK_OPEN, false, agent_on_open},	    {MSG_TASK_ATTACH, false, agent_on_attach},
	{MSG_TASK_STDIN, true, agent_on_stdin},	    {MSG_TASK_SIGNAL, true, agent_on_signal},
	{MSG_TASK_CREDIT, true, agent_on_credit},   {MSG_TASK_ACK, true, agent_on_late},
	{MSG_TASK_DETACH, true, agent_on_late},	    {MSG_PING, false, agent_on_ping},
	{MSG_COPY_OPEN, false, agent_on_copy_open}, {MSG_COPY_ENTRY, false, agent_on_copy},
	{MSG_COPY_DATA, false, agent_on_copy},	    {MSG_COPY_ANSWER, false, agent_on_copy},
	{MSG_COPY_CREDIT, false, agent_on_copy},    {MSG_COPY_END, false, agent_on_copy},
};

static int agent_on_message(void *arg, const struct frame *frame, struct errmsg *msg)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(agent_messages); i++) {
		if (agent_messages[i].type != frame->type)
			continue;
		if (agent_messages[i].of_task && agent_on_durable(arg, frame, &rc, msg))
			return rc;
		return agent_messages[i].fn(arg, frame, msg);
	}
	return err_set(msg, ERR_PROTO, "an agent does nothing with message %u", frame->type);
}

static int agent_on_hello(void *arg, const struct agent_hello_msg *hello, struct errmsg *msg)
{
	(void)arg;
	(void)hello;
	(void)msg;
	return 0;
}

/* --- hello ---------------------------------------------------------------------------------- */

static void agent_put_hello(struct agent *a)
{
	struct agent_hello_msg m = {
		.pid = (uint64_t)getpid(),
		.machine_id = spooldir_line("/etc/machine-id"),
		.boot_id = spooldir_line("/proc/sys/kernel/random/boot_id"),
		.uid = getuid(),
		.capabilities = AGENT_CAN_PTY | AGENT_CAN_SUSPEND | AGENT_CAN_COPY,
	};
	struct utsname name;

	if (spooldir_is_usable(&a->dirs))
		m.capabilities |= AGENT_CAN_DURABLE;
	m.durable_note = a->dirs.note;
	m.arch = uname(&name) == 0 ? name.machine : NULL;
	peer_put_hello(&a->out.buf, &m);
	free(m.machine_id);
	free(m.boot_id);
}

/* --- the loop ------------------------------------------------------------------------------- */

static void agent_fail(struct agent *a, int code, const char *text)
{
	struct pollfd room = {.fd = a->out_fd, .events = POLLOUT};

	a->over = true;
	a->status = 1;
	if (code == ERR_CLOSED)
		return;
	peer_put_error(&a->out.buf, code, text);
	while (out_write(&a->out, a->out_fd) == 0 && out_pending(&a->out))
		if (poll(&room, 1, AGENT_FAREWELL_MS) <= 0)
			return;
}

static void agent_read(struct agent *a)
{
	uint8_t piece[AGENT_PIECE];
	struct errmsg msg;
	ssize_t n = read(a->in, piece, sizeof piece);
	int rc;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		a->over = true;
		return;
	}
	rc = peer_feed(a->peer, piece, (size_t)n, &msg);
	if (rc < 0)
		agent_fail(a, rc, msg.text);
}

/* Supervisors that have gone, and what was left behind by the commands of released ones. */
static void agent_reap(const struct agent *a)
{
	struct signalfd_siginfo info;

	while (read(a->signals, &info, sizeof info) > 0)
		;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void agent_poll(struct agent *a, struct pollset *set)
{
	size_t pending = out_pending(&a->out);

	pollset_clear(set);
	pollset_add(set, a->in, pending < AGENT_OUT_MAX ? POLLIN : 0, NULL, AGENT_ROLE_IN);
	pollset_add(set, a->signals, POLLIN, NULL, AGENT_ROLE_SIGNAL);
	pollset_add(set, a->out_fd, pending ? POLLOUT : 0, NULL, AGENT_ROLE_OUT);
	a->turn++;
	for (size_t i = 0; i < a->count; i++)
		task_poll(a->tasks[(a->turn + i) % a->count], set);
	for (size_t i = 0; i < a->durable_count; i++)
		durable_poll(a->durables[i], set, AGENT_ROLE_DURABLE + (int)i);
	copy_set_poll(&a->copies, set, AGENT_ROLE_COPY);
}

static void agent_on_ready(struct agent *a, int role, short revents)
{
	struct errmsg msg;
	int rc = 0;

	if (role >= AGENT_ROLE_COPY)
		copy_set_on_ready(&a->copies, role - AGENT_ROLE_COPY);
	else if (role >= AGENT_ROLE_DURABLE)
		rc = durable_on_ready(a->durables[role - AGENT_ROLE_DURABLE], &msg);
	else if (role == AGENT_ROLE_SIGNAL)
		agent_reap(a);
	else if (role == AGENT_ROLE_OUT && revents & POLLERR)
		a->over = true; /* nobody reads any more */
	else if (role == AGENT_ROLE_IN)
		agent_read(a);
	if (rc < 0)
		agent_fail(a, rc, msg.text);
}

static void agent_dispatch(struct agent *a, const struct pollset *set)
{
	for (size_t i = 0; i < set->count && !a->over; i++) {
		const struct pollset_who *who = &set->who[i];

		if (!set->fds[i].revents)
			continue;
		if (who->task)
			task_on_ready(who->task, (enum task_role)who->role);
		else
			agent_on_ready(a, who->role, set->fds[i].revents);
	}
}

static void agent_drop_ended(struct agent *a)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->count; i++) {
		if (task_is_over(a->tasks[i]))
			task_free(a->tasks[i]);
		else
			a->tasks[kept++] = a->tasks[i];
	}
	a->count = kept;
	kept = 0;
	for (size_t i = 0; i < a->durable_count; i++) {
		if (durable_is_over(a->durables[i]))
			durable_free(a->durables[i]);
		else
			a->durables[kept++] = a->durables[i];
	}
	a->durable_count = kept;
	copy_set_drop_ended(&a->copies);
}

static void agent_loop(struct agent *a)
{
	struct pollset set = {0};

	while (!a->over) {
		for (size_t i = 0; i < a->count; i++)
			task_on_time(a->tasks[i]);
		for (size_t i = 0; i < a->durable_count; i++)
			durable_on_time(a->durables[(a->turn + i) % a->durable_count]);
		agent_drop_ended(a);
		if (out_write(&a->out, a->out_fd) < 0)
			break;
		agent_poll(a, &set);
		pollset_wait(&set);
		agent_dispatch(a, &set);
	}
	pollset_done(&set);
}

static int agent_prepare(struct agent *a)
{
	sigset_t set;

	/* Whoever has started us may have ignored it. */
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return ERR_SYS;
	a->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	/* What a supervisor leaves when it is killed comes to us. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	harden_limits(&a->limits);
	harden_process();
	if (a->signals < 0 || fd_nonblock(a->in) < 0 || fd_nonblock(a->out_fd) < 0)
		return ERR_SYS;
	return 0;
}

int agent_run(int in_fd, int out_fd)
{
	static const struct peer_events events = {agent_on_hello, agent_on_message};
	struct agent a = {.in = in_fd, .out_fd = out_fd, .signals = -1};

	if (agent_prepare(&a) < 0) {
		(void)dprintf(STDERR_FILENO, "muster-agent: cannot start: %s\n", strerror(errno));
		return 1;
	}
	spooldir_open(&a.dirs);
	spooldir_clean(&a.dirs);
	a.host = (struct durable_host){&a.out, &a.dirs, &a.limits};
	a.tasks = xcalloc(LIMIT_TASKS, sizeof *a.tasks);
	a.durables = xcalloc(LIMIT_TASKS, sizeof(struct durable *));
	a.peer = peer_new(PEER_AGENT, &events, &a);
	agent_put_hello(&a);
	agent_loop(&a);
	for (size_t i = 0; i < a.count; i++)
		task_free(a.tasks[i]);
	for (size_t i = 0; i < a.durable_count; i++)
		durable_free(a.durables[i]);
	copy_set_done(&a.copies);
	free(a.tasks);
	free(a.durables);
	spooldir_done(&a.dirs);
	peer_free(a.peer);
	out_done(&a.out);
	fd_close(&a.signals);
	return a.status;
}
