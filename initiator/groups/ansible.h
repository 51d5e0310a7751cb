/* What Ansible's kinds of inventories have in common. */
#ifndef MUSTER_ANSIBLE_H
#define MUSTER_ANSIBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "doc.h"
#include "err.h"
#include "inv.h"

/* The hosts that a pattern such as web[01:50:2].x:2222 stands for, in the inventory. */
struct ansible_hosts {
	uint32_t *at;
	size_t count, size;
};

/*
 * Expands n bytes of a pattern: ranges [BEGIN:END] and [BEGIN:END:STEP] of numbers (with leading
 * zeros, as many digits as there are) and letters; a port behind the last ':' is set. dashes:
 * ranges [BEGIN-END] and [BEGIN-END/STEP] of numbers, as ClusterShell has them, are read, too. *ret
 * is emptied first, and freed by ansible_hosts_done. Returns 0, ERR_SYNTAX or ERR_LIMIT, with msg
 * without a place.
 */
int ansible_expand(struct inv *inv, const char *pattern, size_t n, bool dashes,
		   struct ansible_hosts *ret, struct errmsg *msg);
void ansible_hosts_done(struct ansible_hosts *hosts);

/* As inv_work(), for all that doc_get() looks at in a map. */
int ansible_work(struct inv *inv, const struct doc *doc, const struct doc_node *map,
		 struct errmsg *msg);

/* Sets variables of a host (group false) or a group from a map. Those that we do not know are
 * passed over. ERR_SYNTAX (one that is no plain text) or ERR_LIMIT, with msg without a place. */
int ansible_set_vars(struct inv *inv, bool group, uint32_t id, const struct doc *doc,
		     const struct doc_node *map, struct errmsg *msg);

#endif
