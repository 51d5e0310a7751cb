/*
 * A link: how one child is carried out. Today a plain SSH exec (ssh/conn.h); this is the place
 * where an agent on the target takes over from it.
 */
#ifndef MUSTER_LINK_H
#define MUSTER_LINK_H

#include <stdbool.h>

#include "job.h"
#include "run.h"

struct link;

/* Starts the child's command. Reports by child_on_running and child_on_end, from the loop. */
struct link *link_start(struct run *run, struct child *child);
void link_stop(struct link *link);
void link_hold(struct link *link, bool hold);
void link_free(struct link *link); /* NULL is fine */

#endif
