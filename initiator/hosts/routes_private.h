/* What the files of routes.h share: the lines of a topology, and the hosts in them. */
#ifndef MUSTER_ROUTES_PRIVATE_H
#define MUSTER_ROUTES_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hostlist_private.h"
#include "routes.h"

/* A topology travels: what a gateway does for it, it does for somebody else. */
#define ROUTES_WORK_MAX (UINT64_C(1) << 28)

#define ROUTE_NONE SIZE_MAX

enum routes_section {
	ROUTES_NO_SECTION,
	ROUTES_OTHER,
	ROUTES_ROUTES,
	ROUTES_MAIN,	/* what ClusterShell took for [routes] before 1.7 */
	ROUTES_DEFAULT, /* Python's configparser counts it to every section */
	ROUTES_HERE,
	ROUTES_SECTION_COUNT
};

/* "LEFT: RIGHT", from the line that it begins in to the end of the last one that continues it. */
struct route {
	enum routes_section section;
	struct expr_text left, right;
	struct hostlist *from, *to;
	size_t parent; /* the line that reaches those on the left; ROUTE_NONE: nobody does */
};

/* A host by its name. */
struct routes_node {
	const char
		*label; /* the longest way in which it is written: with user or port if once so */
	size_t left;	/* the line that it begins; ROUTE_NONE: none */
	size_t right;	/* the line that reaches it */
};

struct routes {
	char *file;
	char *text; /* comments are blanks */
	struct route *rows;
	size_t count, size;
	struct hostlist *names;	   /* of all hosts; numbers the nodes */
	struct routes_node *nodes; /* as many */
	size_t node_size;
	struct hostlist *here; /* NULL: the host name tells */
};

/* routes_scan.c: finds the lines in routes->text (len bytes), and leaves those that count. */
int routes_scan(struct routes *routes, size_t len, struct errmsg *msg);

/* routes.c: the index of a plain name, which may be of any length, or ROUTE_NONE. */
size_t routes_index(const struct hostlist *names, const char *name);

/* The node of that name, or ROUTE_NONE. */
size_t routes_node(const struct routes *routes, const char *name);

#endif
