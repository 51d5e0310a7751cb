#include <strings.h>

#include "alloc.h"
#include "buf.h"
#include "escape.h"
#include "job.h"

struct job_state_row {
	const char *text;
	bool finished;
};

static const struct job_state_row job_states[] = {
#define JOB_STATE_ROW(name, text, finished) [JOB_STATE_##name] = {text, finished},
#include "state.def"
#undef JOB_STATE_ROW
};

_Static_assert(ARRAY_LEN(job_states) == JOB_STATE_COUNT, "a row for each state");

const char *job_state_name(enum job_state state)
{
	return (unsigned)state < JOB_STATE_COUNT ? job_states[state].text : "?";
}

bool job_state_is_finished(enum job_state state)
{
	return (unsigned)state < JOB_STATE_COUNT && job_states[state].finished;
}

int job_state_parse(const char *name, enum job_state *ret, struct errmsg *msg)
{
	struct buf known = {0};
	char shown[64];

	for (int i = 0; i < JOB_STATE_COUNT; i++) {
		if (strcasecmp(name, job_states[i].text) == 0) {
			*ret = (enum job_state)i;
			buf_done(&known);
			return 0;
		}
		buf_addf(&known, "%s%s", i ? ", " : "", job_states[i].text);
	}
	err_set(msg, ERR_SYNTAX, "'%s' is no state of a job: use one of %s",
		escape_str(shown, sizeof shown, name), buf_cstr(&known));
	buf_done(&known);
	return ERR_SYNTAX;
}
