/*
 * Signals to everything that a command has started. A pass goes through all processes of the
 * computer, a slice in each round of the loop; passes follow one another until one finds nobody to
 * signal: who is born during a pass is found by the next.
 *
 * The process group is signalled as a whole before, since no fork(2) can escape that. The leader
 * stays a zombie until the end, so that its number cannot become that of another group.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "local_private.h"

#define SWEEP_GRACE_MS	  10000u
#define SWEEP_EXTRA_MS	  15000u /* beyond the grace, for KILL */
#define SWEEP_SLICE	  256u	 /* processes in one round: about a millisecond */
#define SWEEP_WAIT_MIN_MS 5u
#define SWEEP_WAIT_MAX_MS 200u
#define SWEEP_NOW_PASSES  8
/* On a busy computer some processes are always lost (local_scan.h): so many passes in which that is
 * all are enough. They look only at the young, and are short. */
#define SWEEP_EMPTY_ENDING  3u
#define SWEEP_EMPTY_STOP    20u
#define SWEEP_EMPTY_HELD    100u /* somebody holds the output open: it may be one of those */
#define SWEEP_EMPTY_WAIT_MS 1u
#define SWEEP_KILL_PASSES   5u /* before giving up, however late we are */
#define NS_PER_MS	    1000000u

static const int sweep_signals[] = {
	[SWEEP_NONE] = 0,	[SWEEP_TERM] = SIGTERM, [SWEEP_KILL] = SIGKILL,
	[SWEEP_STOP] = SIGSTOP, [SWEEP_CONT] = SIGCONT,
};

static void sweep_wake(struct local_sweep *s, uint64_t ms)
{
	struct timeval tv = loop_ms(ms);

	(void)event_add(s->timer, &tv);
}

static void pids_add(struct local_pids *list, pid_t pid)
{
	if (list->count == list->size) {
		list->size = list->size ? list->size * 2 : 16;
		list->pids = xrealloc(list->pids, list->size, sizeof *list->pids);
	}
	list->pids[list->count++] = pid;
}

static int pids_compare(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x > y ? -1 : x < y;
}

static bool pids_has(const struct local_pids *list, pid_t pid)
{
	return list->count &&
	       bsearch(&pid, list->pids, list->count, sizeof pid, pids_compare) != NULL;
}

/* Returns false if it is not ours to signal. */
static bool sweep_kill(struct local_sweep *s, pid_t pid, int sig)
{
	if (kill(pid, sig) == 0 || errno != EPERM)
		return true;
	s->denied = true;
	return false;
}

/* A stopped process sees TERM only when it goes on. */
static bool sweep_term(struct local_sweep *s, pid_t pid)
{
	bool ok = sweep_kill(s, pid, SIGTERM);

	(void)kill(pid, SIGCONT);
	return ok;
}

/*
 * TERM, but once to each: for some programs the second one means "at once". And not to what one
 * that has had it starts in order to clean up; one that has lost its parent is a fugitive.
 */
static void sweep_found_term(struct local *l, pid_t pid)
{
	struct local_sweep *s = &l->sweep;
	struct local_stat stat;

	pids_add(&s->meeting, pid);
	if (pids_has(&s->known, pid))
		return;
	if (s->first_pass && getpgid(pid) == l->child.pid)
		return; /* has had it with its group */
	if (!s->first_pass && local_scan_stat(pid, &stat) && pids_has(&s->known, stat.parent))
		return;
	(void)sweep_term(s, pid);
}

/*
 * One that waits in the kernel (for a child of vfork(2), which is stopped before it could exec) is
 * not shown as stopped, but will be before it does anything else.
 */
static void sweep_found_stop(struct local_sweep *s, pid_t pid)
{
	struct local_stat stat;

	pids_add(&s->meeting, pid);
	if (!local_scan_stat(pid, &stat) || stat.state == 'T' || stat.state == 't' ||
	    (stat.state == 'D' && pids_has(&s->known, pid)))
		return;
	if (sweep_kill(s, pid, SIGSTOP))
		s->fresh++;
}

