/* What select.c and select_find.c share. Nobody else includes it. */
#ifndef MUSTER_SELECT_PRIVATE_H
#define MUSTER_SELECT_PRIVATE_H

#include "select.h"
#include "uuid.h"
#include "wildcard.h"

enum select_kind { SELECT_ID, SELECT_UUID, SELECT_NAME, SELECT_WILDCARD };

/* One selector, read. */
struct select_term {
	const char *text;
	enum select_kind kind;
	bool again;	  /* the same text has come before */
	uint64_t id;	  /* of SELECT_ID; 0: no id could be that */
	struct uuid uuid; /* of SELECT_UUID */
	struct wildcard *wildcard;
	bool numbered;		  /* of SELECT_WILDCARD: children may match */
	struct select_item found; /* of SELECT_UUID; job NULL: none */
};

/* The ids of what has been taken: an id is a job's or a child's, never both. */
struct select_ids {
	uint64_t *slots; /* 0: free */
	size_t size;	 /* a power of two */
	size_t used;
};

struct select_run {
	struct job *const *jobs;
	size_t count;
	const struct select_filter *filter;
	struct select_term *terms;
	size_t term_count;
	struct job **by_name; /* sorted by name, then id; NULL: no term needs it */
	struct wildcard *command;
	enum job_state state, child_state;
	const struct job *command_job; /* the last one that was asked for its command */
	bool command_holds;
	struct select_ids ids;
	size_t room; /* of result.items */
	struct select_result result;
};

/* Reads the selectors. 0 or ERR_* with msg. */
int select_read(struct select_run *run, struct errmsg *msg);

/* Takes what the terms name, and notes what is missing. */
void select_find(struct select_run *run);

/* A job or child was found: takes it, with what the filter adds, if the filter holds. */
void select_take(struct select_run *run, struct job *job, struct child *child);

#endif
