/*
 * Where durable runs have their directories: MACHINE-ID/job-UUID/ in ~/.local/state/muster
 * (XDG_STATE_HOME), or, where that is on another computer or cannot be written, in
 * /var/tmp/muster-UID. Every step on the way is ours or root's and closed to others.
 *
 * The directory of a run holds `spec` (what was asked for), `started` (in which boot), `running`
 * (the pid of the command), `ctl` (the socket of the runner), the segments of the spool, and in the
 * end only `spec` and `done` (the TASK_END frame). It is locked (flock(2) on the directory itself,
 * which tmpfiles.d(5) respects) by the runner, from before the command begins until it has ended.
 */
#ifndef MUSTER_SPOOLDIR_H
#define MUSTER_SPOOLDIR_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"

#define SPOOLDIR_PLACES 2

struct spooldir {
	int fds[SPOOLDIR_PLACES]; /* -1: not there, or it will not do */
	char *note;		  /* why there are none, or what may end runs; NULL: nothing */
};

/* Never fails: without a place fds are all -1, and note says why. */
void spooldir_open(struct spooldir *ret);
void spooldir_done(struct spooldir *s);
bool spooldir_is_usable(const struct spooldir *s);

/* The directory of a run, a descriptor. spooldir_find: -1 if there is none. spooldir_make makes it
 * if there is none; ERR_SYS with msg. The instance is a UUID. */
int spooldir_find(const struct spooldir *s, const char *instance);
int spooldir_make(struct spooldir *s, const char *instance, struct errmsg *msg);

/* Removes what nobody has asked for in a long time; a few at most, and none that is locked. */
void spooldir_clean(const struct spooldir *s);

/* In the directory of a run: */

/* The lock: a descriptor of its own, to be closed; -1: somebody else has it. */
int spooldir_lock(int dir);
bool spooldir_has(int dir, const char *name);
/* Appends the whole file. Returns 0 or ERR_*. */
int spooldir_read(int dir, const char *name, struct buf *out);
/* All of it or nothing; sync: and for good. Returns 0 or ERR_SYS with errno. */
int spooldir_write(int dir, const char *name, const struct buf *data, bool sync);
/* Only `spec` and `done` stay, or not even they. */
void spooldir_empty(int dir, bool all);

/* The first line of a file, or nothing. The caller frees it. */
char *spooldir_line(const char *path);

/* Appends which boot of this computer, or of this container, this is. */
void spooldir_boot(struct buf *out);

#endif
