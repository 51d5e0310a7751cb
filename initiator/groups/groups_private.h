/* What the files of this room's outside share. */
#ifndef MUSTER_GROUPS_PRIVATE_H
#define MUSTER_GROUPS_PRIVATE_H

#include "arena.h"
#include "clush.h"
#include "dsh.h"
#include "groups.h"
#include "inv.h"
#include "upcall.h"

enum groups_table { GROUPS_GIVEN, GROUPS_ANSIBLE, GROUPS_SSH, GROUPS_TABLE_COUNT };

/* Something that is read when it is first asked for; a failure is told each time. */
struct groups_once {
	bool done;
	int rc;
	struct errmsg msg;
};

struct groups {
	struct groups_options options;
	char *home; /* NULL: there is none */
	struct upcalls *upcalls;
	struct inv *tables[GROUPS_TABLE_COUNT]; /* NULL: not read */
	struct groups_once read[GROUPS_TABLE_COUNT];
	struct clush *clush;
	struct groups_once clush_read;
	char *clush_dir;  /* of an inventory; NULL: where ClusterShell looks */
	struct dsh dsh;	  /* of an inventory, or where dsh looks */
	bool given_clush; /* the inventories have these, too */
	bool given_dsh;
	struct arena texts; /* of variables that were worked out */
};

/* What a source is made of: any of the three, in this order. */
struct groups_source {
	const char *name;
	const struct inv *table;
	const struct dsh *dsh;
	const struct clush_source *clush;
};

/* The source of this name, read. Returns as groups_members. */
int groups_source(struct groups *groups, const char *name, struct groups_source *ret,
		  struct errmsg *msg);

#endif
