#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "limits.h"
#include "upcall.h"

#define UPCALL_CHUNK   (64u << 10)
#define UPCALL_NOT_RUN 126 /* as a shell says it */
#define UPCALL_LOOK_MS                                                             \
	5u /* between looks whether a command has ended that has closed its output \
	    */
#define NS_PER_MS UINT64_C(1000000)

struct upcall_process {
	pid_t pid;
	int out, err;
	uint64_t deadline_ns;
	struct buf noise; /* the beginning of its error output */
};

/* In the child. Only what is safe after fork(2) is called. */
_Noreturn static void upcall_exec(const struct upcall *call, int out, int err)
{
	char *sh[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
		      (char *)(uintptr_t)call->command, NULL};
	char *program[] = {(char *)(uintptr_t)call->command, (char *)(uintptr_t) "--list", NULL};
	struct sigaction normal = {.sa_handler = SIG_DFL};
	sigset_t none;
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigemptyset(&none);
	for (int signal = 1; signal < NSIG; signal++)
		(void)sigaction(signal, &normal, NULL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (in >= 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(err, STDERR_FILENO) >= 0 && (!call->dir || chdir(call->dir) == 0))
		(void)execv(call->program ? call->command : "/bin/sh",
			    call->program ? program : sh);
	_exit(UPCALL_NOT_RUN);
}

static int upcall_start(struct upcall_process *p, const struct upcall *call, struct errmsg *msg)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1};

	if (pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0)
		p->pid = fork();
	if (p->pid == 0)
		upcall_exec(call, out[1], err[1]);
	fd_close(&out[1]);
	fd_close(&err[1]);
	if (p->pid < 0) {
		fd_close(&out[0]);
		fd_close(&err[0]);
		return err_set(msg, ERR_SYS, "%s: cannot run '%.200s': %s", call->what,
			       call->command, strerror(errno));
	}
	(void)setpgid(p->pid, p->pid); /* whoever comes first */
	p->out = out[0];
	p->err = err[0];
	(void)fd_nonblock(p->out);
	(void)fd_nonblock(p->err);
	return 0;
}

/* Reads what is there. The descriptor is closed at the end. */
static int upcall_read(int *fd, struct buf *to, size_t max, bool drop)
{
	uint8_t chunk[UPCALL_CHUNK];
	ssize_t n = read(*fd, chunk, sizeof chunk);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		fd_close(fd);
		return 0;
	}
	if (drop && (size_t)n > max - to->len)
		n = (ssize_t)(max - to->len);
	if ((size_t)n > max - to->len)
		return ERR_LIMIT;
	buf_add(to, chunk, (size_t)n);
	return 0;
}

static int upcall_left_ms(const struct upcall_process *p)
{
	uint64_t now = clock_mono_ns();

	return now >= p->deadline_ns ? 0 : (int)((p->deadline_ns - now) / NS_PER_MS) + 1;
}

static int upcall_talk(struct upcall_process *p, struct buf *said)
{
	int rc = 0;

	while (rc == 0 && (p->out >= 0 || p->err >= 0)) {
		struct pollfd fds[] = {{p->out, POLLIN, 0}, {p->err, POLLIN, 0}};
		int left = upcall_left_ms(p), ready = left ? poll(fds, 2, left) : 0;

		if (!left)
			return ERR_TIMEOUT;
		if (ready > 0 && fds[0].revents)
			rc = upcall_read(&p->out, said, LIMIT_INVENTORY, false);
		if (rc == 0 && ready > 0 && fds[1].revents)
			rc = upcall_read(&p->err, &p->noise, LIMIT_UPCALL_NOISE, true);
	}
	return rc;
}

/* Waits for its end; kills it at the deadline. */
static int upcall_wait(struct upcall_process *p, int *ret_status)
{
	const struct timespec look = {0, UPCALL_LOOK_MS * (long)NS_PER_MS};

	for (;;) {
		pid_t got = waitpid(p->pid, ret_status, WNOHANG);

		if (got == p->pid)
			return 0;
		if (got < 0 && errno != EINTR)
			return ERR_SYS;
		if (!upcall_left_ms(p))
			return ERR_TIMEOUT;
		(void)nanosleep(&look, NULL);
	}
}

static int upcall_end(struct upcall_process *p, int rc, int *ret_status)
{
	if (rc == 0)
		rc = upcall_wait(p, ret_status);
	if (rc) {
		(void)kill(-p->pid, SIGKILL);
		(void)kill(p->pid, SIGKILL);
		while (waitpid(p->pid, ret_status, 0) < 0 && errno == EINTR)
			;
	}
	return rc;
}

/* ": " and the first line that is not empty of what it has complained of; "". */
static const char *upcall_complaint(struct buf *noise)
{
	const char *text = buf_cstr(noise);
	char *line = (char *)noise->data + strspn(text, " \r\n\t");

	line[strcspn(line, "\r\n")] = '\0';
	if (strlen(line) > 200)
		line[200] = '\0';
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	return line;
}

static int upcall_judge(struct upcall_process *p, const struct upcall *call, int rc, int status,
			uint64_t deadline_ms, struct errmsg *msg)
{
	const char *complaint = upcall_complaint(&p->noise), *colon = *complaint ? ": " : "";

	if (rc == ERR_TIMEOUT)
		return err_set(msg, rc,
			       "%s: '%.200s' has not ended within %ju ms and was killed%s%s",
			       call->what, call->command, (uintmax_t)deadline_ms, colon, complaint);
	if (rc == ERR_LIMIT)
		return err_set(msg, rc, "%s: '%.200s' wrote more than %u MiB and was killed",
			       call->what, call->command, LIMIT_INVENTORY >> 20);
	if (rc)
		return err_set(msg, rc, "%s: '%.200s': %s", call->what, call->command,
			       strerror(errno));
	if (WIFSIGNALED(status))
		return err_set(msg, ERR_SYS, "%s: '%.200s' was killed by signal %d%s%s", call->what,
			       call->command, WTERMSIG(status), colon, complaint);
	if (WEXITSTATUS(status) == 0)
		return 0;
	return err_set(msg, call->may_fail ? ERR_NOTFOUND : ERR_SYS,
		       "%s: '%.200s' ended with status %d%s%s", call->what, call->command,
		       WEXITSTATUS(status), colon, complaint);
}

int upcall_run(const struct upcall *call, uint64_t deadline_ms, struct buf *out, struct errmsg *msg)
{
	struct upcall_process p = {.pid = -1,
				   .out = -1,
				   .err = -1,
				   .deadline_ns = clock_mono_ns() + deadline_ms * NS_PER_MS};
	struct buf said = {0};
	int status = 0, rc = upcall_start(&p, call, msg);

	if (rc)
		return rc;
	rc = upcall_talk(&p, &said);
	rc = upcall_end(&p, rc, &status);
	fd_close(&p.out);
	fd_close(&p.err);
	rc = upcall_judge(&p, call, rc, status, deadline_ms, msg);
	if (rc == 0)
		buf_add(out, said.data, said.len);
	buf_done(&said);
	buf_done(&p.noise);
	return rc;
}
