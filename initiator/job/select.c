#include "select.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "select_private.h"

static size_t select_slot(const struct select_ids *ids, uint64_t id)
{
	size_t i = (size_t)(id * 0x9e3779b97f4a7c15u >> 20) & (ids->size - 1);

	while (ids->slots[i] && ids->slots[i] != id)
		i = (i + 1) & (ids->size - 1);
	return i;
}

static void select_ids_grow(struct select_ids *ids)
{
	struct select_ids old = *ids;

	ids->size = old.size ? 2 * old.size : 64;
	ids->slots = xcalloc(ids->size, sizeof *ids->slots);
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i])
			ids->slots[select_slot(ids, old.slots[i])] = old.slots[i];
	free(old.slots);
}

/* Returns false if the id is in it already. */
static bool select_ids_add(struct select_ids *ids, uint64_t id)
{
	size_t i;

	if (ids->used * 2 >= ids->size)
		select_ids_grow(ids);
	i = select_slot(ids, id);
	if (ids->slots[i])
		return false;
	ids->slots[i] = id;
	ids->used++;
	return true;
}

static bool select_has_time(const struct select_filter *filter, uint64_t end_ns)
{
	if ((filter->before_ns || filter->after_ns || filter->newest) && !end_ns)
		return false;
	if (filter->before_ns && end_ns >= filter->before_ns)
		return false;
	return !filter->after_ns || end_ns > filter->after_ns;
}

static uint64_t select_end(const struct select_item *item)
{
	return item->child ? child_end_ns(item->child) : job_end_ns(item->job);
}

/* The filters that are asked of each item by itself. */
static void select_add(struct select_run *run, struct job *job, struct child *child)
{
	const struct select_filter *filter = run->filter;
	struct select_item item = {job, child};
	bool more = child ? child_has_more_data(child) : job_has_more_data(job);

	if (filter->more != SELECT_MORE_ANY && more != (filter->more == SELECT_MORE_YES))
		return;
	if (!select_has_time(filter, select_end(&item)))
		return;
	/* Without selectors everything comes once. */
	if (run->term_count && !select_ids_add(&run->ids, child ? child_id(child) : job_id(job)))
		return;
	if (run->result.count == run->room) {
		run->room = run->room ? 2 * run->room : 16;
		run->result.items =
			xrealloc(run->result.items, run->room, sizeof *run->result.items);
	}
	run->result.items[run->result.count++] = item;
}

static void select_trim(const char **text, size_t *len)
{
	while (*len && isspace((unsigned char)**text))
		++*text, --*len;
	while (*len && isspace((unsigned char)(*text)[*len - 1]))
		--*len;
}

static bool select_has_command(struct select_run *run, const struct job *job)
{
	const char *text = job_command(job), *wanted = run->filter->command;
	size_t len = strlen(text), wanted_len = strlen(wanted);

	if (job == run->command_job)
		return run->command_holds;
	select_trim(&text, &len);
	select_trim(&wanted, &wanted_len);
	run->command_job = job;
	run->command_holds = len == wanted_len && strncasecmp(text, wanted, len) == 0;
	if (!run->command_holds && run->command)
		run->command_holds = wildcard_match(run->command, text, len);
	return run->command_holds;
}

static void select_add_children(struct select_run *run, struct job *job)
{
	const struct select_filter *filter = run->filter;
	size_t left = job_child_count(job);

	if (!filter->children && !filter->child_state)
		return;
	if (filter->child_state)
		left = job_counts(job)->in_state[run->child_state];
	for (size_t i = 0; left > 0; i++) {
		struct child *child = job_child(job, i);

		if (filter->child_state && child_state(child) != run->child_state)
			continue;
		select_add(run, job, child);
		left--;
	}
}

void select_take(struct select_run *run, struct job *job, struct child *child)
{
	enum job_state state = child ? child_state(child) : job_state(job);

	if (run->filter->state && state != run->state)
		return;
	if (run->filter->command && !select_has_command(run, job))
		return;
	select_add(run, job, child);
	if (!child)
		select_add_children(run, job);
}

/* An item with its place, to find the newest. */
struct select_ended {
	uint64_t end_ns;
	size_t at;
};

/* The last end first; of equal ones, what comes later in the order. */
static int select_order(const void *va, const void *vb)
{
	const struct select_ended *a = va, *b = vb;

	if (a->end_ns != b->end_ns)
		return a->end_ns < b->end_ns ? 1 : -1;
	return (a->at < b->at) - (a->at > b->at);
}

static int select_order_by_place(const void *va, const void *vb)
{
	const struct select_ended *a = va, *b = vb;

	return (a->at > b->at) - (a->at < b->at);
}

static void select_keep_newest(struct select_result *result, uint64_t newest)
{
	struct select_ended *ended;
	size_t kept = (size_t)newest;

	if (!newest || result->count <= newest)
		return;
	ended = xcalloc(result->count, sizeof *ended);
	for (size_t i = 0; i < result->count; i++)
		ended[i] = (struct select_ended){select_end(&result->items[i]), i};
	qsort(ended, result->count, sizeof *ended, select_order);
	qsort(ended, kept, sizeof *ended, select_order_by_place);
	for (size_t i = 0; i < kept; i++)
		result->items[i] = result->items[ended[i].at];
	result->count = kept;
	free(ended);
}

static int select_read_command(struct select_run *run, struct errmsg *msg)
{
	const char *text = run->filter->command;
	size_t len = strlen(text);
	char *trimmed;
	int rc;

	if (!wildcard_is(text))
		return 0;
	select_trim(&text, &len);
	trimmed = xstrndup(text, len);
	rc = wildcard_new(&run->command, trimmed, msg);
	free(trimmed);
	return rc;
}

static int select_read_filter(struct select_run *run, struct errmsg *msg)
{
	const struct select_filter *filter = run->filter;
	int rc = 0;

	if (filter->state)
		rc = job_state_parse(filter->state, &run->state, msg);
	if (!rc && filter->child_state)
		rc = job_state_parse(filter->child_state, &run->child_state, msg);
	if (!rc && filter->command)
		rc = select_read_command(run, msg);
	return rc;
}

static void select_all(struct select_run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->filter->all || !job_is_hidden(run->jobs[i]))
			select_take(run, run->jobs[i], NULL);
}

int select_jobs(struct select_result *ret, struct job *const *jobs, size_t count,
		const struct select_filter *filter, struct errmsg *msg)
{
	struct select_run run = {.jobs = jobs, .count = count, .filter = filter};
	int rc = select_read_filter(&run, msg);

	if (!rc)
		rc = select_read(&run, msg);
	if (!rc) {
		if (filter->selector_count)
			select_find(&run);
		else
			select_all(&run);
		select_keep_newest(&run.result, filter->newest);
		*ret = run.result;
	}
	for (size_t i = 0; i < run.term_count; i++)
		wildcard_free(run.terms[i].wildcard);
	free(run.terms);
	free(run.by_name);
	free(run.ids.slots);
	wildcard_free(run.command);
	return rc;
}

void select_done(struct select_result *result)
{
	for (size_t i = 0; i < result->missing_count; i++)
		free(result->missing[i]);
	for (size_t i = 0; i < result->note_count; i++)
		free(result->notes[i]);
	free(result->missing);
	free(result->notes);
	free(result->items);
	*result = (struct select_result){0};
}
