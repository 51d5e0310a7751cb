/* A hash of what is in a file: XXH64 (the library xxHash), against faults of disks and memory. Who
 * could forge it is who could send anything else as well. */
#ifndef MUSTER_CONTENT_H
#define MUSTER_CONTENT_H

#include <stddef.h>
#include <stdint.h>

#define CONTENT_SIZE 8u

struct content;

struct content *content_new(void);
void content_free(struct content *content); /* NULL is fine */
void content_reset(struct content *content);
void content_add(struct content *content, const void *data, size_t len);
/* Of all that was added so far. */
void content_end(const struct content *content, uint8_t ret[CONTENT_SIZE]);

/* Adds the next len bytes of fd. Returns 0; ERR_SYS with errno; ERR_CLOSED if there are fewer. */
int content_add_file(struct content *content, int fd, uint64_t len);

#endif
