#include "job_words.h"

#include "alloc.h"

static const char *const job_states[] = {
#define JOB_STATE_ROW(name, text, finished) text,
#include "state.def"
#undef JOB_STATE_ROW
};

/* The first one is that of a child that has not ended. */
static const char *const job_causes[] = {
#define CAUSE_ROW(name, text, status) text,
#include "cause.def"
#undef CAUSE_ROW
};

const char *const *job_words_states(size_t *ret_count)
{
	*ret_count = ARRAY_LEN(job_states);
	return job_states;
}

const char *const *job_words_causes(size_t *ret_count)
{
	*ret_count = ARRAY_LEN(job_causes) - 1;
	return job_causes + 1;
}
