/* One name in a tree of files, as it is told from who has it to who gets it. */
#ifndef MUSTER_FILE_ENTRY_H
#define MUSTER_FILE_ENTRY_H

#include <stdint.h>

enum file_kind {
	FILE_PLAIN = 1,
	FILE_FOLDER,
	FILE_LINK,
	FILE_SPECIAL, /* a FIFO, a device: it is not copied, and text says what it is */
	FILE_TROUBLE, /* it cannot be read: text says why */
	FILE_KIND_COUNT
};

struct file_entry {
	uint64_t index; /* chosen by the sender: 1, 2, 3, ... */
	enum file_kind kind;
	const char *name;    /* relative, with slashes; bytes, no characters */
	uint32_t mode;	     /* 0 to 0777 */
	int64_t mtime_ns;    /* since 1970-01-01 UTC */
	uint64_t size;	     /* of a plain one */
	const char *text;    /* of a link: where it points to; of the last two kinds: why */
	const uint8_t *hash; /* CONTENT_SIZE bytes, if it is compared by content; NULL: not */
};

#endif
