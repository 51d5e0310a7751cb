#include "recover.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "entry.h"
#include "log.h"
#include "seglog.h"

#define RECOVER_THREADS 2u
/* More than the writer has on its way at once: what is torn off is less. */
#define RECOVER_TAIL	(8u << 20)
#define RECOVER_DAMAGED 16u /* segments that are put aside; each can be 64 MiB */

/* --- which there are ------------------------------------------------------------------------ */

struct recover_list {
	uint32_t *numbers;
	size_t count, room;
	size_t damaged;
};

static void recover_on_name(void *arg, const char *name)
{
	struct recover_list *list = arg;
	uint32_t number = seglog_number(name);

	if (!number) {
		list->damaged++;
		return;
	}
	if (list->count == list->room) {
		list->room = list->room ? list->room * 2 : 64;
		list->numbers = xrealloc(list->numbers, list->room, sizeof *list->numbers);
	}
	list->numbers[list->count++] = number;
}

static int recover_by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* --- reading all ---------------------------------------------------------------------------- */

struct recover_work {
	struct recover *recover;
	const struct disk *disk;
	uint64_t mark;
	int *results;
	atomic_size_t next;
};

static void *recover_thread(void *arg)
{
	struct recover_work *work = arg;
	size_t i;

	while ((i = atomic_fetch_add(&work->next, 1)) < work->recover->count) {
		char name[SEGLOG_NAME];
		uint32_t number = work->recover->numbers[i];

		work->results[i] = segscan(&work->recover->scans[i], work->disk,
					   seglog_name(name, number), number, work->mark);
	}
	return NULL;
}

static void recover_scan(struct recover_work *work)
{
	pthread_t threads[RECOVER_THREADS];
	size_t started = 0, want = RECOVER_THREADS - 1;
	sigset_t all, old;

	if (work->recover->count < 2)
		want = 0;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	while (started < want && pthread_create(&threads[started], NULL, recover_thread, work) == 0)
		started++;
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)recover_thread(work);
	while (started)
		(void)pthread_join(threads[--started], NULL);
}

/* --- what is wrong -------------------------------------------------------------------------- */

static void recover_aside(struct recover *recover, const struct disk *disk, size_t i,
			  uint64_t bytes, size_t *asides)
{
	char name[SEGLOG_NAME];
	int r = 0;

	recover->damage.segments++;
	recover->damage.bytes += bytes;
	(void)seglog_name(name, recover->numbers[i]);
	log_warn("the store has a damaged segment %s: %llu bytes of it cannot be read", name,
		 (unsigned long long)bytes);
	if (*asides < RECOVER_DAMAGED)
		r = seglog_quarantine(disk, recover->numbers[i]);
	(*asides)++;
	if (r < 0)
		log_warn("no copy of %s could be made: %s", name, (errno = -r, err_text(ERR_SYS)));
}

/* The mark that told damage from a torn tail may be in what was cut off: the same is to be found
 * if we come here again. Where there is no room for it, it is not worse than it was. */
static void recover_mark(const struct disk *disk, int file, struct segscan *scan)
{
	struct buf mark = {0};
	int64_t n;

	entry_put_synced(&mark, scan->mark, scan->end);
	n = disk->ops->append(disk->ctx, file, mark.data, mark.len);
	if (n == (int64_t)mark.len)
		scan->end += mark.len;
	else
		(void)disk->ops->truncate(disk->ctx, file, scan->end);
	buf_done(&mark);
}

static int recover_cut(const struct disk *disk, uint32_t number, struct segscan *scan, bool mark)
{
	char name[SEGLOG_NAME];
	int file = disk->ops->open(disk->ctx, seglog_name(name, number), DISK_APPEND), r;

	if (file < 0)
		return file;
	r = disk->ops->truncate(disk->ctx, file, scan->end);
	if (r == 0 && mark)
		recover_mark(disk, file, scan);
	/* What a process wrote that was killed before it could sync is believed from now on. */
	if (r == 0)
		r = disk->ops->sync(disk->ctx, file);
	disk->ops->close(disk->ctx, file);
	return r == 0 ? disk->ops->sync_names(disk->ctx) : r;
}

/* The newest: what is behind what was synced, and torn, was never told as durable, but for what is
 * too much for that. */
static int recover_newest(struct recover *recover, const struct disk *disk, size_t *asides,
			  struct errmsg *msg)
{
	size_t i = recover->count - 1;
	struct segscan *scan = &recover->scans[i];
	uint64_t tail, bad;
	char name[SEGLOG_NAME];
	int r = 0;

