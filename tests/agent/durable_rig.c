#include "durable_rig.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "fd.h"

#define WAIT_NS 60000000000u

static char *state_home;
static char *mark_entry;
static unsigned run_count;

/* --- beginning and end ----------------------------------------------------------------------- */

int durable_begin(void **state)
{
	char path[] = "/tmp/muster-durable-XXXXXX";

	(void)state;
	rig_adopt();
	assert_non_null(mkdtemp(path));
	state_home = xstrdup(path);
	mark_entry = rig_mark();
	return setenv("XDG_STATE_HOME", state_home, 1);
}

int durable_end(void **state)
{
	char *command = xasprintf("rm -rf '%s'", state_home);

	(void)state;
	rig_end_children();
	(void)umount2(state_home, MNT_DETACH); /* of a test that has failed */
	assert_int_equal(system(command), 0);
	free(command);
	free(state_home);
	free(mark_entry);
	return 0;
}

/* --- directories ----------------------------------------------------------------------------- */

const char *durable_state(void)
{
	return state_home;
}

char *durable_place(void)
{
	struct buf id = {0};
	char *path;

	assert_int_equal(fd_read_file(&id, "/etc/machine-id", 4096), 0);
	path = xasprintf("%s/muster/%.*s", state_home, (int)strcspn(buf_cstr(&id), "\n"),
			 buf_cstr(&id));
	buf_done(&id);
	return path;
}

char *durable_path(const struct run *run, const char *name)
{
	char *place = durable_place(), *path;

	path = xasprintf("%s/job-%s/%s", place, run->instance, name);
	free(place);
	return path;
}

bool durable_has(const struct run *run, const char *name)
{
	char *path = durable_path(run, name);
	bool has = access(path, F_OK) == 0;

	free(path);
	return has;
}

size_t durable_segments(const struct run *run)
{
	char *path = durable_path(run, "");
	DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t n = 0;

	while (dir && (entry = readdir(dir)) != NULL)
		n += strncmp(entry->d_name, "seg-", 4) == 0;
	if (dir)
		(void)closedir(dir);
	free(path);
	return n;
}

/* --- runs ------------------------------------------------------------------------------------ */

void run_init(struct run *run, const char *script)
{
	*run = (struct run){.open = rig_shell(script), .next_record = 1};
	/* Programs that run at once do not have the same: what is left of a run is found by it. */
	(void)snprintf(run->instance, sizeof run->instance, "%08x-0000-4000-8000-%012x",
		       (unsigned)getpid(), ++run_count);
	run->env[0] = mark_entry;
	run->open.instance = run->instance;
	run->open.env = run->env;
	run->open.env_count = 1;
	run->open.durable = true;
	run->open.grace_ms = 300;
}

void run_done(struct run *run)
{
	buf_done(&run->text);
	free(run->end_text);
}

struct rig_task *run_open(struct rig *rig, struct run *run)
{
	run->open.epoch = ++run->epoch;
	run->open.env = run->env; /* it may have been copied */
	run->open.instance = run->instance;
	return rig_open(rig, &run->open);
}

struct rig_task *run_attach(struct rig *rig, struct run *run)
{
	return rig_attach(rig, run->instance, ++run->epoch, run->last + 1, run->next_record);
}

void run_take(struct run *run, struct rig_task *task)
{
	buf_add(&run->text, task->streams[STREAM_OUTPUT].data, task->streams[STREAM_OUTPUT].len);
	run->last = task->order.last;
	run->next_record = task->next_record;
	run->gap_records += task->gap_records;
	run->records += task->came;
	run->ended = task->ended;
	if (!task->ended)
		return;
	free(run->end_text);
	run->end = task->end;
	run->end_text = xstrdup(task->end.text ? task->end.text : "");
	run->end.text = run->end.signal = NULL;
}

/* The fourth word of /proc/PID/stat, behind the name. */
pid_t run_parent(pid_t pid)
{
	char *path = xasprintf("/proc/%d/stat", (int)pid);
	struct buf text = {0};
	pid_t parent = 0;
	const char *at;

	if (fd_read_file(&text, path, 4096) == 0 && text.len) {
		at = strrchr(buf_cstr(&text), ')');
		parent = at && strlen(at) > 4 ? (pid_t)strtol(at + 4, NULL, 10) : 0;
	}
	buf_done(&text);
	free(path);
	return parent;
}

pid_t run_runner(const struct rig_task *task)
{
	pid_t runner = run_parent(run_parent((pid_t)task->pid));

	assert_true(runner > 1);
	return runner;
}

/* --- waiting --------------------------------------------------------------------------------- */

static bool is_attached(struct rig *rig, void *arg)
{
	(void)rig;
	return ((struct rig_task *)arg)->attached;
}

void rig_wait_attached(struct rig *rig, struct rig_task *task)
{
	rig_wait(rig, is_attached, task);
}

static bool is_detached(struct rig *rig, void *arg)
{
	(void)rig;
	return ((struct rig_task *)arg)->detached;
}

void rig_wait_detached(struct rig *rig, struct rig_task *task)
{
	rig_wait(rig, is_detached, task);
}

void rig_kill(struct rig *rig)
{
	(void)kill(rig->pid, SIGKILL);
	(void)rig_done(rig);
}

void wait_until(until_fn *until, const void *arg)
{
	uint64_t late = clock_mono_ns() + WAIT_NS;

	while (!until(arg)) {
		if (clock_mono_ns() > late)
			fail_msg("waited too long");
		(void)poll(NULL, 0, 5);
	}
}

static bool is_settled(const void *arg)
{
	const struct run *run = arg;

	return durable_has(run, "done") && !durable_has(run, "started") &&
	       durable_segments(run) == 0;
}

void run_settle(struct rig *rig, struct run *run, struct rig_task *task)
{
	rig_ack(rig, task, run->last);
	wait_until(is_settled, run);
}
