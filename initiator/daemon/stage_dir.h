/*
 * The directory of a stage: 0700, below one that only we can enter, and locked as long as it is
 * used, so that those of daemons that have died are known. What has no pool blocks.
 */
#ifndef MUSTER_STAGE_DIR_H
#define MUSTER_STAGE_DIR_H

#include "err.h"
#include "work.h"

/*
 * Makes root and in it key, which may be there from before, and removes those beside it that nobody
 * has. root's parent is there. Returns a descriptor that holds the lock, or ERR_SYS, ERR_DENIED
 * with msg.
 */
int stage_dir_open(const char *root, const char *key, struct errmsg *msg);

/* With all that is in it; then closes fd (-1: none). What is not there is no error. */
void stage_dir_remove(const char *root, const char *key, int fd);
/* The same on a thread, or, if the pool ends before that has begun, at its end. NULL: now. */
void stage_dir_remove_by(struct work_pool *pool, const char *root, const char *key, int fd);

#endif
