/* The inside of a sink: sink.c (names, and what they become), sink_folder.c (ways to them),
 * sink_file.c (plain files). */
#ifndef MUSTER_SINK_PRIVATE_H
#define MUSTER_SINK_PRIVATE_H

#include <sys/stat.h>

#include "buf.h"
#include "content.h"
#include "sink.h"

/* Beside a file until it is whole: the front, 16 digits that stand for its name, and 16 for what is
 * to be in it, of which the last one is odd for a small file. */
#define SINK_TEMP_FRONT	   ".muster-copy-"
#define SINK_TEMP_NAME_LEN (sizeof SINK_TEMP_FRONT - 1 + 2 * CONTENT_SIZE)
#define SINK_TEMP_LEN	   (SINK_TEMP_NAME_LEN + 2 * CONTENT_SIZE)
#define SINK_TEMP_SIZE	   64u

/* A folder that is open, as long as somebody needs it. */
struct sink_folder {
	int fd;
	unsigned users;
	char *path;
};

/* A plain file that is wanted. */
struct sink_file {
	struct sink_file *next;
	uint64_t index;
	struct sink_folder *folder;
	char *name; /* in the folder */
	uint32_t mode;
	int64_t mtime_ns;
	uint64_t size;
	int fd;	    /* -1: no byte has come, or all have */
	bool made;  /* there is a file of the name temp */
	bool again; /* it came damaged once */
	bool whole;
	uint64_t at; /* so much is written */
	struct content *content;
	char temp[SINK_TEMP_SIZE];
};

/* A folder whose mode and time are set at the end. */
struct sink_made {
	char *path;
	uint32_t mode;
	int64_t mtime_ns;
};

struct sink {
	struct sink_spec spec;
	char *as;
	struct sink_folder *folder; /* the last one that was needed; NULL: none */
	struct sink_file *first;
	struct sink_file **last;
	size_t pending;
	size_t open;
	size_t unsynced; /* files that are whole, and not renamed */
	uint64_t last_index;
	uint64_t bytes;
	struct sink_made *made;
	size_t made_count;
	size_t made_bytes;
	size_t made_size;
	struct buf stale; /* names of what was left by others, each with its NUL */
	uint64_t looked;  /* names in folders, for those */
	bool root_looked;
};

void sink_fail(struct sink *sink, uint64_t index, const char *what);
/* The same for an errno, of something in the folder: a full disk has its cure, and place. */
void sink_fail_errno(struct sink *sink, uint64_t index, const struct sink_folder *folder,
		     int error);

/* sink_folder.c: the folder that path is in, and its name there in *ret_name (within path). NULL
 * with errno. */
struct sink_folder *sink_folder_of(struct sink *sink, const char *path, const char **ret_name);
struct sink_folder *sink_folder_ref(struct sink_folder *folder);
void sink_folder_unref(struct sink_folder *folder);
void sink_folder_note(struct sink *sink, const char *path, uint32_t mode, int64_t mtime_ns);
void sink_folders_finish(struct sink *sink);
/* path has been checked: no part is empty, "." or "..". The descriptor, or -1 with errno. */
int sink_open_folder(const struct sink *sink, const char *path);

/* sink_stale.c: looks for what was left in a folder that was there before; and removes what was
 * left of the file that is written as own, but for own itself, with which a large file goes on;
 * all: that too. */
void sink_stale_look(struct sink *sink, int folder);
void sink_stale_clean(const struct sink *sink, const struct sink_folder *folder, const char *own,
		      bool all);

/* sink_file.c */
void sink_file_want(struct sink *sink, struct sink_folder *folder, const char *name,
		    const struct file_entry *entry);
/* The name of a file until it is whole. Number 0: the same each time; others are new each time. */
void sink_temp(char out[SINK_TEMP_SIZE], const char *name, const struct file_entry *entry,
	       unsigned number);
static inline bool sink_temp_is_large(const char *temp)
{
	/* Of '0' to '9' and 'a' to 'f', those that are even. */
	return (temp[SINK_TEMP_LEN - 1] & 1) == (temp[SINK_TEMP_LEN - 1] > '9');
}
void sink_file_drop(struct sink *sink, struct sink_file *file, bool keep);

#endif
