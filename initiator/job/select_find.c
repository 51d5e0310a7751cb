/* The selectors of select.h: reading them, and finding whom they name. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "buf.h"
#include "escape.h"
#include "select_private.h"

#define SELECT_SHOWN	120u /* bytes of a selector in a message */
#define SELECT_NOTE_IDS 10u  /* ids in a note */

/* Reads a text of digits alone. False if there is another character; 0 for what is too big. */
static bool select_number(const char *text, uint64_t *ret)
{
	uint64_t n = 0;
	bool fits = true;

	if (!*text)
		return false;
	for (; *text; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (*text < '0' || *text > '9')
			return false;
		fits = fits && n <= (UINT64_MAX - digit) / 10;
		n = n * 10 + digit;
	}
	*ret = fits ? n : 0;
	return true;
}

static int select_read_term(struct select_term *term, struct errmsg *msg)
{
	int rc;

	if (select_number(term->text, &term->id)) {
		term->kind = SELECT_ID;
	} else if (uuid_parse(&term->uuid, term->text)) {
		term->kind = SELECT_UUID;
	} else if (!wildcard_is(term->text)) {
		term->kind = SELECT_NAME;
	} else {
		term->kind = SELECT_WILDCARD;
		rc = wildcard_new(&term->wildcard, term->text, msg);
		if (rc)
			return rc;
		term->numbered = wildcard_match_numbered(term->wildcard, "Job");
	}
	return 0;
}

static int select_term_order(const void *va, const void *vb)
{
	const struct select_term *const *a = va, *const *b = vb;
	int rc = strcasecmp((*a)->text, (*b)->text);

	/* Of equal ones, the first one stays. */
	return rc ? rc : (*a > *b) - (*a < *b);
}

static void select_mark_repeated(struct select_run *run)
{
	struct select_term **sorted = xcalloc(run->term_count, sizeof(struct select_term *));

	for (size_t i = 0; i < run->term_count; i++)
		sorted[i] = &run->terms[i];
	qsort(sorted, run->term_count, sizeof(struct select_term *), select_term_order);
	for (size_t i = 1; i < run->term_count; i++)
		sorted[i]->again = strcasecmp(sorted[i]->text, sorted[i - 1]->text) == 0;
	free(sorted);
}

int select_read(struct select_run *run, struct errmsg *msg)
{
	const struct select_filter *filter = run->filter;
	size_t wildcards = 0;

	if (filter->selector_count > SELECT_MAX)
		return err_set(msg, ERR_LIMIT, "%zu jobs were named: name at most %u at once",
			       filter->selector_count, SELECT_MAX);
	run->terms = xcalloc(filter->selector_count + 1, sizeof *run->terms);
	for (size_t i = 0; i < filter->selector_count; i++) {
		struct select_term *term = &run->terms[run->term_count++];
		int rc;

		term->text = filter->selectors[i];
		rc = select_read_term(term, msg);
		if (rc)
			return rc;
		wildcards += term->kind == SELECT_WILDCARD;
		if (wildcards > SELECT_WILDCARDS_MAX)
			return err_set(msg, ERR_LIMIT,
				       "there are more than %u patterns: use fewer that match more",
				       SELECT_WILDCARDS_MAX);
	}
	select_mark_repeated(run);
	return 0;
}

static void select_say(char ***list, size_t *count, char *text)
{
	/* Grown when the count is a power of two. */
	if ((*count & (*count - 1)) == 0)
		*list = xrealloc(*list, *count ? 2 * *count : 1, sizeof(char *));
	(*list)[(*count)++] = text;
}

static void select_miss(struct select_run *run, const struct select_term *term)
{
	static const char *const kinds[] = {
		[SELECT_ID] = "id", [SELECT_UUID] = "instance id", [SELECT_NAME] = "name"};
	char shown[SELECT_SHOWN];

	select_say(&run->result.missing, &run->result.missing_count,
		   xasprintf("there is no job with the %s '%s': 'muster get --all' lists the jobs "
			     "there are",
			     kinds[term->kind], escape_str(shown, sizeof shown, term->text)));
}

