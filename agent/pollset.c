#include "pollset.h"

#include <limits.h>
#include <stdlib.h>

#include "alloc.h"
#include "clock.h"

#define NS_PER_MS 1000000u

void pollset_done(struct pollset *set)
{
	free(set->fds);
	free(set->who);
	*set = (struct pollset){0};
}

void pollset_clear(struct pollset *set)
{
	set->count = 0;
	set->until_ns = UINT64_MAX;
}

void pollset_add(struct pollset *set, int fd, short events, struct task *task, int role)
{
	if (fd < 0)
		return;
	if (set->count == set->size) {
		set->size = set->size ? set->size * 2 : 16;
		set->fds = xrealloc(set->fds, set->size, sizeof *set->fds);
		set->who = xrealloc(set->who, set->size, sizeof *set->who);
	}
	set->fds[set->count] = (struct pollfd){.fd = fd, .events = events};
	set->who[set->count++] = (struct pollset_who){task, role};
}

void pollset_until(struct pollset *set, uint64_t ns)
{
	if (ns < set->until_ns)
		set->until_ns = ns;
}

void pollset_wait(struct pollset *set)
{
	uint64_t now, ms;
	int wait = -1;

	if (set->until_ns != UINT64_MAX) {
		now = clock_mono_ns();
		ms = set->until_ns > now ? (set->until_ns - now) / NS_PER_MS + 1 : 0;
		wait = ms < INT_MAX ? (int)ms : INT_MAX;
	}
	if (poll(set->fds, (nfds_t)set->count, wait) < 0)
		for (size_t i = 0; i < set->count; i++)
			set->fds[i].revents = 0;
}
