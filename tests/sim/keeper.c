/* The initiator as a process: it begins, ends, dies and comes back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "keeper.h"

/* --- what a reader has -------------------------------------------------------------------------
 */

void items_add(struct run *run, const struct item *item)
{
	if (run->item_count == run->item_room) {
		run->item_room = run->item_room ? run->item_room * 2 : 16;
		run->items = xrealloc(run->items, run->item_room, sizeof *run->items);
	}
	run->items[run->item_count++] = *item;
}

/* A note: whether it tells of a gap, and of how many records. */
static bool item_get_note(const struct record *record, struct item *ret)
{
	char text[256], *end;
	size_t len = record->len < sizeof text - 1 ? record->len : sizeof text - 1;

	memcpy(text, record->value, len);
	text[len] = '\0';
	if (!strstr(text, "missing here"))
		return false;
	*ret = (struct item){.lost = strtoull(text, &end, 10)};
	/* "up to" and "some" are not exact. */
	ret->known = end != text;
	return true;
}

/* The number that its columns have with us. Damage can take the message with them: 0. */
static bool item_has_schema(const struct run *run, uint64_t n, const struct record *record)
{
	uint64_t schema = script_schema(&run->script, n);

	if (!record->schema && (run->damaged || run->power_cut))
		return true;
	return record->schema == (schema ? 1000 * (run->index + 1) + schema : 0);
}

bool item_get(struct run *run, const struct record *record, struct item *ret)
{
	*ret = (struct item){0};
	if (record->stream == STREAM_WARNING)
		return item_get_note(record, ret);
	ret->record = script_find(&run->script, record);
	if (!ret->record)
		world_fail(run->w, "run %zu: has a record that is none of its own", run->index);
	else if (!item_has_schema(run, ret->record, record))
		world_fail(run->w, "run %zu: record %llu has schema %llu", run->index,
			   (unsigned long long)ret->record, (unsigned long long)record->schema);
	return true;
}

/* --- a life ------------------------------------------------------------------------------------
 */

void keeper_start(struct keeper *k)
{
	struct world *w = k->w;

	if (k->up)
		return;
	k->up = true;
	k->epochs = 0;
	k->generation++;
	world_trace(w, "the initiator begins, for the %llu. time",
		    (unsigned long long)k->generation);
	k->journal = journal_open(k);
	for (size_t i = 0; i < w->run_count; i++)
		if (!w->runs[i].row.ended)
			link_start(k, &w->runs[i]);
}

static void keeper_on_back(void *arg)
{
	keeper_start(arg);
}

static void keeper_end(struct keeper *k, bool clean)
{
	struct world *w = k->w;

	if (!k->up)
		return;
	for (size_t i = 0; i < w->run_count; i++)
		link_free(w->runs[i].link, clean);
	remotes_free(k);
	journal_close(k->journal, clean);
	k->journal = NULL;
	if (clean && !keeper_is_dead(k) && simdisk_user_open_files(k->user))
		world_fail(w, "the initiator leaves files open");
	simdisk_user_kill(k->user);
	if (k->dying)
		w->dying--;
	k->up = k->dying = false;
}

void keeper_crash(struct keeper *k, bool power, uint64_t back_us)
{
	world_trace(k->w, "the initiator %s", power ? "loses its power" : "is killed");
	keeper_end(k, false);
	if (power)
		simdisk_cut_power(k->disk);
	world_set(k->w, &k->back, back_us, keeper_on_back, k);
}

static void keeper_on_cut(void *arg)
{
	struct keeper *k = arg;

	if (k->up)
		keeper_crash(k, true, world_roll(k->w, 40 * SEC));
}

void keeper_on_flying(struct keeper *k, uint64_t us)
{
	if (k->cut_soon && !k->cut.id)
		world_set(k->w, &k->cut, world_roll(k->w, us + 1), keeper_on_cut, k);
	k->cut_soon = false;
}

void keeper_stop(struct keeper *k, uint64_t back_us)
{
	world_trace(k->w, "the initiator is stopped");
	keeper_end(k, true);
	world_set(k->w, &k->back, back_us, keeper_on_back, k);
}

void keeper_crash_late(struct keeper *k)
{
	if (!k->up || k->dying)
		return;
	simdisk_user_die(k->user, world_roll(k->w, 12));
	k->dying = true;
	k->w->dying++;
}

bool keeper_is_dead(const struct keeper *k)
{
	return simdisk_user_is_dead(k->user);
}

bool keeper_is_dying(struct keeper *k)
{
	if (!k->dying || !keeper_is_dead(k))
		return false;
	keeper_crash(k, world_chance(k->w, 30), world_roll(k->w, 40 * SEC));
	return true;
}

void keeper_make(struct world *w)
{
	struct keeper *k = xcalloc(1, sizeof *k);

	k->w = w;
	k->disk = simdisk_new(mix(w->chance + 77));
	k->user = simdisk_user_new(k->disk);
	w->keeper = k;
}

void keeper_free(struct world *w)
{
	struct keeper *k = w->keeper;

	keeper_end(k, false);
	world_cancel(w, &k->back);
	world_cancel(w, &k->cut);
	simdisk_free(k->disk);
	free(k);
	w->keeper = NULL;
}
