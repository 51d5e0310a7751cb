/* What the agent waits for in one round of its loop, and for whom. */
#ifndef MUSTER_POLLSET_H
#define MUSTER_POLLSET_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

struct task;

struct pollset_who {
	struct task *task;
	int role; /* enum task_role */
};

/* All zero is empty. */
struct pollset {
	struct pollfd *fds;
	struct pollset_who *who;
	size_t count;
	size_t size;
	uint64_t until_ns; /* monotonic: when something is due; UINT64_MAX: never */
};

void pollset_done(struct pollset *set);
void pollset_clear(struct pollset *set);

/* fd < 0 is passed over. */
void pollset_add(struct pollset *set, int fd, short events, struct task *task, int role);

/* Something is due at this time. */
void pollset_until(struct pollset *set, uint64_t ns);

/* poll(2) until something happens or is due. */
void pollset_wait(struct pollset *set);

#endif
