/*
 * Inventories and groups as people have them (docs/inventories.md): what hosts there are, which
 * groups they are in, and how some of them are logged in to. This room yields texts; what a host
 * expression is it does not know. Everything is read when it is first asked for.
 *
 * A source is what stands in front of the ':' of @source:group. There are: "inventory", all that
 * --inventory names, taken together; the sources of ClusterShell's groups.conf and groups.d; and,
 * where ClusterShell has none of these names, "dsh", "ssh" and "ansible". The default source (no
 * name) is "inventory" where an inventory is given, else ClusterShell's, else "ansible" where there
 * is an inventory of Ansible, else "dsh".
 *
 * Blocks while files are read and commands run: not for an event loop. One thread.
 */
#ifndef MUSTER_GROUPS_H
#define MUSTER_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

struct groups;

struct groups_options {
	/* PATH, or KIND:REST with ansible, hosts, cmd, ssh, dsh or clustershell; kept by the
	 * caller as long as the groups. */
	const char *const *specs;
	size_t spec_count;
	const char *cache_dir; /* of what commands have said; NULL: none is kept */
	uint64_t cache_ms;     /* how old that may be; 0: none is used */
	uint64_t upcall_ms;    /* how long a command may take; 0: 30 s */
	bool refresh;	       /* what is kept is not used, but replaced */
	void (*warn)(void *ctx, const char *text); /* NULL: nobody wants to know */
	void *warn_ctx;
};

/* How a host is logged in to, where its inventory says so. */
struct groups_vars {
	const char *address; /* NULL: by its name; these texts live as long as the groups */
	const char *user;    /* NULL: not said */
	uint16_t port;	     /* 0: not said */
};

/* Reads nothing yet. Freed by groups_free, which takes NULL. */
struct groups *groups_new(const struct groups_options *options);
void groups_free(struct groups *groups);

/*
 * Append to out, as host expressions with '\n' or ',' between, in which @source:group may stand:
 * the hosts of a group; all hosts of a source; the names of its groups, a line each. source NULL:
 * the default one. Return 0; ERR_NOTFOUND (no such source or group: near names are in msg);
 * ERR_SYNTAX (a malformed file, with its line; a command that says what cannot be understood, a
 * loop of groups); ERR_SYS (a file cannot be read, a command fails); ERR_TIMEOUT; ERR_LIMIT. msg
 * then names the file, or the source and its command, and out is as it was.
 */
int groups_members(struct groups *groups, const char *source, const char *name, struct buf *out,
		   struct errmsg *msg);
int groups_all(struct groups *groups, const char *source, struct buf *out, struct errmsg *msg);
int groups_list(struct groups *groups, const char *source, struct buf *out, struct errmsg *msg);

/* The names of the groups of a source that the host is in, a line each, where the source can say
 * that at once: ERR_UNSUPPORTED if it cannot. Else as above. */
int groups_reverse(struct groups *groups, const char *source, const char *host, struct buf *out,
		   struct errmsg *msg);

/* The names of all sources, a line each, the default one first. */
int groups_sources(struct groups *groups, struct buf *out, struct errmsg *msg);

/* Reads the inventories that are given, so that groups_vars knows their hosts. Returns as above. */
int groups_load(struct groups *groups, struct errmsg *msg);

/*
 * What the inventories that were read so far say of the host of this name (no brackets around an
 * IPv6 address); all empty for one that they do not have. ERR_SYNTAX with msg: a variable is no
 * port, no name, or a template, which only Ansible could work out.
 */
int groups_vars(struct groups *groups, const char *host, struct groups_vars *ret,
		struct errmsg *msg);

#endif
