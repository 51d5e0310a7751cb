#include "copy_plan.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "fd.h"
#include "limits.h"
#include "walk.h"

enum copy_hash_state { COPY_UNHASHED, COPY_HASHING, COPY_HASHED, COPY_UNHASHABLE };

struct copy_sum {
	uint8_t state; /* enum copy_hash_state */
	uint8_t hash[CONTENT_SIZE];
};

/* What a thread finds. */
struct copy_look {
	struct copy_plan *plan;
	char **sources;
	size_t count;
	bool recurse;
	bool told; /* names has them; nothing is looked for */
	atomic_bool stop;
	struct copy_name *names;
	size_t name_count;
	size_t name_size;
	size_t name_bytes;
	const char *fault;
};

struct copy_plan {
	struct work_pool *pool;
	struct copy_look *look; /* under way; NULL: it has ended */
	struct work_task *task;
	struct copy_name *names;
	struct copy_sum *sums;
	size_t count;
	uint64_t bytes;
	size_t files;
	const char *fault;
	struct copy_plan_wait *waits;
	struct copy_summing *summing;
	void (*release)(void *arg); /* NULL: nothing to let go of */
	void *release_arg;
};

struct copy_summing {
	struct copy_summing *next;
	struct copy_plan *plan; /* NULL: it has gone */
	struct work_task *task;
	size_t index;
	char *path;
	size_t top; /* of path, copy_name_top() */
	uint64_t size;
	int64_t mtime_ns;
	uint8_t hash[CONTENT_SIZE];
	bool known;
};

/* --- who waits ------------------------------------------------------------------------------ */

void copy_plan_wait(struct copy_plan *plan, struct copy_plan_wait *wait)
{
	if (wait->prev)
		return;
	wait->next = plan->waits;
	wait->prev = &plan->waits;
	if (plan->waits)
		plan->waits->prev = &wait->next;
	plan->waits = wait;
}

void copy_plan_unwait(struct copy_plan_wait *wait)
{
	if (!wait->prev)
		return;
	*wait->prev = wait->next;
	if (wait->next)
		wait->next->prev = wait->prev;
	wait->prev = NULL;
}

/* Those that wait now; who waits again does so for the next time. */
static void copy_plan_tell(struct copy_plan *plan)
{
	struct copy_plan_wait *list = plan->waits;

	plan->waits = NULL;
	if (list)
		list->prev = &list;
	while (list) {
		struct copy_plan_wait *wait = list;

		copy_plan_unwait(wait);
		wait->fn(wait->arg);
	}
}

/* --- looking -------------------------------------------------------------------------------- */

static bool copy_look_add(struct copy_look *look, const struct file_entry *e, const char *path)
{
	struct copy_name *name;
	size_t len = strlen(path);

	look->name_bytes += len + sizeof *name + (e->text ? strlen(e->text) : 0);
	if (look->name_count == LIMIT_COPY_ENTRIES || look->name_bytes > LIMIT_COPY_NAMES) {
		look->fault = "too many files for one copy: make an archive of them, or copy them "
			      "in parts";
		return false;
	}
	if (look->name_count == look->name_size) {
		look->name_size = look->name_size ? look->name_size * 2 : 16;
		look->names = xrealloc(look->names, look->name_size, sizeof *look->names);
	}
	name = &look->names[look->name_count++];
	*name = (struct copy_name){.path = xstrdup(path),
				   .name_at = len - strlen(e->name),
				   .kind = e->kind,
				   .mode = e->mode,
				   .mtime_ns = e->mtime_ns,
				   .size = e->size,
				   .text = e->text ? xstrdup(e->text) : NULL};
	return true;
}

/* Those of one name stand in the order in which they were told. */
static int copy_name_compare(const void *a, const void *b)
{
	const struct copy_name *x = *(struct copy_name *const *)a,
			       *y = *(struct copy_name *const *)b;
	int order = strcmp(x->path, y->path);

	return order ? order : (x > y) - (x < y);
}

