/*
 * A host of a test: a real sshd -i for each connection to a port of 127.0.0.1, a key that it lets
 * in, and the plan that leads there. Everything ends with the test.
 */
#ifndef MUSTER_TEST_SSHD_HOST_H
#define MUSTER_TEST_SSHD_HOST_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "fd.h"
#include "plan.h"
#include "programs.h"

#define SSHD_HOST_LONG_S 100 /* a test that takes longer hangs */

struct sshd_host {
	char dir[32];
	char *sshd; /* sshd wants to be called by its whole path */
	int listener;
	uint16_t port;
	pid_t acceptor;
	struct loop *loop;
	struct ssh_engine *engine;
	struct plan *plan;
	struct event *watchdog;
};

static inline char *sshd_host_program(void)
{
	static const char *const paths[] = {"/usr/sbin/sshd", "/usr/local/sbin/sshd",
					    "/usr/bin/sshd"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (access(paths[i], X_OK) == 0 && program_find("ssh-keygen"))
			return xstrdup(paths[i]);
	print_message("SKIPPED: sshd is not installed\n");
	return NULL;
}

static inline void sshd_host_write(const struct sshd_host *host, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", host->dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	fd_close(&fd);
	free(path);
}

/* Makes a key; returns the line of its public half. */
static inline char *sshd_host_key(const struct sshd_host *host, const char *name)
{
	char *path = xasprintf("%s/%s", host->dir, name);
	char *public = xasprintf("%s.pub", path);
	const char *argv[] = {"ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-f", path, NULL};
	struct buf text = {0};

	assert_int_equal(program_run(argv, NULL), 0);
	assert_int_equal(fd_read_file(&text, public, 4096), 0);
	free(public);
	free(path);
	return buf_take_str(&text);
}

static inline void sshd_host_files(const struct sshd_host *host, const char *extra)
{
	char *host_key = sshd_host_key(host, "host_key"), *user_key = sshd_host_key(host, "id");
	char *known = xasprintf("[127.0.0.1]:%u %s", host->port, host_key);
	/* Of each setting sshd takes the first. */
	char *server = xasprintf("%s\nHostKey %s/host_key\nAuthorizedKeysFile %s/authorized_keys\n"
				 "UsePAM no\nStrictModes no\nPermitRootLogin yes\n"
				 "PrintMotd no\nPrintLastLog no\nUseDNS no\nLogLevel ERROR\n",
				 extra, host->dir, host->dir);
	char *client = xasprintf("Host *\nIdentityFile %s/id\nIdentitiesOnly yes\n"
				 "UserKnownHostsFile %s/known_hosts\n"
				 "GlobalKnownHostsFile /dev/null\n",
				 host->dir, host->dir);

	sshd_host_write(host, "authorized_keys", user_key);
	sshd_host_write(host, "known_hosts", known);
	sshd_host_write(host, "sshd_config", server);
	sshd_host_write(host, "ssh_config", client);
	free(host_key);
	free(user_key);
	free(known);
	free(server);
	free(client);
}

static inline void sshd_host_listen(struct sshd_host *host)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof in;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	host->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(host->listener >= 0);
	assert_int_equal(bind(host->listener, (const struct sockaddr *)&in, sizeof in), 0);
	assert_int_equal(listen(host->listener, 16), 0);
	assert_int_equal(getsockname(host->listener, (struct sockaddr *)&in, &len), 0);
	host->port = ntohs(in.sin_port);
}

/* For root: an empty home, so that what its shell reads at login is not part of the test, and what
 * sshd wants of /run. Where that is forbidden the real ones have to do. */
static inline void sshd_host_seclude(void)
{
	const struct passwd *pw = getpwuid(getuid());

	if (getuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return;
	if (pw)
		(void)mount("none", pw->pw_dir, "tmpfs", 0, NULL);
	if (access("/run/sshd", F_OK) < 0 && mount("none", "/run", "tmpfs", 0, NULL) == 0)
		(void)mkdir("/run/sshd", 0755);
}

static inline void sshd_host_serve(const struct sshd_host *host, int fd)
{
	char *config = xasprintf("%s/sshd_config", host->dir);
	char *log = xasprintf("%s/log", host->dir);
	int errors = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	(void)dup2(fd, STDIN_FILENO);
	(void)dup2(fd, STDOUT_FILENO);
	(void)dup2(errors, STDERR_FILENO);
	(void)execl(host->sshd, host->sshd, "-i", "-e", "-f", config, (char *)NULL);
	_exit(127);
}

static inline void sshd_host_accept(const struct sshd_host *host)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGCHLD, SIG_IGN);
	sshd_host_seclude();
	for (;;) {
		int fd = accept4(host->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0 && fork() == 0) {
			(void)signal(SIGCHLD, SIG_DFL);
			sshd_host_serve(host, fd);
		}
		fd_close(&fd);
	}
}

static inline void sshd_host_plan(struct sshd_host *host)
{
	struct plan_request request = {.count = 1, .home = xstrdup(host->dir)};
	struct errmsg msg = {{0}};

	request.hosts = xcalloc(1, sizeof *request.hosts);
	request.hosts[0] = (struct plan_host){
		.host = xstrdup("h"), .hostname = xstrdup("127.0.0.1"), .port = host->port};
	request.config_path = xasprintf("%s/ssh_config", host->dir);
	if (plan_build(&host->plan, &request, &msg) != 0)
		fail_msg("%s", msg.text);
}

static inline void sshd_host_on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fprintf(stderr, "the test hangs\n");
	abort();
}

/* extra: lines for sshd_config. */
static inline void sshd_host_start(struct sshd_host *host, char *sshd, const char *extra)
{
	struct timeval tv = {.tv_sec = SSHD_HOST_LONG_S};

	*host = (struct sshd_host){.dir = "/tmp/muster-sshd-XXXXXX", .sshd = sshd};
	assert_non_null(mkdtemp(host->dir));
	/* What sshd leaves behind becomes our child, and is waited for. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	sshd_host_listen(host);
	sshd_host_files(host, extra);
	host->acceptor = fork();
	assert_true(host->acceptor >= 0);
	if (host->acceptor == 0)
		sshd_host_accept(host);
	host->loop = loop_new();
	host->engine = ssh_engine_new(host->loop, 256);
	sshd_host_plan(host);
	host->watchdog = evtimer_new(loop_base(host->loop), sshd_host_on_watchdog, NULL);
	assert_int_equal(event_add(host->watchdog, &tv), 0);
}

/* After the connections are gone. Comes back when every process of the host has ended. */
static inline void sshd_host_stop(struct sshd_host *host)
{
	event_free(host->watchdog);
	plan_free(host->plan);
	ssh_engine_free(host->engine);
	loop_free(host->loop);
	fd_close(&host->listener);
	(void)kill(host->acceptor, SIGKILL);
	(void)alarm(SSHD_HOST_LONG_S);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	(void)alarm(0);
	remove_tree(host->dir);
	free(host->sshd);
}

#endif
