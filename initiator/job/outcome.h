/* How a child job ended: one cause, with what belongs to it. */
#ifndef MUSTER_OUTCOME_H
#define MUSTER_OUTCOME_H

#include <stdbool.h>

#include "limits.h"

enum cause {
#define CAUSE_ROW(name, text, status) CAUSE_##name,
#include "cause.def"
#undef CAUSE_ROW
	CAUSE_COUNT
};

struct outcome {
	enum cause cause;
	int exit_code;		       /* of EXITED; otherwise -1 */
	char signal[16];	       /* of SIGNALLED, without "SIG" (RFC 4254, section 6.10) */
	bool began;		       /* the command had been started */
	char text[LIMIT_OUTCOME_TEXT]; /* "connection refused"; empty if the cause says it all */
};

/* The name for people: "exited". Static. */
const char *cause_name(enum cause cause);

/* The cause of this name. False if there is none. */
bool cause_find(const char *name, enum cause *ret);

/* True for EXITED with code 0. */
bool outcome_is_success(const struct outcome *o);

/* The exit status of muster that this end argues for: 0, 1, 3, 4 or 5. */
int outcome_exit_status(const struct outcome *o);

#endif
