/*
 * An inventory in memory: hosts, groups, what is in what, and how hosts are logged in to. Filled by
 * those that read files (ansible_*.c, hosts_text.c, ssh_names.c), any number of them one after the
 * other: groups of the same name are one, and of a variable that is set twice the later one holds.
 */
#ifndef MUSTER_INV_H
#define MUSTER_INV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define INV_NONE UINT32_MAX
#define INV_ALL	 0u /* the groups that are always there */
#define INV_REST 1u /* "ungrouped" */

/* What is kept of the variables, by Ansible's names of them. Of a pair the latter outweighs. */
enum inv_var {
	INV_HOST,
	INV_SSH_HOST,
	INV_PORT,
	INV_SSH_PORT,
	INV_USER,
	INV_SSH_USER,
	INV_PRIORITY, /* ansible_group_priority, of groups */
	INV_VAR_COUNT
};

struct inv;

struct inv *inv_new(void);
void inv_free(struct inv *inv);

/* The variable of this name, or INV_VAR_COUNT. */
enum inv_var inv_var_find(const char *name, size_t n);
const char *inv_var_name(enum inv_var var);

/*
 * The host or group of this name, made if there is none. Return 0, ERR_SYNTAX (no such name can
 * be), or ERR_LIMIT, with msg: to be put behind the place.
 */
int inv_host(struct inv *inv, const char *name, size_t n, uint32_t *ret, struct errmsg *msg);
int inv_group(struct inv *inv, const char *name, size_t n, uint32_t *ret, struct errmsg *msg);

/* The group of this name; INV_NONE. */
uint32_t inv_find_group(const struct inv *inv, const char *name, size_t n);
uint32_t inv_find_host(const struct inv *inv, const char *name, size_t n);

/* Puts a host, or a group, into a group. ERR_LIMIT, or ERR_SYNTAX (all and ungrouped are in no
 * group), with msg. */
int inv_join(struct inv *inv, uint32_t group, uint32_t host, struct errmsg *msg);
int inv_nest(struct inv *inv, uint32_t parent, uint32_t child, struct errmsg *msg);

/* Sets a variable of count hosts, or of a group; value is n bytes. ERR_LIMIT with msg. */
int inv_hosts_set(struct inv *inv, const uint32_t *hosts, size_t count, enum inv_var var,
		  const char *value, size_t n, struct errmsg *msg);
int inv_group_set(struct inv *inv, uint32_t group, enum inv_var var, const char *value, size_t n,
		  struct errmsg *msg);

/*
 * From now on variables come from files beside an inventory: the tier-th one, from 1. Of groups
 * they outweigh what the inventories themselves say of any group, and ansible_group_priority is
 * none of them; those of "all" weigh least, and of several inventories the later one's hold.
 */
void inv_begin_files(struct inv *inv, uint32_t tier);

/*
 * n more names or variables were looked at. ERR_LIMIT with msg above LIMIT_GROUP_WORK: patterns,
 * aliases and merge keys make work without an end of a short text.
 */
int inv_work(struct inv *inv, uint64_t n, struct errmsg *msg);

size_t inv_host_count(const struct inv *inv);
size_t inv_group_count(const struct inv *inv);
const char *inv_group_name(const struct inv *inv, uint32_t group);

/*
 * Ends the filling: looks for loops of groups, and works out which variable of which group holds
 * for a host, as Ansible does: its own; else that of a file (inv_begin_files); else that of the
 * group that is deepest below "all", of several that with the higher ansible_group_priority, then
 * with the name that sorts last.
 * ERR_SYNTAX with msg: a loop, which msg names group by group; ERR_LIMIT. *ret_conflicts gets a
 * line for a variable that two groups of the same depth and priority set to different values, for
 * one host of each such pair; it may be NULL.
 */
int inv_settle(struct inv *inv, struct buf *ret_conflicts, struct errmsg *msg);

/* After inv_settle: the value of a variable that holds for the host; NULL: none. */
const char *inv_value(const struct inv *inv, uint32_t host, enum inv_var var);

/* After inv_settle: append names of hosts, of groups; a line each, IPv6 addresses in brackets, no
 * name of a group that a host expression could not have. */
void inv_members(const struct inv *inv, uint32_t group, struct buf *out);
void inv_list(const struct inv *inv, struct buf *out);

/* The names of the groups that the host is in, through others too. */
void inv_reverse(const struct inv *inv, uint32_t host, struct buf *out);

#endif
