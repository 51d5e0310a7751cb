/* The end of programs that carried connections. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "alloc.h"
#include "clock.h"
#include "proxy_private.h"

#define PROXY_LOOK_MS  20u
#define PROXY_GRACE_NS UINT64_C(2000000000)

struct proxy_child {
	struct proxies *proxies;
	struct proxy_child *next;
	pid_t pid;
	uint64_t kill_ns;
};

struct proxies {
	struct loop *loop;
	struct event *look;
	struct proxy_child *children;
	size_t count;
};

/* Nobody else waits for it, so that its number is its own, as is that of its group. */
static bool proxy_has_ended(pid_t pid)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	       info.si_pid == pid;
}

void proxy_kill(pid_t pid)
{
	(void)kill(-pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void proxies_watch(struct proxies *proxies)
{
	struct timeval tv = loop_ms(PROXY_LOOK_MS);

	if (proxies->children && !evtimer_pending(proxies->look, NULL) &&
	    evtimer_add(proxies->look, &tv) != 0)
		abort();
}

/* What the program has started and left behind goes with it. */
static void proxies_on_look(evutil_socket_t fd, short what, void *arg)
{
	struct proxies *proxies = arg;
	struct proxy_child **at = &proxies->children;
	uint64_t now = clock_mono_ns();

	(void)fd;
	(void)what;
	while (*at) {
		struct proxy_child *child = *at;

		if (!proxy_has_ended(child->pid) && now < child->kill_ns) {
			at = &child->next;
			continue;
		}
		*at = child->next;
		proxies->count--;
		proxy_kill(child->pid);
		free(child);
	}
	proxies_watch(proxies);
}

struct proxies *proxies_new(struct loop *loop)
{
	struct proxies *proxies = xcalloc(1, sizeof *proxies);

	proxies->loop = loop;
	proxies->look = evtimer_new(loop_base(loop), proxies_on_look, proxies);
	if (!proxies->look)
		abort();
	return proxies;
}

static void proxies_on_child(void *arg)
{
	struct proxy_child *child = arg;
	struct proxies *proxies = child->proxies;

	child->next = proxies->children;
	proxies->children = child;
	proxies->count++;
	proxies_watch(proxies);
}

void proxies_take(struct proxies *proxies, pid_t pid)
{
	struct proxy_child *child;

	if (!proxies) {
		proxy_kill(pid);
		return;
	}
	(void)kill(-pid, SIGTERM);
	child = xcalloc(1, sizeof *child);
	*child = (struct proxy_child){
		.proxies = proxies, .pid = pid, .kill_ns = clock_mono_ns() + PROXY_GRACE_NS};
	loop_post(proxies->loop, proxies_on_child, child);
}

size_t proxies_count(const struct proxies *proxies)
{
	return proxies->count;
}

void proxies_free(struct proxies *proxies)
{
	if (!proxies)
		return;
	while (proxies->children) {
		struct proxy_child *child = proxies->children;

		proxies->children = child->next;
		proxy_kill(child->pid);
		free(child);
	}
	event_free(proxies->look);
	free(proxies);
}
