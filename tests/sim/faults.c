/* What goes wrong, and when. */
#include <errno.h>
#include <stdlib.h>

#include "history.h"
#include "keeper.h"

#define FAULTS_MAX 24u

/* Each is freed when it has happened. */
struct plan {
	struct world *w;
	enum fault fault;
	struct slot slot;
	struct plan *next;
};

static struct run *any_run(struct world *w)
{
	return &w->runs[world_roll(w, w->run_count)];
}

static struct host *any_host(struct world *w)
{
	return &w->hosts[world_roll(w, w->host_count)];
}

static uint64_t any_time(struct world *w, uint64_t max_us)
{
	return world_chance(w, 50) ? world_roll(w, SEC) : world_roll(w, max_us);
}

/* --- connections ------------------------------------------------------------------------------ */

static bool fault_drop(struct world *w, enum fault fault)
{
	struct duplex *net = remotes_pick(w->keeper);
	uint64_t told[2] = {world_roll(w, SEC), world_roll(w, SEC)};

	if (!net)
		return false;
	if (fault == FAULT_HALF_OPEN)
		told[world_chance(w, 80)] = world_roll(w, 200 * SEC);
	if (fault == FAULT_SILENCE)
		duplex_silence(net, world_roll(w, 300 * SEC));
	else
		duplex_cut(net, told);
	return true;
}

static bool fault_refuse(struct world *w, enum fault fault)
{
	struct host *host = any_host(w);

	(void)fault;
	/* Until it is mended. */
	host->deaf = !host->deaf;
	return false;
}

/* --- hosts -------------------------------------------------------------------------------------
 */

static bool fault_attach(struct world *w, enum fault fault)
{
	struct agent *agent = any_host(w)->agents;

	(void)fault;
	if (!agent)
		return false;
	agent_kill(agent, world_chance(w, 50));
	return true;
}

static bool fault_runner(struct world *w, enum fault fault)
{
	struct run *run = any_run(w);

	if (!run->runner)
		return false;
	if (fault == FAULT_RUNNER_KILL) {
		runner_kill(run->runner, world_chance(w, 50));
		return true;
	}
	runner_fail(run->runner);
	run->damaged = true; /* what cannot be read counts as damage */
	return true;
}

static bool fault_host(struct world *w, enum fault fault)
{
	struct host *host = any_host(w);

	if (!host->up)
		return false;
	world_trace(w, "host %zu: %s", host->index,
		    fault == FAULT_POWER ? "loses its power" : "is restarted");
	host_down(host, fault == FAULT_POWER, SEC + any_time(w, 100 * SEC));
	return true;
}

static bool fault_host_full(struct world *w, enum fault fault)
{
	struct host *host = any_host(w);

	(void)fault;
	world_trace(w, "host %zu: its disk is full", host->index);
	host_full(host, true);
	return true;
}

static bool fault_flip(struct world *w, enum fault fault)
{
	struct run *run = any_run(w);

	(void)fault;
	/* One that waits for room would wait for ever: nothing follows the damage from which a
	 * reader could tell what is missing (README.md). */
	if (run->row.ended || run->end_spooled || (run->runner && !run->script.drop) ||
	    !simdisk_flip(run->disk, "seg-"))
		return false;
	world_trace(w, "run %zu: a bit of its spool is flipped", run->index);
	run->damaged = true;
	return true;
}

/* --- the initiator ------------------------------------------------------------------------------
 */

static bool fault_crash(struct world *w, enum fault fault)
{
	struct keeper *k = w->keeper;
	uint64_t back = any_time(w, 100 * SEC);

	if (!k->up)
		return false;
	if (fault == FAULT_CLEAN_STOP)
		keeper_stop(k, back);
	else if (fault == FAULT_CRASH_POWER && world_chance(w, 70))
		k->cut_soon = true;
	else if (fault == FAULT_CRASH && world_chance(w, 50))
		keeper_crash_late(k);
	else
		keeper_crash(k, fault == FAULT_CRASH_POWER, back);
	return true;
}

static bool fault_full(struct world *w, enum fault fault)
{
	(void)fault;
	world_trace(w, "the disk of the initiator is full");
	simdisk_limit(w->keeper->disk, simdisk_used(w->keeper->disk) + world_roll(w, 6000));
	return true;
}

static bool fault_sync(struct world *w, enum fault fault)
{
	(void)fault;
	if (!w->keeper->up)
		return false;
	simdisk_user_fail(w->keeper->user, world_roll(w, 4), 1, EIO);
	return true;
}

