/*
 * What a job copies to hosts, on its way to the gateway of some of them: once, before the gateway
 * is told of these (docs/protocol.md, 6.17). Known to relay*.c alone.
 */
#ifndef MUSTER_RELAY_STAGE_H
#define MUSTER_RELAY_STAGE_H

#include <stdbool.h>

#include "err.h"
#include "frame.h"

struct relay;
struct relay_stage;

bool relay_stage_is_wanted(const struct relay *relay);
/* Once the gateway has greeted. Ends with relay_send_request, or with the end of the relay. */
void relay_stage_begin(struct relay *relay);
/* What the gateway says of it: 0, or ERR_* with msg. */
int relay_stage_on_frame(struct relay *relay, const struct frame *frame, struct errmsg *msg);
void relay_stage_free(struct relay_stage *stage); /* NULL is fine */

#endif
