/* How the end of an SSH connection reads as the cause of a child's end. */
#ifndef MUSTER_CONN_CAUSE_H
#define MUSTER_CONN_CAUSE_H

#include "conn.h"
#include "outcome.h"

enum cause conn_cause(enum conn_end end);

#endif