/* Each once, and what is in a folder behind it. */
static void copy_look_sort(struct copy_look *look)
{
	size_t count = look->name_count, kept = 0;
	struct copy_name **sorted = xcalloc(count ? count : 1, sizeof(struct copy_name *));
	struct copy_name *names = xcalloc(count ? count : 1, sizeof *names);

	for (size_t i = 0; i < count; i++)
		sorted[i] = &look->names[i];
	qsort(sorted, count, sizeof(struct copy_name *), copy_name_compare);
	for (size_t i = 0; i < count; i++) {
		if (i + 1 < count && strcmp(sorted[i]->path, sorted[i + 1]->path) == 0) {
			free(sorted[i]->path);
			free(sorted[i]->text);
		} else {
			names[kept++] = *sorted[i];
		}
	}
	free(sorted);
	free(look->names);
	look->names = names;
	look->name_count = kept;
}

static void copy_look_run(void *arg)
{
	struct copy_look *look = arg;
	struct walk *walk =
		walk_new((const char *const *)look->sources, look->count, look->recurse);
	struct file_entry e;
	const char *path;

	if (look->told)
		copy_look_sort(look);
	while (!look->told && !atomic_load(&look->stop) && walk_next(walk, &e, &path) &&
	       copy_look_add(look, &e, path))
		;
	walk_free(walk);
}

static void copy_names_free(struct copy_name *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(names[i].path);
		free(names[i].text);
	}
	free(names);
}

static void copy_look_free(struct copy_look *look)
{
	for (size_t i = 0; i < look->count; i++)
		free(look->sources[i]);
	free(look->sources);
	copy_names_free(look->names, look->name_count);
	free(look);
}

static void copy_look_done(void *arg, bool cancelled)
{
	struct copy_look *look = arg;
	struct copy_plan *plan = look->plan;

	if (!cancelled) {
		plan->look = NULL;
		plan->task = NULL;
		plan->names = look->names;
		plan->count = look->name_count;
		plan->fault = look->fault;
		plan->sums = xcalloc(plan->count ? plan->count : 1, sizeof *plan->sums);
		look->names = NULL;
		look->name_count = 0;
		for (size_t i = 0; i < plan->count; i++) {
			plan->bytes += plan->names[i].size;
			plan->files += plan->names[i].kind != FILE_FOLDER;
		}
	}
	copy_look_free(look);
	if (!cancelled)
		copy_plan_tell(plan);
}

/* Without slashes behind it, so that what hosts are told is the end of every path. */
static char *copy_source(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	return xstrndup(path, len);
}

struct copy_plan *copy_plan_new(struct work_pool *pool, char *const *sources, size_t count,
				bool recurse)
{
	struct copy_plan *plan = xcalloc(1, sizeof *plan);
	struct copy_look *look = xcalloc(1, sizeof *look);

	plan->pool = pool;
	plan->look = look;
	look->plan = plan;
	look->sources = xcalloc(count, sizeof(char *));
	look->count = count;
	look->recurse = recurse;
	for (size_t i = 0; i < count; i++)
		look->sources[i] = copy_source(sources[i]);
	plan->task = work_submit(pool, copy_look_run, copy_look_done, look);
	return plan;
}

struct copy_plan *copy_plan_new_told(struct work_pool *pool, struct copy_name *names, size_t count,
				     void (*release)(void *arg), void *arg)
{
	struct copy_plan *plan = xcalloc(1, sizeof *plan);
	struct copy_look *look = xcalloc(1, sizeof *look);

	plan->pool = pool;
	plan->look = look;
	plan->release = release;
	plan->release_arg = arg;
	look->plan = plan;
	look->told = true;
	look->names = names;
	look->name_count = count;
	plan->task = work_submit(pool, copy_look_run, copy_look_done, look);
	return plan;
}

void copy_plan_free(struct copy_plan *plan)
{
	struct copy_summing *s;

	if (!plan)
		return;
	if (plan->look)
		atomic_store(&plan->look->stop, true);
	work_cancel(plan->task);
	while ((s = plan->summing) != NULL) {
		plan->summing = s->next;
		s->plan = NULL;
		work_cancel(s->task);
	}
	copy_names_free(plan->names, plan->count);
	free(plan->sums);
	if (plan->release)
		plan->release(plan->release_arg);
	free(plan);
}

