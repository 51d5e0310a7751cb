/* Where the daemon of this user is reached, and where it keeps its log and its jobs. */
#ifndef MUSTER_PATHS_H
#define MUSTER_PATHS_H

#include "err.h"

struct paths {
	char *name;   /* of the daemon */
	char *socket; /* $XDG_RUNTIME_DIR/muster/NAME.sock, or /tmp/muster-UID/NAME.sock */
	char *lock;   /* NAME.lock beside it */
	char *log;    /* $XDG_STATE_HOME/muster/NAME.log, or ~/.local/state/...; NULL: nowhere */
	char *store;  /* NAME beside the log, unless muster.conf says otherwise; NULL: nowhere */
};

/*
 * Works out the paths for daemon name (letters, digits, '.', '-', '_'; at most 64), and makes the
 * directories with mode 0700. A directory that is a symlink, somebody else's, or open to others is
 * refused: another local user could listen in our place. Returns 0, ERR_SYNTAX, ERR_DENIED or
 * ERR_SYS with msg. Freed by paths_done.
 */
int paths_find(struct paths *ret, const char *name, struct errmsg *msg);
void paths_done(struct paths *paths);

#endif
