#include "conn_cause.h"

static const enum cause conn_causes[] = {
	[CONN_END_EXITED] = CAUSE_EXITED,
	[CONN_END_SIGNALLED] = CAUSE_SIGNALLED,
	[CONN_END_UNREACHABLE] = CAUSE_UNREACHABLE,
	[CONN_END_HOST_KEY] = CAUSE_HOST_KEY,
	[CONN_END_AUTH] = CAUSE_AUTH,
	[CONN_END_REFUSED] = CAUSE_REFUSED,
	[CONN_END_TIMEOUT] = CAUSE_TIMEOUT,
	[CONN_END_STOPPED] = CAUSE_STOPPED,
	[CONN_END_LOST] = CAUSE_LINK_LOST,
};

enum cause conn_cause(enum conn_end end)
{
	return conn_causes[end];
}
