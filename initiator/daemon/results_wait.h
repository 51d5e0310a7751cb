/*
 * Lists of what belongs to a budget of results (results.h), and waiting for the store so that who
 * waits may go away meanwhile: store_when_durable itself cannot be taken back.
 */
#ifndef MUSTER_RESULTS_WAIT_H
#define MUSTER_RESULTS_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* All zero is an empty list, and a node that stands in none. */
struct results_node {
	struct results_node *next;
	struct results_node *prev;
};

struct results_list {
	struct results_node *first;
	struct results_node *last;
};

void results_list_add(struct results_list *list, struct results_node *node); /* at the end */
/* Only of a node that stands in it. */
void results_list_remove(struct results_list *list, struct results_node *node);

/* Who owns the node that is its member. */
#define RESULTS_OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* Embedded in the budget, all zero at first. Must outlive its store. */
struct results_waits {
	struct results_list list; /* in order of ticket */
	uint64_t asked;		  /* how often the store was asked, and has answered */
	uint64_t answered;
	bool failed;
};

/* Embedded by who waits, all zero at first. */
struct results_wait {
	struct results_node node;
	/* durable: false if the store has failed. From the loop; may wait again or free itself. */
	void (*fn)(void *arg, bool durable);
	void *arg;
	uint64_t ticket; /* 0: does not wait */
};

/* fn is told, once, when all that the store was asked for so far is durable. If the store has
 * failed already nothing waits: returns false. */
bool results_wait(struct results_waits *waits, struct store *store, struct results_wait *wait);
void results_unwait(struct results_waits *waits, struct results_wait *wait); /* again: no effect */

/* The store has failed for good (STORE_FAILED): all are told, and nobody waits any more. */
void results_waits_fail(struct results_waits *waits);

#endif
