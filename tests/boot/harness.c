#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "clock.h"
#include "fd.h"
#include "harness.h"

/* Only so that a test that is broken ends. */
#define DEADLINE_NS (100ull * 1000 * 1000 * 1000)

static void login_send(void *arg, const void *data, size_t len)
{
	struct login *login = arg;

	login->sends++;
	buf_add(&login->sent, data, len);
	buf_add(&login->queue, data, len);
	if (len != login->target->payload.len)
		return;
	if (login->damage & (1u << login->pushes))
		login->queue.data[login->queue.len - len / 2] ^= 1;
	login->pushes++;
}

static void login_ready(void *arg, const void *rest, size_t len)
{
	struct login *login = arg;

	login->ready = true;
	buf_add(&login->agent, rest, len);
}

static void login_failed(void *arg, enum boot_end end, const char *text)
{
	struct login *login = arg;

	login->failed = true;
	login->end = end;
	login->text = xstrdup(text);
}

static const struct boot_events login_events = {login_send, login_ready, login_failed};

static char **login_environment(const struct target *target)
{
	char **env = xcalloc(8 + ARRAY_LEN(target->env), sizeof *env);
	size_t n = 0;

	env[n++] = xasprintf("HOME=%s", target->home);
	env[n++] = xasprintf("PATH=%s", target->path);
	env[n++] = xstrdup("USER=nobody-in-particular");
	/* With it bash reads .bashrc, as below sshd. */
	env[n++] = xstrdup("SSH_CLIENT=192.0.2.1 50000 22");
	env[n++] = xstrdup("LC_ALL=C");
	for (size_t i = 0; i < ARRAY_LEN(target->env) && target->env[i]; i++)
		env[n++] = xstrdup(target->env[i]);
	return env;
}

static _Noreturn void login_child(const struct target *target, const char *const *argv,
				  const char *text, int fd, int error_fd)
{
	const char *full[16] = {NULL};
	size_t n = 0;

	setsid();
	umask(022);
	dup2(fd, 0);
	dup2(fd, 1);
	dup2(error_fd, 2);
	closefrom(3);
	if (target->isolate)
		target->isolate(target);
	if (target->uid > 0 &&
	    (setgroups(0, NULL) < 0 || setgid(target->uid) < 0 || setuid(target->uid) < 0))
		_exit(99);
	if (chdir(target->home) < 0 && chdir("/") < 0)
		_exit(99);
	for (; argv[n]; n++)
		full[n] = argv[n];
	full[n] = text;
	setenv("PATH", target->path, 1);
	execvpe(full[0], (char *const *)(uintptr_t)full, login_environment(target));
	_exit(99);
}

static void login_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
}

void login_start(struct login *login, const char *const *argv)
{
	int io[2], error[2];
	struct errmsg msg;
	char *text;

	boot_nonce(login->spec.nonce);
	if (!login->spec.payloads) {
		login->spec.payloads = &login->target->payload;
		login->spec.payload_count = 1;
	}
	assert_int_equal(boot_command(&text, &login->spec, &msg), 0);
	login->boot = boot_new(&login->spec, &login_events, login);
	login_pair(io);
	login_pair(error);
	login->pid = fork();
	assert_true(login->pid >= 0);
	if (login->pid == 0)
		login_child(login->target, argv, text, io[1], error[1]);
	close(io[1]);
	close(error[1]);
	login->fd = io[0];
	login->error_fd = error[0];
	assert_int_equal(fd_nonblock(login->fd), 0);
	assert_int_equal(fd_nonblock(login->error_fd), 0);
	free(text);
}

static void login_reap(struct login *login)
{
	if (login->pid <= 0)
		return;
	assert_int_equal(waitpid(login->pid, &login->status, 0), login->pid);
	login->pid = 0;
}

static void login_read(struct login *login, int *fd, bool is_error)
{
	char data[8192];
	ssize_t n;

	n = read(*fd, data, sizeof data);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		if (login->ready && !is_error)
			buf_add(&login->agent, data, (size_t)n);
		else
			boot_feed(login->boot, is_error, data, (size_t)n);
		return;
	}
	fd_close(fd);
	if (login->fd >= 0 || login->error_fd >= 0)
		return;
	login_reap(login);
	boot_eof(login->boot, WIFEXITED(login->status) ? WEXITSTATUS(login->status) : -1);
}

