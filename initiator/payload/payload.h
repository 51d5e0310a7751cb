/* The agents that this program carries inside itself, one for each architecture. */
#ifndef MUSTER_PAYLOAD_H
#define MUSTER_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

struct payload {
	const char *arch; /* as uname -m: "x86_64" */
	const uint8_t *data;
	size_t len;
	const char *sha256; /* 64 hex digits, made when muster was built */
};

/* All of them; may be none. Static. */
const struct payload *payload_list(size_t *ret_count);

/* The one for this architecture, or NULL. */
const struct payload *payload_find(const char *arch);

#endif
