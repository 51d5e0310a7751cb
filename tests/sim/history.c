#include "history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "keeper.h"

#define HISTORY_CALM_US	 (3600 * (uint64_t)SEC) /* behind the faults all must be over by then */
#define HISTORY_NURSE_US (7 * SEC)
#define HISTORY_STEPS	 2000000u /* events: more is a loop */

/* --- input ------------------------------------------------------------------------------------ */

struct tap {
	struct run *run;
	struct slot slot;
	uint64_t at;
};

static void tap_on_time(void *arg)
{
	struct tap *tap = arg;
	struct run *run = tap->run;
	uint8_t piece[4096];
	uint64_t left = run->script.input - tap->at;
	size_t n = (size_t)(left < sizeof piece ? left : sizeof piece);

	for (size_t i = 0; i < n; i++)
		piece[i] = script_input(&run->script, tap->at + i);
	(void)feed_add(run->feed, piece, n, NULL);
	tap->at += n;
	if (tap->at == run->script.input)
		feed_end(run->feed);
	else
		world_set(run->w, &tap->slot, world_roll(run->w, 300 * MS), tap_on_time, tap);
	if (run->link && !link_has_ended(run->link))
		link_fed(run->link);
}

/* --- making it -------------------------------------------------------------------------------- */

static void run_make(struct world *w, struct run *run, struct host *host, size_t index)
{
	*run = (struct run){.w = w, .host = host, .index = index};
	(void)snprintf(run->uuid, sizeof run->uuid, "00000000-0000-4000-8000-%012zx", index + 1);
	script_draw(&run->script, w);
	run->disk = simdisk_new(mix(w->chance + index));
	if (run->script.input)
		run->feed = feed_new();
}

static struct tap *runs_make(struct world *w)
{
	struct tap *taps;
	size_t per[SIM_HOSTS];

	for (size_t i = 0; i < w->host_count; i++) {
		per[i] = 1 + world_roll(w, world_chance(w, 20) ? SIM_RUNS : 2);
		w->run_count += per[i];
	}
	w->runs = xcalloc(w->run_count, sizeof *w->runs);
	taps = xcalloc(w->run_count, sizeof *taps);
	for (size_t i = 0, k = 0; i < w->host_count; i++) {
		for (size_t n = 0; n < per[i]; n++, k++) {
			run_make(w, &w->runs[k], &w->hosts[i], k);
			taps[k].run = &w->runs[k];
			if (w->runs[k].feed)
				world_set(w, &taps[k].slot, world_roll(w, SEC), tap_on_time,
					  &taps[k]);
		}
	}
	return taps;
}

static void runs_free(struct world *w, struct tap *taps)
{
	for (size_t i = 0; i < w->run_count; i++) {
		struct run *run = &w->runs[i];

		world_cancel(w, &taps[i].slot);
		feed_free(run->feed);
		simdisk_free(run->disk);
		free(run->items);
	}
	free(w->runs);
	free(taps);
}

/* --- running it ------------------------------------------------------------------------------- */

/* Processes that died in the middle of what has just happened. */
static void history_sweep(struct world *w)
{
	if (!w->dying)
		return;
	(void)keeper_is_dying(w->keeper);
	for (size_t i = 0; i < w->host_count; i++)
		(void)agents_dying(&w->hosts[i]);
	for (size_t i = 0; i < w->run_count; i++)
		if (w->runs[i].runner)
			(void)runner_is_dying(w->runs[i].runner);
}

static bool history_is_over(const struct world *w)
{
	for (size_t i = 0; i < w->run_count; i++)
		if (!w->runs[i].row.ended || w->runs[i].link)
			return false;
	return true;
}

/* Faults are over at some time; then people look after what stands still. */
static void history_go(struct world *w)
{
	uint64_t calm_us = w->now_us + world_roll(w, SEC << world_roll(w, 9));
	uint64_t end_us = calm_us + HISTORY_CALM_US, next_us = calm_us, steps = 0;

	while (!w->failed && steps < HISTORY_STEPS) {
		if (world_step(w, next_us)) {
			steps++;
			history_sweep(w);
			continue;
		}
		w->now_us = next_us;
		if (history_is_over(w) || next_us > end_us)
			break;
		faults_mend(w);
		next_us += HISTORY_NURSE_US;
	}
	if (steps == HISTORY_STEPS)
		world_fail(w, "it never comes to rest");
	/* What is on its way comes, so that the hosts have heard all. */
	for (next_us = w->now_us + 20 * SEC; !w->failed && world_step(w, next_us);)
		history_sweep(w);
}

/* What the next life would find is what a reader has. */
static void history_reopen(struct world *w)
{
	if (w->keeper->up)
		keeper_crash(w->keeper, false, 0);
	keeper_start(w->keeper);
}

bool history_run(struct history *h)
{
	struct world w = {.verbose = h->verbose, .sabotage = h->sabotage, .counts = h->counts};
	struct tap *taps;

	world_init(&w, h->seed);
	hosts_make(&w);
	taps = runs_make(&w);
	keeper_make(&w);
	faults_draw(&w);
	keeper_start(w.keeper);
	history_go(&w);
	if (!w.failed)
		history_reopen(&w);
	if (!w.failed)
		check_all(&w);
	h->runs += w.run_count;
	for (size_t i = 0; i < w.run_count; i++)
		h->records += w.runs[i].item_count;
	w.calm = true;
	keeper_free(&w);
	hosts_free(&w);
	while (world_step(&w, UINT64_MAX) && w.count)
		;
	runs_free(&w, taps);
	world_done(&w);
	memcpy(h->why, w.why, sizeof h->why);
	return !w.failed;
}
