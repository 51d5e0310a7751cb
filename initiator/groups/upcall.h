/*
 * Commands that know hosts: run with a deadline, in a process group of their own, with nothing to
 * read and only so much to say; and what they have said, kept for a while.
 */
#ifndef MUSTER_UPCALL_H
#define MUSTER_UPCALL_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

struct upcalls;

struct upcalls_options {
	const char *cache_dir; /* NULL: nothing is kept beyond this process; borrowed */
	uint64_t cache_ms;     /* 0: the same */
	uint64_t deadline_ms;
	bool refresh;
};

struct upcalls *upcalls_new(const struct upcalls_options *options);
void upcalls_free(struct upcalls *upcalls);

struct upcall {
	const char *command; /* for /bin/sh -c; or, with program, its arguments are "--list" */
	bool program;	     /* command is the path of a file to execute */
	const char *dir;     /* where it runs; NULL: here */
	const char *file;    /* what it stands in, for which what is kept holds; may be NULL */
	const char *what;    /* "source slurm: map": for messages */
	uint64_t cache_ms;   /* at most so long is kept what it says; UINT64_MAX: as in general */
	bool may_fail;	     /* a status that is not 0 means: nothing is known */
};

/*
 * Appends what the command writes on its standard output, now or not long ago. Returns 0;
 * ERR_TIMEOUT: killed, with all processes of its group; ERR_LIMIT: killed, as it wrote more than
 * LIMIT_INVENTORY; ERR_NOTFOUND: may_fail, and it did; ERR_SYS: it could not be started, or ended
 * with another status than 0. msg says which, and has the first line of its error output.
 */
int upcall(struct upcalls *upcalls, const struct upcall *call, struct buf *out, struct errmsg *msg);

/* upcall_run.c: the same, without anything that is kept. */
int upcall_run(const struct upcall *call, uint64_t deadline_ms, struct buf *out,
	       struct errmsg *msg);

/* upcall_cache.c: what is kept in dir under the key, if it is not older than max_ms. */
bool upcall_cache_get(const char *dir, const struct buf *key, uint64_t max_ms, struct buf *out);
/* Keeps it, if that is possible: what cannot be kept is asked for again. Old files go. */
void upcall_cache_put(const char *dir, const struct buf *key, const void *data, size_t n);

#endif
