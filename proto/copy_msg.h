/*
 * The bodies of the messages of a copy (docs/protocol.md, section 16), with the functions of
 * control_msg.h: _put, _get, _done. Who has the files is the sender, who gets them the receiver:
 * either of initiator and agent, as COPY_OPEN says.
 */
#ifndef MUSTER_COPY_MSG_H
#define MUSTER_COPY_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "limits.h"

/* 16.1 */
struct copy_open_msg {
	uint64_t task; /* as of TASK_OPEN */
	bool pull;     /* the agent sends */
	bool recurse;  /* of pull: folders, too */
	bool checksum; /* entries have hashes */
	bool several;  /* not pull: more than one thing is copied */
	char *to;      /* not pull: where to */
	char **from;   /* of pull */
	size_t from_count;
	uint64_t window; /* of pull: bytes that may be on their way */
	uint64_t place;	 /* not pull: enum copy_place */
};

/* What "to" is where there may be nothing of that name. */
enum copy_place {
	COPY_PLACE_ANY,	 /* as it is found */
	COPY_PLACE_TELL, /* the same; COPY_ANSWER 0 says as what, before anything is written */
	COPY_PLACE_NAME, /* a new name, also if it is a folder by now */
	COPY_PLACES
};

/* 16.2 */
struct copy_entry_msg {
	uint64_t task;
	uint64_t index;
	uint64_t kind; /* enum file_kind */
	char *name;
	uint64_t mode;
	int64_t mtime_ns;
	uint64_t size;
	char *text;
	uint8_t *hash; /* 8 bytes; NULL: none */
	size_t hash_len;
};

/* 16.3 */
struct copy_data_msg {
	uint64_t task;
	uint64_t index;
	uint8_t *data; /* at most LIMIT_COPY_PIECE */
	size_t len;
	bool end;
	uint8_t *hash; /* of the whole file, with end */
	size_t hash_len;
	bool failed;
};

/* As copy_data_get, but its pointers are into the body: there is nothing to be done with it. */
int copy_data_borrow(struct copy_data_msg *ret, const void *body, size_t len, struct errmsg *msg);

/* The same without a copy of the bytes: appends what stands before them; the caller appends len
 * bytes (at least 1), and then copy_data_put_tail. */
void copy_data_put_head(struct buf *out, uint64_t task, uint64_t index, size_t len);
void copy_data_put_tail(struct buf *out, bool end, const uint8_t *hash);

/* 16.4 */
struct copy_answer_msg {
	uint64_t task;
	uint64_t index;
	uint64_t verdict; /* enum sink_verdict */
	uint64_t offset;
	char *text;
};

/* 16.5 */
struct copy_credit_msg {
	uint64_t task;
	uint64_t bytes;
};

/* 16.6 */
struct copy_end_msg {
	uint64_t task;
};

#define COPY_MSG_DECLARE(name)                                                                    \
	void name##_put(struct buf *out, const struct name##_msg *m);                             \
	int name##_get(struct name##_msg *ret, const void *data, size_t len, struct errmsg *msg); \
	void name##_done(struct name##_msg *m);

COPY_MSG_DECLARE(copy_open)
COPY_MSG_DECLARE(copy_entry)
COPY_MSG_DECLARE(copy_data)
COPY_MSG_DECLARE(copy_answer)
COPY_MSG_DECLARE(copy_credit)
COPY_MSG_DECLARE(copy_end)

#endif
