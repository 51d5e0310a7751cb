/* What an agent tells of the end of a task, as the outcome of a child. */
#include <stdio.h>

#include "escape.h"
#include "track.h"

static const enum cause track_causes[TASK_END_KIND_COUNT] = {
	[TASK_EXITED] = CAUSE_EXITED,	[TASK_SIGNALLED] = CAUSE_SIGNALLED,
	[TASK_TIMEOUT] = CAUSE_TIMEOUT, [TASK_STOPPED] = CAUSE_STOPPED,
	[TASK_REFUSED] = CAUSE_REFUSED, [TASK_LIMIT] = CAUSE_LIMIT,
	[TASK_LOST] = CAUSE_AGENT_LOST, [TASK_GONE] = CAUSE_AGENT_LOST,
};

static void track_outcome_text(struct outcome *o, const struct task_end_msg *m)
{
	if (m->text)
		(void)escape_str(o->text, sizeof o->text, m->text);
	if (m->kind == TASK_GONE && !o->text[0])
		(void)snprintf(o->text, sizeof o->text, "the host knows nothing of it any more");
	if (!o->text[0] && m->survivors)
		(void)snprintf(o->text, sizeof o->text, "%llu process%s could not be ended",
			       (unsigned long long)m->survivors, m->survivors == 1 ? "" : "es");
	if (!o->text[0] && m->pipes_open)
		(void)snprintf(o->text, sizeof o->text,
			       "it left processes behind that hold its output open");
}

void track_outcome(struct outcome *ret, const struct task_end_msg *m)
{
	*ret = (struct outcome){.cause = track_causes[m->kind], .exit_code = -1};
	if (ret->cause == CAUSE_EXITED)
		ret->exit_code = (int)(m->exit_code & 0xff);
	if (ret->cause == CAUSE_SIGNALLED)
		(void)escape_str(ret->signal, sizeof ret->signal, m->signal ? m->signal : "?");
	track_outcome_text(ret, m);
}
