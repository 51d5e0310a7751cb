/*
 * Which jobs a command means: ids, names, instance ids, wildcards, and filters that combine
 * (research: PowerShell's Get-Job). Pure. Linear in the jobs and in what is selected; children are
 * looked at only where a wildcard, an instance id or child_state asks for it.
 */
#ifndef MUSTER_SELECT_H
#define MUSTER_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "job.h"

#define SELECT_MAX	     4096u /* selectors of one call */
#define SELECT_WILDCARDS_MAX 64u   /* of them that are patterns: each is tried on every name */

enum select_more { SELECT_MORE_ANY, SELECT_MORE_YES, SELECT_MORE_NO };

/*
 * Everything that is set must hold. Strings are borrowed.
 *
 * Selectors, state and command find jobs (and children that a selector names); children and
 * child_state then add children of those jobs; more, before_ns, after_ns and newest are asked of
 * each item by itself, as in the original. So an unfinished parent drops out by before_ns, and its
 * Failed children may stay.
 */
struct select_filter {
	const char *const *selectors; /* none: every job */
	size_t selector_count;
	const char *state; /* a state's name in any case; NULL: any */
	enum select_more more;
	const char *command; /* wildcard, in any case; or equal when trimmed; NULL: any */
	uint64_t before_ns;  /* ended strictly before; 0: not asked. Unfinished ones drop out */
	uint64_t after_ns;   /* ended strictly after; 0: not asked */
	uint64_t newest;     /* only so many, those that ended last; order stays; 0: all */
	bool all;	     /* hidden jobs too; one that is named by id or UUID is never hidden */
	bool wild_jobs_only; /* wildcards are for jobs: 'web*' never means a child */
	bool jobs_only;	     /* names and wildcards are those of jobs, not of children */
	bool children;	     /* the children beside the parents */
	const char *child_state; /* only the children in this state beside the parents */
};

/* A job, or a child of one. */
struct select_item {
	struct job *job;
	struct child *child; /* NULL: the job itself */
};

struct select_result {
	struct select_item *items; /* in order of selectors, then of id; each once */
	size_t count;
	char **missing; /* a sentence for each literal selector that is none */
	size_t missing_count;
	char **notes; /* "the name 'x' is that of jobs 3 and 7" */
	size_t note_count;
};

/*
 * Selects among jobs (in order of id). A literal selector: digits are an id (of a job, else of a
 * child); the form of a UUID is an instance id; all else a name, in any case, of parents and
 * children. What is no wildcard and finds nothing is missing. A wildcard (wildcard.h) matches names
 * of parents and children and may match nothing. A selector given twice counts once.
 *
 * Returns 0; ERR_SYNTAX with msg for an unknown state name or a malformed wildcard; ERR_LIMIT for
 * too many selectors. *ret is freed by select_done. What it points to is valid while the jobs are.
 */
int select_jobs(struct select_result *ret, struct job *const *jobs, size_t count,
		const struct select_filter *filter, struct errmsg *msg);
void select_done(struct select_result *result);

#endif