/* --- what people do ------------------------------------------------------------------------------
 */

static bool fault_ask(struct world *w, enum fault fault)
{
	struct run *run = any_run(w);

	if (!run->link || link_has_ended(run->link))
		return false;
	world_trace(w, "run %zu: %s", run->index, fault_name(fault));
	if (fault == FAULT_STOP)
		link_stop(run->link);
	else if (fault == FAULT_SUSPEND)
		link_suspend(run->link, world_chance(w, 60));
	else if (fault == FAULT_HOLD)
		link_hold(run->link, world_chance(w, 70));
	else if (link_is_parked(run->link))
		link_wake(run->link);
	else
		link_park(run->link);
	return true;
}

static bool fault_clock(struct world *w, enum fault fault)
{
	uint64_t day = UINT64_C(86400000000000);

	(void)fault;
	w->wall_ns = world_chance(w, 50) ? w->wall_ns + day : w->wall_ns - day;
	return true;
}

/* --- the plan ------------------------------------------------------------------------------------
 */

static const struct {
	enum fault fault;
	unsigned weight;
	bool (*fn)(struct world *w, enum fault fault); /* whether it happened */
} fault_rows[] = {
	{FAULT_DROP, 20, fault_drop},	      {FAULT_HALF_OPEN, 10, fault_drop},
	{FAULT_SILENCE, 6, fault_drop},	      {FAULT_REFUSE, 3, fault_refuse},
	{FAULT_ATTACH_KILL, 8, fault_attach}, {FAULT_RUNNER_KILL, 4, fault_runner},
	{FAULT_HOST_SYNC, 2, fault_runner},   {FAULT_REBOOT, 2, fault_host},
	{FAULT_POWER, 2, fault_host},	      {FAULT_HOST_FULL, 4, fault_host_full},
	{FAULT_FLIP, 1, fault_flip},	      {FAULT_CRASH, 10, fault_crash},
	{FAULT_CRASH_POWER, 6, fault_crash},  {FAULT_CLEAN_STOP, 4, fault_crash},
	{FAULT_FULL, 3, fault_full},	      {FAULT_SYNC, 2, fault_sync},
	{FAULT_STOP, 4, fault_ask},	      {FAULT_SUSPEND, 6, fault_ask},
	{FAULT_PARK, 6, fault_ask},	      {FAULT_HOLD, 8, fault_ask},
	{FAULT_CLOCK, 2, fault_clock},
};

#define FAULT_ROWS (sizeof fault_rows / sizeof fault_rows[0])

static void fault_on_time(void *arg)
{
	struct plan *plan = arg;
	struct world *w = plan->w;
	size_t i = 0;

	while (fault_rows[i].fault != plan->fault)
		i++;
	if (!w->calm && fault_rows[i].fn(w, plan->fault)) {
		world_count(w, plan->fault);
		world_trace(w, "fault: %s", fault_name(plan->fault));
	}
	free(plan);
}

static enum fault fault_draw(struct world *w)
{
	unsigned sum = 0;
	uint64_t n;
	size_t i = 0;

	for (size_t k = 0; k < FAULT_ROWS; k++)
		sum += fault_rows[k].weight;
	for (n = world_roll(w, sum); n >= fault_rows[i].weight; i++)
		n -= fault_rows[i].weight;
	return fault_rows[i].fault;
}

/* Often some follow closely one upon another. */
void faults_draw(struct world *w)
{
	uint64_t count = world_roll(w, FAULTS_MAX), at = 0;
	uint64_t span = SEC << world_roll(w, 8);

	for (uint64_t i = 0; i < count; i++) {
		struct plan *plan = calloc(1, sizeof *plan);

		if (!plan)
			abort();
		at += world_chance(w, 30) ? world_roll(w, 50 * MS) : world_roll(w, span / 4 + 1);
		plan->w = w;
		plan->fault = fault_draw(w);
		world_set(w, &plan->slot, at, fault_on_time, plan);
	}
}

/* What is broken is whole again. */
void faults_mend(struct world *w)
{
	struct keeper *k = w->keeper;

	w->calm = true;
	k->cut_soon = false;
	for (size_t i = 0; i < w->host_count; i++) {
		w->hosts[i].deaf = false;
		host_full(&w->hosts[i], false);
	}
	simdisk_limit(k->disk, (uint64_t)INT64_MAX);
	if (k->up && journal_has_failed(k->journal))
		keeper_crash(k, false, SEC);
	for (size_t i = 0; i < w->run_count; i++)
		if (w->runs[i].link)
			link_nurse(w->runs[i].link);
}