/* --- hashes --------------------------------------------------------------------------------- */

static void copy_summing_run(void *arg)
{
	struct copy_summing *s = arg;
	struct content *content = content_new();
	struct file_entry now;
	struct stat st;
	int fd = walk_open(s->path, s->top, &st);

	if (fd >= 0) {
		walk_fill(&now, &st);
		s->known = now.size == s->size && now.mtime_ns == s->mtime_ns &&
			   content_add_file(content, fd, s->size) == 0;
		content_end(content, s->hash);
	}
	fd_close(&fd);
	content_free(content);
}

static void copy_summing_done(void *arg, bool cancelled)
{
	struct copy_summing *s = arg;
	struct copy_plan *plan = s->plan;

	if (!cancelled && plan) {
		struct copy_summing **at = &plan->summing;
		struct copy_name *name = &plan->names[s->index];
		struct copy_sum *sum = &plan->sums[s->index];

		while (*at != s)
			at = &(*at)->next;
		*at = s->next;
		/* Of what it was then. */
		sum->state = s->known ? COPY_HASHED : COPY_UNHASHABLE;
		if (name->size != s->size || name->mtime_ns != s->mtime_ns)
			sum->state = COPY_UNHASHED;
		memcpy(sum->hash, s->hash, CONTENT_SIZE);
	}
	free(s->path);
	free(s);
	if (!cancelled && plan)
		copy_plan_tell(plan);
}

enum copy_hash copy_plan_hash(struct copy_plan *plan, size_t index, uint8_t ret[CONTENT_SIZE])
{
	const struct copy_name *name = &plan->names[index];
	struct copy_sum *sum = &plan->sums[index];
	struct copy_summing *s;

	if (sum->state == COPY_HASHED) {
		memcpy(ret, sum->hash, CONTENT_SIZE);
		return COPY_HASH_KNOWN;
	}
	if (sum->state == COPY_UNHASHABLE)
		return COPY_HASH_NONE;
	if (sum->state == COPY_HASHING)
		return COPY_HASH_LATER;
	sum->state = COPY_HASHING;
	s = xcalloc(1, sizeof *s);
	s->plan = plan;
	s->index = index;
	s->path = xstrdup(name->path);
	s->top = copy_name_top(name);
	s->size = name->size;
	s->mtime_ns = name->mtime_ns;
	s->next = plan->summing;
	plan->summing = s;
	s->task = work_submit(plan->pool, copy_summing_run, copy_summing_done, s);
	return COPY_HASH_LATER;
}

void copy_plan_changed(struct copy_plan *plan, size_t index, const struct file_entry *now)
{
	struct copy_name *name = &plan->names[index];

	if (name->size == now->size && name->mtime_ns == now->mtime_ns)
		return;
	name->size = now->size;
	name->mtime_ns = now->mtime_ns;
	name->mode = now->mode;
	if (plan->sums[index].state != COPY_HASHING)
		plan->sums[index].state = COPY_UNHASHED;
}

/* --- what is known -------------------------------------------------------------------------- */

bool copy_plan_is_ready(const struct copy_plan *plan)
{
	return !plan->look;
}

const char *copy_plan_fault(const struct copy_plan *plan)
{
	return plan->fault;
}

size_t copy_plan_count(const struct copy_plan *plan)
{
	return plan->count;
}

size_t copy_name_top(const struct copy_name *name)
{
	return name->name_at + strcspn(name->path + name->name_at, "/");
}

const struct copy_name *copy_plan_at(const struct copy_plan *plan, size_t index)
{
	return &plan->names[index];
}

uint64_t copy_plan_bytes(const struct copy_plan *plan)
{
	return plan->bytes;
}

size_t copy_plan_files(const struct copy_plan *plan)
{
	return plan->files;
}
