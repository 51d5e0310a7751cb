/* The inside of a local command, for local.c (its life), local_spawn.c and local_kill.c. */
#ifndef MUSTER_LOCAL_PRIVATE_H
#define MUSTER_LOCAL_PRIVATE_H

#include <sys/types.h>

#include "err.h"
#include "local.h"
#include "local_scan.h"

/* --- local_spawn.c: from nothing to a process ---------------------------------------------- */

/* All that the child needs, made before fork(2): nothing is allocated after it. */
struct local_plan {
	char **argv;
	char **envp;
	char *directory;
};

void local_plan_init(struct local_plan *plan, const struct local_spec *spec);
void local_plan_done(struct local_plan *plan);

/* What could not be done in the child, through a pipe that exec closes. */
enum local_stage { LOCAL_STAGE_SETUP, LOCAL_STAGE_DIRECTORY, LOCAL_STAGE_EXEC };

struct local_fault {
	enum local_stage stage;
	int error; /* errno */
};

struct local_child {
	pid_t pid;
	int pidfd;	/* readable when it has ended, pidfd_open(2) */
	int status_fd;	/* a struct local_fault; its end: the command has been started */
	int data_fd[2]; /* output, error */
};

/* Forks. The descriptors are non-blocking and the caller's. Returns 0 or ERR_SYS with msg. */
int local_spawn(const struct local_plan *plan, struct local_child *ret, struct errmsg *msg);

/* --- local_kill.c: signals to all of it ---------------------------------------------------- */

enum local_sweep_mode { SWEEP_NONE, SWEEP_TERM, SWEEP_KILL, SWEEP_STOP, SWEEP_CONT };

/* In descending order. */
struct local_pids {
	pid_t *pids;
	size_t count;
	size_t size;
};

/* Signals to all processes of a run, pass by pass until there is nobody left to signal. */
struct local_sweep {
	enum local_sweep_mode mode;
	struct event *timer;
	struct local_scan scan;
	bool scanning;
	bool first_pass;
	bool met;		   /* somebody, in one of the passes */
	size_t found;		   /* in this pass */
	size_t fresh;		   /* STOP, CONT: of them those that were not as they should be */
	struct local_pids known;   /* TERM, STOP: those that the last pass has found */
	struct local_pids meeting; /* those of this one */
	unsigned empty;		   /* passes in a row with nobody to signal, but with some lost */
	unsigned kills;		   /* passes with KILL */
	unsigned wait_ms;	   /* until the next pass */
	uint64_t kill_at_ns;
	uint64_t give_up_at_ns;
	bool unseen; /* /proc could not be read: who is left is not known */
	bool denied; /* somebody was found who is not ours to signal: set-user-ID */
};

/* One of the two pipes. */
struct local_pipe {
	struct local *local;
	struct event *event; /* NULL: at its end */
	int fd;
	bool is_error;
};

struct local {
	struct loop *loop;
	const struct local_events *events;
	void *arg;
	struct local_plan plan;
	char *run_id;
	uint64_t stop_grace_ms;
	struct local_child child; /* pid 0: not yet */
	struct event *begin;	  /* the first round of the loop */
	struct event *status;
	struct event *exit;
	struct event *deadline; /* the run timeout */
	struct event *linger;	/* since it has ended: who holds its output open */
	struct local_pipe pipes[2];
	struct local_sweep sweep;
	struct local_result result;
	uint64_t run_left_ns;  /* of the run timeout, when its clock last stood still; 0: none */
	uint64_t run_since_ns; /* when it was last set going */
	size_t drained;	       /* bytes read after a stop */
	bool started;	       /* or known to have failed: the status pipe has spoken */
	bool refused;
	bool exited; /* its status is known; it is a zombie until the end, to keep its number */
	bool timed_out;
	bool stopping;
	bool draining; /* stopped and nothing left: what is in the pipes still comes */
	bool suspended;
	bool held;
	bool ended;
};

void local_sweep_init(struct local *local);
void local_sweep_done(struct local *local);
/* Begins, in place of one that is under way. */
void local_sweep_begin(struct local *local, enum local_sweep_mode mode);
/* KILL to all, in this call. */
void local_sweep_now(struct local *local);

/* Told by a sweep: everything is gone (or given up, the result's text says so); is suspended or
 * goes on. */
void local_on_gone(struct local *local);
void local_on_suspended(struct local *local, bool suspended);

#endif
