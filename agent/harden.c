#include "harden.h"

#include <sys/prctl.h>

#include "fd.h"

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