/* A name that only synchronous jobs bear. */
static void select_miss_hidden(struct select_run *run, const struct select_term *term)
{
	char shown[SELECT_SHOWN];

	select_say(&run->result.missing, &run->result.missing_count,
		   xasprintf("there is no job with the name '%s' but synchronous ones: give an id, "
			     "or --all",
			     escape_str(shown, sizeof shown, term->text)));
}

/* The job whose id, or one of whose children's ids, this is; NULL: none. */
static struct job *select_owner(const struct select_run *run, uint64_t id)
{
	size_t lo = 0, hi = run->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (job_id(run->jobs[mid]) <= id)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || id - job_id(run->jobs[lo - 1]) > job_child_count(run->jobs[lo - 1]))
		return NULL;
	return run->jobs[lo - 1];
}

static void select_find_id(struct select_run *run, const struct select_term *term)
{
	struct job *job = select_owner(run, term->id);

	if (job)
		select_take(run, job, job_child_by_id(job, term->id));
	else
		select_miss(run, term);
}

/* --- instance ids: all at once, as nothing but a look at each can find them ---------------- */

static int select_uuid_order(const void *va, const void *vb)
{
	const struct select_term *const *a = va, *const *b = vb;

	return uuid_compare(&(*a)->uuid, &(*b)->uuid);
}

/* If the UUID is wanted, notes whose it is. Returns true if it is. */
static bool select_match_uuid(struct select_term **wanted, size_t count, const struct uuid *uuid,
			      struct job *job, struct child *child)
{
	struct select_term key_term = {.uuid = *uuid}, *key = &key_term;
	struct select_term **at =
		bsearch(&key, wanted, count, sizeof(struct select_term *), select_uuid_order);

	if (at)
		(*at)->found = (struct select_item){job, child};
	return at != NULL;
}

static void select_match_child_uuids(struct select_run *run, struct select_term **wanted,
				     size_t count, size_t left)
{
	for (size_t i = 0; i < run->count && left > 0; i++)
		for (size_t k = 0; k < job_child_count(run->jobs[i]) && left > 0; k++) {
			struct child *child = job_child(run->jobs[i], k);

			left -= select_match_uuid(wanted, count, child_uuid(child), run->jobs[i],
						  child);
		}
}

static void select_match_uuids(struct select_run *run)
{
	struct select_term **wanted = xcalloc(run->term_count, sizeof(struct select_term *));
	size_t count = 0, left;

	for (size_t i = 0; i < run->term_count; i++)
		if (run->terms[i].kind == SELECT_UUID && !run->terms[i].again)
			wanted[count++] = &run->terms[i];
	if (count) {
		left = count;
		qsort(wanted, count, sizeof(struct select_term *), select_uuid_order);
		for (size_t i = 0; i < run->count && left > 0; i++)
			left -= select_match_uuid(wanted, count, job_uuid(run->jobs[i]),
						  run->jobs[i], NULL);
		select_match_child_uuids(run, wanted, count, left);
	}
	free(wanted);
}

/* --- names --------------------------------------------------------------------------------- */

static int select_name_order(const void *va, const void *vb)
{
	struct job *const *a = va, *const *b = vb;
	int rc = strcasecmp(job_name(*a), job_name(*b));

	return rc ? rc : (job_id(*a) > job_id(*b)) - (job_id(*a) < job_id(*b));
}

static void select_sort_names(struct select_run *run)
{
	run->by_name = xcalloc(run->count + 1, sizeof(struct job *));
	for (size_t i = 0; i < run->count; i++)
		run->by_name[i] = run->jobs[i];
	qsort(run->by_name, run->count, sizeof(struct job *), select_name_order);
}

