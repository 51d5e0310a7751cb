/* The inside of the copy of one child: link_copy.c (its states), link_copy_files.c (what is done
 * when it runs, and what is told of it). */
#ifndef MUSTER_LINK_COPY_PRIVATE_H
#define MUSTER_LINK_COPY_PRIVATE_H

#include "copy_pass.h"
#include "copy_pull.h"
#include "copy_push.h"
#include "link_private.h"
#include "remote.h"

enum link_copy_state {
	LINK_COPY_LOOKING,    /* for what is to be copied */
	LINK_COPY_CONNECTING, /* for the first time */
	LINK_COPY_ASKED,      /* COPY_OPEN was sent */
	LINK_COPY_RUNNING,
	LINK_COPY_AWAY,	 /* the link was lost; another is waited for */
	LINK_COPY_AGAIN, /* and looked for */
	LINK_COPY_OVER,
	LINK_COPY_STATES
};

enum link_copy_event {
	LINK_COPY_EV_FOUND,
	LINK_COPY_EV_FOUND_AGAIN, /* the same, of one that had begun before a restart */
	LINK_COPY_EV_OPEN,
	LINK_COPY_EV_RUNNING,
	LINK_COPY_EV_LOST,
	LINK_COPY_EV_RETRY,
	LINK_COPY_EV_STOP,
	LINK_COPY_EV_END,   /* lc->outcome; the task has ended, or there is none */
	LINK_COPY_EV_BREAK, /* the same, and the agent is told */
	LINK_COPY_EVENTS
};

struct link_copy {
	struct link *link;
	enum link_copy_state state; /* written by link_copy_step alone */
	struct copy_plan_wait found;
	struct copy_push *push; /* one of the two */
	struct copy_pull *pull;
	struct copy_pass *pass; /* or one in place of pull: to who asked for it */
	struct remote_task *task;
	uint64_t number;
	uint64_t can;
	struct event *timer; /* of the state */
	struct event *until; /* --timeout */
	struct outcome outcome;
	struct task_end_msg *host_end; /* of a pull: until the files are written */
	uint64_t away_until_ms;
	uint64_t delay_ms;
	unsigned faults; /* ends of agents in a row */
	bool began;
	bool stopping;
	uint64_t begin_ms;
	uint64_t told_ms;	  /* progress */
	bool ended;		  /* before a restart: outcome says how */
	struct copy_tally before; /* what was done before it */
	struct copy_tally kept;	  /* so much the store knows */
	uint64_t kept_ms;
	bool is_kept;
	bool news;	 /* lines that are not handed on */
	uint64_t *lines; /* what stands for each that was said */
	size_t line_count;
	bool placed; /* it is known whether the destination is a new name */
	bool is_name;
	struct results_wait placing; /* until the store knows */
};

void link_copy_step(struct link_copy *lc, enum link_copy_event event);
void link_copy_fault(struct link_copy *lc, enum link_copy_event event, enum cause cause,
		     const char *text);

struct work_pool *link_copy_pool(const struct link *link);
bool link_copy_is_pull(const struct link_copy *lc);
uint64_t link_copy_clock_ms(void);
/* How long another connection is looked for. */
uint64_t link_copy_patience_ms(const struct link_copy *lc);

/* link_copy_files.c */
void link_copy_files_new(struct link_copy *lc);
void link_copy_files_free(struct link_copy *lc);
/* Sends COPY_OPEN. */
void link_copy_ask(struct link_copy *lc);
void link_copy_files_begin(struct link_copy *lc);
void link_copy_files_pause(struct link_copy *lc);
int link_copy_on_files(struct link_copy *lc, const struct frame *frame, struct errmsg *msg);
/* All went well but for these; puts the record of the child, and the outcome. */
void link_copy_settle(struct link_copy *lc);
/* Nothing could be copied: the outcome. */
void link_copy_refused(struct link_copy *lc, const char *text);
/* From time to time. */
void link_copy_progress(struct link_copy *lc);

/* link_copy_keep.c: what outlives the daemon. */
struct copy_tally link_copy_tally(const struct link_copy *lc);
/* Before it starts: what is known from before a restart. */
void link_copy_take_past(struct link_copy *lc);
/* A line that was not said before; that it is said now is noted. Before its record. */
bool link_copy_is_news(struct link_copy *lc, const char *text);
/* The record that follows is the last one, and lc->outcome the end. */
void link_copy_keep_end(const struct link_copy *lc);
/* How much is done; now, or if that is some time ago. */
void link_copy_keep(struct link_copy *lc);
void link_copy_keep_often(struct link_copy *lc);
void link_copy_forget(struct link_copy *lc);
/* What the host is told of the destination: enum copy_place. A folder may come into a folder that
 * is there, or have its name: when it was begun once nobody can tell which, as it is there then. */
uint64_t link_copy_place(const struct link_copy *lc);
/* The host has said what it is. Then, or when the store knows that, the files begin. */
int link_copy_on_place(struct link_copy *lc, const struct frame *frame, struct errmsg *msg);
void link_copy_place_leave(struct link_copy *lc);

#endif
