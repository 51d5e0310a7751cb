/* The text of a groups.conf. */
#ifndef MUSTER_CLUSH_CONF_H
#define MUSTER_CLUSH_CONF_H

#include "clush.h"

enum clush_conf {
	CLUSH_CONF_MAIN, /* a groups.conf: options of a later one outweigh; [Main] counts */
	CLUSH_CONF_MORE	 /* a file of groups.conf.d: its sources must be new; [Main] does not */
};

/* Reads a file. Returns 0, or ERR_SYS, ERR_LIMIT, ERR_SYNTAX or ERR_EXISTS with msg. */
int clush_conf(struct clush *clush, const char *path, enum clush_conf how, struct errmsg *msg);

#endif
