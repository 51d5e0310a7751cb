/*
 * The store beside a plain loop of write(2) and fdatasync(2), as lines of NAME VALUE.
 *
 *   store_bench plain DIR MEGABYTES     pieces of 64 KiB, a sync each MiB
 *   store_bench write DIR MEGABYTES     frames of 64 KiB, until the last is durable
 *   store_bench fill DIR MEGABYTES CHILDREN
 *   store_bench load DIR CHILDREN       opens what fill made; twice, first without what is cached
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "fd.h"
#include "store.h"

#define PIECE	(64u << 10)
#define MIB	(1u << 20)
#define PENDING (16u << 20) /* the daemon holds its hosts back above it */

struct bench {
	const char *dir;
	struct loop *loop;
	struct store *store;
	uint8_t *piece;
	uint64_t pieces; /* to be written */
	uint64_t sent;
	uint64_t children;
	uint64_t frames, jobs, seen; /* that were loaded */
	unsigned waits;
};

static void die(const char *what)
{
	fprintf(stderr, "store_bench: %s\n", what);
	exit(1);
}

static double seconds_since(uint64_t begin_ns)
{
	return (double)(clock_mono_ns() - begin_ns) / 1e9;
}

static void rate(const char *name, const struct bench *bench, uint64_t begin_ns)
{
	printf("%s %.1f\n", name, (double)bench->pieces * PIECE / 1e6 / seconds_since(begin_ns));
}

/* --- writing -------------------------------------------------------------------------------- */

static void plain(struct bench *bench)
{
	char *path = xasprintf("%s/plain", bench->dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	uint64_t begin = clock_mono_ns();

	if (fd < 0)
		die("cannot make a file");
	for (uint64_t i = 0; i < bench->pieces; i++) {
		if (fd_write_all(fd, bench->piece, PIECE) < 0)
			die("cannot write");
		if ((i + 1) % (MIB / PIECE) == 0 && fdatasync(fd) < 0)
			die("cannot sync");
	}
	if (fdatasync(fd) < 0)
		die("cannot sync");
	rate("plain", bench, begin);
	(void)close(fd);
	(void)unlink(path);
	free(path);
}

static void on_durable(void *arg);

static void send_more(struct bench *bench)
{
	while (bench->sent < bench->pieces && store_pending(bench->store) < PENDING) {
		uint64_t n = bench->sent++;
		struct store_frame frame = {.child = 2 + n % bench->children,
					    .first = 1 + n / bench->children,
					    .count = 1,
					    .streams = {1},
					    .rows = bench->piece,
					    .len = PIECE};

		(void)store_append(bench->store, &frame);
		if (bench->sent % (MIB / PIECE) && bench->sent < bench->pieces)
			continue;
		bench->waits++;
		store_when_durable(bench->store, on_durable, bench);
	}
	if (!bench->waits && bench->sent == bench->pieces)
		loop_stop(bench->loop);
}

static void on_durable(void *arg)
{
	struct bench *bench = arg;

	bench->waits--;
	send_more(bench);
}

static void on_trouble(void *arg, enum store_trouble what, const char *text)
{
	(void)arg;
	(void)what;
	die(text);
}

static void open_store(struct bench *bench)
{
	struct store_options options = {
		.path = bench->dir, .loop = bench->loop, .trouble = on_trouble};
	struct errmsg msg = {""};

	if (store_open(&bench->store, &options, &msg) < 0)
		die(msg.text);
}

static void put_job(struct bench *bench)
{
	struct store_child *children = xcalloc(bench->children, sizeof *children);
	struct store_job job = {
		.id = 1, .child_count = bench->children, .spec = "true", .spec_len = 4};

	for (uint64_t i = 0; i < bench->children; i++)
		children[i].id = 2 + i;
	store_put_job(bench->store, &job, children);
	free(children);
}

static void write_store(struct bench *bench)
{
	uint64_t begin;

	open_store(bench);
	put_job(bench);
	begin = clock_mono_ns();
	loop_defer(bench->loop, on_durable, (bench->waits++, bench));
	loop_run(bench->loop);
	rate("store", bench, begin);
	store_close(bench->store);
}

/* --- loading -------------------------------------------------------------------------------- */

static void on_job(void *arg, const struct store_job *job, const struct store_child *children)
{
	struct bench *bench = arg;

	(void)children;
	bench->jobs++;
	bench->seen += job->child_count;
}

static void on_frame(void *arg, const struct store_frame *frame, struct store_place place)
{
	(void)frame;
	(void)place;
	((struct bench *)arg)->frames++;
}

/* Out of the page cache: as after a start of the computer. */
static void forget(const char *dir)
{
	char *path = xasprintf("%s/frames", dir);
	DIR *list = opendir(path);
	struct dirent *entry;

	while (list && (entry = readdir(list)) != NULL) {
		int fd = openat(dirfd(list), entry->d_name, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		(void)fdatasync(fd);
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		(void)close(fd);
	}
	if (list)
		(void)closedir(list);
	free(path);
}

static void load(struct bench *bench, const char *name)
{
	static const struct store_loader loader = {.job = on_job, .frame = on_frame};
	uint64_t begin = clock_mono_ns(), last_id;
	struct errmsg msg = {""};

	bench->frames = bench->seen = 0;
	open_store(bench);
	if (store_load(bench->store, &loader, bench, &last_id, &msg) < 0)
		die(msg.text);
	printf("%s %.3f\n", name, seconds_since(begin));
	fprintf(stderr, "%llu children, %llu frames, %llu MB\n", (unsigned long long)bench->seen,
		(unsigned long long)bench->frames,
		(unsigned long long)store_size(bench->store) / 1000000);
	if (bench->seen != bench->children)
		die("children are missing");
	store_close(bench->store);
}

static uint64_t number(char **argv, int argc, int i)
{
	uint64_t n = i < argc ? strtoull(argv[i], NULL, 10) : 0;

	if (!n)
		die("store_bench plain|write|fill|load DIR NUMBER [CHILDREN]");
	return n;
}

int main(int argc, char **argv)
{
	struct bench bench = {.children = 1};
	const char *what = argc > 1 ? argv[1] : "";

	bench.pieces = number(argv, argc, 3) * (MIB / PIECE);
	bench.dir = argv[2];
	bench.loop = loop_new();
	bench.piece = xcalloc(1, PIECE);
	for (size_t i = 0; i < PIECE; i++)
		bench.piece[i] = (uint8_t)(i * 2654435761u >> 13);
	if (strcmp(what, "plain") == 0) {
		plain(&bench);
	} else if (strcmp(what, "write") == 0) {
		write_store(&bench);
	} else if (strcmp(what, "fill") == 0) {
		bench.children = number(argv, argc, 4);
		write_store(&bench);
	} else if (strcmp(what, "load") == 0) {
		bench.children = number(argv, argc, 3);
		forget(bench.dir);
		load(&bench, "cold");
		load(&bench, "warm");
	}
	loop_free(bench.loop);
	free(bench.piece);
	return 0;
}
