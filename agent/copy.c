#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "copy_private.h"
#include "fd.h"
#include "harden.h"
#include "message.h"
#include "task.h"

#define COPY_READ (64u << 10)
#define COPY_PIPE (1 << 20)
/* What an initiator may have under way to one copy, with room to spare. */
#define COPY_QUEUE (16u << 20)

struct copy {
	uint64_t task;
	struct out *out;
	struct out to; /* what the process has not taken */
	struct buf from;
	int in_fd; /* its input */
	int out_fd;
	pid_t pid;
	bool stopping;
	bool suspended;
	bool ended; /* its TASK_END has been handed on */
};

uint64_t copy_task(const struct copy *copy)
{
	return copy->task;
}

bool copy_is_over(const struct copy *copy)
{
	return copy->ended;
}

/* --- what is said --------------------------------------------------------------------------- */

static void copy_say_end(struct copy *copy, enum task_end_kind kind, const char *text)
{
	struct task_end_msg m = {.task = copy->task,
				 .kind = kind,
				 .exit_code = -1,
				 .text = (char *)(uintptr_t)text, /* only read */
				 .began = true};
	size_t begin = frame_begin(&copy->out->buf);

	task_end_put(&copy->out->buf, &m);
	(void)frame_end(&copy->out->buf, begin, MSG_TASK_END, 0, 1);
	copy->ended = true;
}

static void copy_say_running(struct copy *copy)
{
	struct task_running_msg m = {.task = copy->task, .pid = (uint64_t)copy->pid};
	size_t begin = frame_begin(&copy->out->buf);

	task_running_put(&copy->out->buf, &m);
	(void)frame_end(&copy->out->buf, begin, MSG_TASK_RUNNING, 0, 0);
}

static void copy_say_suspended(struct copy *copy)
{
	struct task_state_msg m = {.task = copy->task, .suspended = copy->suspended};
	size_t begin = frame_begin(&copy->out->buf);

	task_state_put(&copy->out->buf, &m);
	(void)frame_end(&copy->out->buf, begin, MSG_TASK_STATE, 0, 0);
}

/* --- its life ------------------------------------------------------------------------------- */

/* Nothing of the connection, and nothing of other commands, stays in the process. */
static _Noreturn void copy_become(int in, int out, const struct frame *frame)
{
	const int kept[] = {in, out};
	sigset_t none;

	harden_close_others(kept, 2);
	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	copy_child_main(in, out, frame->body, frame->len);
}

static int copy_start(struct copy *copy, const struct frame *frame)
{
	int to[2] = {-1, -1}, from[2] = {-1, -1};
	int rc = 0;

	if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
		rc = ERR_SYS;
	/* Fewer changes from one to the other. Where that is not allowed it goes without. */
	(void)fcntl(to[1], F_SETPIPE_SZ, COPY_PIPE);
	(void)fcntl(from[1], F_SETPIPE_SZ, COPY_PIPE);
	if (rc == 0)
		copy->pid = fork();
	if (rc == 0 && copy->pid == 0)
		copy_become(to[0], from[1], frame);
	if (copy->pid < 0)
		rc = ERR_SYS;
	fd_close(&to[0]);
	fd_close(&from[1]);
	copy->in_fd = to[1];
	copy->out_fd = from[0];
	if (rc == 0 && (fd_nonblock(copy->in_fd) < 0 || fd_nonblock(copy->out_fd) < 0))
		rc = ERR_SYS;
	return rc;
}

struct copy *copy_new(uint64_t task, const struct frame *frame, struct out *out)
{
	struct copy *copy = xcalloc(1, sizeof *copy);

	copy->task = task;
	copy->out = out;
	if (copy_start(copy, frame) < 0)
		copy_say_end(copy, TASK_REFUSED, strerror(errno));
	else
		copy_say_running(copy);
	return copy;
}

