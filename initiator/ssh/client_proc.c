#include "client_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "fd.h"
#include "work.h"

/* The daemon raises its own limit; what it starts gets the usual one. */
#define CLIENT_FILES 1024u
/* Where PATH is not set: as execvp(3) would. */
#define CLIENT_PATH "/usr/local/bin:/usr/bin:/bin"

char *client_proc_find(void)
{
	const char *at = getenv("PATH");

	if (!at || !*at)
		at = CLIENT_PATH;
	while (*at) {
		size_t n = strcspn(at, ":");
		char *path = xasprintf("%.*s/ssh", (int)n, at);

		/* A relative folder would be one of the daemon's. */
		if (*path == '/' && access(path, X_OK) == 0)
			return path;
		free(path);
		at += n + (at[n] == ':');
	}
	return NULL;
}

/* What the child needs between vfork(2) and exec(2), and where it leaves the error. */
struct client_birth {
	char *const *argv;
	char *const *envp;
	struct rlimit files;
	int io, errors;
	int error;
};

/* Shares our memory until exec: calls that are safe in a signal handler, and nothing that is ours
 * is changed but the error. */
static _Noreturn void client_be_born(struct client_birth *birth)
{
	struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t none;

	(void)setsid();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(birth->io, STDIN_FILENO) >= 0 && dup2(birth->io, STDOUT_FILENO) >= 0 &&
	    dup2(birth->errors, STDERR_FILENO) >= 0) {
		(void)close_range(STDERR_FILENO + 1, ~0U, 0);
		(void)setrlimit(RLIMIT_NOFILE, &birth->files);
		/* Those that cannot be set are the kernel's or the library's own. */
		for (int sig = 1; sig < NSIG; sig++)
			(void)sigaction(sig, &usual, NULL);
		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		(void)execve(birth->argv[0], birth->argv, birth->envp);
	}
	birth->error = errno;
	_exit(127);
}

/* A handler of ours must not run in the child: it has our memory. */
static pid_t client_vfork(struct client_birth *birth)
{
	sigset_t all, before;
	pid_t pid;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = vfork();
	if (pid == 0)
		client_be_born(birth);
	if (pid < 0)
		birth->error = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static int client_limit_files(struct rlimit *files)
{
	if (getrlimit(RLIMIT_NOFILE, files) < 0)
		return errno;
	if (files->rlim_cur > CLIENT_FILES)
		files->rlim_cur = CLIENT_FILES;
	return 0;
}

static void client_wait(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
}

/* ends: of the socket, then of the pipe; the child's are closed. */
static int client_spawn(struct client_proc *proc, int ends[static 4], char *const argv[],
			char *const envp[])
{
	struct client_birth birth = {.argv = argv, .envp = envp, .io = ends[1], .errors = ends[3]};
	int error = client_limit_files(&birth.files);
	pid_t pid = error ? -1 : client_vfork(&birth);

	if (!error)
		error = birth.error;
	if (pid < 0)
		return error;
	proc->exit = error ? -1 : pidfd_open(pid, 0);
	if (proc->exit < 0) {
		error = error ? error : errno;
		(void)kill(pid, SIGKILL);
		client_wait(pid, NULL);
		return error;
	}
	proc->pid = pid;
	proc->io = ends[0];
	proc->errors = ends[2];
	ends[0] = ends[2] = -1;
	return 0;
}

int client_proc_start(struct client_proc *proc, char *const argv[], char *const envp[])
{
	int ends[4] = {-1, -1, -1, -1}, error = 0;

	*proc = CLIENT_PROC_NONE;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ||
	    pipe2(ends + 2, O_CLOEXEC) < 0 || fd_nonblock(ends[0]) != 0 ||
	    fd_nonblock(ends[2]) != 0)
		error = errno;
	if (!error)
		error = client_spawn(proc, ends, argv, envp);
	for (int i = 0; i < 4; i++)
		fd_close(&ends[i]);
	return error;
}

void client_proc_signal(const struct client_proc *proc)
{
	if (proc->pid)
		(void)kill(-proc->pid, SIGKILL);
}

int client_proc_reap(struct client_proc *proc)
{
	int status = 0;

	/* Before it is reaped the number of its group is nobody else's. */
	(void)kill(-proc->pid, SIGKILL);
	client_wait(proc->pid, &status);
	proc->pid = 0;
	fd_close(&proc->exit);
	return status;
}

static void client_leave_run(void *arg)
{
	pid_t *pid = arg;

	client_wait(*pid, NULL);
}

static void client_leave_done(void *arg, bool cancelled)
{
	/* Cancelled: the daemon ends, and whoever inherits the dead reaps it. */
	(void)cancelled;
	free(arg);
}

void client_proc_done(struct client_proc *proc, struct ssh_engine *engine)
{
	if (proc->pid) {
		pid_t *pid = xmalloc(sizeof *pid);

		*pid = proc->pid;
		(void)kill(-proc->pid, SIGKILL);
		(void)work_submit(ssh_engine_files(engine), client_leave_run, client_leave_done,
				  pid);
		proc->pid = 0;
	}
	fd_close(&proc->exit);
	fd_close(&proc->io);
	fd_close(&proc->errors);
}
