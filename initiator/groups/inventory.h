/* What one --inventory names: its kind is found out, and it is read. */
#ifndef MUSTER_INVENTORY_H
#define MUSTER_INVENTORY_H

#include "err.h"
#include "inv.h"
#include "upcall.h"

enum inventory_kind {
	INVENTORY_PATH, /* no kind was said */
	INVENTORY_ANSIBLE,
	INVENTORY_HOSTS,
	INVENTORY_CMD,
	INVENTORY_SSH,
	INVENTORY_DSH,
	INVENTORY_CLUSTERSHELL
};

/* The kind of "KIND:REST", or of a path what can be seen from outside: a directory with a
 * groups.conf, or that file, is ClusterShell's. *ret_rest is what is behind it, in spec. */
enum inventory_kind inventory_kind(const char *spec, const char **ret_rest);

/*
 * Adds what it has to inv. kind is none of the last two. home: of "~/"; NULL: none. Returns 0, or
 * ERR_SYS, ERR_LIMIT, ERR_SYNTAX, ERR_TIMEOUT or ERR_UNSUPPORTED with msg: path and line, or the
 * command.
 */
int inventory_load(struct inv *inv, enum inventory_kind kind, const char *rest, const char *home,
		   struct upcalls *upcalls, struct errmsg *msg);

/* A path with the home in place of a "~" in front. The caller frees it. */
char *inventory_path(const char *path, const char *home);

#endif
