/* The inside of struct durable, for durable.c (the talk) and durable_find.c (what there is). */
#ifndef MUSTER_DURABLE_PRIVATE_H
#define MUSTER_DURABLE_PRIVATE_H

#include "attach.h"
#include "buf.h"
#include "ctl.h"
#include "disk.h"
#include "durable.h"

struct durable {
	const struct durable_host *host;
	uint64_t task;
	uint64_t next_seq;
	uint64_t epoch;
	char *instance;
	struct buf spec; /* of TASK_OPEN: as the file has it; empty: TASK_ATTACH */
	int dir;
	struct disk *disk;
	struct attach *attach;
	struct attach_run run;
	struct ctl ctl; /* to the runner */
	bool started;	/* by us: at most once */
	bool attached;	/* the initiator was told so */
	bool gone;	/* there is no runner */
	bool held;	/* the connection was full */
	bool over;
	uint64_t retry_ns; /* when it is looked for again; 0: never */
	uint64_t wait_ns;
	uint64_t give_up_ns;
	struct buf end; /* the frame TASK_END, once it was sent */
};

/* Looks what there is of the run, starts it if that is asked for and never was, and connects. */
void durable_find(struct durable *d);

/* The end of a run that has none, nor a runner; numbered above all that there was. */
void durable_bury(struct durable *d, uint64_t above);
/* The tombstone stays. */
void durable_settle(struct durable *d);

/* A message with this number of ours; body is emptied. */
void durable_send(struct durable *d, uint8_t type, uint64_t seq, struct buf *body);
/* TASK_END of a run that is not there. */
void durable_end(struct durable *d, enum task_end_kind kind, const char *text);
/* TASK_DETACH: the initiator may come again. */
void durable_detach(struct durable *d);

#endif
