/* What has become of the files of one host, and what is told of it. */
#ifndef MUSTER_COPY_TALLY_H
#define MUSTER_COPY_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct copy_tally {
	uint64_t files; /* written: files and links */
	uint64_t bytes; /* of these */
	uint64_t same;	/* were there already */
	uint64_t failed;
	uint64_t moved; /* bytes that went over the link */
};

/* A file that could not be copied (is_error), or was left out. name: as bytes. */
typedef void copy_say_fn(void *arg, bool is_error, const char *name, const char *text);

#endif
