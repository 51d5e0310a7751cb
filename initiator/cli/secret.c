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
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
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

int secret_take_line(char **ret, char *text, size_t len, const char *what, struct errmsg *msg)
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

/* At most INT_MAX; -1: for ever. */
static int secret_left_ms(uint64_t deadline_ns)
{
	uint64_t now = clock_mono_ns();

	if (!deadline_ns)
		return -1;
	return now < deadline_ns ? (int)((deadline_ns - now) / 1000000u) + 1 : 0;
}

/* Reads a line, byte by byte: what follows it belongs to others. Returns the bytes, ERR_SYS,
 * ERR_CLOSED (a signal) or ERR_TIMEOUT. */
static int secret_bytes(int fd, int signals, uint64_t deadline_ns, char *text, size_t size)
{
	struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	size_t used = 0;

	while (used + 1 < size) {
		ssize_t n;

		int ready = poll(p, signals >= 0 ? 2 : 1, secret_left_ms(deadline_ns));

		if (ready < 0 && errno != EINTR)
			return ERR_SYS;
		if (ready == 0)
			return ERR_TIMEOUT;
		if (ready < 0)
			continue;
		if (signals >= 0 && p[1].revents)
			return ERR_CLOSED;
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

/* With echo off, or on; the signals that would end us wait until the terminal is as it was. The
 * prompt comes when it is ready: what is typed at it is neither shown nor lost. */
static int secret_typed(int tty, const char *prompt, bool echo, uint64_t deadline_ns, char *text,
			size_t size)
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
	if (!echo)
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	(void)tcsetattr(tty, TCSAFLUSH, &quiet);
	(void)fd_write_all(tty, prompt, strlen(prompt));
	n = secret_bytes(tty, signals, deadline_ns, text, size);
	(void)tcsetattr(tty, TCSAFLUSH, &before);
	if (!echo || n < 0)
		(void)fd_write_all(tty, "\n", 1);
	fd_close(&signals);
	/* What came in between comes now. */
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return n;
}

int secret_ask_for(char **ret, const char *prompt, bool echo, uint64_t timeout_ms,
		   struct errmsg *msg)
{
	uint64_t deadline_ns = timeout_ms ? clock_mono_ns() + timeout_ms * UINT64_C(1000000) : 0;
	char text[CONTROL_PASSWORD_MAX + 3];
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY), rc;

	if (tty < 0)
		return err_set(msg, ERR_SYS, "there is no terminal to ask on");
	rc = secret_typed(tty, prompt, echo, deadline_ns, text, sizeof text);
	if (rc == ERR_SYS)
		rc = err_set(msg, rc, "cannot read a password from the terminal: %s",
			     strerror(errno));
	else if (rc < 0)
		rc = err_set(msg, rc, "no password was typed: %s",
			     rc == ERR_CLOSED ? "interrupted" : err_text(rc));
	else
		rc = secret_take_line(ret, text, sizeof text, "the terminal", msg);
	explicit_bzero(text, sizeof text);
	fd_close(&tty);
	return rc;
}

int secret_ask(char **ret, const char *prompt, const char *instead, struct errmsg *msg)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (tty < 0)
		return err_set(msg, ERR_SYS,
			       "there is no terminal to ask for a password on: use %s", instead);
	fd_close(&tty);
	return secret_ask_for(ret, prompt, false, 0, msg);
}

/* As ssh of a key: what others can read is no secret. Of terminals and other devices it is the
 * system that takes care. */
static int secret_check_file(int fd, const char *what, const char *path, struct errmsg *msg)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode)))
		return 0;
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(msg, ERR_DENIED,
			       "%s belongs to another user (uid %u): a password is read from a "
			       "file of your own",
			       what, (unsigned)st.st_uid);
	if (st.st_mode & 077)
		return err_set(msg, ERR_DENIED, "%s: others may read it (mode %04o): chmod 600 %s",
			       what, (unsigned)(st.st_mode & 07777), path);
	return 0;
}

int secret_read(char **ret, const char *path, const char *name, const char *prompt,
		struct errmsg *msg)
{
	char text[CONTROL_PASSWORD_MAX + 3];
	bool std = strcmp(path, "-") == 0;
	char *what = NULL;
	int fd, rc;

	if (std && isatty(STDIN_FILENO) == 1)
		return secret_ask(ret, prompt, name, msg);
	fd = std ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
		 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	what = xasprintf("%s: %s", name, std ? "standard input" : path);
	rc = fd >= 0 && !std ? secret_check_file(fd, what, path, msg) : 0;
	if (rc) {
		free(what);
		fd_close(&fd);
		return rc;
	}
	rc = fd < 0 ? ERR_SYS : secret_bytes(fd, -1, 0, text, sizeof text);
	if (rc < 0)
		rc = err_set(msg, ERR_SYS, "%s: %s", what, strerror(errno));
	else
		rc = secret_take_line(ret, text, sizeof text, what, msg);
	explicit_bzero(text, sizeof text);
	fd_close(&fd);
	free(what);
	return rc;
}