/* The first job of by_name whose name is not before this one. */
static size_t select_first_named(const struct select_run *run, const char *name)
{
	size_t lo = 0, hi = run->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcasecmp(job_name(run->by_name[mid]), name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The child that is called this: names of children follow from their ids. */
static struct child *select_child_named(const struct select_run *run, const char *name)
{
	struct job *job;
	uint64_t id;

	if (run->filter->jobs_only || strncasecmp(name, "Job", 3) != 0 || name[3] == '0' ||
	    !select_number(name + 3, &id))
		return NULL;
	job = select_owner(run, id);
	return job ? job_child_by_id(job, id) : NULL;
}

/* Those that bear one name, counted and written down as they are found. */
struct select_bearers {
	size_t count;
	bool hidden; /* some were left out */
	struct buf ids;
};

static void select_bear(struct select_run *run, struct select_bearers *bearers, struct job *job,
			struct child *child)
{
	if (job_is_hidden(job) && !run->filter->all) {
		bearers->hidden = true;
		return;
	}
	if (bearers->count < SELECT_NOTE_IDS)
		buf_addf(&bearers->ids, "%s%" PRIu64, bearers->count ? ", " : "",
			 child ? child_id(child) : job_id(job));
	bearers->count++;
	select_take(run, job, child);
}

static void select_note(struct select_run *run, const char *name, struct select_bearers *bearers)
{
	char shown[SELECT_SHOWN];

	if (bearers->count > SELECT_NOTE_IDS)
		buf_addf(&bearers->ids, " and %zu more", bearers->count - SELECT_NOTE_IDS);
	select_say(&run->result.notes, &run->result.note_count,
		   xasprintf("the name '%s' is that of %zu jobs, and all are meant: %s",
			     escape_str(shown, sizeof shown, name), bearers->count,
			     buf_cstr(&bearers->ids)));
}

static void select_find_name(struct select_run *run, const struct select_term *term)
{
	struct child *child = select_child_named(run, term->text);
	struct select_bearers bearers = {0};

	if (!run->by_name)
		select_sort_names(run);
	for (size_t i = select_first_named(run, term->text); i < run->count; i++) {
		struct job *job = run->by_name[i];

		if (strcasecmp(job_name(job), term->text) != 0)
			break;
		if (child && child_id(child) < job_id(job)) {
			select_bear(run, &bearers, child_job(child), child);
			child = NULL;
		}
		select_bear(run, &bearers, job, NULL);
	}
	if (child)
		select_bear(run, &bearers, child_job(child), child);
	if (!bearers.count && bearers.hidden)
		select_miss_hidden(run, term);
	else if (!bearers.count)
		select_miss(run, term);
	if (bearers.count > 1)
		select_note(run, term->text, &bearers);
	buf_done(&bearers.ids);
}

static void select_find_wildcard(struct select_run *run, const struct select_term *term)
{
	bool children = term->numbered && !run->filter->jobs_only && !run->filter->wild_jobs_only;
	char name[CHILD_NAME_SIZE];

	for (size_t i = 0; i < run->count; i++) {
		struct job *job = run->jobs[i];

		if (job_is_hidden(job) && !run->filter->all)
			continue;
		if (wildcard_match(term->wildcard, job_name(job), strlen(job_name(job))))
			select_take(run, job, NULL);
		for (size_t k = 0; children && k < job_child_count(job); k++) {
			struct child *child = job_child(job, k);

			child_name(child, name);
			if (wildcard_match(term->wildcard, name, strlen(name)))
				select_take(run, job, child);
		}
	}
}

static void select_find_uuid(struct select_run *run, const struct select_term *term)
{
	if (term->found.job)
		select_take(run, term->found.job, term->found.child);
	else
		select_miss(run, term);
}

void select_find(struct select_run *run)
{
	static void (*const find[])(struct select_run *, const struct select_term *) = {
		[SELECT_ID] = select_find_id,
		[SELECT_UUID] = select_find_uuid,
		[SELECT_NAME] = select_find_name,
		[SELECT_WILDCARD] = select_find_wildcard,
	};

	select_match_uuids(run);
	for (size_t i = 0; i < run->term_count; i++)
		if (!run->terms[i].again)
			find[run->terms[i].kind](run, &run->terms[i]);
}
