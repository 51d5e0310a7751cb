#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "bastion.h"
#include "client.h"
#include "clock.h"
#include "daemon_private.h"
#include "fd.h"
#include "limits.h"
#include "log.h"
#include "refuse.h"
#include "registry.h"
#include "remote.h"
#include "retain.h"
#include "run.h"
#include "session.h"
#include "stage.h"

/* For what copies are reading or writing. */
#define DAEMON_COPY_GRACE_MS 1000u
#define DAEMON_COPY_THREADS  2u
/* Unread results in memory: all together, and of one child. */
#define DAEMON_RESULTS_BUDGET (256u << 20)
#define DAEMON_RESULTS_SHARE  (1u << 20)
/* The lock is held by a client that is starting a daemon: try again. */
#define DAEMON_LOCK_RETRY_MS 1000u
/* Too many open files while accepting: wait for some to be closed. */
#define DAEMON_ACCEPT_RETRY_MS 100u
#define DAEMON_FLUSH_MS	       5000u

/* Only our own user may talk to us, whatever the modes of the directories say. */
static bool daemon_peer_ok(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	return peer.uid == geteuid() || peer.uid == 0;
}

static bool daemon_accept(struct daemon *daemon)
{
	int fd = accept4(daemon->options.listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return false;
	if (!daemon_peer_ok(fd) || daemon->client_count >= LIMIT_CLIENTS) {
		log_warn("a client was refused: %s",
			 daemon->client_count >= LIMIT_CLIENTS ? "too many" : "another user");
		fd_close(&fd);
		return true;
	}
	(void)client_new(daemon, fd);
	return true;
}

static void daemon_on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)fd;
	(void)what;
	if (daemon->listener)
		(void)event_add(daemon->listener, NULL);
}

static void daemon_on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *daemon = arg;
	struct timeval tv = loop_ms(DAEMON_ACCEPT_RETRY_MS);

	(void)fd;
	(void)what;
	while (daemon_accept(daemon))
		;
	/* The socket stays readable when no descriptor is free: without a pause this would spin. */
	if (errno == EMFILE || errno == ENFILE)
		(void)event_base_once(loop_base(daemon->loop), -1, EV_TIMEOUT,
				      daemon_on_accept_again, daemon, &tv);
	else
		(void)event_add(daemon->listener, NULL);
}

struct work_pool *daemon_copies(struct daemon *daemon)
{
	if (!daemon->copies)
		daemon->copies = work_pool_new(daemon->loop, "copy", DAEMON_COPY_THREADS);
	return daemon->copies;
}

void daemon_client_added(struct daemon *daemon, struct client *client)
{
	daemon->clients =
		xrealloc(daemon->clients, daemon->client_count + 1, sizeof(struct client *));
	daemon->clients[daemon->client_count++] = client;
	(void)event_del(daemon->idle);
}

struct client *daemon_find_client(const struct daemon *daemon, uint64_t number)
{
	for (size_t i = 0; i < daemon->client_count; i++)
		if (client_number(daemon->clients[i]) == number)
			return client_is_gone(daemon->clients[i]) ? NULL : daemon->clients[i];
	return NULL;
}

void daemon_client_removed(struct daemon *daemon, struct client *client)
{
	size_t n = daemon->client_count;

	for (size_t i = 0; i < n; i++) {
		if (daemon->clients[i] != client)
			continue;
		daemon->clients[i] = daemon->clients[n - 1];
		daemon->client_count--;
		break;
	}
	if (!daemon->client_count && daemon->options.listen_fd < 0)
		daemon_end(daemon);
	daemon_consider_leaving(daemon);
}

static void daemon_on_flush_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)fd;
	(void)what;
	loop_stop(daemon->loop);
}

/* No job is live. The end of one may still have to be told, to a client that reads slowly. */
static void daemon_leave(struct daemon *daemon)
{
	struct timeval tv = loop_ms(DAEMON_FLUSH_MS);

	for (size_t i = 0; i < daemon->client_count; i++) {
		if (!client_is_busy(daemon->clients[i]))
			continue;
		if (!event_pending(daemon->flush, EV_TIMEOUT, NULL))
			(void)event_add(daemon->flush, &tv);
		return;
	}
	loop_stop(daemon->loop);
}

