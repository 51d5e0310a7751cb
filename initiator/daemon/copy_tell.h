/* What people are told of the copy of one host, whichever way it goes: as records of its child. */
#ifndef MUSTER_COPY_TELL_H
#define MUSTER_COPY_TELL_H

#include "copy_plan.h"
#include "copy_tally.h"
#include "record.h"

struct link;
struct outcome;

/* How often how far it is is worth a record: not so much where nobody looks. */
#define COPY_TELL_MS		1000u
#define COPY_TELL_BACKGROUND_MS 60000u

void copy_tell_text(struct link *link, enum record_stream stream, const char *text);
/* The line about a file; the caller frees it. */
char *copy_tell_line(bool is_error, const char *name, const char *text);
/* How far it is; plan: NULL if nobody knows how much there is. */
void copy_tell_progress(struct link *link, const struct copy_tally *tally,
			const struct copy_plan *plan);
/* The row at its end, and the outcome that it stands for. */
void copy_tell_row(struct link *link, const struct copy_tally *tally, double seconds);
void copy_tell_outcome(struct outcome *ret, const struct copy_tally *tally);

#endif
