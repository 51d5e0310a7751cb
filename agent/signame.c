#include "signame.h"

#include <signal.h>
#include <stddef.h>

#include "alloc.h"

#define SIGNAME_ROW(name)        \
	{                        \
		SIG##name, #name \
	}

static const struct {
	int sig;
	const char *name;
} signame_rows[] = {
	SIGNAME_ROW(HUP),  SIGNAME_ROW(INT),	SIGNAME_ROW(QUIT), SIGNAME_ROW(ILL),
	SIGNAME_ROW(TRAP), SIGNAME_ROW(ABRT),	SIGNAME_ROW(BUS),  SIGNAME_ROW(FPE),
	SIGNAME_ROW(KILL), SIGNAME_ROW(USR1),	SIGNAME_ROW(SEGV), SIGNAME_ROW(USR2),
	SIGNAME_ROW(PIPE), SIGNAME_ROW(ALRM),	SIGNAME_ROW(TERM), SIGNAME_ROW(STKFLT),
	SIGNAME_ROW(CHLD), SIGNAME_ROW(CONT),	SIGNAME_ROW(STOP), SIGNAME_ROW(TSTP),
	SIGNAME_ROW(TTIN), SIGNAME_ROW(TTOU),	SIGNAME_ROW(URG),  SIGNAME_ROW(XCPU),
	SIGNAME_ROW(XFSZ), SIGNAME_ROW(VTALRM), SIGNAME_ROW(PROF), SIGNAME_ROW(WINCH),
	SIGNAME_ROW(IO),   SIGNAME_ROW(PWR),	SIGNAME_ROW(SYS),
};

char *signame(int sig)
{
	for (size_t i = 0; i < ARRAY_LEN(signame_rows); i++)
		if (signame_rows[i].sig == sig)
			return xstrdup(signame_rows[i].name);
	if (sig >= SIGRTMIN && sig <= SIGRTMAX)
		return xasprintf("RTMIN+%d", sig - SIGRTMIN);
	return xasprintf("%d", sig);
}
