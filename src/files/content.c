#include "content.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "err.h"

/* XXH3, the newer hash of the same library, would take 4 KB of the agent. */
#define XXH_INLINE_ALL
#ifdef MUSTER_SMALL_LIBC
#define XXH_NO_INLINE_HINTS 1
#endif
#include <xxhash.h>

#define CONTENT_PIECE (64u << 10)

struct content {
	XXH64_state_t state;
};

struct content *content_new(void)
{
	struct content *content = xmalloc(sizeof *content);

	content_reset(content);
	return content;
}

void content_free(struct content *content)
{
	free(content);
}

void content_reset(struct content *content)
{
	(void)XXH64_reset(&content->state, 0);
}

void content_add(struct content *content, const void *data, size_t len)
{
	if (len)
		(void)XXH64_update(&content->state, data, len);
}

void content_end(const struct content *content, uint8_t ret[CONTENT_SIZE])
{
	XXH64_canonical_t canonical;

	XXH64_canonicalFromHash(&canonical, XXH64_digest(&content->state));
	for (size_t i = 0; i < CONTENT_SIZE; i++)
		ret[i] = canonical.digest[i];
}

int content_add_file(struct content *content, int fd, uint64_t len)
{
	uint8_t *piece = xmalloc(CONTENT_PIECE);
	int rc = 0;

	while (len && rc == 0) {
		ssize_t n = read(fd, piece, len < CONTENT_PIECE ? (size_t)len : CONTENT_PIECE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			rc = n < 0 ? ERR_SYS : ERR_CLOSED;
			break;
		}
		content_add(content, piece, (size_t)n);
		len -= (uint64_t)n;
	}
	free(piece);
	return rc;
}
