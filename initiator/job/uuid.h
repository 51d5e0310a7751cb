/* Random identifiers: UUID version 4, RFC 9562 section 5.4. */
#ifndef MUSTER_UUID_H
#define MUSTER_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uuid {
	uint8_t bytes[16];
};

#define UUID_TEXT_SIZE 37

/* Fills count identifiers from getrandom(2), which cannot be done without: no answer aborts. */
void uuid_make(struct uuid *out, size_t count);

/* Writes "xxxxxxxx-xxxx-4xxx-xxxx-xxxxxxxxxxxx" and returns out, of UUID_TEXT_SIZE bytes. */
char *uuid_text(char *out, const struct uuid *uuid);

/* Reads that form, of any version, in any case. False: text is none, and *ret is untouched. */
bool uuid_parse(struct uuid *ret, const char *text);

/* For sorting: as memcmp(3). */
int uuid_compare(const struct uuid *a, const struct uuid *b);

#endif
