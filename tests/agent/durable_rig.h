/*
 * Durable runs for tests: a directory for them, agents that come and go, and what of one run has
 * come over all its connections. Whatever a test leaves is ended: the test is the reaper of all
 * that it starts.
 */
#ifndef MUSTER_DURABLE_RIG_H
#define MUSTER_DURABLE_RIG_H

#include "rig.h"

/* One run, as an initiator with a good memory has it. */
struct run {
	char instance[64];
	struct task_open_msg open;
	char *env[1]; /* MARK= */
	uint64_t epoch;
	uint64_t last; /* number of the last frame */
	uint64_t next_record;
	uint64_t gap_records;
	uint64_t records;
	struct buf text; /* of its output */
	bool ended;
	struct task_end_msg end; /* without what is allocated */
	char *end_text;
};

/* cmocka's setup and teardown: the directory, and the end of everything. */
int durable_begin(void **state);
int durable_end(void **state);

/* The directory that XDG_STATE_HOME names, and that of this computer in it. */
const char *durable_state(void);
char *durable_place(void);
/* That of a run: a path, to be freed. */
char *durable_path(const struct run *run, const char *name);
bool durable_has(const struct run *run, const char *name);
size_t durable_segments(const struct run *run);

/* A shell script as a durable run, not begun. */
void run_init(struct run *run, const char *script);
void run_done(struct run *run);

struct rig_task *run_open(struct rig *rig, struct run *run);
struct rig_task *run_attach(struct rig *rig, struct run *run);
/* What came of it on a connection; before that is over. */
void run_take(struct run *run, struct rig_task *task);

pid_t run_parent(pid_t pid);
/* The process of the runner, by that of the command. */
pid_t run_runner(const struct rig_task *task);

void rig_wait_attached(struct rig *rig, struct rig_task *task);
void rig_wait_detached(struct rig *rig, struct rig_task *task);
/* The agent dies, and nothing is told to anybody. */
void rig_kill(struct rig *rig);

/* Waits for something outside of a connection. */
typedef bool until_fn(const void *arg);
void wait_until(until_fn *until, const void *arg);
/* The end acknowledged: only the tombstone is left. */
void run_settle(struct rig *rig, struct run *run, struct rig_task *task);

#endif
