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

/* Of a copy that was cut off, with now what came of going through all of its files again: what it
 * had written is there now, and was not there before it. */
static inline struct copy_tally copy_tally_sum(const struct copy_tally *cut,
					       const struct copy_tally *now)
{
	uint64_t own = now->same < cut->files ? now->same : cut->files;

	return (struct copy_tally){.files = now->files + own,
				   .bytes = now->bytes + cut->bytes,
				   .same = now->same - own,
				   .failed = now->failed,
				   .moved = now->moved + cut->moved};
}

/* A file that could not be copied (is_error), or was left out. name: as bytes. */
typedef void copy_say_fn(void *arg, bool is_error, const char *name, const char *text);

#endif
