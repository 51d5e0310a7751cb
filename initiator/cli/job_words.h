/* The words of jobs, as users write and read them, from the tables of the room that has them. */
#ifndef MUSTER_JOB_WORDS_H
#define MUSTER_JOB_WORDS_H

#include <stddef.h>

/* States of jobs and children; why a child ended, without "none". In the order of the tables. */
const char *const *job_words_states(size_t *ret_count);
const char *const *job_words_causes(size_t *ret_count);

#endif
