/* What becomes of finished jobs in time: they go when they are too old, too many, or too large
 * together, the oldest first, whether or not anybody has read them (muster.conf(5)). */
#ifndef MUSTER_RETAIN_H
#define MUSTER_RETAIN_H

struct daemon;
struct retain;

/* Looks every minute. The daemon's options say how long and how much. */
struct retain *retain_new(struct daemon *daemon);
void retain_free(struct retain *retain); /* NULL is fine */

/* Looks now. */
void retain_look(struct retain *retain);

#endif
