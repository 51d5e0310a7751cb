/* The inside of a copy from a host: copy_pull.c (the loop), copy_pull_work.c (the threads). */
#ifndef MUSTER_COPY_PULL_PRIVATE_H
#define MUSTER_COPY_PULL_PRIVATE_H

#include "buf.h"
#include "copy_msg.h"
#include "copy_pull.h"
#include "sink.h"

/* What is said of a file, on its way from a thread to the loop. */
struct pull_word {
	struct pull_word *next;
	bool is_error;
	char *name;
	char *text;
};

struct pull_name {
	struct pull_name *next;
	uint64_t index;
	uint64_t size;
	bool counts; /* is no folder */
	char *name;
};

/* All that the threads have: one of them at a time. It outlives copy_pull while one is at it. */
struct pull_desk {
	struct copy_pull *pull; /* NULL: it has gone; the loop's */
	char *folder;
	char *name;
	bool checksum;
	uint64_t max_bytes;
	/* Of one connection. */
	uint64_t task;
	struct sink *sink;
	struct pull_name *names;
	/* One batch of work: frames without gaps, the loop's until it is handed over. */
	struct buf in;
	bool restart; /* a new connection begins with it */
	bool end;
	/* What has come of it. */
	struct buf out;
	struct pull_word *words;
	struct pull_word **last_word;
	struct copy_tally tally;  /* since the names of this connection */
	struct copy_tally before; /* what connections that were lost had done */
	int rc;			  /* ERR_SYS: here; any other: the host's fault */
	struct errmsg msg;
};

void pull_desk_run(void *desk);
void pull_desk_free(struct pull_desk *desk);
void pull_words_free(struct pull_word *words);

#endif
