/* Finding the processes of a run in /proc, proc(5). No loop; a pass may be made in steps. */
#ifndef MUSTER_LOCAL_SCAN_H
#define MUSTER_LOCAL_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct local_scan {
	char *marker; /* a NUL, MUSTER_RUN=ID, a NUL */
	size_t marker_len;
	pid_t session; /* its members belong to the run too */
	pid_t *pids;   /* of this pass, in ascending order */
	size_t count;
	size_t size;
	pid_t newest;	     /* of this pass */
	pid_t newest_before; /* of the last pass, about */
	bool only_young;
	size_t lost; /* younger than that, and gone before they could be looked at */
};

/* Is called for each living process of the run. */
typedef void local_scan_fn(void *arg, pid_t pid);

void local_scan_init(struct local_scan *scan, const char *run_id);
void local_scan_done(struct local_scan *scan);

/* The first pass is next. Of the run is what is in this session, or has the mark; they are all
 * younger than the leader of the session. */
void local_scan_reset(struct local_scan *scan, pid_t session);

/* Begins a pass; only_young: over those that the last pass has not seen. Returns 0, or ERR_SYS
 * where /proc cannot be read. */
int local_scan_begin(struct local_scan *scan, bool only_young);

/*
 * Looks at max more processes. Returns true when the pass is over.
 *
 * One that flees, by fork(2) and exit(2) again and again, is always on the list in some shape, as
 * the list is made in the order of birth. It may be gone when its turn comes; then it is among the
 * lost. So a pass that found nobody and lost nobody is proof that there is nobody. The youngest
 * come first, to lose few.
 */
bool local_scan_step(struct local_scan *scan, size_t max, local_scan_fn *fn, void *arg);

/* Of /proc/PID/stat. */
struct local_stat {
	char state; /* 'R', 'S', 'T', 'Z'... */
	pid_t parent;
};

/* Returns false if there is no such process. */
bool local_scan_stat(pid_t pid, struct local_stat *ret);

#endif
