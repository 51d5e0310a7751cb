#include "harden.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fd.h"

#define HARDEN_FDS_MAX 65536u

static void harden_close_range(unsigned from, unsigned to)
{
	if (from > to)
		return;
#ifdef SYS_close_range
	if (syscall(SYS_close_range, from, to, 0u) == 0)
		return;
#endif
	/* An older kernel. Ours are not many. */
	for (unsigned fd = from; fd <= to && fd < HARDEN_FDS_MAX; fd++)
		(void)close((int)fd);
}

void harden_close_others(const int *kept, size_t count)
{
	unsigned from = 3;

	for (;;) {
		unsigned next = UINT32_MAX;

		for (size_t i = 0; i < count; i++)
			if (kept[i] >= 0 && (unsigned)kept[i] >= from && (unsigned)kept[i] < next)
				next = (unsigned)kept[i];
		if (next == UINT32_MAX)
			break;
		harden_close_range(from, next - 1);
		from = next + 1;
	}
	harden_close_range(from, UINT32_MAX);
}

void harden_process(void)
{
	struct rlimit none = {0, 0};

	if (getrlimit(RLIMIT_CORE, &none) == 0) {
		none.rlim_cur = 0;
		(void)setrlimit(RLIMIT_CORE, &none);
	}
	/* The leak checker has to look into it. */
#ifndef __SANITIZE_ADDRESS__
	(void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

void harden_limits(struct spawn_limits *ret_before)
{
	(void)getrlimit(RLIMIT_CORE, &ret_before->core);
	(void)getrlimit(RLIMIT_NOFILE, &ret_before->files);
	(void)fd_limit_raise();
}
