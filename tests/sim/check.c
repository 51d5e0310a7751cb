/* What must be true when all is over. */
#include <string.h>

#include "history.h"
#include "keeper.h"

/* Records that the reader has, or is told to be missing. */
struct cover {
	uint64_t last; /* record */
	uint64_t lost; /* told behind it */
	bool unknown;  /* and more may be */
	bool gap;
};

static void check_record(struct run *run, struct cover *c, uint64_t record)
{
	uint64_t jump;

	if (record <= c->last) {
		world_fail(run->w, "run %zu: record %llu comes after %llu", run->index,
			   (unsigned long long)record, (unsigned long long)c->last);
		return;
	}
	jump = record - c->last - 1;
	if (jump && !c->gap)
		world_fail(run->w, "run %zu: %llu records before %llu are missing without a word",
			   run->index, (unsigned long long)jump, (unsigned long long)record);
	else if (!c->unknown && c->lost != jump)
		world_fail(run->w,
			   "run %zu: before record %llu %llu are missing, and %llu are told to be",
			   run->index, (unsigned long long)record, (unsigned long long)jump,
			   (unsigned long long)c->lost);
	*c = (struct cover){.last = record};
}

static void check_items(struct run *run, struct cover *ret)
{
	*ret = (struct cover){0};
	for (size_t i = 0; i < run->item_count; i++) {
		const struct item *item = &run->items[i];

		if (item->record) {
			check_record(run, ret, item->record);
			continue;
		}
		world_count(run->w, FAULT_GAP);
		if (item->lost && !run->script.drop && !run->power_cut && !run->damaged)
			world_fail(run->w, "run %zu: a gap of %llu records for no reason",
				   run->index, (unsigned long long)item->lost);
		ret->gap = true;
		ret->lost += item->lost;
		ret->unknown = ret->unknown || !item->known;
	}
}

/* The command ended, and the initiator knows how: then it has all of it. */
static void check_whole(struct run *run, const struct cover *c, uint64_t least, uint64_t most)
{
	uint64_t have = c->last + c->lost;

	if (have > most && !c->unknown)
		world_fail(run->w, "run %zu: %llu records, of %llu", run->index,
			   (unsigned long long)have, (unsigned long long)most);
	if (have < least && !c->unknown)
		world_fail(run->w, "run %zu: %llu records, but %llu were said", run->index,
			   (unsigned long long)have, (unsigned long long)least);
}

/* Given up: nobody answered. */
static bool run_is_given_up(const struct run *run)
{
	const struct outcome *o = &run->row.outcome;

	return strstr(o->text, "did not answer") || strcmp(o->text, "start") == 0;
}

static void check_told(struct run *run, const struct cover *c)
{
	static const enum cause causes[] = {[RUN_END_NONE] = CAUSE_NONE,
					    [RUN_END_EXITED] = CAUSE_EXITED,
					    [RUN_END_SIGNALLED] = CAUSE_SIGNALLED,
					    [RUN_END_STOPPED] = CAUSE_STOPPED,
					    [RUN_END_TIMEOUT] = CAUSE_TIMEOUT};
	const struct outcome *o = &run->row.outcome;

	if (causes[run->end] != o->cause ||
	    (o->cause == CAUSE_EXITED && o->exit_code != run->script.exit_code))
		world_fail(run->w, "run %zu: ended as %s %d, and not as told (%s)", run->index,
			   cause_name(o->cause), o->exit_code, cause_name(causes[run->end]));
	if (o->cause == CAUSE_EXITED && run->produced != run->script.records)
		world_fail(run->w, "run %zu: exited before it had said all", run->index);
	check_whole(run, c, run->damaged ? 0 : run->produced, run->produced);
}

static void check_outcome(struct run *run, const struct cover *c)
{
	const struct outcome *o = &run->row.outcome;
	bool never = o->cause == CAUSE_STOPPED && !o->text[0] && !run->starts;

	if (run_is_given_up(run))
		world_count(run->w, FAULT_GIVEN_UP);
	if (run_is_given_up(run) || never || (o->cause == CAUSE_STOPPED && run->crashed_open))
		return;
	switch ((int)o->cause) {
	case CAUSE_EXITED:
	case CAUSE_SIGNALLED:
	case CAUSE_STOPPED:
	case CAUSE_TIMEOUT:
		check_told(run, c);
		break;
	case CAUSE_AGENT_LOST:
		world_count(run->w, FAULT_LOST);
		if (!run->runner_died && !run->power_cut && !run->damaged)
			world_fail(run->w, "run %zu: lost (%s), but its runner did not die",
				   run->index, o->text);
		check_whole(run, c, run->power_cut || run->damaged ? 0 : run->spooled,
			    run->produced);
		break;
	case CAUSE_LINK_LOST:
		world_count(run->w, FAULT_UNTOLD);
		if (!run->stop_asked && !run->script.reconnect_ms && run->starts &&
		    !run->crashed_open)
			world_fail(run->w, "run %zu: given up: %s", run->index, o->text);
		break;
	default:
		if (run->starts && !run->crashed_open)
			world_fail(run->w, "run %zu: %s %s, though it was started", run->index,
				   cause_name(o->cause), o->text);
		break;
	}
}

static void check_spool(struct run *run)
{
	if (run->settled && !run->power_cut && simdisk_count(run->disk) != 2)
		world_fail(run->w, "run %zu: is settled, and %zu files are left", run->index,
			   simdisk_count(run->disk));
	if (run->runner && !run_is_given_up(run) && run->row.outcome.cause != CAUSE_LINK_LOST &&
	    run->starts && !run->crashed_open)
		world_fail(run->w, "run %zu: has ended, and goes on", run->index);
}

static void check_run(struct run *run)
{
	struct cover cover;

	if (!run->row.ended || run->link) {
		world_fail(run->w, "run %zu: has no end", run->index);
		return;
	}
	if (run->starts > 1)
		world_fail(run->w, "run %zu: was started %u times", run->index, run->starts);
	if (run->ends != 1)
		world_fail(run->w, "run %zu: has %u ends", run->index, run->ends);
	check_items(run, &cover);
	check_outcome(run, &cover);
	check_spool(run);
}

void check_all(struct world *w)
{
	for (size_t i = 0; i < w->run_count && !w->failed; i++)
		check_run(&w->runs[i]);
}
