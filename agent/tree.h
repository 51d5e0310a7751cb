/*
 * Everything that has come from this process: its children, theirs, and so on. What was orphaned
 * comes back to us, as we are the reaper of all below (PR_SET_CHILD_SUBREAPER); so nothing that is
 * forked can leave the tree, whatever session or group it makes for itself.
 */
#ifndef MUSTER_TREE_H
#define MUSTER_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tree_pids {
	pid_t *pids;
	size_t count;
	size_t size;
};

void tree_pids_done(struct tree_pids *list);

/*
 * Calls fn for each process below us, parents before their children and as soon as each is found.
 * What is born meanwhile may be missed: the next walk finds it. Returns how many there were,
 * zombies included; at most TREE_MAX.
 */
#define TREE_MAX 65536u
typedef void tree_fn(void *arg, pid_t pid, pid_t parent);
typedef size_t tree_walk_fn(tree_fn *fn, void *arg);
tree_walk_fn tree_walk;

/* The same for every process of the computer but ourselves, in no order. */
tree_walk_fn tree_walk_all;

/*
 * TERM to each, once: a second one means "at once" to some programs. known holds who has had it and
 * is empty at first. Later calls send it only to those that have lost their parent, and not to what
 * one that has had it starts in order to clean up.
 */
void tree_term(struct tree_pids *known);

/* KILL to each. Returns how many were alive. */
size_t tree_kill(void);

/* STOP to each, again and again until nobody runs (a tenth of a second at most); CONT to each. */
void tree_stop(void);
void tree_cont(void);

/* How many are alive. */
size_t tree_count(void);

/*
 * KILL to what a supervisor that died has left: those that walk finds and that have this entry in
 * their environment, and all below them. Until there are none, also none whose environment cannot
 * be seen for a moment, or a second has passed.
 */
void tree_kill_marked(const char *mark, tree_walk_fn *walk);

#endif