void copy_free(struct copy *copy)
{
	if (!copy)
		return;
	/* The end of its input ends it; a halted one would not see that. */
	if (!copy->ended && copy->suspended && copy->pid > 0)
		(void)kill(copy->pid, SIGCONT);
	fd_close(&copy->in_fd);
	fd_close(&copy->out_fd);
	out_done(&copy->to);
	buf_done(&copy->from);
	free(copy);
}

/* --- what comes from the process ------------------------------------------------------------ */

static void copy_hand_on(struct copy *copy, const struct copy_head *head, const uint8_t *body)
{
	size_t begin = frame_begin(&copy->out->buf);

	buf_add(&copy->out->buf, body, head->len);
	(void)frame_end(&copy->out->buf, begin, (uint8_t)head->type, 0,
			head->type == MSG_TASK_END ? 1 : 0);
	copy->ended = head->type == MSG_TASK_END;
}

static void copy_hand_on_all(struct copy *copy)
{
	size_t at = 0;
	struct copy_head head;

	while (!copy->ended && copy->from.len - at >= sizeof head) {
		memcpy(&head, copy->from.data + at, sizeof head);
		if (copy->from.len - at - sizeof head < head.len)
			break;
		/* Stopped: what it says meanwhile, and that it ends as its input did, is no news.
		 */
		if (!copy->stopping)
			copy_hand_on(copy, &head, copy->from.data + at + sizeof head);
		at += sizeof head + head.len;
	}
	buf_consume(&copy->from, at);
}

static void copy_read(struct copy *copy)
{
	ssize_t n = read(copy->out_fd, buf_room(&copy->from, COPY_READ), COPY_READ);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		copy->from.len += (size_t)n;
		copy_hand_on_all(copy);
	} else if (copy->stopping) {
		copy_say_end(copy, TASK_STOPPED, NULL);
	} else {
		copy_say_end(copy, TASK_LOST, "the process that copies has died");
	}
}

/* --- the loop ------------------------------------------------------------------------------- */

void copy_poll(struct copy *copy, struct pollset *set, int role)
{
	bool room = out_pending(copy->out) < OUT_HIGH;

	pollset_add(set, copy->out_fd, room ? POLLIN : 0, NULL, role);
	if (copy->in_fd >= 0 && out_pending(&copy->to))
		pollset_add(set, copy->in_fd, POLLOUT, NULL, role + 1);
}

void copy_on_ready(struct copy *copy, bool writable)
{
	if (copy->ended)
		return;
	if (!writable)
		copy_read(copy);
	else if (out_write(&copy->to, copy->in_fd) < 0)
		fd_close(&copy->in_fd); /* its own end tells more */
}

int copy_message(struct copy *copy, const struct frame *frame, struct errmsg *msg)
{
	struct copy_head head = {.len = (uint32_t)frame->len, .type = frame->type};

	if (copy->in_fd < 0 || copy->ended)
		return 0;
	if (out_pending(&copy->to) > COPY_QUEUE)
		return err_set(msg, ERR_LIMIT, "more of a copy than was allowed to come");
	buf_add(&copy->to.buf, &head, sizeof head);
	buf_add(&copy->to.buf, frame->body, frame->len);
	if (out_write(&copy->to, copy->in_fd) < 0)
		fd_close(&copy->in_fd);
	return 0;
}

void copy_signal(struct copy *copy, enum task_signal signal)
{
	bool suspend = signal == TASK_SUSPEND;

	if (copy->ended || copy->pid <= 0)
		return;
	if (signal == TASK_SUSPEND || signal == TASK_RESUME) {
		(void)kill(copy->pid, suspend ? SIGSTOP : SIGCONT);
		copy->suspended = suspend;
		copy_say_suspended(copy);
		return;
	}
	/* The end of its input lets it tidy up; who does not, as it hangs in a disk, is killed when
	 * that is asked for again. */
	if (signal == TASK_KILL && copy->stopping)
		(void)kill(copy->pid, SIGKILL);
	copy->stopping = true;
	fd_close(&copy->in_fd);
	(void)kill(copy->pid, SIGCONT);
}
