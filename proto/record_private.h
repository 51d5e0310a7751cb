/* Between record.c and record_get.c. */
#ifndef MUSTER_RECORD_PRIVATE_H
#define MUSTER_RECORD_PRIVATE_H

#include "record.h"

/* The rules of docs/protocol.md, 6.7, on what a record holds. Returns 0, ERR_PROTO or ERR_LIMIT. */
int record_check(const struct record *record, struct errmsg *msg);

#endif