static void login_write(struct login *login)
{
	ssize_t n = send(login->fd, login->queue.data + login->written,
			 login->queue.len - login->written, MSG_NOSIGNAL);

	if (n > 0)
		login->written += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		login->written = login->queue.len; /* nobody is there to read it */
}

static bool login_has_to_send(const struct login *login)
{
	return !login->hold && login->fd >= 0 && login->written < login->queue.len;
}

static bool login_is_settled(const struct login *login)
{
	return login->ready || login->failed || (login->hold && login->queue.len > 0);
}

static void login_step(struct login *logins, size_t count)
{
	struct pollfd *fds = xcalloc(2 * count, sizeof *fds);

	for (size_t i = 0; i < count; i++) {
		fds[2 * i].fd = logins[i].fd;
		fds[2 * i].events = POLLIN;
		if (login_has_to_send(&logins[i]))
			fds[2 * i].events |= POLLOUT;
		fds[2 * i + 1] = (struct pollfd){.fd = logins[i].error_fd, .events = POLLIN};
	}
	assert_true(poll(fds, 2 * count, 1000) >= 0 || errno == EINTR);
	for (size_t i = 0; i < count; i++) {
		if (fds[2 * i].revents & POLLOUT)
			login_write(&logins[i]);
		if (fds[2 * i + 1].revents & (POLLIN | POLLHUP))
			login_read(&logins[i], &logins[i].error_fd, true);
		if (fds[2 * i].revents & (POLLIN | POLLHUP))
			login_read(&logins[i], &logins[i].fd, false);
	}
	free(fds);
}

void login_wait(struct login *logins, size_t count)
{
	uint64_t deadline = clock_mono_ns() + DEADLINE_NS;
	size_t settled = 0;

	while (settled < count) {
		if (clock_mono_ns() > deadline)
			fail_msg("nothing happens any more");
		login_step(logins, count);
		for (settled = 0; settled < count && login_is_settled(&logins[settled]);)
			settled++;
	}
}

void login_talk(struct login *login)
{
	uint64_t deadline = clock_mono_ns() + DEADLINE_NS;
	bool shut = false;

	buf_add_str(&login->queue, "ping\n");
	while (login->pid > 0) {
		if (clock_mono_ns() > deadline)
			fail_msg("the agent does not end");
		if (!shut && login->written == login->queue.len) {
			shutdown(login->fd, SHUT_WR);
			shut = true;
		}
		login_step(login, 1);
	}
	assert_string_equal(buf_cstr(&login->agent), "AGENT 0022\ngot ping\n");
	assert_int_equal(login->status, 0);
}

void login_end(struct login *login)
{
	if (login->pid > 0) {
		kill(-login->pid, SIGKILL);
		kill(login->pid, SIGKILL);
		login_reap(login);
	}
	fd_close(&login->fd);
	fd_close(&login->error_fd);
	boot_free(login->boot);
	buf_done(&login->queue);
	buf_done(&login->sent);
	buf_done(&login->agent);
	free(login->text);
	*login = (struct login){.fd = -1, .error_fd = -1};
}

void login_expect_ready(struct login *login, const char *const *argv, unsigned pushes)
{
	login_start(login, argv);
	login_wait(login, 1);
	if (login->failed)
		fail_msg("end %d: %s", (int)login->end, login->text);
	login_talk(login);
	assert_int_equal(login->pushes, pushes);
	assert_int_equal(boot_has_pushed(login->boot), pushes > 0);
	login_end(login);
}

void login_expect_failed(struct login *login, const char *const *argv, enum boot_end end,
			 const char *text_has)
{
	login_start(login, argv);
	login_wait(login, 1);
	assert_true(login->failed);
	if (login->end != end || !strstr(login->text, text_has))
		fail_msg("end %d and not %d \"%s\": %s", (int)login->end, (int)end, text_has,
			 login->text);
	login_end(login);
}