/* At first to all, as it also takes back a STOP that has not yet come into force. */
static void sweep_found_cont(struct local_sweep *s, pid_t pid)
{
	struct local_stat stat;
	bool stopped = local_scan_stat(pid, &stat) && stat.state == 'T';

	if ((s->first_pass || stopped) && sweep_kill(s, pid, SIGCONT) && stopped)
		s->fresh++;
}

static void sweep_on_found(void *arg, pid_t pid)
{
	struct local *l = arg;
	struct local_sweep *s = &l->sweep;

	s->found++;
	switch (s->mode) {
	case SWEEP_TERM:
		sweep_found_term(l, pid);
		break;
	case SWEEP_KILL:
		if (!sweep_kill(s, pid, SIGKILL))
			s->found--;
		break;
	case SWEEP_STOP:
		sweep_found_stop(s, pid);
		break;
	case SWEEP_CONT:
		sweep_found_cont(s, pid);
		break;
	case SWEEP_NONE:
		break;
	}
}

/* Before the child has called setsid(2) there is no group. */
static void sweep_signal_group(struct local *l)
{
	int sig = sweep_signals[l->sweep.mode];
	pid_t to = kill(-l->child.pid, 0) == 0 || errno == EPERM ? -l->child.pid : l->child.pid;

	if (l->sweep.mode == SWEEP_TERM)
		(void)sweep_term(&l->sweep, to);
	else
		(void)kill(to, sig);
}

static void sweep_pass_begin(struct local *l)
{
	struct local_sweep *s = &l->sweep;

	s->found = s->fresh = 0;
	s->meeting.count = 0;
	s->denied = s->denied && s->empty;
	if (s->first_pass || s->mode == SWEEP_KILL)
		sweep_signal_group(l);
	s->unseen = local_scan_begin(&s->scan, s->empty > 0) < 0;
	s->scanning = true;
}

static void sweep_give_up(struct local *l)
{
	struct local_sweep *s = &l->sweep;
	const char *text = "some of its processes survived KILL";

	if (s->unseen)
		text = "its processes could not be looked for";
	else if (s->denied)
		text = "some of its processes belong to another user and go on";
	(void)snprintf(l->result.text, sizeof l->result.text, "%s", text);
}

/* Waits a little longer from pass to pass, but not beyond what is due at until_ns. */
static void sweep_next_pass(struct local_sweep *s, uint64_t until_ns)
{
	uint64_t now = clock_mono_ns();
	uint64_t left = until_ns > now ? (until_ns - now) / NS_PER_MS + 1 : 0;

	sweep_wake(s, left < s->wait_ms ? left : s->wait_ms);
	s->wait_ms = s->wait_ms * 2 < SWEEP_WAIT_MAX_MS ? s->wait_ms * 2 : SWEEP_WAIT_MAX_MS;
}

/* Without reading: it may be held back. */
static bool sweep_output_is_held(const struct local *l)
{
	for (size_t i = 0; i < 2; i++) {
		struct pollfd p = {.fd = l->pipes[i].fd, .events = POLLIN};

		if (l->pipes[i].event && !(poll(&p, 1, 0) > 0 && p.revents & POLLHUP))
			return true;
	}
	return false;
}

/* True if the pass, which had nobody to signal, is no proof that there is nobody. */
static bool sweep_is_in_doubt(struct local *l)
{
	struct local_sweep *s = &l->sweep;
	unsigned enough = SWEEP_EMPTY_STOP;

	s->wait_ms = SWEEP_EMPTY_WAIT_MS;
	if (!s->scan.lost)
		return false;
	if (s->mode == SWEEP_TERM || s->mode == SWEEP_KILL)
		enough = sweep_output_is_held(l) ? SWEEP_EMPTY_HELD : SWEEP_EMPTY_ENDING;
	return ++s->empty < enough;
}

