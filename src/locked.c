#include "locked.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "alloc.h"
#include "log.h"

struct locked {
	atomic_uint holders;
	size_t size; /* of the mapping */
	char text[];
};

/* Room for len bytes, all zero, and a NUL. */
static struct locked *locked_room(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (sizeof(struct locked) + len + 1 + page - 1) / page * page;
	struct locked *locked =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (locked == MAP_FAILED)
		alloc_die(size);
	if (mlock(locked, size) != 0)
		log_debug("a secret may be swapped: mlock: %s (see ulimit -l)", strerror(errno));
	(void)madvise(locked, size, MADV_DONTDUMP);
	/* A child that we fork for something else has no use for it. */
	(void)madvise(locked, size, MADV_WIPEONFORK);
	atomic_init(&locked->holders, 1);
	locked->size = size;
	return locked;
}

struct locked *locked_new(const char *text, size_t len)
{
	struct locked *locked = locked_room(len);

	memcpy(locked->text, text, len);
	return locked;
}

struct locked *locked_line(const char *text)
{
	size_t len = strlen(text);
	struct locked *locked = locked_room(len + 1);

	memcpy(locked->text, text, len);
	locked->text[len] = '\n';
	return locked;
}

struct locked *locked_hold(struct locked *locked)
{
	if (locked)
		atomic_fetch_add(&locked->holders, 1);
	return locked;
}

void locked_drop(struct locked *locked)
{
	size_t size;

	if (!locked || atomic_fetch_sub(&locked->holders, 1) != 1)
		return;
	size = locked->size;
	explicit_bzero(locked, size);
	(void)munmap(locked, size);
}

const char *locked_text(const struct locked *locked)
{
	return locked ? locked->text : NULL;
}