void daemon_consider_leaving(struct daemon *daemon)
{
	struct timeval tv = loop_ms(daemon->options.idle_ms);

	if (daemon->ending && registry_waited(daemon->registry))
		return;
	if (!daemon->ending && registry_live(daemon->registry))
		return;
	if (daemon->ending)
		daemon_leave(daemon);
	else if (!daemon->client_count && daemon->options.idle_ms &&
		 !sessions_are_open(daemon->sessions) && !registry_is_wanted(daemon->registry))
		(void)event_add(daemon->idle, &tv);
}

/* Whoever connects from now on starts another daemon. The path is ours while we listen on it: it
 * is replaced only by one who was refused there. */
static void daemon_stop_listening(struct daemon *daemon)
{
	if (daemon->options.socket_path)
		(void)unlink(daemon->options.socket_path);
	daemon->options.socket_path = NULL;
	if (daemon->listener)
		event_free(daemon->listener);
	daemon->listener = NULL;
	fd_close(&daemon->options.listen_fd);
}

void daemon_end(struct daemon *daemon)
{
	daemon->ending = true;
	if (daemon->store)
		store_leaving(daemon->store);
	daemon_stop_listening(daemon);
	registry_park_all(daemon->registry);
	daemon_consider_leaving(daemon);
}

static void daemon_on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)what;
	log_info("signal %d: ending", (int)sig);
	if (daemon->ending)
		loop_stop(daemon->loop);
	else
		daemon_end(daemon);
}

/*
 * Leaving without a client being lost: with the lock held no new daemon is started and nobody
 * else removes the socket, and what is already in the queue is served first.
 */
static void daemon_on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *daemon = arg;
	const char *path = daemon->options.lock_path;
	struct timeval tv = loop_ms(DAEMON_LOCK_RETRY_MS);
	int lock = path ? open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;

	(void)fd;
	(void)what;
	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) < 0) {
		fd_close(&lock);
		(void)event_add(daemon->idle, &tv);
		return;
	}
	if (!daemon_accept(daemon)) {
		log_info("idle: leaving");
		daemon_end(daemon);
	} else if (!daemon->client_count) {
		(void)event_add(daemon->idle, &tv); /* it was refused */
	}
	fd_close(&lock);
}