	segscan_settle(scan);
	tail = scan->size - scan->end;
	bad = scan->damage;
	if (tail > RECOVER_TAIL)
		bad += tail;
	if (bad)
		recover_aside(recover, disk, i, bad, asides);
	if (scan->size)
		r = recover_cut(disk, recover->numbers[i], scan, bad && tail && scan->mark);
	if (r < 0) {
		errno = -r;
		return err_set(msg, ERR_SYS, "cannot cut the torn end of %s: %s",
			       seglog_name(name, recover->numbers[i]), err_text(ERR_SYS));
	}
	scan->size = scan->end;
	if (!bad) {
		recover->segment = recover->numbers[i];
		recover->segment_size = scan->size;
	}
	return 0;
}

static int recover_judge(struct recover *recover, const struct disk *disk, const int *results,
			 size_t asides, struct errmsg *msg)
{
	for (size_t i = 0; i < recover->count; i++) {
		struct segscan *scan = &recover->scans[i];
		bool newest = i + 1 == recover->count;
		uint64_t bad = scan->size - scan->end + scan->damage;
		int r = 0;

		if (results[i] < 0) {
			recover->damage.segments++;
			log_warn("the store has a segment %08u that cannot be read: %s",
				 recover->numbers[i], (errno = -results[i], err_text(ERR_SYS)));
		} else if (newest) {
			r = recover_newest(recover, disk, &asides, msg);
		} else if (bad) {
			recover_aside(recover, disk, i, bad, &asides);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static void recover_sum(struct recover *recover)
{
	for (size_t i = 0; i < recover->count; i++) {
		const struct segscan *scan = &recover->scans[i];

		recover->size += scan->size;
		if (scan->count)
			recover->mark = scan->mark;
		if (scan->max_seq > recover->max_seq)
			recover->max_seq = scan->max_seq;
		if (scan->max_generation > recover->max_generation)
			recover->max_generation = scan->max_generation;
		if (scan->max_id > recover->max_id)
			recover->max_id = scan->max_id;
	}
}

int recover(struct recover *ret, const struct disk *disk, uint64_t mark, struct errmsg *msg)
{
	struct recover_work work = {.recover = ret, .disk = disk, .mark = mark};
	struct recover_list list = {0};
	int r;

	*ret = (struct recover){.mark = mark};
	r = disk->ops->list(disk->ctx, recover_on_name, &list);
	if (r < 0) {
		free(list.numbers);
		errno = -r;
		return err_set(msg, ERR_SYS, "cannot read the directory of the segments: %s",
			       err_text(ERR_SYS));
	}
	if (list.count)
		qsort(list.numbers, list.count, sizeof *list.numbers, recover_by_number);
	ret->numbers = list.numbers;
	ret->count = list.count;
	ret->scans = xcalloc(list.count ? list.count : 1, sizeof *ret->scans);
	work.results = xcalloc(list.count ? list.count : 1, sizeof *work.results);
	recover_scan(&work);
	r = recover_judge(ret, disk, work.results, list.damaged, msg);
	free(work.results);
	if (r == 0)
		recover_sum(ret);
	return r;
}

void recover_done(struct recover *recover)
{
	for (size_t i = 0; i < recover->count; i++)
		segscan_done(&recover->scans[i]);
	free(recover->scans);
	free(recover->numbers);
	*recover = (struct recover){0};
}

/* --- all entries ---------------------------------------------------------------------------- */

static int recover_by_seq(const void *a, const void *b)
{
	const struct segscan_entry *x = a, *y = b;

	if (x->seq != y->seq)
		return x->seq > y->seq ? 1 : -1;
	if (x->segment != y->segment)
		return x->segment > y->segment ? 1 : -1;
	return (x->at > y->at) - (x->at < y->at);
}

/* Leaves of those with one number the last. */
static size_t recover_unique(struct segscan_entry *list, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept && list[kept - 1].seq == list[i].seq)
			kept--;
		list[kept++] = list[i];
	}
	return kept;
}

size_t recover_entries(const struct recover *recover, struct segscan_entry **ret)
{
	struct segscan_entry *list;
	size_t count = 0;
	bool sorted = true;

	for (size_t i = 0; i < recover->count; i++)
		count += recover->scans[i].count;
	list = xcalloc(count ? count : 1, sizeof *list);
	count = 0;
	for (size_t i = 0; i < recover->count; i++) {
		const struct segscan *scan = &recover->scans[i];

		if (scan->count)
			memcpy(list + count, scan->entries, scan->count * sizeof *list);
		count += scan->count;
	}
	for (size_t i = 1; sorted && i < count; i++)
		sorted = list[i - 1].seq < list[i].seq;
	if (!sorted) {
		qsort(list, count, sizeof *list, recover_by_seq);
		count = recover_unique(list, count);
	}
	*ret = list;
	return count;
}
