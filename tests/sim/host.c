/* Hosts, their disks, and the directories of runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "target.h"

/* Of a disk that is full: so much can still be written. */
#define HOST_FULL_ROOM 300u

void sim_frame(struct buf *out, uint8_t type, uint64_t seq, const struct buf *body)
{
	size_t begin = frame_begin(out);

	buf_add(out, body->data, body->len);
	if (frame_end(out, begin, type, 0, seq) != 0)
		abort();
}

/* --- the directory of a run ------------------------------------------------------------------ */

struct simdisk_user *run_user(struct run *run)
{
	for (size_t i = 0; i < RUN_USERS; i++) {
		if (run->used[i])
			continue;
		run->used[i] = true;
		if (!run->users[i])
			run->users[i] = simdisk_user_new(run->disk);
		return run->users[i];
	}
	abort();
}

void run_user_done(struct run *run, struct simdisk_user *user)
{
	for (size_t i = 0; i < RUN_USERS; i++)
		if (run->used[i] && run->users[i] == user)
			run->used[i] = false;
	simdisk_user_kill(user);
}

bool run_has(const struct run *run, const char *name)
{
	return simdisk_size(run->disk, name) >= 0;
}

/* As spooldir_write: all of it or nothing, and for good. */
int run_write(const struct disk *disk, const char *name, const void *data, size_t len)
{
	const struct disk_ops *ops = disk->ops;
	const uint8_t *p = data;
	int64_t n = 0;
	int file, r;

	(void)ops->unlink(disk->ctx, "new");
	file = ops->open(disk->ctx, "new", DISK_CREATE);
	if (file < 0)
		return file;
	for (size_t at = 0; at < len && n >= 0; at += n > 0 ? (size_t)n : 0)
		n = ops->append(disk->ctx, file, p + at, len - at);
	r = n < 0 ? (int)n : ops->sync(disk->ctx, file);
	ops->close(disk->ctx, file);
	if (r == 0)
		r = ops->rename(disk->ctx, "new", name);
	return r == 0 ? ops->sync_names(disk->ctx) : r;
}

struct names {
	char list[64][64];
	size_t count;
};

static void run_on_name(void *arg, const char *name)
{
	struct names *names = arg;

	if (names->count < 64 && strlen(name) < 64 && strcmp(name, "spec") != 0 &&
	    strcmp(name, "done") != 0)
		memcpy(names->list[names->count++], name, strlen(name) + 1);
}

void run_empty(const struct disk *disk)
{
	struct names names;

	names.count = 0;
	(void)disk->ops->list(disk->ctx, run_on_name, &names);
	for (size_t i = 0; i < names.count; i++)
		(void)disk->ops->unlink(disk->ctx, names.list[i]);
}

/* --- hosts ----------------------------------------------------------------------------------- */

struct run *run_find(struct host *host, const char *uuid)
{
	for (size_t i = 0; i < host->w->run_count; i++)
		if (host->w->runs[i].host == host && strcmp(host->w->runs[i].uuid, uuid) == 0)
			return &host->w->runs[i];
	return NULL;
}

static void host_on_back(void *arg)
{
	struct host *host = arg;

	host->up = true;
	world_trace(host->w, "host %zu: is back", host->index);
}

void host_down(struct host *host, bool power, uint64_t back_us)
{
	struct world *w = host->w;

	host->up = false;
	host->boot++;
	while (host->agents)
		agent_kill(host->agents, false);
	for (size_t i = 0; i < w->run_count; i++) {
		struct run *run = &w->runs[i];

		if (run->host != host)
			continue;
		if (run->runner)
			runner_kill(run->runner, false);
		if (!power)
			continue;
		run->power_cut = run->power_cut || run->made;
		simdisk_cut_power(run->disk);
	}
	world_set(w, &host->back, back_us, host_on_back, host);
}

void host_full(struct host *host, bool full)
{
	struct world *w = host->w;

	for (size_t i = 0; i < w->run_count; i++) {
		struct run *run = &w->runs[i];
		uint64_t used = simdisk_used(run->disk);

		if (run->host == host)
			simdisk_limit(run->disk, full ? used + world_roll(w, HOST_FULL_ROOM)
						      : (uint64_t)INT64_MAX);
	}
}

void hosts_make(struct world *w)
{
	w->host_count = 1 + world_roll(w, world_chance(w, 20) ? SIM_HOSTS : 2);
	w->hosts = xcalloc(w->host_count, sizeof *w->hosts);
	for (size_t i = 0; i < w->host_count; i++)
		w->hosts[i] = (struct host){.w = w, .index = i, .up = true, .boot = 1};
}

void hosts_free(struct world *w)
{
	for (size_t i = 0; i < w->host_count; i++) {
		host_down(&w->hosts[i], false, 0);
		world_cancel(w, &w->hosts[i].back);
	}
	free(w->hosts);
	w->hosts = NULL;
	w->host_count = 0;
}
