/* The directory of the store: it is ours, nobody else can look into it, and nobody else uses it. */
#ifndef MUSTER_STORE_GUARD_H
#define MUSTER_STORE_GUARD_H

#include <stddef.h>

#include "err.h"

#define GUARD_FRAMES "frames"

/* Makes the directory if it is not there and opens it. Returns 0, ERR_DENIED or ERR_SYS. */
int guard_open(int *ret_dir, const char *path, struct errmsg *msg);

/* Takes the lock of the directory, which is held as long as the descriptor is open. Waits for who
 * has said guard_leaving, 30 s at most. ERR_EXISTS: somebody else has it. */
int guard_lock(int *ret_lock, int dir, const char *path, struct errmsg *msg);
/* It will be let go of. */
void guard_leaving(int lock);

/* Sees to it that all files are ours; makes the directory of the segments, and an empty file for
 * the database if there is none. */
int guard_files(int *ret_frames, int dir, const char *path, struct errmsg *msg);

/* Makes an empty file of that name if there is none. */
int guard_touch(int dir, const char *name, const char *path, struct errmsg *msg);

/* Renames the database and what SQLite has beside it to NAME.damaged-TIME; that name goes to
 * ret_name. */
int guard_aside(int dir, const char *path, char *ret_name, size_t size, struct errmsg *msg);

#endif
