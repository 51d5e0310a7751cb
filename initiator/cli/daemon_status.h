/* What `muster daemon status` says. */
#ifndef MUSTER_DAEMON_STATUS_H
#define MUSTER_DAEMON_STATUS_H

#include "buf.h"
#include "control_msg.h"

/* Some lines for people; one object in a line for programs. */
void daemon_status_text(struct buf *out, const struct status_reply_msg *m);
void daemon_status_json(struct buf *out, const struct status_reply_msg *m);

#endif
