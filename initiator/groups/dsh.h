/* Groups as files of a directory: /etc/dsh/group and ~/.dsh/group, of dsh and pdsh. */
#ifndef MUSTER_DSH_H
#define MUSTER_DSH_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"

#define DSH_DIRS_MAX 16u

struct dsh {
	char *dirs[DSH_DIRS_MAX]; /* the first that has a group counts */
	size_t count;
};

/* $DSHGROUP_PATH (directories with ':' between), else ~/.dsh/group and /etc/dsh/group. */
void dsh_find(struct dsh *ret, const char *home);
/* That directory alone. */
void dsh_init(struct dsh *ret, const char *dir);
void dsh_done(struct dsh *dsh);

/* One of the directories is there. */
bool dsh_is_there(const struct dsh *dsh);

/*
 * Append the hosts of a group, of all groups, or the names of all, a line each. A line of a file is
 * a host expression; "#include NAME" is another group, '#' begins a comment. source: the name that
 * stands in front of groups in them. ERR_NOTFOUND: there is no such group; ERR_SYS, ERR_LIMIT.
 */
int dsh_members(const struct dsh *dsh, const char *name, const char *source, struct buf *out,
		struct errmsg *msg);
int dsh_all(const struct dsh *dsh, const char *source, struct buf *out, struct errmsg *msg);
int dsh_list(const struct dsh *dsh, struct buf *out, struct errmsg *msg);

#endif
