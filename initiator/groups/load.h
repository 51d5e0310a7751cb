/* Reading of inventories: each function adds what one text has to an inventory in memory. */
#ifndef MUSTER_LOAD_H
#define MUSTER_LOAD_H

#include <stddef.h>

#include "err.h"
#include "inv.h"

/* A text, and where it stands. */
struct load_text {
	const char *data; /* n bytes */
	size_t n;
	const char *path; /* for messages: a file, or a command */
};

/*
 * All return 0, ERR_SYNTAX or ERR_LIMIT, with msg, which begins with PATH:LINE; what came before
 * the error is then in inv. Nothing of the text need stay.
 */

/* Ansible's INI: ansible_ini.c. */
int load_ini(struct inv *inv, const struct load_text *text, struct errmsg *msg);

/* Ansible's YAML, or what an inventory script of Ansible says with --list: ansible_yaml.c,
 * ansible_list.c. */
int load_yaml(struct inv *inv, const struct load_text *text, struct errmsg *msg);
int load_list(struct inv *inv, const struct load_text *text, struct errmsg *msg);

/* Lines of pssh: [USER@]HOST[:PORT], or "HOST USER"; words: each word is a host, and there is no
 * user behind one. Ranges: those of Ansible, and [1-3], [01-10/2]. hosts_text.c */
int load_hosts(struct inv *inv, const struct load_text *text, struct errmsg *msg);
int load_words(struct inv *inv, const struct load_text *text, struct errmsg *msg);

/* The names of Host lines of an ssh_config that are no patterns; files that it includes are read
 * (home: of '~' and of ~/.ssh; NULL: none). ERR_SYS: an included file cannot be read. ssh_names.c
 */
int load_ssh(struct inv *inv, const struct load_text *text, const char *home, struct errmsg *msg);

/* What a text looks like. */
enum load_kind { LOAD_INI, LOAD_YAML, LOAD_LIST, LOAD_HOSTS, LOAD_SSH };
enum load_kind load_guess(const struct load_text *text);

/* One line without its end. Moves *at behind it; false: there is none. */
struct load_line {
	const char *data;
	size_t n;
	unsigned number;
};
bool load_next(const struct load_text *text, size_t *at, struct load_line *line);

/* Puts the place in front of what msg has. Returns code. */
int load_fail(const struct load_text *text, unsigned line, int code, struct errmsg *msg);

#endif
