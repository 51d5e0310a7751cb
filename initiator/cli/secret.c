#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "alloc.h"
#include "control_msg.h"
#include "fd.h"

void secret_guard(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) == 0) {
		limit.rlim_cur = 0;
		(void)setrlimit(RLIMIT_CORE, &limit);
	}
	/* Cores that are piped to a program have no limit, core(5). */
	(void)prctl(PR_SET_DUMPABLE, 0);
}

void secret_free(char *secret)
{
	if (!secret)
		return;
	explicit_bzero(secret, strlen(secret));
	free(secret);
}

/* Takes the first line out of text, which is wiped. */
static int secret_line(char **ret, char *text, size_t len, const char *what, struct errmsg *msg)
{
	size_t n = strcspn(text, "\r\n");
	int rc = 0;

	if (n > CONTROL_PASSWORD_MAX)
		rc = err_set(msg, ERR_LIMIT, "%s: a password of more than %u bytes", what,
			     CONTROL_PASSWORD_MAX);
	else if (n == 0)
		rc = err_set(msg, ERR_NOTFOUND, "%s: no password", what);
	else
		*ret = xstrndup(text, n);
	explicit_bzero(text, len);
	return rc;
}

/* Reads a line, byte by byte: what follows it belongs to others. Returns the bytes, or ERR_SYS. */
static int secret_bytes(int fd, int signals, char *text, size_t size)
{
	struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	size_t used = 0;

	while (used + 1 < size) {
		ssize_t n;

		if (poll(p, signals >= 0 ? 2 : 1, -1) < 0 && errno != EINTR)
			return ERR_SYS;
		if (signals >= 0 && p[1].revents) {
			errno = EINTR;
			return ERR_SYS;
		}
		n = p[0].revents ? read(fd, text + used, 1) : 0;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return ERR_SYS;
		if (p[0].revents && n == 0)
			break;
		if (n > 0 && text[used++] == '\n')
			break;
	}
	text[used] = '\0';
	return (int)used;
}

/* With echo off; the signals that would end us wait until the terminal is as it was. */
static int secret_without_echo(int tty, char *text, size_t size)
{
	struct termios before, quiet;
	sigset_t set, old;
	int signals, n;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGQUIT);
	(void)sigaddset(&set, SIGTSTP);
	if (tcgetattr(tty, &before) != 0)
		return ERR_SYS;
	(void)sigprocmask(SIG_BLOCK, &set, &old);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	(void)tcsetattr(tty, TCSAFLUSH, &quiet);
	n = secret_bytes(tty, signals, text, size);
	(void)tcsetattr(tty, TCSAFLUSH, &before);
	(void)fd_write_all(tty, "\n", 1);
	fd_close(&signals);
	/* What came in between comes now. */
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return n;
}

int secret_ask(char **ret, const char *prompt, struct errmsg *msg)
{
	char text[CONTROL_PASSWORD_MAX + 3];
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY), rc;

	if (tty < 0)
		return err_set(msg, ERR_SYS,
			       "there is no terminal to ask for a password on: use "
			       "--become-password-file");
	(void)fd_write_all(tty, prompt, strlen(prompt));
	rc = secret_without_echo(tty, text, sizeof text);
	if (rc < 0)
		rc = err_set(msg, rc, "cannot read a password from the terminal: %s",
			     strerror(errno));
	else
		rc = secret_line(ret, text, sizeof text, "the terminal", msg);
	explicit_bzero(text, sizeof text);
	fd_close(&tty);
	return rc;
}

int secret_read(char **ret, const char *path, const char *name, const char *prompt,
		struct errmsg *msg)
{
	char text[CONTROL_PASSWORD_MAX + 3];
	bool std = strcmp(path, "-") == 0;
	char *what = NULL;
	int fd, rc;

	if (std && isatty(STDIN_FILENO) == 1)
		return secret_ask(ret, prompt, msg);
	fd = std ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
		 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	what = xasprintf("%s: %s", name, std ? "standard input" : path);
	rc = fd < 0 ? ERR_SYS : secret_bytes(fd, -1, text, sizeof text);
	if (rc < 0)
		rc = err_set(msg, ERR_SYS, "%s: %s", what, strerror(errno));
	else
		rc = secret_line(ret, text, sizeof text, what, msg);
	explicit_bzero(text, sizeof text);
	fd_close(&fd);
	free(what);
	return rc;
}
