/* The inside of a reader, for reader.c (its life), reader_pump.c (what it sends, and when),
 * reader_send.c (of one child) and reader_merge.c (in order of time). */
#ifndef MUSTER_READER_PRIVATE_H
#define MUSTER_READER_PRIVATE_H

#include "daemon_private.h"
#include "reader.h"
#include "reply.h"
#include "select.h"

/* What is sent next. */
enum reader_phase {
	READER_BACKLOG, /* what is stored, child by child in order (or merged by time) */
	READER_LIVE,	/* what comes, as it comes, until all have ended */
	READER_ENDS,	/* how the children ended, and the jobs */
	READER_ACKS,	/* nothing: the client has yet to acknowledge */
	READER_OVER
};

/* One child that is read. */
struct source {
	struct reader_job *job;
	struct child *child; /* NULL: its job was removed */
	struct source *next; /* in the ready queue */
	uint64_t next_seq;   /* behind what was sent */
	uint64_t from;	     /* what is to be sent is not before it */
	uint64_t acked;	     /* acknowledged up to here */
	uint64_t backlog; /* the last one that was there when its turn came; 0: that was not yet */
	bool ready;	  /* stands in the ready queue */
	bool loading;	  /* its records are being read from the store */
	bool leased;
	bool held;    /* the client wants nothing of it now */
	bool stopped; /* the client has stopped it: of one that has ended it wants the rest */
	bool told;    /* SOURCE was sent */
	bool ended;   /* its last state was sent */
};

/* A source and the time of its oldest record that was not sent. */
struct merge_entry {
	uint64_t time;
	struct source *source;
};

/* A job some of whose children are read. */
struct reader_job {
	struct reader *reader;
	struct run *run; /* NULL: removed */
	struct run_watcher watcher;
	uint64_t id;
	size_t first; /* of its sources, in order of child */
	size_t count;
	bool named;	/* the job itself was selected, not only a child */
	size_t schemas; /* of its schemas, how many the client knows */
};

struct reader {
	struct client *client;
	struct receive_msg m;
	bool live; /* a synchronous job */
	uint32_t streams;
	struct reader_job *jobs;
	size_t job_count;
	struct source *sources;
	size_t source_count;
	enum reader_phase phase;
	size_t at; /* BACKLOG, ENDS: the source whose turn it is */
	struct source *first_ready;
	struct source **last_ready;
	struct merge_entry *merge; /* by_time: a heap, once at has passed all sources */
	size_t merge_count;
	bool merge_is_stale; /* the time at the top is not known now */
	size_t loading;	     /* sources whose records are being read */
	size_t held;	     /* sources of which nothing is to be sent */
	bool stopped;	     /* the client has stopped all of them */
	size_t open_acks;    /* sources with something unacknowledged */
	struct results_wait durable;
	bool took;	 /* its end waits for the store, which has something of it */
	bool is_settled; /* that is durable, or never will be */
	struct event *timer;
	struct event *wake;
	bool timed_out;
};

/*
 * Sends, from the loop, what there is to send and room for. What a run tells only asks for this:
 * sending may end the reader and remove jobs, which must not happen inside of a run's own calls.
 */
void reader_wake(struct reader *reader);
void reader_on_wake(evutil_socket_t fd, short what, void *arg);

/* The source of a child, or NULL if it is not read. */
struct source *reader_source(struct reader_job *job, const struct child *child);

/* Nothing more of a child is sent, or it is again. */
void reader_hold(struct reader *reader, struct source *source, bool hold);

/* A child has more, or has ended: its turn comes. */
void reader_make_ready(struct reader *reader, struct source *source);

/* True if nothing more comes of the child: it has ended, or waits for somebody (Suspended,
 * Disconnected) and the client did not ask to wait through that. */
bool reader_is_persistent(const struct reader *reader, enum job_state state);

/* What became of an attempt to send something. */
enum reader_went {
	READER_NOTHING, /* there is nothing to send now */
	READER_WENT,
	READER_LOADING /* it is being read from the store: the run tells when to try again */
};

/* reader_send.c: SOURCE, if that was not sent yet. */
void reader_tell_source(struct reader *reader, struct source *source);

/* Sends one run of records, of those not later than until (0: any time). */
enum reader_went reader_send(struct reader *reader, struct source *source, uint64_t until);

/* The time of a source's oldest record that was not sent and may be, if READER_WENT. */
enum reader_went reader_oldest_time(struct reader *reader, struct source *source, uint64_t *ret);

/* Sources from this one on will be asked soon: what they need from the store is read meanwhile. */
void reader_load_ahead(struct reader *reader, size_t first);

/* reader_merge.c: sends some of the oldest records of all. READER_NOTHING: none are left. */
enum reader_went reader_merge(struct reader *reader);

#endif