static void daemon_protect(void)
{
#if !defined(__SANITIZE_ADDRESS__)
	/* Private keys are in memory: no core file, no ptrace by the same user. */
	struct rlimit core;

	/* The soft limit: local jobs may want theirs. */
	if (getrlimit(RLIMIT_CORE, &core) == 0) {
		core.rlim_cur = 0;
		(void)setrlimit(RLIMIT_CORE, &core);
	}
	(void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

static void daemon_on_trouble(void *arg, enum store_trouble what, const char *text)
{
	struct daemon *daemon = arg;

	daemon->trouble = what;
	(void)snprintf(daemon->trouble_text, sizeof daemon->trouble_text, "%s", text ? text : "");
	if (what == STORE_WELL)
		log_info("the store: %s", daemon->trouble_text);
	else
		log_error("the store: %s", daemon->trouble_text);
	if (what == STORE_FAILED)
		results_waits_fail(&daemon->budget.waits);
}

/* More than these a single main loop cannot keep busy. */
#define DAEMON_IO_THREADS_MAX 16

static unsigned daemon_threads(const struct daemon *daemon)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (daemon->options.io_threads)
		return daemon->options.io_threads < 64 ? (unsigned)daemon->options.io_threads : 64;
	if (cores < 1)
		return 1;
	return cores < DAEMON_IO_THREADS_MAX ? (unsigned)cores : DAEMON_IO_THREADS_MAX;
}

static void daemon_open(struct daemon *daemon)
{
	struct event_base *base;

	daemon->loop = loop_new();
	base = loop_base(daemon->loop);
	daemon->fd_limit = fd_limit_raise();
	daemon->engine = ssh_engine_new(daemon->loop, daemon->fd_limit);
	daemon->lines = lines_new(daemon->loop, daemon_threads(daemon), daemon->fd_limit);
	bastions_limit(lines_bastions(daemon->lines), (size_t)daemon->options.bastion_opening,
		       (size_t)daemon->options.bastion_channels,
		       (size_t)daemon->options.bastion_memory);
	daemon->remotes = remotes_new(daemon->engine, daemon->lines, daemon->options.linger_ms,
				      daemon->options.keepalive_ms);
	daemon->registry = registry_new(daemon);
	daemon->sessions = sessions_new(daemon);
	daemon->budget.limit = daemon->options.results_budget ? daemon->options.results_budget
							      : DAEMON_RESULTS_BUDGET;
	daemon->budget.share = daemon->options.results_share ? daemon->options.results_share
							     : DAEMON_RESULTS_SHARE;
	daemon->budget.stored_share = daemon->options.results_stored;
	daemon->started_ns = clock_wall_ns();
	daemon->idle = evtimer_new(base, daemon_on_idle, daemon);
	daemon->sigterm = evsignal_new(base, SIGTERM, daemon_on_signal, daemon);
	daemon->sigint = evsignal_new(base, SIGINT, daemon_on_signal, daemon);
	daemon->flush = evtimer_new(base, daemon_on_flush_deadline, daemon);
	daemon->retain = retain_new(daemon);
	if (!daemon->idle || !daemon->flush || !daemon->sigterm || !daemon->sigint)
		abort();
	(void)event_add(daemon->sigterm, NULL);
	(void)event_add(daemon->sigint, NULL);
}

/* From here on clients are heard. */
static void daemon_serve(struct daemon *daemon)
{
	if (daemon->options.listen_fd >= 0) {
		(void)fd_nonblock(daemon->options.listen_fd);
		daemon->listener = event_new(loop_base(daemon->loop), daemon->options.listen_fd,
					     EV_READ, daemon_on_accept, daemon);
		if (!daemon->listener || event_add(daemon->listener, NULL) != 0)
			abort();
	}
	if (daemon->options.control_fd >= 0) {
		(void)fd_nonblock(daemon->options.control_fd);
		(void)client_new(daemon, daemon->options.control_fd);
	}
	daemon_consider_leaving(daemon);
}

/* The jobs that were there before, before anybody can ask for them. */
static int daemon_open_store(struct daemon *daemon, struct errmsg *msg)
{
	struct store_options options = {.path = daemon->options.store_path,
					.loop = daemon->loop,
					.size_limit = daemon->options.store_size,
					.trouble = daemon_on_trouble,
					.arg = daemon};
	int rc;

	if (!daemon->options.store_path)
		return 0;
	rc = store_open(&daemon->store, &options, msg);
	if (rc)
		return rc;
	/* Epochs of connections that a daemon before us made are below ours. */
	daemon->last_epoch = store_generation(daemon->store) << 32;
	rc = run_restore_all(daemon, msg);
	if (rc == 0)
		retain_look(daemon->retain);
	return rc;
}

static void daemon_close(struct daemon *daemon)
{
	daemon->ending = true;
	daemon_stop_listening(daemon);
	while (daemon->client_count)
		client_free(daemon->clients[daemon->client_count - 1]);
	if (daemon->store)
		registry_keep_ids(daemon->registry);
	registry_free(daemon->registry);
	sessions_free(daemon->sessions);
	store_close(daemon->store);
	remotes_free(daemon->remotes);
	lines_free(daemon->lines);
	/* Connections that were let go in the last round. */
	loop_flush(daemon->loop);
	stages_free(daemon->stages);
	work_pool_free(daemon->copies, DAEMON_COPY_GRACE_MS);
	ssh_engine_free(daemon->engine);
	event_free(daemon->idle);
	event_free(daemon->flush);
	retain_free(daemon->retain);
	event_free(daemon->sigterm);
	event_free(daemon->sigint);
	loop_free(daemon->loop);
	free(daemon->clients);
}

int daemon_main(const struct daemon_options *options)
{
	struct daemon daemon = {.options = *options};
	struct errmsg msg;
	int rc;

	if (options->listen_fd < 0 && options->control_fd < 0) {
		log_error("the daemon has no socket");
		return 1;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL); /* whoever started us may have ignored it */
	daemon_protect();
	daemon_open(&daemon);
	rc = daemon_open_store(&daemon, &msg);
	if (rc == 0) {
		daemon_serve(&daemon);
		log_info("muster %s: serving, %zu open files", options->version, daemon.fd_limit);
		loop_run(daemon.loop);
	} else {
		log_error("%s", msg.text);
		refuse_clients(&daemon.options, rc, msg.text);
		daemon.options.listen_fd = daemon.options.control_fd = -1;
	}
	daemon_close(&daemon);
	log_info("ended");
	return rc ? 1 : 0;
}
