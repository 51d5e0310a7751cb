/* The groups of ClusterShell: groups.conf(5), groups.conf.d and groups.d, as it reads them. */
#ifndef MUSTER_CLUSH_H
#define MUSTER_CLUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "doc.h"
#include "err.h"
#include "upcall.h"

enum clush_call { CLUSH_MAP, CLUSH_ALL, CLUSH_LIST, CLUSH_REVERSE, CLUSH_CALL_COUNT };

struct clush_source {
	char *name;
	char *calls[CLUSH_CALL_COUNT]; /* commands; NULL: none */
	char *dir;		       /* where they run */
	char *file;		       /* what they, or the groups, stand in */
	uint64_t cache_ms;	       /* UINT64_MAX: not said */
	uint32_t doc;		       /* of groups.d: which document, + 1; 0: there are calls */
	uint32_t groups;	       /* and the node with its groups */
};

struct clush {
	char *cfgdir;	/* of the groups.conf that outweighs; NULL: there is none */
	char *standard; /* [Main] default; NULL: none */
	char *confdir, *autodir;
	struct clush_source *sources;
	size_t count;
	struct doc *docs;
	size_t doc_count;
};

/*
 * Reads the configuration: that of dir alone, or (NULL) of all places in which ClusterShell looks.
 * One that is not there is none. Returns 0, or ERR_SYNTAX, ERR_SYS or ERR_LIMIT with msg: file and
 * line. Freed by clush_free, which takes NULL.
 */
int clush_read(struct clush **ret, const char *dir, const char *home, struct errmsg *msg);
void clush_free(struct clush *clush);

/* The source of this name (NULL: the default one), or NULL. */
const struct clush_source *clush_find(const struct clush *clush, const char *name);

/* Append as groups_members, groups_all, groups_list and groups_reverse (groups.h) do, and return
 * what they return. */
int clush_members(const struct clush *clush, const struct clush_source *source,
		  struct upcalls *upcalls, const char *name, struct buf *out, struct errmsg *msg);
int clush_all(const struct clush *clush, const struct clush_source *source, struct upcalls *upcalls,
	      struct buf *out, struct errmsg *msg);
int clush_list(const struct clush *clush, const struct clush_source *source,
	       struct upcalls *upcalls, struct buf *out, struct errmsg *msg);
int clush_reverse(const struct clush *clush, const struct clush_source *source,
		  struct upcalls *upcalls, const char *host, struct buf *out, struct errmsg *msg);

/* clush_yaml.c: adds the sources of a file of groups.d. */
int clush_yaml(struct clush *clush, const char *path, struct errmsg *msg);

/* A source that is not there yet: else ERR_EXISTS with msg, where is the place. */
int clush_add(struct clush *clush, const char *name, size_t n, const char *where,
	      struct clush_source **ret, struct errmsg *msg);

#endif