static void sweep_end_pass_ending(struct local *l)
{
	struct local_sweep *s = &l->sweep;
	uint64_t now = clock_mono_ns();
	bool late = now >= s->give_up_at_ns && s->kills >= SWEEP_KILL_PASSES;
	bool gone = !s->unseen && !s->found && l->exited && (late || !sweep_is_in_doubt(l));

	if (gone || late) {
		if (!gone || s->denied)
			sweep_give_up(l);
		s->mode = SWEEP_NONE;
		local_on_gone(l);
		return;
	}
	if (s->mode == SWEEP_TERM && now >= s->kill_at_ns) {
		s->mode = SWEEP_KILL;
		s->wait_ms = SWEEP_WAIT_MIN_MS;
		sweep_wake(s, 0);
		return;
	}
	sweep_next_pass(s, s->mode == SWEEP_TERM ? s->kill_at_ns : s->give_up_at_ns);
}

static void sweep_end_pass_suspending(struct local *l)
{
	struct local_sweep *s = &l->sweep;
	bool suspended = s->mode == SWEEP_STOP;

	if (s->fresh || sweep_is_in_doubt(l)) {
		sweep_next_pass(s, UINT64_MAX);
		return;
	}
	s->mode = SWEEP_NONE;
	if (s->met || s->unseen)
		local_on_suspended(l, suspended);
}

static void sweep_end_pass(struct local *l)
{
	struct local_sweep *s = &l->sweep;
	struct local_pids list = s->known;
	bool ending = s->mode == SWEEP_TERM || s->mode == SWEEP_KILL;

	s->known = s->meeting;
	s->meeting = list;
	s->scanning = false;
	s->first_pass = false;
	s->met = s->met || s->found;
	s->kills += s->mode == SWEEP_KILL;
	if (ending ? s->found : s->fresh)
		s->empty = 0;
	if (ending)
		sweep_end_pass_ending(l);
	else
		sweep_end_pass_suspending(l);
}

static void sweep_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct local *l = arg;
	struct local_sweep *s = &l->sweep;

	(void)fd;
	(void)what;
	if (!s->scanning)
		sweep_pass_begin(l);
	if (local_scan_step(&s->scan, SWEEP_SLICE, sweep_on_found, l))
		sweep_end_pass(l);
	else
		sweep_wake(s, 0);
}

void local_sweep_init(struct local *l)
{
	local_scan_init(&l->sweep.scan, l->run_id);
	l->sweep.timer = evtimer_new(loop_base(l->loop), sweep_on_timer, l);
	if (!l->sweep.timer)
		abort();
}

void local_sweep_done(struct local *l)
{
	event_free(l->sweep.timer);
	local_scan_done(&l->sweep.scan);
	free(l->sweep.known.pids);
	free(l->sweep.meeting.pids);
}

void local_sweep_begin(struct local *l, enum local_sweep_mode mode)
{
	struct local_sweep *s = &l->sweep;
	uint64_t grace = l->stop_grace_ms ? l->stop_grace_ms : SWEEP_GRACE_MS;

	s->mode = mode;
	local_scan_reset(&s->scan, l->child.pid);
	s->scanning = false;
	s->first_pass = true;
	s->met = false;
	s->empty = 0;
	s->kills = 0;
	s->known.count = 0;
	s->wait_ms = SWEEP_WAIT_MIN_MS;
	s->kill_at_ns = clock_mono_ns() + grace * NS_PER_MS;
	s->give_up_at_ns = s->kill_at_ns + (uint64_t)SWEEP_EXTRA_MS * NS_PER_MS;
	sweep_wake(s, 0);
}

void local_sweep_now(struct local *l)
{
	struct local_sweep *s = &l->sweep;

	s->mode = SWEEP_KILL;
	local_scan_reset(&s->scan, l->child.pid);
	for (int i = 0; i < SWEEP_NOW_PASSES; i++) {
		sweep_pass_begin(l);
		(void)local_scan_step(&s->scan, SIZE_MAX, sweep_on_found, l);
		if (!s->found && !s->scan.lost)
			break;
	}
}
