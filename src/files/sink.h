/*
 * Writes a tree of files that somebody else tells of, below one folder and never outside of it: no
 * name with "..", no way through a symbolic link. Each file comes under its name whole or not at
 * all: it is written beside it, compared with its hash, synced and renamed. What was written of a
 * large file when the sender was lost is kept, and found again by name, size and time.
 *
 * Blocks, as the file system does. One thread at a time.
 */
#ifndef MUSTER_SINK_H
#define MUSTER_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "file_entry.h"
#include "limits.h"

/* Entries that were told and are not finished; plain files among them whose data has begun. */
#define SINK_PENDING_MAX 1024u
#define SINK_OPEN_MAX	 64u
/* Names, also those that were told twice: who tells of trees without an end fills no disk. */
#define SINK_ENTRIES_MAX (2u * LIMIT_COPY_ENTRIES)
/* A file that is smaller is synced with others, and not kept half written. */
#define SINK_LARGE (1u << 20)

enum sink_verdict {
	SINK_WANT = 1, /* its bytes from offset on; again: what came is damaged */
	SINK_WRITTEN,
	SINK_SAME, /* it is there already */
	SINK_FAILED,
	SINK_VERDICT_COUNT
};

/* Comes from inside of any call below. text: why it failed; borrowed. */
typedef void sink_tell_fn(void *arg, uint64_t index, enum sink_verdict verdict, uint64_t offset,
			  const char *text);

struct sink_spec {
	int root;	    /* a folder; taken over */
	const char *as;	    /* the first part of every name becomes this; NULL: stays. Copied */
	bool checksum;	    /* files are compared by content, for which entries have hashes */
	uint64_t max_bytes; /* of plain files in all; 0: any number */
	sink_tell_fn *tell;
	void *arg;
};

struct sink;

struct sink *sink_new(const struct sink_spec *spec);
/* What is not finished is removed, but for large files. NULL is fine. */
void sink_free(struct sink *sink);

/*
 * A name. Indexes rise. Answered by tell, at once or later. Returns 0, or ERR_PROTO or ERR_LIMIT
 * with msg where no honest sender would say that.
 */
int sink_entry(struct sink *sink, const struct file_entry *entry, struct errmsg *msg);

/* The next bytes of a file that was wanted. end: the last; hash is then that of the whole file.
 * failed: there will be no end, as the sender has said why. Of a file that has been finished: no
 * effect. Returns as sink_entry. */
struct sink_piece {
	uint64_t index;
	const void *data;
	size_t len;
	bool end;
	const uint8_t *hash; /* CONTENT_SIZE bytes */
	bool failed;
};
int sink_data(struct sink *sink, const struct sink_piece *piece, struct errmsg *msg);

/* Small files that wait to be synced together. */
size_t sink_unsynced(const struct sink *sink);
void sink_flush(struct sink *sink);

/* The sender has told of everything: folders get their modes and times. */
void sink_end(struct sink *sink);

/*
 * Opens what a destination says, as cp has it: a folder, into which the names go; or, if there is
 * none and one thing is copied, its new name in a folder that is there. several: it must be a
 * folder. *ret_as: the new name, which the caller frees; NULL: none. Returns 0 or ERR_* with msg.
 */
int sink_root(const char *path, bool several, int *ret_root, char **ret_as, struct errmsg *msg);

#endif
