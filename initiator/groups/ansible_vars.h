/* Variables in files beside an inventory of Ansible: group_vars/ and host_vars/. */
#ifndef MUSTER_ANSIBLE_VARS_H
#define MUSTER_ANSIBLE_VARS_H

#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "inv.h"

/*
 * Sets what the files beside the inventory path (a file, or the directory that they are in) say of
 * the groups and hosts that inv has, once it has all of them. Of NAME, NAME.yml, NAME.yaml and
 * NAME.json the first one that is there counts; it may be a directory of such files. tier: which
 * inventory it is, from 1; see inv_begin_files(). *notes gets a line for what is passed over, as a
 * file that ansible-vault has encrypted. Returns 0; ERR_SYS, ERR_SYNTAX or ERR_LIMIT with msg: the
 * file, and the line.
 */
int ansible_vars_load(struct inv *inv, const char *path, uint32_t tier, struct buf *notes,
		      struct errmsg *msg);

#endif
