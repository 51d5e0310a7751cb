/* The inside of a sink: sink.c (names, and what they become), sink_folder.c (ways to them),
 * sink_file.c (plain files). */
#ifndef MUSTER_SINK_PRIVATE_H
#define MUSTER_SINK_PRIVATE_H

#include <sys/stat.h>

#include "content.h"
#include "sink.h"

#define SINK_TEMP_SIZE 64u

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
	size_t made_size;
};

void sink_fail(struct sink *sink, uint64_t index, const char *what);

/* sink_folder.c: the folder that path is in, and its name there in *ret_name (within path). NULL
 * with errno. */
struct sink_folder *sink_folder_of(struct sink *sink, const char *path, const char **ret_name);
struct sink_folder *sink_folder_ref(struct sink_folder *folder);
void sink_folder_unref(struct sink_folder *folder);
void sink_folder_note(struct sink *sink, const char *path, uint32_t mode, int64_t mtime_ns);
void sink_folders_finish(struct sink *sink);

/* sink_file.c */
void sink_file_want(struct sink *sink, struct sink_folder *folder, const char *name,
		    const struct file_entry *entry);
/* A free name beside the others. */
void sink_temp(char out[SINK_TEMP_SIZE], const char *name, const struct file_entry *entry,
	       unsigned number);
void sink_file_drop(struct sink *sink, struct sink_file *file, bool keep);

#endif
