/* What the build makes of the agents, for payload.c. */
#ifndef MUSTER_PAYLOAD_PRIVATE_H
#define MUSTER_PAYLOAD_PRIVATE_H

#include "payload.h"

/* Ends with a row without arch. */
extern const struct payload payload_rows[];

#endif
